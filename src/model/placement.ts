// What is decided: cells and their binding, and why on these nodes.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'
import type { DevicePlacement } from './devices.ts'
import type { CpuTopology, DomainView, MemoryMode } from './domain.ts'
import type { Resources } from './host.ts'
import type { Request } from './request.ts'

/** What a placement is decided from: a guest, what it may use of a host, and what is requested. */
export interface PlanInput {
  readonly view: DomainView
  readonly resources: Resources
  readonly request: Request
}

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
  readonly mode: MemoryMode
  readonly pagesizeKiB?: number
}

/**
 * Where the guest is placed on the host. `memnodes` is in cell order, `vcpupin` in vCPU order,
 * `iothreadpin` in that of `DomainView.iothreads`.
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
  /** The `<topology>` to write; absent where it stays. */
  readonly topology?: CpuTopology
  /** Where the PCI devices of the host are; absent where the guest has none. */
  readonly devices?: DevicePlacement
}

/**
 * What of a guest is left as it is: its cells and their page sizes (rebind), or its binding too, so that
 * nothing is edited.
 */
export type Keeps = 'nothing' | 'cells' | 'everything'

/** What nodes are chosen by, from the strongest criterion to the weakest (plan/sites/cost.ts). */
export const CRITERIA = [
  'cpus',
  'memory',
  'taken',
  'nodes',
  'available',
  'distance',
  'moved',
  'caches',
  'split',
] as const

/** What decided; `ids`: the lowest of what is equally good. */
export type Criterion = (typeof CRITERIA)[number] | 'ids'

/** Why these nodes run the vCPUs of new cells. */
export interface NodesReason {
  readonly nodes: NodeSet
  /** The second best, and by which criterion: what it costs on the nodes in use, and on these. */
  readonly next?: {
    readonly nodes: NodeSet
    readonly criterion: Criterion
    readonly best: number
    readonly next: number
  }
  /** What the nodes in use cost, criterion by criterion; less is better. */
  readonly cost: Readonly<Record<Exclude<Criterion, 'ids'>, number>>
  /** Whether all sets of nodes were looked at; on hosts with many nodes only likely ones are. */
  readonly isExact: boolean
}

/** What plan and rebind decide. `notes` are of class note; `reason` is there where nodes were chosen. */
export interface Planned {
  readonly keeps: Keeps
  readonly placement: Placement
  readonly reason?: NodesReason
  readonly notes: readonly Diagnostic[]
}
