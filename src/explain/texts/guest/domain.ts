// What a domain says that libvirt or QEMU refuses, apart from its cells: the text of each code.

import { formatSet, setOf } from '../../../base/idset.ts'
import { inOneUnit } from '../../../base/memory.ts'
import { shellWord } from '../../../base/visible.ts'
import type { DescribedTwice, DomainFacts, VcpuStateProblem } from '../../../codes/guest/domain.ts'
import { and, cellsUpTo, or, plural, short, type Texts, text, topologyElement, withIds } from '../words.ts'

/** What, why and fix of each code. */
export const domainTexts: Texts<DomainFacts> = {
  'not-domain': (f) =>
    text(
      `the document is <${f.name}>, not <domain>`,
      'only a <domain> can be placed',
      'give the output of virsh dumpxml --inactive NAME',
    ),
  'not-qemu': (f) =>
    text(
      `the domain has type ${short(f.type)}`,
      'virt-numa supports guests that QEMU runs',
      "use type='kvm' or type='qemu'",
    ),
  'domain-incomplete': (f) =>
    text(`the domain has no <${f.element}>`, 'libvirt requires it', `add <${f.element}>`),
  'domain-value': (f) =>
    text(
      `<${f.element}> has ${short(f.value)}, expected a number from ${f.min} to ${f.max}`,
      'libvirt refuses it too',
      'correct the value',
    ),
  'element-twice': (f) =>
    text(
      `<${f.parent}> has a second <${f.element}>`,
      "libvirt's schema allows one; without --validate, libvirt takes the first of some elements and " +
        'merges others',
      `merge the two <${f.element}> into one`,
    ),
  'entry-twice': (f) =>
    text(
      `${describedTwice(f.of)} has two <${f.element}> elements`,
      'libvirt refuses them',
      'delete one of the two',
    ),
  'part-missing': (f) =>
    text(
      `<${f.element}> has no ${f.part}`,
      'libvirt refuses it too',
      `add ${f.part}, or delete the <${f.element}>`,
    ),
  'value-unknown': (f) =>
    text(
      `${short(f.value)} is not a valid value of <${f.element} ${f.attribute}>`,
      'libvirt refuses it too',
      `write ${or(f.known)}`,
    ),
  'tune-mode': (f) =>
    text(
      `${short(f.value)} is not a valid mode of <${f.element}>`,
      'libvirt refuses it too',
      `use ${or(f.known)}`,
    ),
  'metadata-twice': (f) =>
    text(
      `<${f.name}> is the second element of the namespace urn:virt-numa:1`,
      'libvirt keeps only the first element of a namespace',
      'write all keys into one element',
    ),
  'metadata-element': (f) =>
    text(
      `unknown element <${f.name}>`,
      'the namespace urn:virt-numa:1 has one element',
      `write <${f.known}>`,
    ),
  'guest-live': (f) =>
    text(
      `this is the XML of a running guest (id ${f.id})`,
      'memory and huge pages that the guest itself uses are counted as not free',
      `to check the running guest: virt-numa verify ${shellWord(f.name)}; to check its next start: virsh ` +
        `dumpxml --inactive ${shellWord(f.name)} | virt-numa check`,
    ),
  'memory-sum': (f) => {
    const [memory, sum] = inOneUnit(f.memoryKiB, f.sumKiB)
    return text(
      `<memory> is ${memory}, but cells and memory devices add up to ${sum}`,
      'libvirt silently resizes the guest to the sum',
      'write the sum into <memory>',
    )
  },
  'max-memory-low': (f) => {
    const [max, memory] = inOneUnit(f.maxKiB, f.memoryKiB)
    return text(
      `<maxMemory> is ${max}, but the guest has ${memory}`,
      'libvirt refuses it too',
      `raise <maxMemory> to ${memory} or more`,
    )
  },
  'devices-hold-all': (f) => {
    const [devices, memory] = inOneUnit(f.devicesKiB, f.memoryKiB)
    return text(
      `the memory devices have ${devices}, but <memory> is only ${memory}`,
      '<memory> includes memory devices, and the guest needs other memory to start',
      'raise <memory>',
    )
  },
  'balloon-without-effect': (f) => {
    const [current, memory] = inOneUnit(f.currentKiB, f.memoryKiB)
    return text(
      `<currentMemory> is ${current} of ${memory}, but the memory is in huge pages`,
      'the guest takes all of its huge pages from the host: a balloon returns none',
      `set <currentMemory> to ${memory}`,
    )
  },
  'vcpu-not-pluggable': (f) =>
    text(
      `vCPU ${f.vcpu} is offline and not hotpluggable`,
      'libvirt refuses it too',
      "write hotpluggable='yes' or enabled='yes'",
    ),
  'vcpu-state': (f) => text(...vcpuStateText[f.is](f.vcpu)),
  'topology-mismatch': (f) =>
    text(
      `<topology> describes ${plural(f.places, 'vCPU')}, but the guest has ${f.vcpus}`,
      'libvirt requires a topology of exactly the possible vCPUs',
      `write ${topologyElement(f.fits)}`,
    ),
  'vcpus-not-cores': (f) =>
    text(
      `${plural(f.online, 'vCPU')} online is not a multiple of the ${f.threads} threads of a core`,
      'a pseries machine can only plug whole cores',
      `set the number of online vCPUs to a multiple of ${f.threads}`,
    ),
  'vcpus-need-eim': (f) =>
    text(
      `the guest has ${f.vcpus} vCPUs, but ${EIM_KEPT[f.is].what}`,
      `more than ${f.max} vCPUs need an Intel IOMMU with extended interrupt mode, which needs interrupt ` +
        'remapping and the I/O APIC of QEMU',
      EIM_KEPT[f.is].fix,
    ),
  'vcpus-need-iommu': (f) =>
    text(
      `the guest has ${f.vcpus} vCPUs, and does not state all that these need`,
      `more than ${f.max} vCPUs need an IOMMU with extended interrupt mode; libvirt older than ${f.until} ` +
        'refuses the guest, newer versions add it',
      "write <iommu model='intel'><driver intremap='on' eim='on'/></iommu> in <devices>, and " +
        "<ioapic driver='qemu'/> in <features>",
    ),
  'vcpus-beyond-machine': (f) =>
    text(
      `the guest has ${f.vcpus} vCPUs, on machine ${f.machine}`,
      `more than ${f.max} vCPUs need an IOMMU with extended interrupt mode, which only q35 has`,
      "use machine='q35' with <iommu model='intel'><driver intremap='on' eim='on'/></iommu> " +
        "and <ioapic driver='qemu'/>",
    ),
  'sched-without-thread': (f) =>
    text(
      `<${f.element}> names ${withIds(f.element === 'vcpusched' ? 'vCPU' : 'I/O thread', f.ids)}` +
        ', but the guest has ' +
        (f.has.length === 0 ? 'none' : `only ${formatSet(setOf(f.has))}`),
      'libvirt refuses it too',
      `delete ${formatSet(setOf(f.ids))} from it`,
    ),
  'resctrl-overlap': (f) =>
    text(
      `<${f.element}> names ${vcpuWord(f.vcpus)}, as another <cachetune> or <memorytune> does`,
      'each is a resource group, and a vCPU can be in one group only',
      'give both the same vCPUs, or none in common',
    ),
  'resctrl-needs-kvm': (f) =>
    text(
      `<${f.element}> is in a domain of type ${short(f.type)}`,
      'libvirt supports resource control only with KVM',
      `delete <${f.element}>, or use type='kvm'`,
    ),
  'monitor-vcpus': (f) => text(...monitorText(f)),
  'resctrl-stays': (f) =>
    text(
      f.used === undefined
        ? `${limitsOf(f, f.caches)}, and these vCPUs get other CPUs`
        : `${limitsOf(f, f.caches)}, but these vCPUs use ${cachesNamed(f.used)}`,
      f.used === undefined
        ? 'the ids are those of the host, which does not state the ids of the caches under the new CPUs'
        : 'the limit has no effect on these vCPUs, and keeps a part of the cache from others',
      'write the ids of the caches that they use: virsh capabilities lists them by CPU',
    ),
  'resctrl-moved': (f) =>
    text(
      `<${f.element}> of ${withIds('vCPU', f.vcpus)} now limits ${limited[f.element]}` +
        `${cachesNamed(f.to)} instead of ` +
        cachesNamed(f.from),
      'the ids are those of host caches, and these vCPUs use others now; what is limited stays',
    ),
  'resctrl-missing': (f) =>
    text(
      `${limitsOf(f, f.caches)}, but this host has ${cachesNamed(f.has)}`,
      'libvirt refuses the start',
      'write the ids of the caches that these vCPUs use: virsh capabilities lists them by CPU',
    ),
  'foreign-stays': (f) =>
    text(
      `${elementsOf(f)} ${f.count === 1 ? 'keeps' : 'keep'} ${and(f.parts)}, which libvirt does not know`,
      'other attributes have changed, and it is not known whether these parts still fit them',
      `change or delete ${and(f.parts)} where they no longer fit`,
    ),
  'foreign-dropped': (f) =>
    text(
      `${elementsOf(f)} with ${and(f.parts)} ${f.count === 1 ? 'is' : 'are'} deleted`,
      'the fitted domain has no such element, and libvirt does not know these parts',
      `write ${and(f.parts)} into the new elements where they are still needed`,
    ),
  'iothread-without-thread': (f) =>
    text(
      `an <iothreadpin> names I/O thread ${f.iothread}, but the guest has ` +
        (f.has.length === 0 ? 'no I/O threads' : `only ${withIds('I/O thread', f.has)}`),
      'libvirt refuses it too',
      'delete the pin, or raise the number in <iothreads>',
    ),
  'expander-cell-missing': (f) =>
    text(
      `a ${f.model} is in cell ${f.cell}, but the guest has ` +
        `${f.cells === 0 ? 'no cells' : `only ${cellsUpTo(f.cells)}`}`,
      'QEMU refuses a PCI expander bus whose cell does not exist',
      `write <target><node>0</node></target>, or give the guest ${plural(f.cell + 1, 'cell')}`,
    ),
  'controller-in-cell': (f) =>
    text(
      `the ${f.model}${f.index === '' ? '' : ` with index ${f.index}`} is in cell ${f.cell}`,
      'only an expander bus, or a further pci-root of a pseries machine, can be in a cell',
      `delete <node>${f.cell}</node>`,
    ),
  'expander-machine': (f) =>
    text(
      `machine ${f.machine} has no ${f.model}`,
      `libvirt accepts it on ${f.wants} only`,
      `use machine='${f.wants}'`,
    ),
}

const EIM_KEPT: Readonly<Record<DomainFacts['vcpus-need-eim']['is'], { what: string; fix: string }>> = {
  model: { what: 'its <iommu> is not the Intel one', fix: "use <iommu model='intel'>" },
  'eim-off': { what: "its <iommu> has eim='off'", fix: "write eim='on'" },
  'intremap-off': { what: "its <iommu> has intremap='off'", fix: "write intremap='on'" },
  'ioapic-kvm': { what: 'its I/O APIC is that of KVM', fix: "write <ioapic driver='qemu'/>" },
}

function monitorText({ is, of, vcpus, group }: DomainFacts['monitor-vcpus']): [string, string, string] {
  const monitor = `a <monitor> in <${of} vcpus='${formatSet(group)}'>`
  switch (is) {
    case 'empty':
      return [`${monitor} has no vCPU of the guest`, 'libvirt refuses it too', 'delete it']
    case 'outside':
      return [
        `${monitor} names ${vcpuWord(vcpus)}`,
        'libvirt allows a monitor only for vCPUs of its group',
        `give it vCPUs of ${formatSet(group)}`,
      ]
    case 'twice':
      return [
        `<${of}> has two <monitor> for ${vcpuWord(vcpus)}`,
        'libvirt refuses it too',
        'delete one of the two',
      ]
    case 'overlapping':
      return [
        `${monitor} names ${vcpuWord(vcpus)}, some of which another <monitor> names as well`,
        'besides the monitor of the whole group, a vCPU can have one monitor',
        'give each <monitor> its own vCPUs',
      ]
  }
}

function describedTwice(of: DescribedTwice): string {
  switch (of.is) {
    case 'every-cell':
      return 'every cell'
    case 'cell':
      return `cell ${of.id}`
    case 'vcpu':
      return `vCPU ${of.id}`
    case 'iothread':
      return `I/O thread ${of.id}`
    case 'id':
      return `the id ${of.id}`
    case 'cell-cache':
      return `level ${of.level} of cell ${of.cell}`
    case 'cache':
      return `cache ${of.id} of level ${of.level}`
    case 'vcpus':
      return vcpuWord(of.vcpus)
  }
}

const vcpuWord = (vcpus: readonly number[]): string => withIds('vCPU', vcpus)

const vcpuStateText: Readonly<Record<VcpuStateProblem, (vcpu: number) => [string, string, string]>> = {
  'first-offline': () => [
    'vCPU 0 is offline',
    'a guest boots on vCPU 0',
    "write current='1' or more on <vcpu>, or enabled='yes' for vCPU 0 in <vcpus>",
  ],
  'first-hotpluggable': () => [
    'vCPU 0 is hotpluggable',
    'a guest boots on vCPU 0, so it cannot be hotplugged',
    "write hotpluggable='no'",
  ],
  'first-late': () => ['vCPU 0 is not the first in order', 'a guest boots on vCPU 0', "write order='1'"],
  'order-of-some': (vcpu) => [
    `vCPU ${vcpu} and vCPU 0 do not both have an order`,
    'libvirt requires an order for all online vCPUs, or for none',
    'write an order for all, or delete all orders',
  ],
  'after-hotpluggable': (vcpu) => [
    `vCPU ${vcpu} is not hotpluggable, but the one before it is`,
    'vCPUs that are present at boot come first',
    "write hotpluggable='yes'",
  ],
  'order-descends': (vcpu) => [
    `vCPU ${vcpu} has a lower order than the one before it`,
    'the orders of vCPUs that are not hotpluggable have to ascend',
    'write ascending orders',
  ],
}

const limited: Readonly<Record<Limiting['element'], string>> = {
  cachetune: '',
  memorytune: 'memory bandwidth by ',
}

const cachesNamed = (ids: readonly number[]): string =>
  ids.length === 0 ? 'no level-3 cache' : withIds('cache', ids)

type Limiting = Pick<DomainFacts['resctrl-moved'], 'element' | 'vcpus'>

/** "<cachetune> of vCPUs 0-1 limits cache 0". */
const limitsOf = ({ element, vcpus }: Limiting, caches: readonly number[]): string =>
  `<${element}> of ${withIds('vCPU', vcpus)} limits ${limited[element]}${cachesNamed(caches)}`

const elementsOf = ({ element, count }: DomainFacts['foreign-stays']): string =>
  count === 1 ? `<${element}>` : `${count} <${element}>`
