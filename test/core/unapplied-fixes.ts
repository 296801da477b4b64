// What fixes.test.ts cannot apply or has to expect, by code.

/** Why no fix of the code is applied. */
export const UNAPPLIED: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    'the fix leaves a value or an alternative to the user':
      'foreign-dropped foreign-stays memory-mode resctrl-missing resctrl-stays ' +
      'cell-crossing cell-ids cell-not-page-multiple cell-vcpus-missing device-other-cell pci-window-small ' +
      'cells-overlap cpus-offline cpus-taken cpuset-unavailable devices-hold-all ' +
      'distance-invalid distance-without-cell domain-incomplete domain-value element-twice ' +
      'entry-twice hugepages-refused iothread-without-thread isolated-avoided max-memory-low ' +
      'max-memory-missing memnodes-with-auto memory-not-page-multiple memory-sum memory-too-small ' +
      'metadata-element metadata-twice monitor-vcpus no-cpus not-domain not-qemu ' +
      'nvdimm-label pagesize-invalid part-missing pins-cut pins-empty pins-moved resctrl-needs-kvm ' +
      'resctrl-overlap sched-without-thread set-empty tune-mode unknown-key unknown-value ' +
      'value-unknown vcpu-not-pluggable vcpu-state vcpus-not-cores virtio-mem-sizes',
    'the fix changes the host, its cgroups or what the guest was given':
      'allocated-by-emulator cell-spans-nodes shape-folded emulator-among-vcpus hugetlbfs-missing ' +
      'memory-elsewhere no-memory-node ' +
      'tier-empty tiers-none tiers-too-large ' +
      'pages-limit pages-promised',
    'nothing has to be changed': 'cells-impossible pagesize-fallback resctrl-moved shape-renewed',
    'the fix is written into the VMI': 'shape-annotation',
    'where it is shown, other findings stand against a transform': 'memnode-without-cell page-without-cell',
  }).flatMap(([why, codes]) => codes.split(' ').map((code) => [code, why])),
)

/** Findings that a fix may uncover: they were true before, and each prints its own fix. */
export const FOLLOWS: Readonly<Record<string, readonly string[]>> = {
  // A plan with new cells pins the emulator, and says where it cannot.
  'socket-spans-cells': ['emulator-unpinned'],
  'guest-threads-apart': ['emulator-unpinned'],
  // The number of cells that was requested counts as soon as the cells are built anew.
  'cells-kept': ['nodes-too-small'],
  // vCPUs that share the CPUs of their cell have no core to share.
  'pins-widened': ['cores-shared'],
  // What libvirt refuses is looked at when the placement is known.
  'node-without-pages': ['topology-mismatch'],
  // What older versions of libvirt do not add is said of a guest that newer ones take.
  'vcpus-need-eim': ['vcpus-need-iommu'],
}
