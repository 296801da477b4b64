// Cells that are still to be made as a question: which nodes hold them.

import type { NodeSupply } from '../backing/supply.ts'
import type { PackedCost } from '../cpus/pack.ts'
import type { SiteCost } from './cost.ts'
import type { Site } from './sites.ts'

/** A node that guest cores may run on. */
export interface CandidateNode {
  readonly id: number
  /** How many guest cores fit. */
  readonly capacity: number
  /** How many of its CPUs no other guest has pinned. */
  readonly untaken: number
  /** Its sites: one for each node that may back its memory. */
  readonly sites: readonly Site[]
  /** What so many of its CPUs cost: split cores, and level-3 caches that they are on. */
  readonly cpusCost: (cpus: number) => PackedCost
}

/** What the cells need of memory. */
export interface MemoryDemand {
  readonly pagesizeKiB: number
  readonly supply: NodeSupply
  /** Whether a cell may take memory of every node that the guest uses. */
  readonly overflows: boolean
  /** KiB of each cell, from its guest cores. */
  readonly ofCells: (cores: readonly number[]) => readonly number[]
  /** Whether cells are made as large as their nodes have memory, instead. */
  readonly fitsSupply: boolean
  readonly totalKiB: number
  /** What a cell has at least. */
  readonly unitKiB: number
}

/** Nodes ascend by id. */
export interface NodeProblem {
  readonly nodes: readonly CandidateNode[]
  /** Guest cores that need CPUs, and how many vCPUs the first 0, 1, 2, ... of them have. */
  readonly cores: number
  readonly vcpusOfFirst: readonly number[]
  readonly threads: number
  readonly cells: 'per-node' | number
  /** The CPU policy uses every node. */
  readonly usesEveryNode: boolean
  /** Absent: memory does not count. */
  readonly memory?: MemoryDemand
  readonly distance: (a: number, b: number) => number
}

/** A set of nodes (indices of the candidates, ascending), the cells on it, and what it costs. */
export interface NodeChoice {
  readonly set: readonly number[]
  /** By cell, in the order of ids: its node (index), its guest cores, and its site. */
  readonly nodeOfCell: readonly number[]
  readonly cores: readonly number[]
  readonly sites: readonly Site[]
  readonly cost: SiteCost
}

/** Cells on nodes, and the guest cores of each. */
export type CellsOnSet = Pick<NodeChoice, 'set' | 'nodeOfCell' | 'cores'>
