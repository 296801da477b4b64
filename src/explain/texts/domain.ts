// What a domain says that libvirt or QEMU refuses, apart from its cells: the text of each code.

import { shellWord } from '../../base/name.ts'
import type { DomainFacts } from '../../codes/domain.ts'
import { cellsUpTo, or, short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const domainTexts: Texts<DomainFacts> = {
  'not-domain': (f) =>
    text(
      `the document is <${f.name}>, not <domain>`,
      'only a domain has a placement',
      'give the output of virsh dumpxml --inactive NAME',
    ),
  'not-qemu': (f) =>
    text(
      `the domain has type ${short(f.type)}`,
      'cells, memnodes and hugepages are fitted for guests that QEMU runs',
      "use type='kvm' or type='qemu'",
    ),
  'domain-incomplete': (f) =>
    text(`the domain has no <${f.element}>`, 'libvirt needs it too', `write <${f.element}>`),
  'domain-value': (f) =>
    text(
      `<${f.element}> has ${short(f.value)} where a number from ${f.min} to ${f.max} belongs`,
      'libvirt refuses it too',
      'correct the value',
    ),
  'element-twice': (f) =>
    text(
      `<${f.parent}> has a second <${f.element}>`,
      "libvirt's schema allows one; without --validate it takes the first of some and merges others",
      `merge the two <${f.element}> into one`,
    ),
  'entry-twice': (f) =>
    text(`two <${f.element}> are for ${f.of}`, 'libvirt refuses it too', 'delete one of the two'),
  'part-missing': (f) =>
    text(
      `<${f.element}> has no ${f.part}`,
      'libvirt refuses it too',
      `write ${f.part}, or delete the <${f.element}>`,
    ),
  'value-unknown': (f) =>
    text(
      `<${f.element} ${f.attribute}> has ${short(f.value)}`,
      'libvirt refuses it too',
      `write ${or(f.known)}`,
    ),
  'tune-mode': (f) =>
    text(
      `<${f.element} mode=${short(f.value)}> is not a valid mode`,
      'libvirt refuses it too',
      `one of ${f.known}`,
    ),
  'metadata-twice': (f) =>
    text(
      `<${f.name}> is the second element of our namespace`,
      'libvirt keeps only the first of a namespace',
      'write all keys into one element',
    ),
  'metadata-element': (f) =>
    text(`<${f.name}> is not known`, 'the namespace urn:virt-numa:1 has one element', `write <${f.known}>`),
  'guest-live': (f) =>
    text(
      `the document is that of a guest that runs (id ${f.id})`,
      'what it holds itself is not free, so that it is counted twice',
      `virt-numa verify ${shellWord(f.name)}, or virsh dumpxml --inactive ${shellWord(f.name)}`,
    ),
  'memory-sum': (f) =>
    text(
      `<memory> is ${f.memory}, cells and memory devices make ${f.sum}`,
      'libvirt silently resizes the guest to the sum',
      'write the sum into <memory>',
    ),
  'max-memory-low': (f) =>
    text(
      `maxMemory is ${f.max}, the guest has ${f.memory}`,
      'libvirt refuses it too',
      `raise maxMemory to ${f.memory} or more`,
    ),
  'devices-hold-all': (f) =>
    text(
      `the memory devices hold ${f.devices}, <memory> says ${f.memory}`,
      '<memory> counts them, and something must be left for the guest to start with',
      'raise <memory>',
    ),
  'balloon-without-effect': (f) =>
    text(
      `<currentMemory> is ${f.current} of ${f.memory}, in hugepages`,
      'all of the memory is taken from the host: a balloon gives no huge page back',
      'write <currentMemory> as large as <memory>',
    ),
  'vcpu-not-pluggable': (f) =>
    text(
      `vCPU ${f.vcpu} is offline and not hotpluggable`,
      'libvirt refuses it too',
      "write hotpluggable='yes' or enabled='yes'",
    ),
  'iothread-without-thread': (f) =>
    text(
      `an <iothreadpin> is for I/O thread ${f.iothread}, the guest has ${f.has === '' ? 'none' : `the I/O threads ${f.has}`}`,
      'libvirt refuses it too',
      'delete the pin, or raise the number in <iothreads>',
    ),
  'expander-cell-missing': (f) =>
    text(
      `a ${f.model} sits in cell ${f.cell}, the guest has ${f.cells === 0 ? 'no cells' : cellsUpTo(f.cells)}`,
      'QEMU refuses a bus in a cell that does not exist',
      `write <target><node>0</node></target>, or give the guest ${f.cell + 1} cells`,
    ),
  'expander-machine': (f) =>
    text(
      `a ${f.model} on the machine ${f.machine}`,
      `libvirt takes it on ${f.wants} only`,
      `use machine='${f.wants}'`,
    ),
}
