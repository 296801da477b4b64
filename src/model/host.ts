// The host, what a guest may use of it (Host, Allowed -> Resources), and how libvirt is set up there.

import type { CpuSet, NodeSet } from '../base/idset.ts'
import type { PciDevice } from './devices.ts'

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
  /** Free memory and what the kernel can reclaim without writing to disk. Absent: `freeKiB` counts. */
  readonly availableKiB?: number
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

/** A level-3 cache: the online CPUs that share it, and the id by which resctrl, and so libvirt, names it. */
export interface Cache {
  readonly id?: number
  readonly cpus: CpuSet
}

/**
 * CPUs that a running guest has to itself: one of its vCPUs is pinned to that CPU alone, or scheduled
 * real-time there.
 */
export interface TakenCpus {
  /** Its name; absent where the source hides it. */
  readonly guest?: string
  readonly cpus: CpuSet
}

/**
 * Memory that a guest which is starting was promised, and that its QEMU has not allocated yet. Without
 * `pagesizeKiB` it is ordinary memory.
 */
export interface PromisedMemory {
  /** Its name; absent where the source hides it. */
  readonly guest?: string
  readonly nodes: NodeSet
  readonly memoryKiB: number
  readonly pagesizeKiB?: number
  /** Its QEMU runs: the kernel may count these pages as reserved already. */
  readonly isAllocating?: true
}

/** What QEMU allocates when it starts a guest. */
export type StartMemory = Pick<PromisedMemory, 'nodes' | 'memoryKiB' | 'pagesizeKiB'>

/** Nodes ascend by id; ids may have gaps. A fact that the source does not state is absent, never guessed. */
export interface Host {
  readonly nodes: readonly HostNode[]
  /**
   * The cores: each set holds the online CPUs that share one. Ascending by first CPU. A CPU in no set is a
   * core of its own.
   */
  readonly siblings: readonly CpuSet[]
  /** Level-3 caches. In this and the following lists no CPU is twice, and entries ascend by first CPU. */
  readonly caches?: readonly Cache[]
  readonly sockets?: readonly CpuSet[]
  /** Absent where a socket is one die. */
  readonly dies?: readonly CpuSet[]
  /** Absent where a die, or a socket, is one cluster. */
  readonly clusters?: readonly CpuSet[]
  readonly pools?: readonly Pool[]
  /** The size that a bare `<hugepages/>` means. */
  readonly defaultPagesizeKiB?: number
  /** isolcpus. */
  readonly isolated?: CpuSet
  /** PCI devices by address: of a snapshot all that a guest could get, else those of the guest. */
  readonly devices?: readonly PciDevice[]
  /** The version of the libvirt daemon that starts guests: "9.0.0". */
  readonly libvirt?: string
  /** By running guest; in `Resources` without the guest that is placed. Absent: none is known. */
  readonly taken?: readonly TakenCpus[]
  /** By starting guest; in `Resources` without the guest that is placed. Absent: none is known. */
  readonly promised?: readonly PromisedMemory[]
}

/**
 * What a snapshot says about itself: the version of this tool, the machine, and when it was taken (UTC). It
 * is never needed to decide anything.
 */
export interface About {
  readonly tool?: string
  readonly kernel?: string
  readonly libvirt?: string
  readonly qemu?: string
  readonly cpuModel?: string
  readonly date?: string
}

/** A hugetlb limit of a cgroup, in pages, and how many of these are in use already; absent is none. */
export interface PageLimit {
  readonly pagesizeKiB: number
  readonly max: number
  readonly used?: number
}

/** What a cgroup (or its stand-in) lets the guest use. */
export interface Allowed {
  readonly cpus: CpuSet
  readonly nodes: NodeSet
  readonly pages?: readonly PageLimit[]
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

/** What libvirt's qemu.conf states; absent: its default. `isUnreadable`: all or parts of it are not known. */
export interface QemuConf {
  readonly user?: string
  readonly group?: string
  /** cgroup_controllers */
  readonly controllers?: readonly string[]
  readonly isUnreadable?: boolean
}
