// Every type of the field, no functions. A *node* or *cpu* is the host's; a *cell* or *vcpu* is the guest's.
// All memory is integer KiB.

import type { Bound } from './base/bounds.ts'
import type { Diagnostic } from './base/diagnostic.ts'
import type { CpuSet, NodeSet, VcpuSet } from './base/idset.ts'

// ---- The host ----

/** A pool of huge pages on one node. `free` counts pages that nobody holds now. */
export interface NodePages {
  readonly pagesizeKiB: number
  readonly total: number
  readonly free?: number
}

/** One NUMA node. `cpus` are its online CPUs; `distances` is in the order of `Host.nodes`, local is 10. */
export interface HostNode {
  readonly id: number
  readonly cpus: CpuSet
  readonly memoryKiB?: number
  readonly freeKiB?: number
  readonly pages: readonly NodePages[]
  readonly distances?: readonly number[]
}

/** The host-wide side of one page size: the kernel keeps these numbers for all nodes together. */
export interface Pool {
  readonly pagesizeKiB: number
  /** Pages promised to mappings that have not touched them yet. */
  readonly reserved?: number
  /** How many surplus pages the kernel may make beyond the pool (nr_overcommit_hugepages). */
  readonly overcommit?: number
  /** How many it has made already. */
  readonly surplus?: number
  /** Whether a hugetlbfs of this page size is mounted. */
  readonly mounted?: boolean
}

/** Nodes ascend by id; ids may have gaps. A fact that the source does not state is absent, never guessed. */
export interface Host {
  readonly nodes: readonly HostNode[]
  /**
   * The cores: each set holds the online CPUs that share one. Ascending by first CPU. A CPU in no set is a
   * core of its own.
   */
  readonly siblings: readonly CpuSet[]
  readonly pools?: readonly Pool[]
  /** The size that a bare `<hugepages/>` means. */
  readonly defaultPagesizeKiB?: number
  /** isolcpus. */
  readonly isolated?: CpuSet
}

/** What a cgroup (or its stand-in) lets the guest use. `pages` are the cgroup's hugetlb limits, in pages. */
export interface Allowed {
  readonly cpus: CpuSet
  readonly nodes: NodeSet
  readonly pages?: readonly { readonly pagesizeKiB: number; readonly max: number }[]
}

/**
 * What decides which CPUs a guest may use, the strongest first: a requested cpuset; its pins, with
 * cpus=as-pinned; the pins that KubeVirt gave it; a cgroup, partition or snapshot that confines it; nothing,
 * so that it is every online CPU.
 */
export type CpuSource = 'cpuset' | 'pins' | 'pod' | 'confined' | 'online'

/** A host, and what one guest may use of it. `allowedBy` is absent where no request was read. */
export interface Resources extends Host {
  readonly allowed: Allowed
  readonly allowedBy?: CpuSource
}

// ---- The guest as its XML states it ----

/** How memory is bound to nodes, in libvirt's words. */
export type MemoryMode = 'strict' | 'preferred' | 'interleave' | 'restrictive'

/** `<cpu><topology>`: how many of each the one above it holds. */
export interface CpuTopology {
  readonly sockets: number
  readonly dies: number
  readonly clusters: number
  readonly cores: number
  readonly threads: number
}

/**
 * `<memory model=...>` under `<devices>`: dimm, nvdimm, virtio-mem, ... `cell` is its `<target><node>`,
 * `nodes` its `<source><nodemask>`, `pagesizeKiB` its `<source><pagesize>`, `alias` the name that libvirt
 * gives it in a running guest.
 */
export interface MemoryDevice {
  readonly model: string
  readonly sizeKiB: number
  readonly cell?: number
  readonly nodes?: NodeSet
  readonly pagesizeKiB?: number
  readonly alias?: string
}

/** A PCI(e) expander bus; `cell` is its `<target><node>`. */
export interface Expander {
  readonly model: string
  readonly cell?: number
}

/**
 * A `<cell>` as written. `distances` is in cell order, complete as libvirt completes it where any of the
 * cell's is stated; else empty.
 */
export interface WrittenCell {
  readonly id: number
  readonly vcpus: VcpuSet
  readonly memoryKiB: number
  readonly distances: readonly number[]
  readonly memAccess?: string
  readonly discard?: string
}

/**
 * What backs a cell: ordinary pages, huge pages of the host's default size, or huge pages of a size that is
 * stated.
 */
export type CellPages = 'ordinary' | 'default' | { readonly pagesizeKiB: number }

/** One `<page>` of `<hugepages>`; without `cells` it counts for every cell without an entry of its own. */
export interface WrittenPage {
  readonly pagesizeKiB: number
  readonly cells?: readonly number[]
}

/** `<numatune>` as written; `nodes` is absent with placement='auto'. */
export interface WrittenTune {
  readonly memory?: { readonly mode: MemoryMode; readonly nodes?: NodeSet; readonly auto: boolean }
  readonly memnodes: readonly { readonly cell: number; readonly mode: MemoryMode; readonly nodes: NodeSet }[]
}

/** What a domain document says of placement. Sizes are as libvirt reads them: rounded up to KiB. */
export interface DomainView {
  readonly name: string
  readonly type: string
  readonly arch?: string
  readonly machine?: string
  /** All possible vCPUs are 0..vcpus-1. */
  readonly vcpus: number
  /** Those that are there at boot (`current`, `<vcpus>`). */
  readonly online: VcpuSet
  readonly vcpuCpuset?: CpuSet
  readonly vcpuAuto: boolean
  readonly memoryKiB: number
  /** `<memory>` was no whole KiB and libvirt rounds it up. */
  readonly memoryRounded: boolean
  readonly currentMemoryKiB?: number
  readonly maxMemoryKiB?: number
  readonly memoryDevices: readonly MemoryDevice[]
  readonly expanders: readonly Expander[]
  readonly topology?: CpuTopology
  readonly cells: readonly WrittenCell[]
  /**
   * Whether `<cpu><numa>` holds what would lose its cell when cells are built anew: caches, interconnects.
   */
  readonly cellExtras: readonly string[]
  /** Absent: no `<hugepages>`. Empty: a bare one, the host's default size. */
  readonly hugepages?: readonly WrittenPage[]
  /** What these come to for each cell, by id; of a guest without cells, one entry for all of its memory. */
  readonly cellPages: readonly CellPages[]
  readonly allocation?: string
  readonly tune: WrittenTune
  readonly vcpupin: ReadonlyMap<number, CpuSet>
  readonly emulatorpin?: CpuSet
  readonly iothreadpin: ReadonlyMap<number, CpuSet>
  /** Ids of the I/O threads that the guest will have, ascending. */
  readonly iothreads: readonly number[]
  /** The keys of our metadata element as written, if it is there: the guest opts in. */
  readonly writtenKeys?: ReadonlyMap<string, string>
}

// ---- The request ----

/** Whose defaults apply. */
export type Like = 'virt-numa' | 'kubevirt'
/** What becomes of cells that the domain has. */
export type Existing = 'keep' | 'replace'
/** How memory is split over the cells. */
export type MemorySplit = 'by-vcpu' | 'even' | 'by-free-pages'
/** Which CPUs are taken. */
export type CpuChoice = 'pack' | 'in-order' | 'spread' | 'as-pinned'
/** Whether a vCPU is pinned to one CPU or to all CPUs of its cell. */
export type Pin = 'auto' | 'cpu' | 'cell'
/** How memory may be bound by us. */
export type TuneMode = 'strict' | 'preferred' | 'restrictive'
/** Whether the guest sees the host's distances. */
export type DistanceSource = 'host' | 'none'
/** Where emulator and I/O threads run, unless CPUs are named. */
export type EmulatorChoice = 'spare' | 'shared' | 'none'
/** Whether isolcpus CPUs may be chosen. */
export type IsolatedUse = 'use' | 'avoid'

/**
 * What is requested, all defaults filled in: one field per key of the contract, and what follows from `like`
 * and a VMI.
 */
export interface Request {
  readonly like: Like
  readonly cells: 'per-node' | number
  readonly existing: Existing
  readonly memory: MemorySplit
  readonly cpus: CpuChoice
  readonly pin: Pin
  /** Absent: as the domain says. 'none': ordinary memory. */
  readonly pagesizeKiB?: number | 'none'
  readonly mode: TuneMode
  readonly distances: DistanceSource
  /** A set: exactly these CPUs. */
  readonly emulator: EmulatorChoice | CpuSet
  readonly isolated: IsolatedUse
  readonly cpuset?: CpuSet
  /** Pages that by-free-pages leaves alone on every node, by page size. */
  readonly reserve: readonly { readonly pagesizeKiB: number; readonly kib: number }[]
  readonly rules: Rules
  /** What the VMI says of emulator and I/O threads, if there is one. */
  readonly threads?: KubevirtThreads
  /** Cells stay and no memory is bound: KubeVirt's dedicated CPUs without passthrough. Absent is no. */
  readonly pinsOnly?: boolean
}

/**
 * Where KubeVirt's own answer is another than ours. They follow from `like` and a VMI, and are no keys of the
 * contract.
 */
export interface Rules {
  /** How emulator and I/O threads are pinned. */
  readonly threads: 'ours' | 'kubevirt'
  /** How vCPUs are pinned: KubeVirt's way is that of a guest with dedicated CPUs and without passthrough. */
  readonly pins: 'ours' | 'kubevirt'
  /** A guest without hugepages is refused. */
  readonly hugepagesRequired: boolean
  /** Whether vCPUs that are offline at boot belong to cells. */
  readonly offlineInCells: boolean
  /** What becomes of requested CPUs that are offline. */
  readonly offlineCpus: 'refused' | 'left-out'
  /**
   * What a cell's memory is a multiple of: its pages, and what libvirt rounds cells to, or its pages alone.
   */
  readonly cellUnit: 'rounded' | 'page'
  /**
   * Whether the host's distances are completed and kept within what a guest accepts, or given as the host
   * states them.
   */
  readonly hostDistances: 'completed' | 'as-stated'
  /** Where the guest gets cells: QEMU has no NUMA on s390x. */
  readonly cellsOn: 'numa-machines' | 'every-machine'
  /** Whether `<allocation mode='immediate'/>` is written. */
  readonly allocation: 'as-written' | 'immediate'
  /** What is written for a VMI besides the placement, if there is one. */
  readonly elements?: KubevirtElements
}

/** A tenant's request for cpus=as-pinned: its pins stay within bounds. */
export interface TenantPins {
  /** Where the request stands, e.g. "metadata of db1". */
  readonly source: string
  /** What bounds the pins of vCPUs: the tenant's own cpuset too. */
  readonly vcpus: readonly Bound[]
  /** What bounds the pins of other threads. */
  readonly threads: readonly Bound[]
  /** The request without that key. */
  readonly otherwise: Request
  /** What the guest may use when these are its pins. */
  readonly resourcesWith: (pins: CpuSet) => Resources
}

/** What KubeVirt's rules for emulator and I/O threads look at. */
export interface KubevirtThreads {
  readonly isolateEmulator: boolean
  /** A second CPU for the emulator where the pinned threads are even. */
  readonly evenParity: boolean
  /** sockets x cores x threads as the VMI writes them; 0 where it writes none. */
  readonly writtenVcpus: number
  /** Whether there should be I/O threads. */
  readonly wanted: boolean
  /** I/O threads of the supplemental pool: each has a CPU of its own. */
  readonly pool: number
}

/** What KubeVirt writes for a VMI besides the placement. */
export interface KubevirtElements {
  readonly hintDedicated: boolean
  readonly pmuOff: boolean
  readonly nosharepages: boolean
  readonly memfd: boolean
}

// ---- The answer ----

/**
 * What the guest sees of one cell: guest ABI. `distances` is in cell order, empty when the guest sees
 * none.
 */
export interface Cell {
  readonly id: number
  readonly vcpus: VcpuSet
  readonly memoryKiB: number
  readonly distances: readonly number[]
}

/** Where one cell's memory lies. Without `pagesizeKiB`: ordinary pages. */
export interface Memnode {
  readonly nodes: NodeSet
  readonly mode: TuneMode
  readonly pagesizeKiB?: number
}

/**
 * Where the guest sits on the host. `memnodes` is in cell order, `vcpupin` in vCPU order, `iothreadpin` in
 * that of `DomainView.iothreads`.
 */
export interface Binding {
  readonly memnodes: readonly Memnode[]
  /**
   * Of a guest without cells that says where its memory lies, and of one with memory devices on nodes that no
   * cell is on.
   */
  readonly memory?: Pick<Memnode, 'nodes' | 'mode'>
  /** An empty set: not pinned. */
  readonly vcpupin: readonly CpuSet[]
  readonly emulatorpin?: CpuSet
  readonly iothreadpin: readonly CpuSet[]
}

/** What is decided for a guest: what it sees, and where it is bound. */
export interface Placement {
  readonly cells: readonly Cell[]
  readonly binding: Binding
}

/**
 * What of a guest is left as it is: its cells and their page sizes (rebind), or its binding too, so that
 * nothing is edited.
 */
export type Keeps = 'nothing' | 'cells' | 'everything'

/** What plan and rebind decide. `notes` are of class note. */
export interface Planned {
  readonly keeps: Keeps
  readonly placement: Placement
  readonly notes: readonly Diagnostic[]
}

// ---- A running guest, as the kernel and libvirt's status file show it ----

/**
 * How the kernel chooses nodes for a mapping; `mode` in its own words: default, bind, prefer, "prefer
 * (many)", interleave, ...
 */
export interface MemoryPolicy {
  readonly mode: string
  readonly nodes: NodeSet
}

/**
 * One mapping of QEMU's address space. `nodesKiB` has what is allocated, by node; absent where the page size
 * is not known.
 */
export interface Mapping {
  readonly start: string
  readonly policy: MemoryPolicy
  readonly sizeKiB?: number
  readonly pagesizeKiB?: number
  readonly nodesKiB?: ReadonlyMap<number, number>
  /** The file behind it, "(deleted)" taken off; absent for anonymous memory. */
  readonly file?: string
  /** What of it lies in transparent huge pages, and what is swapped out. */
  readonly thpKiB?: number
  readonly swapKiB?: number
}

/** What is behind guest memory; not known of a device that was plugged in later. */
export type BackingKind = 'file' | 'memfd' | 'ram'

/**
 * Guest memory as QEMU was told to make it: the RAM of a cell, or a memory device. `policy` in QEMU's words:
 * bind, preferred, ...
 */
export interface MemoryBackend {
  readonly id: string
  readonly sizeKiB: number
  readonly kind?: BackingKind
  readonly path?: string
  readonly policy?: MemoryPolicy
}

/** `vcpus` is what `-numa node,cpus=` says; a cell whose RAM is part of one block for all has no `ram`. */
export interface QemuCell {
  readonly id: number
  readonly vcpus: VcpuSet
  readonly ram?: string
}

/** What QEMU was told when it was started. `devices` are memory devices: the cell and the backend of each. */
export interface QemuCommand {
  readonly guest?: string
  readonly cells: readonly QemuCell[]
  readonly devices: readonly { readonly backend: string; readonly cell: number; readonly model: string }[]
  readonly backends: readonly MemoryBackend[]
}

/**
 * `context`: a thread that only allocates memory while QEMU starts. `all-vcpus`: one thread runs every vCPU.
 */
export type ThreadRole = 'vcpu' | 'all-vcpus' | 'iothread' | 'emulator' | 'context'

/** One thread of QEMU; `id` is the vCPU's or the I/O thread's, `cpus` those that it may run on. */
export interface GuestThread {
  readonly tid: number
  readonly name: string
  readonly role: ThreadRole
  readonly id?: number
  readonly cpus?: CpuSet
}

/** `mappings` absent: the kernel did not let us read them. */
export interface RunningGuest {
  readonly pid: number
  readonly command: QemuCommand
  readonly threads: readonly GuestThread[]
  readonly mappings?: readonly Mapping[]
}

// ---- What verify finds ----

/**
 * `wider`: all expected CPUs and others. `elsewhere`: CPUs that are not expected, without all of the expected
 * ones. `free`: nothing is expected.
 */
export type ThreadVerdict = 'placed' | 'wider' | 'elsewhere' | 'free' | 'unknown'

/** A thread, or all threads of the emulator that may run on the same CPUs. */
export interface ThreadPlace {
  readonly role: 'vcpu' | 'iothread' | 'emulator'
  readonly id?: number
  readonly tids: readonly number[]
  readonly cell?: number
  readonly cpus?: CpuSet
  readonly expected?: CpuSet
  readonly verdict: ThreadVerdict
}

/**
 * What is wrong. `elsewhere`: pages on unexpected nodes. `unbound`: another policy. `pagesize`: another page
 * size.
 */
export type MemoryFault = 'elsewhere' | 'unbound' | 'pagesize'
/** What is said of the memory of a cell. */
export type MemoryVerdict = 'placed' | MemoryFault | 'free' | 'unknown'

/** The memory of one cell; of several where their mappings cannot be told apart. All of it is KiB. */
export interface CellPlace {
  readonly cells: readonly number[]
  readonly memoryKiB: number
  /** The expected nodes; absent: none are expected. `mode` is the domain's. For several cells: the union. */
  readonly nodes?: NodeSet
  readonly mode?: MemoryMode
  /** What the kernel has: one entry where all mappings agree. */
  readonly policies: readonly MemoryPolicy[]
  readonly pagesizesKiB: readonly number[]
  readonly expectedPagesizeKiB?: number
  readonly nodesKiB: ReadonlyMap<number, number>
  readonly allocatedKiB: number
  /**
   * Pages on unexpected nodes; absent where nothing is expected or the cells' pages cannot be distinguished.
   */
  readonly elsewhereKiB?: number
  /** Pages on nodes that none of these cells expects. */
  readonly strayKiB: number
  readonly thpKiB?: number
  readonly swapKiB?: number
  /** Memory that QEMU was told to make and whose mapping cannot be found. */
  readonly unknownKiB: number
  /** The worst first; the verdict is the first of them, if there is one. */
  readonly faults: readonly MemoryFault[]
  readonly verdict: MemoryVerdict
}

/**
 * Where a running guest is. `source` names where the expected placement is stated; `cellular`: the guest has
 * cells.
 */
export interface ActualPlacement {
  readonly guest: string
  readonly pid: number
  readonly state?: string
  readonly source: string
  readonly cellular: boolean
  readonly threads: readonly ThreadPlace[]
  readonly cells: readonly CellPlace[]
}
