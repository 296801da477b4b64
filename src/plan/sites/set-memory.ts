// What a set of nodes lacks of the memory that the cells on it need, and which node backs each cell.

import { sum } from '../../base/lists.ts'
import type { NodeSupply } from '../backing/supply.ts'
import { type AssignedCells, assignCells } from './assign-cells.ts'
import type { CandidateNode, CellsOnSet, MemoryDemand, NodeProblem } from './node-problem.ts'
import type { Site } from './sites.ts'
import { emptyPool } from './size-pool.ts'

/** KiB that can never be there, KiB that are not there now, and by cell its site. */
export interface SetMemory {
  readonly memory: number
  readonly available: number
  readonly sites: readonly Site[]
}

/** The sites of each node, and what the cells need. */
export interface MemoryProblem {
  readonly nodes: readonly NodeSites[]
  readonly memory?: MemoryDemand
}

type NodeSites = Pick<CandidateNode, 'sites'>

/** What is missing at least, however the memory is divided among the nodes of a set. */
export function leastMemory({ nodes, memory }: MemoryProblem, set: readonly number[]): number {
  if (memory === undefined) return 0
  const sites = set.flatMap((node) => (nodes[node] as NodeSites).sites)
  return Math.max(0, memory.totalKiB - givenBy(memory.fitsSupply ? inUnits(memory) : memory.supply, sites))
}

/**
 * By cell another node of the set, so that less memory is missing: cells with more vCPUs, and so more memory,
 * go where there is more. The guest cores of each cell, and the cells of each node, stay as many as they are.
 */
export function rearranged({ nodes, memory }: NodeProblem, choice: CellsOnSet): readonly number[] {
  const { set, nodeOfCell, cores } = choice
  // Cells that fit their nodes, or that overflow to all nodes of the set, lack as much in any order.
  if (memory === undefined || memory.fitsSupply || memory.overflows) return nodeOfCell
  const capacityOf = (node: number): number => (nodes[node] as CandidateNode).capacity
  const { sites, siteOfCell, cost } = assigned(nodes, memory, choice, {
    cores: 1,
    mayBeOn: (cell, node) => capacityOf(node) >= (cores[cell] as number),
  })
  const other = siteOfCell.map((site) => set[(sites[site] as Site).run] as number)
  const used = (node: number): number => sum(cores.filter((_, cell) => other[cell] === node))
  return cost.cpus === 0 && set.every((node) => used(node) <= capacityOf(node)) ? other : nodeOfCell
}

/** What a cell counts as on a node that has capacity for as many cells as it has, and where it may be. */
interface Freedom {
  readonly cores: number
  readonly mayBeOn: (cell: number, node: number) => boolean
}

/**
 * The same search as for cells that a guest has, by memory alone.
 * @returns `run` of the sites is an index of the set
 */
function assigned(
  nodes: readonly NodeSites[],
  memory: MemoryDemand,
  { set, nodeOfCell, cores }: CellsOnSet,
  freedom: Freedom,
): AssignedCells & { readonly sites: readonly Site[] } {
  const sites = set.flatMap((node, run) => (nodes[node] as NodeSites).sites.map((site) => ({ ...site, run })))
  const on = (isOn: (node: number) => boolean): number[] =>
    sites.flatMap(({ run }, site) => (isOn(set[run] as number) ? [site] : []))
  const kib = memory.ofCells(cores)
  const answer = assignCells({
    cells: nodeOfCell.map((own, cell) => ({
      cores: freedom.cores,
      vcpus: 0,
      pagesizeKiB: memory.pagesizeKiB,
      memoryKiB: kib[cell] as number,
      sites: on((node) => freedom.mayBeOn(cell, node)),
      current: on((node) => node === own),
    })),
    sites,
    runNodes: set.map((node) => ({
      cores: nodeOfCell.filter((own) => own === node).length,
      untaken: Number.POSITIVE_INFINITY,
    })),
    supply: new Map([[memory.pagesizeKiB, memory.supply]]),
    overflows: memory.overflows,
    guestDistance: () => 0,
    hostDistance: () => 0,
  })
  return { ...answer, sites }
}

/** By cell the only site of its node. */
const onlySites = ({ nodes }: MemoryProblem, { nodeOfCell }: CellsOnSet): Site[] =>
  nodeOfCell.map((node) => (nodes[node] as NodeSites).sites[0] as Site)

/** What the nodes behind these sites can give in all. */
function givenBy({ nodesKiB, makeableKiB, extraKiB }: NodeSupply, sites: readonly Site[]): number {
  let [given, makeable] = [0, 0]
  for (const memory of new Set(sites.map((site) => site.memory))) {
    given += nodesKiB[memory] as number
    makeable += makeableKiB[memory] as number
  }
  return given + Math.min(makeable, extraKiB)
}

/** Each cell on the best of the sites that its node has. */
export function backCells(problem: MemoryProblem, choice: CellsOnSet): SetMemory {
  const { memory } = problem
  const hasChoice = choice.set.some((node) => (problem.nodes[node] as NodeSites).sites.length > 1)
  if (memory === undefined || !hasChoice) {
    const sites = onlySites(problem, choice)
    return { ...(memory === undefined ? { memory: 0, available: 0 } : lackOf(memory, choice, sites)), sites }
  }
  const divided = assigned(problem.nodes, memory, choice, {
    cores: 0,
    mayBeOn: (cell, node) => choice.nodeOfCell[cell] === node,
  })
  const sites = divided.siteOfCell.map((site) => divided.sites[site] as Site)
  return { ...lackOf(memory, choice, sites), sites }
}

function lackOf(
  memory: MemoryDemand,
  { cores }: CellsOnSet,
  sites: readonly Site[],
): { memory: number; available: number } {
  if (memory.fitsSupply) return { memory: lackWhenFitted(memory, sites), available: 0 }
  const pool = emptyPool(memory.supply, memory.overflows)
  const kib = memory.ofCells(cores)
  for (const [cell, site] of sites.entries()) pool.count(site.memory, kib[cell] as number, 1)
  return { memory: pool.missingKiB(0), available: pool.lackingKiB() }
}

/**
 * Cells as large as their nodes have memory: short is what they have not together, or a cell that has none.
 */
function lackWhenFitted(demand: MemoryDemand, sites: readonly Site[]): number {
  const { totalKiB, unitKiB } = demand
  const supply = inUnits(demand)
  const cellsOn = new Map<number, number>()
  for (const { memory } of sites) cellsOn.set(memory, (cellsOn.get(memory) ?? 0) + 1)
  let bare = 0
  for (const [node, cells] of cellsOn) {
    const has =
      (supply.nodesKiB[node] as number) + Math.min(supply.makeableKiB[node] as number, supply.extraKiB)
    bare += Math.max(0, cells * unitKiB - has)
  }
  return Math.max(bare, totalKiB - givenBy(supply, sites), 0)
}

/** A part of a unit is of no use to a cell. */
function inUnits({ supply, unitKiB }: MemoryDemand): NodeSupply {
  const whole = (kib: number): number => (Number.isFinite(kib) ? kib - (kib % unitKiB) : kib)
  return { ...supply, nodesKiB: supply.nodesKiB.map(whole), makeableKiB: supply.makeableKiB.map(whole) }
}
