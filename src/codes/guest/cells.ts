// A guest's cells: their vCPUs, distances and number, and what stays when they are rebuilt: the facts and
// the class of each code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'
import type { CpuSet, NodeSet, VcpuSet } from '../../base/idset.ts'
import type { Topology } from './domain.ts'

/**
 * What ends a note about a topology: another topology, and what can be requested: topology=align,
 * existing=replace, both, or cpus=pack. What does not end it is absent.
 */
interface TopologyFixes {
  readonly fits?: Topology
  readonly request?: 'align' | 'replace' | 'replace-and-align' | 'pack'
  /** The recorded shape of the guest has this topology, so none of them is possible. */
  readonly isLocked?: true
}

/** How a guest differs from its recorded shape. */
export type ShapeDifference =
  | { readonly is: 'vcpus' | 'cells'; readonly recorded: number; readonly now: number }
  | { readonly is: 'memory'; readonly recordedKiB: number; readonly nowKiB: number }
  | { readonly is: 'cell-vcpus'; readonly cell: number; readonly recorded: VcpuSet; readonly now: VcpuSet }
  | {
      readonly is: 'cell-memory'
      readonly cell: number
      readonly recordedKiB: number
      readonly nowKiB: number
    }
  | { readonly is: 'distances'; readonly cell: number }
  | { readonly is: 'topology'; readonly recorded: Topology; readonly now: Topology }

/** `source`: where the shape is recorded. `isReplaceable`: existing=replace would write that shape. */
interface Misfit {
  readonly source: string
  readonly differences: readonly ShapeDifference[]
  readonly isReplaceable: boolean
}

/**
 * What is wrong with a `<latency>` or `<bandwidth>`: a cell does not exist, the initiator has no vCPUs, the
 * target has no such cache, or the same link, or its reverse, is described before.
 */
export type InterconnectProblem =
  | 'initiator-missing'
  | 'target-missing'
  | 'initiator-without-vcpus'
  | 'cache-missing'
  | 'twice'
  | 'reverse'

/** The facts of each code. */
export interface CellsFacts {
  readonly 'cell-vcpus-missing': { cell: number; vcpus: VcpuSet; count: number }

  readonly 'distance-invalid': { cell: number; sibling: number; value: number }

  readonly 'distance-without-cell': { cell: number; sibling: number; cells: number }

  readonly 'cell-ids': { ids: readonly number[] }

  readonly 'cells-beyond': { cells: number; max: number }

  readonly 'cells-overlap': { vcpu: number; cells: readonly number[] }

  readonly 'memnode-without-cell': { cell: number; cells: number }

  readonly 'page-without-cell': { cell: number; cells: number }

  /** `cache`: the level that it names, 0 for memory. */
  readonly 'interconnect-refused': {
    element: string
    is: InterconnectProblem
    initiator: number
    target: number
    cells: number
    cache: number
  }

  readonly 'cells-too-many': { cells: number; cores: number; threads: number }

  readonly 'cells-too-few': { cells: number; nodes: NodeSet }

  /** The nodes with the most allowed CPUs have enough for `capacity` guest cores. */
  readonly 'nodes-too-small': {
    cells: number
    cores: number
    threads: number
    capacity: number
    nodes: NodeSet
  }

  readonly 'cells-hold-more': { elements: readonly string[] }

  readonly 'cells-uneven': { attribute: string }

  readonly 'device-cell-missing': { model: string; cell: number; cells: number }

  readonly 'cells-kept': { keys: readonly string[] }

  readonly 'cells-impossible': { arch: string }

  readonly 'cell-spans-nodes': { cell: number; nodes: NodeSet }

  /** Ids are counted over the whole guest; no dies, clusters or cores where a socket, die or core has one. */
  readonly 'socket-spans-cells': TopologyFixes & {
    sockets: readonly number[]
    dies: readonly number[]
    clusters: readonly number[]
    cores: readonly number[]
  }

  /** Of each guest core the vCPUs that are its threads, and the CPUs that these are pinned to. */
  readonly 'guest-threads-apart': TopologyFixes & {
    guestCores: readonly { readonly vcpus: VcpuSet; readonly cpus: CpuSet }[]
  }

  readonly 'cell-crossing': { cores: number; threads: number; fit: number; cpuset: CpuSet }

  /** The vCPUs of a cell, with those of other cells between them. */
  readonly 'vcpus-interleaved': { cell: number; vcpus: VcpuSet }

  readonly 'guest-core-torn': { vcpus: VcpuSet; cpus: CpuSet }

  readonly 'shape-differs': Misfit

  readonly 'shape-renewed': Misfit

  readonly 'shape-kept': { source: string; keys: readonly string[] }

  readonly 'shape-folded': { source: string; node: number; cells: readonly number[] }
}

/** The class of each code. */
export const cellsClasses: Readonly<Record<keyof CellsFacts, DiagnosticClass>> = {
  'cell-vcpus-missing': 'invalid',
  'distance-invalid': 'invalid',
  'distance-without-cell': 'invalid',
  'cell-ids': 'invalid',
  'cells-beyond': 'invalid',
  'cells-overlap': 'invalid',
  'memnode-without-cell': 'invalid',
  'page-without-cell': 'invalid',
  'interconnect-refused': 'invalid',
  'cells-too-many': 'invalid',
  'cells-too-few': 'invalid',
  'nodes-too-small': 'invalid',
  'cells-hold-more': 'invalid',
  'cells-uneven': 'invalid',
  'device-cell-missing': 'invalid',
  'cells-kept': 'note',
  'cells-impossible': 'note',
  'cell-spans-nodes': 'note',
  'socket-spans-cells': 'note',
  'guest-threads-apart': 'note',
  'cell-crossing': 'invalid',
  'vcpus-interleaved': 'invalid',
  'guest-core-torn': 'invalid',
  'shape-differs': 'invalid',
  'shape-renewed': 'note',
  'shape-kept': 'note',
  'shape-folded': 'note',
}
