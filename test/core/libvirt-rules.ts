// What libvirt's parser and its validation for QEMU refuse in the elements that are read: one row for each
// rule, with the versions that have it, our code, and golden cases.

import type { Code } from '../../src/codes/codes.ts'

/** One rule. `name` says what is refused, `source` is the function of libvirt that refuses it. */
export interface Rule {
  readonly name: string
  readonly source: string
  /**
   * `every`: libvirt 9.0 and 11.3, whose sources were read. Otherwise the first version that has it, or the
   * last one; such a rule is a note.
   */
  readonly versions: 'every' | { readonly since: string } | { readonly until: string }
  readonly code: Code
  readonly golden: readonly string[]
}

/** By element. */
export const rules: Readonly<Record<string, readonly Rule[]>> = {
  vcpu: [
    {
      name: 'vCPU 0 is offline, hotpluggable or not the first',
      source: 'qemuDomainDefVcpusPostParse',
      versions: 'every',
      code: 'vcpu-state',
      golden: ['2n4c2t-check-offline', '2n4c2t-check-vcpu-states', '2n4c2t-vcpu-hotpluggable'],
    },
    {
      name: 'orders of vCPUs that descend, or that some have',
      source: 'qemuDomainDefVcpusPostParse',
      versions: 'every',
      code: 'vcpu-state',
      golden: ['2n4c2t-check-vcpu-states'],
    },
    {
      name: 'the topology does not make the number of vCPUs',
      source: 'qemuValidateDomainVCpuTopology',
      versions: 'every',
      code: 'topology-mismatch',
      golden: ['2n4c2t-check-topology', '2n4c2t-topology-few', '2n4c2t-topology-odd'],
    },
    {
      name: 'a part of a core is online on a pseries machine',
      source: 'qemuValidateDefGetVcpuHotplugGranularity',
      versions: 'every',
      code: 'vcpus-not-cores',
      golden: ['2n4c8t-check-ppc64'],
    },
    {
      name: 'more than 255 vCPUs on a machine other than q35',
      source: 'qemuValidateDomainVCpuTopology',
      versions: 'every',
      code: 'vcpus-beyond-machine',
      golden: ['2n4c2t-check-vcpus-pc', '2n4c2t-check-vcpus-microvm'],
    },
    {
      name: 'more than 255 vCPUs, and extended interrupt mode is not on',
      source: 'qemuValidateDomainVCpuTopology, virDomainDefIOMMUValidate',
      versions: 'every',
      code: 'vcpus-need-eim',
      golden: [
        '2n4c2t-check-vcpus-eim-off',
        '2n4c2t-check-vcpus-intremap-off',
        '2n4c2t-check-vcpus-iommu-virtio',
        '2n4c2t-check-vcpus-ioapic',
      ],
    },
    {
      name: 'more than 255 vCPUs, and nothing is stated of an IOMMU',
      source: 'qemuValidateDomainVCpuTopology',
      versions: { until: '10.10' },
      code: 'vcpus-need-iommu',
      golden: ['2n4c2t-check-vcpus-older'],
    },
  ],
  numa: [
    {
      name: 'a cache without level, associativity, policy, size or line',
      source: 'virDomainNumaDefNodeCacheParseXML',
      versions: 'every',
      code: 'part-missing',
      golden: ['2n4c2t-check-interconnects'],
    },
    {
      name: 'a cache of a level above 3',
      source: 'virDomainNumaDefValidate',
      versions: 'every',
      code: 'domain-value',
      golden: ['2n4c2t-check-interconnects'],
    },
    {
      name: 'two caches of one level',
      source: 'virDomainNumaDefValidate',
      versions: 'every',
      code: 'entry-twice',
      golden: ['2n4c2t-check-interconnects'],
    },
    {
      name: 'a latency or bandwidth of an unknown type',
      source: 'virDomainNumaDefParseXML',
      versions: 'every',
      code: 'value-unknown',
      golden: ['2n4c2t-check-interconnects'],
    },
    {
      name: 'a link of cells that do not exist, from a cell without vCPUs, of a missing cache, or twice',
      source: 'virDomainNumaDefValidate',
      versions: 'every',
      code: 'interconnect-refused',
      golden: ['2n4c2t-check-interconnects'],
    },
    {
      name: 'a PCI controller in a cell that is no expander bus and no further root bus',
      source: 'virDomainControllerDefValidate, qemuValidateDomainDeviceDefControllerPCI',
      versions: 'every',
      code: 'controller-in-cell',
      golden: ['2n4c2t-check-controllers', '2n4c8t-check-root-bus'],
    },
  ],
  numatune: [
    {
      name: 'memnodes that are not restrictive, and <memory> is',
      source: 'virDomainNumatuneNodeParseXML',
      versions: 'every',
      code: 'restrictive-mixed',
      golden: ['2n4c2t-check-restrictive-memory'],
    },
    {
      name: 'memnodes that are restrictive, and <memory> is not',
      source: 'virDomainNumaDefValidate',
      versions: { since: '9.4' },
      code: 'restrictive-memnode',
      golden: ['2n4c2t-check-restrictive', '2n4c2t-check-restrictive-alone'],
    },
    {
      name: 'a memnode for a cell that does not exist',
      source: 'virDomainNumatuneNodeParseXML',
      versions: 'every',
      code: 'memnode-without-cell',
      golden: ['2n4c2t-check-itself'],
    },
  ],
  cputune: [
    {
      name: 'a scheduler of a thread that the guest does not have',
      source: 'virDomainDefGetVcpuSched, virDomainDefGetIOThreadSched',
      versions: 'every',
      code: 'sched-without-thread',
      golden: ['2n4c2t-check-sched', '2n4c2t-rebind-sched'],
    },
    {
      name: 'two schedulers of one thread',
      source: 'virDomainThreadSchedParseHelper',
      versions: 'every',
      code: 'entry-twice',
      golden: ['2n4c2t-check-sched', '2n4c2t-sched-overlap'],
    },
    {
      name: 'a scheduler without policy, or a real-time one without priority',
      source: 'virDomainSchedulerParseCommonAttrs',
      versions: 'every',
      code: 'part-missing',
      golden: ['2n4c2t-check-sched'],
    },
    {
      name: 'a priority that the kernel does not have, at the start',
      source: 'virProcessSetScheduler',
      versions: 'every',
      code: 'domain-value',
      golden: ['2n4c2t-check-sched'],
    },
    {
      name: 'a period or a quota out of range',
      source: 'virDomainDefCputuneValidate',
      versions: 'every',
      code: 'domain-value',
      golden: ['2n4c2t-check-quota'],
    },
    {
      name: 'resource groups that overlap',
      source: 'virDomainResctrlVcpuMatch',
      versions: 'every',
      code: 'resctrl-overlap',
      golden: ['2n4c2t-check-cachetune'],
    },
    {
      name: 'two cachetunes of the same vCPUs',
      source: 'virDomainCachetuneDefParse',
      versions: 'every',
      code: 'entry-twice',
      golden: ['2n4c2t-cachetune-same'],
    },
    {
      name: 'two limits of one cache, or of the memory of one node',
      source: 'virResctrlAllocSetCacheSize, virResctrlAllocSetMemoryBandwidth',
      versions: 'every',
      code: 'entry-twice',
      golden: ['2n4c2t-check-cachetune'],
    },
    {
      name: 'a monitor of other vCPUs, of vCPUs that are monitored, or of none',
      source: 'virDomainResctrlValidateMonitor',
      versions: 'every',
      code: 'monitor-vcpus',
      golden: ['2n4c2t-check-cachetune', '2n4c2t-cachetune-monitors'],
    },
    {
      name: 'resource groups without KVM',
      source: 'qemuValidateDomainDef',
      versions: 'every',
      code: 'resctrl-needs-kvm',
      golden: ['2n4c2t-cachetune-monitors'],
    },
  ],
  memory: [
    {
      name: 'memory devices and no <maxMemory>',
      source: 'qemuDomainDefValidateMemoryHotplug',
      versions: 'every',
      code: 'max-memory-missing',
      golden: ['2n4c2t-dimm-no-room', '2n4c2t-check-itself'],
    },
    {
      name: '<maxMemory> and no cells, except on ppc64 and s390',
      source: 'qemuDomainDefValidateMemoryHotplug',
      versions: 'every',
      code: 'max-memory-without-cells',
      golden: ['2n4c2t-check-max-memory'],
    },
    {
      name: 'a device that names no cell of a guest with cells',
      source: 'qemuDomainDefValidateMemoryHotplugDevice',
      versions: 'every',
      code: 'device-without-cell',
      golden: ['2n4c2t-device-no-cell', '2n4c8t-device-no-cell', '2n4c2t-check-slots'],
    },
    {
      name: 'a device that names a cell that does not exist',
      source: 'virDomainMemoryDefValidate',
      versions: 'every',
      code: 'device-cell-missing',
      golden: ['2n4c2t-check-itself'],
    },
    {
      name: 'a virtio-pmem device that names a cell',
      source: 'virDomainMemoryDefValidate',
      versions: 'every',
      code: 'device-in-no-cell',
      golden: ['2n4c2t-check-pmem-cell'],
    },
    {
      name: 'more modules than slots',
      source: 'qemuDomainDefValidateMemoryHotplug',
      versions: 'every',
      code: 'memory-slots-few',
      golden: ['2n4c2t-check-slots'],
    },
    {
      name: 'a memory device of another kind without a slot, or a maximum without slots',
      source: 'qemuDomainDefValidateMemoryHotplug',
      versions: { until: '9.5' },
      code: 'memory-slots-older',
      golden: ['2n4c2t-slots-older'],
    },
    {
      name: 'an nvdimm or virtio-pmem device without a path',
      source: 'virDomainMemoryDefValidate',
      versions: 'every',
      code: 'part-missing',
      golden: ['2n4c2t-check-memory-devices'],
    },
    {
      name: 'the label of an nvdimm is too small or too large',
      source: 'virDomainMemoryTargetDefParseXML',
      versions: 'every',
      code: 'nvdimm-label',
      golden: ['2n4c2t-check-memory-devices'],
    },
    {
      name: 'sizes of a virtio-mem device that do not fit',
      source: 'virDomainMemoryDefValidate',
      versions: 'every',
      code: 'virtio-mem-sizes',
      golden: ['2n4c2t-check-memory-devices'],
    },
    {
      name: 'discard, private access, a uuid or an address of a device that has none',
      source: 'virDomainMemoryDefValidate, qemuDomainDefValidateMemoryHotplugDevice',
      versions: 'every',
      code: 'memory-device-refused',
      golden: ['2n4c2t-check-memory-parts'],
    },
    {
      name: 'a slot that does not exist',
      source: 'qemuDomainDefValidateMemoryHotplugDevice',
      versions: 'every',
      code: 'memory-slot-beyond',
      golden: ['2n4c2t-check-memory-addresses'],
    },
    {
      name: 'two devices in one slot; before 9.7 by QEMU',
      source: 'virDomainMemoryDefCheckConflict',
      versions: 'every',
      code: 'memory-slot-twice',
      golden: ['2n4c2t-check-memory-addresses'],
    },
    {
      name: 'devices that overlap; before 9.7 by QEMU',
      source: 'virDomainMemoryDefCheckConflict',
      versions: 'every',
      code: 'memory-devices-overlap',
      golden: ['2n4c2t-check-memory-addresses'],
    },
    {
      name: 'an address that does not fit the device; before 9.7 by QEMU',
      source: 'virDomainMemoryDefValidate',
      versions: 'every',
      code: 'memory-address-unaligned',
      golden: ['2n4c2t-check-memory-addresses', '2n4c2t-check-memory-parts'],
    },
    {
      name: 'an address that is not hexadecimal',
      source: 'virXMLPropULongLong',
      versions: 'every',
      code: 'memory-address-malformed',
      golden: ['2n4c2t-check-memory-parts'],
    },
  ],
  memoryBacking: [
    {
      name: 'huge pages with memory that is anonymous, or allocated on demand',
      source: 'qemuValidateDomainDefMemory',
      versions: 'every',
      code: 'hugepages-refused',
      golden: ['2n4c2t-check-hugepages', '2n4c2t-pagesize-ondemand'],
    },
    {
      name: 'a page for a cell that does not exist',
      source: 'virDomainDefMemtuneValidate',
      versions: 'every',
      code: 'page-without-cell',
      golden: ['2n4c2t-check-itself'],
    },
  ],
}
