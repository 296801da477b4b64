// The guest as its domain document states it: DomainView.

import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'
import type { Controller, HostDevice } from './devices.ts'

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

/** `<iommu>`, and what its `<driver>` states. */
export interface WrittenIommu {
  readonly model: string
  readonly eim?: 'on' | 'off'
  readonly intremap?: 'on' | 'off'
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

/**
 * A `<cachetune>` or `<memorytune>` that limits its vCPUs. Each limit names a cache of the host: of its own
 * level, or of level 3 for memory bandwidth. `says`: everything else that it states.
 * @see libvirt virCapabilitiesInitResctrlMemory: the ids of memory bandwidth are those of the caches
 */
export interface ResctrlTune {
  readonly element: 'cachetune' | 'memorytune'
  readonly vcpus: VcpuSet
  readonly limits: readonly { readonly id: number; readonly level: number; readonly says: string }[]
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
  /** How many memory devices may be plugged in (`<maxMemory slots>`). */
  readonly memorySlots?: number
  readonly memoryDevices: readonly MemoryDevice[]
  readonly iommu?: WrittenIommu
  /** `<features><ioapic driver>`. */
  readonly ioapic?: string
  /** PCI devices of the host. This and the next are in the order of the document. */
  readonly hostdevs: readonly HostDevice[]
  /** Read only where there are such devices. */
  readonly controllers: readonly Controller[]
  /** `<pcihole64>` of the pcie-root, read likewise. */
  readonly hole64KiB?: number
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
  /** `<memoryBacking><locked/>`: QEMU locks all memory of the guest when it starts. */
  readonly locked?: true
  /** `<memoryBacking><source type>`. */
  readonly memorySource?: string
  readonly tune: WrittenTune
  readonly vcpupin: ReadonlyMap<number, CpuSet>
  /** vCPUs with a real-time scheduler: fifo or rr. */
  readonly realtime: VcpuSet
  readonly emulatorpin?: CpuSet
  readonly iothreadpin: ReadonlyMap<number, CpuSet>
  /** Ids of the I/O threads that the guest will have, ascending. */
  readonly iothreads: readonly number[]
  /** Those with limits, in the order of the document. */
  readonly resctrl: readonly ResctrlTune[]
  /** The keys of our metadata element as written, if it is there: the guest opts in. */
  readonly writtenKeys?: ReadonlyMap<string, string>
  /** The shape that an earlier fit recorded there, as written. */
  readonly recordedShape?: string
}
