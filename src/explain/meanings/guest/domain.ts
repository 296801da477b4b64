// What a domain says that libvirt or QEMU refuses, apart from its cells: the meaning of each code.

import type { DomainFacts } from '../../../codes/guest/domain.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const domainMeanings: Meanings<DomainFacts> = {
  'not-domain': meaning(
    'the document is not a <domain>',
    'Only the XML of a guest can be placed. A <domstatus>, a <network> or a <capabilities> is another ' +
      'document.',
    'Use the output of virsh dumpxml --inactive NAME.',
  ),
  'not-qemu': meaning(
    'the guest is not run by QEMU',
    'Cells, memnodes and pins are fitted to what QEMU does. Domains of LXC, Xen and others differ.',
    "Use type='kvm' or type='qemu'.",
  ),
  'domain-incomplete': meaning(
    'an element that every domain has is missing',
    'libvirt requires it as well.',
    'Add the element.',
  ),
  'domain-value': meaning(
    'a number in the domain is out of range',
    'The text is not a number, or libvirt does not accept one of this size there.',
    'Correct the value.',
  ),
  'element-twice': meaning(
    'an element occurs twice where one is allowed',
    "libvirt's schema allows one. Without --validate, libvirt takes the first of some elements and " +
      'merges others, so which one counts is not obvious.',
    'Merge the two into one.',
  ),
  'entry-twice': meaning(
    'two elements describe the same thing',
    'Two pins of one vCPU, two memnodes of one cell and the like: libvirt refuses them.',
    'Delete one of the two.',
  ),
  'part-missing': meaning(
    'an element lacks a part that libvirt requires',
    'libvirt refuses the element too.',
    'Add the part, or delete the element.',
  ),
  'value-unknown': meaning(
    'libvirt does not know the value of an attribute',
    'libvirt refuses the domain too.',
    'Write one of the values that the message lists.',
  ),
  'tune-mode': meaning(
    'a memory mode that libvirt does not know',
    'The modes of <memory> and <memnode> are strict, preferred, interleave and restrictive.',
    'Use one of them.',
  ),
  'metadata-twice': meaning(
    'two elements of our namespace in the metadata',
    'libvirt keeps only the first element of each namespace in <metadata>, so the second would be lost.',
    'Write all keys into one element.',
  ),
  'metadata-element': meaning(
    'an unknown element of our namespace',
    'The namespace urn:virt-numa:1 has one element, guestMappingPassthrough. libvirt keeps others as ' +
      'they are, and they would have no effect.',
    'Write the name of the element as the message gives it.',
  ),
  'guest-live': meaning(
    'the XML is that of a running guest',
    'What the guest itself uses is counted as not free, so a check of its start would report ' +
      'shortages that do not exist when it is stopped.',
    'Use virt-numa verify for the running guest, or virsh dumpxml --inactive for its next start.',
  ),
  'memory-sum': meaning(
    '<memory> differs from cells and devices together',
    'libvirt silently resizes the guest to the sum of its cells and memory devices.',
    'Write the sum into <memory>.',
  ),
  'max-memory-low': meaning(
    '<maxMemory> is less than the guest has',
    'libvirt refuses a maximum below the memory of the guest.',
    'Raise <maxMemory>.',
  ),
  'devices-hold-all': meaning(
    'memory devices take all of <memory>',
    '<memory> includes memory devices, and a guest needs other memory to start.',
    'Raise <memory>.',
  ),
  'balloon-without-effect': meaning(
    'a balloon has no effect with huge pages',
    'A guest takes all of its huge pages from the host when it starts. A <currentMemory> below ' +
      '<memory> returns none of them.',
    'Set <currentMemory> to <memory>.',
  ),
  'vcpu-not-pluggable': meaning(
    'a vCPU is offline, but not hotpluggable',
    'It could never come online. libvirt refuses it.',
    "Write hotpluggable='yes' or enabled='yes'.",
  ),
  'vcpu-state': meaning(
    'libvirt does not take the states in <vcpus>',
    'A guest boots on vCPU 0, which has to be online, not hotpluggable and first in order. vCPUs that ' +
      'are present at boot come before the others, with ascending orders.',
    'Correct the state that the message names.',
  ),
  'topology-mismatch': meaning(
    '<topology> does not describe all vCPUs',
    'sockets x dies x clusters x cores x threads has to be the number of possible vCPUs. libvirt ' +
      'refuses anything else.',
    'Write the <topology> that the message gives.',
  ),
  'vcpus-not-cores': meaning(
    'a pseries guest has a part of a core online',
    'A pseries machine plugs whole cores, so the number of vCPUs online is a multiple of the threads ' +
      'of a core.',
    'Set the number of online vCPUs to such a multiple.',
  ),
  'vcpus-need-eim': meaning(
    'the IOMMU cannot serve so many vCPUs',
    'More than 255 vCPUs on x86 need an Intel IOMMU with extended interrupt mode (eim), which needs ' +
      'interrupt remapping and the I/O APIC of QEMU.',
    'Write what the message names.',
  ),
  'vcpus-need-iommu': meaning(
    'older libvirt needs an <iommu> for so many vCPUs',
    'More than 255 vCPUs on x86 need an IOMMU with extended interrupt mode. libvirt adds it from 10.10 ' +
      'on; older versions refuse the guest.',
    'Write <iommu> and <ioapic>, if the guest may run on an older host.',
  ),
  'vcpus-beyond-machine': meaning(
    'the machine type cannot have so many vCPUs',
    'More than 255 vCPUs on x86 need an IOMMU with extended interrupt mode, which only q35 has.',
    'Use q35 with an <iommu> that has intremap and eim on.',
  ),
  'sched-without-thread': meaning(
    'a scheduler names threads that do not exist',
    '<vcpusched> and <iothreadsched> refer to vCPUs and I/O threads of the guest. libvirt refuses others.',
    'Delete the ids from the element.',
  ),
  'resctrl-overlap': meaning(
    'a vCPU is in two cachetune or memorytune groups',
    'Each <cachetune> or <memorytune> is a resource group of the kernel, and a thread is in one group only.',
    'Give both elements the same vCPUs, or none in common.',
  ),
  'resctrl-needs-kvm': meaning(
    'resource control without KVM',
    'libvirt supports <cachetune> and <memorytune> only for guests of type kvm.',
    "Delete the element, or use type='kvm'.",
  ),
  'monitor-vcpus': meaning(
    'a <monitor> has the wrong vCPUs',
    'A monitor counts vCPUs of its own group. Besides the monitor of the whole group, each vCPU can ' +
      'have one.',
    'Give each <monitor> vCPUs of its group, or delete it.',
  ),
  'resctrl-stays': meaning(
    'a cache limit may not fit the new CPUs',
    'The ids in <cachetune> and <memorytune> are those of host caches. The vCPUs get other CPUs, and ' +
      'the host does not state the ids of their caches, or the ids are of caches that these vCPUs do ' +
      'not use.',
    'Write the ids of the caches that the vCPUs use: virsh capabilities lists them by CPU.',
  ),
  'resctrl-moved': meaning(
    'a cache limit now names other caches',
    'The vCPUs moved to CPUs of other level-3 caches, and the ids in <cachetune> or <memorytune> ' +
      'moved with them. What is limited stays.',
    'Nothing has to be changed.',
  ),
  'resctrl-missing': meaning(
    'a cache limit names a cache that the host lacks',
    'libvirt refuses the start of a guest whose <cachetune> or <memorytune> names an unknown cache.',
    'Write the ids of the caches that the vCPUs use: virsh capabilities lists them by CPU.',
  ),
  'foreign-stays': meaning(
    'parts of other vendors stay in what was changed',
    'An element that was changed also has attributes or elements that libvirt does not know. They are ' +
      'kept, though it is not known whether they still fit.',
    'Change or delete them where they no longer fit.',
  ),
  'foreign-dropped': meaning(
    'parts of other vendors are deleted',
    'The fitted domain has no such element any more, so what it held of other vendors goes with it.',
    'Write those parts into the new elements where they are still needed.',
  ),
  'iothread-without-thread': meaning(
    'a pin names an I/O thread that does not exist',
    'I/O threads have the ids 1 to the number in <iothreads>, or those in <iothreadids>.',
    'Delete the pin, or raise the number in <iothreads>.',
  ),
  'expander-cell-missing': meaning(
    'a PCI expander bus is in a missing cell',
    'pcie-expander-bus and pxb name the cell of their devices. QEMU refuses one whose cell does not exist.',
    'Correct the <node> in its <target>, or give the guest more cells.',
  ),
  'controller-in-cell': meaning(
    'a PCI controller cannot be in a cell',
    'Only an expander bus, or a further pci-root of a pseries machine, can be in a cell. libvirt refuses ' +
      'any other.',
    'Delete the <node> in its <target>.',
  ),
  'expander-machine': meaning(
    'the machine type has no such expander bus',
    'pci-expander-bus belongs to the i440fx machines (pc), pcie-expander-bus to q35 and its like.',
    'Use the machine type that the message names.',
  ),
}
