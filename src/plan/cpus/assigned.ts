// What assigning vCPUs comes to: cells to be, the CPU of each vCPU, and why these nodes.

import type { CpuSet, NodeSet } from '../../base/idset.ts'
import type { NodesReason } from '../../model/placement.ts'
import type { GuestCore } from '../cells/guest-cores.ts'

/**
 * One guest cell to be: its node, the node that backs it, and its online guest cores. Several cells may share
 * a node.
 */
export interface PlannedCell {
  readonly node: number
  readonly memory: NodeSet
  readonly cores: readonly GuestCore[]
  /** Of a cell without vCPUs: its memory. That of the others is divided among them. */
  readonly memoryKiB?: number
}

/**
 * Each online vCPU with its CPU, or with the set of its pin; empty where vCPUs share the CPUs of their cell.
 */
export type CpuOfVcpu = ReadonlyMap<number, CpuSet>

/** `cells` in the order of their ids. */
export interface Assignment {
  readonly cells: readonly PlannedCell[]
  readonly cpuOf: CpuOfVcpu
  /** Where nodes were chosen. */
  readonly reason?: NodesReason
}
