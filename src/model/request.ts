// What is requested of a placement: Request, with the Rules of like=kubevirt.

import type { Bound } from '../base/bounds.ts'
import type { CpuSet } from '../base/idset.ts'
import type { MemoryMode } from './domain.ts'
import type { Resources } from './host.ts'
import type { RecordedShape } from './shape.ts'

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
/** The page size of a cell in KiB, or ordinary memory. */
export type Pagesize = number | 'none'
/** Whether two guest cores may share a host core. */
export type CoreUse = 'any' | 'whole'
/** How memory may be requested to be bound. */
export type TuneMode = Exclude<MemoryMode, 'interleave'>
/**
 * What becomes of the guest's `<topology>`: it stays, or its sockets and what they hold fall on cells; `lock`
 * also keeps the shape of the guest from its first fit on.
 */
export type TopologyChoice = 'keep' | 'align' | 'lock'
/** What becomes of a guest that does not match its recorded shape. */
export type OnMisfit = 'refuse' | 'reshape'
/** Whether the guest sees the host's distances. */
export type DistanceSource = 'host' | 'none'
/** Where emulator and I/O threads run, unless CPUs are named. */
export type EmulatorChoice = 'spare' | 'shared' | 'none'
/** Whether PCI devices of the host stay, or get an expander bus by cell, or by root complex and cell. */
export type DeviceUse = 'leave' | 'cell' | 'root'
/** Whether nodes with memory but no CPUs become cells without vCPUs. */
export type TierUse = 'ignore' | 'expose'
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
  readonly cores: CoreUse
  readonly pin: Pin
  /** Absent: as the domain says. */
  readonly pagesizeKiB?: Pagesize
  /** Page sizes for cells whose nodes cannot supply that one, the preferred first. */
  readonly otherPagesizesKiB?: readonly Pagesize[]
  /** As requested, else as the domain states it. */
  readonly mode: MemoryMode
  readonly distances: DistanceSource
  readonly topology: TopologyChoice
  readonly onMisfit: OnMisfit
  /** Of a guest that is fitted with topology=lock: the shape that an earlier fit recorded. */
  readonly recorded?: RecordedShape
  /** A set: exactly these CPUs. */
  readonly emulator: EmulatorChoice | CpuSet
  readonly isolated: IsolatedUse
  readonly devices: DeviceUse
  readonly tiers: TierUse
  /** The memory of each cell without vCPUs. Absent: by what is free. */
  readonly tierMemoryKiB?: number
  readonly cpuset?: CpuSet
  /** Pages that by-free-pages leaves alone on every node, by page size. */
  readonly reserve: readonly { readonly pagesizeKiB: number; readonly kib: number }[]
  /** Ordinary memory of every node that the host keeps. Absent: none. */
  readonly reserveKiB?: number
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
  /** What binds memory where no mode is requested: the mode that the domain states, or strict. */
  readonly unstatedMode: 'as-written' | 'strict'
  /** Where the guest gets cells: QEMU has no NUMA on s390x. */
  readonly cellsOn: 'numa-machines' | 'every-machine'
  /** Whether `<allocation mode='immediate'/>` is written. */
  readonly allocation: 'as-written' | 'immediate'
  /** What becomes of a guest with a PCI device that cannot be placed. */
  readonly strayDevices: 'noted' | 'refused'
  /** What becomes of it where bus numbers do not suffice. */
  readonly fewBusNumbers: 'noted' | 'refused'
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
