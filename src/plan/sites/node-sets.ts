// What a set of nodes costs (cost.ts), with the cells that it would hold.

import { range } from '../../base/idset.ts'
import { shareEvenly } from '../cells/share-evenly.ts'
import { compareCosts, NOTHING, type SiteCost } from './cost.ts'
import type { CandidateNode, CellsOnSet, NodeChoice, NodeProblem } from './node-problem.ts'
import { backCells, leastMemory, rearranged, type SetMemory } from './set-memory.ts'

/**
 * The cells that a set of nodes would hold, and their cost; undefined when the guest cores do not fit, or
 * when the set costs more than `most`.
 * @param nodesCost what this number of nodes costs
 */
export function chooseSet(
  problem: NodeProblem,
  set: readonly number[],
  nodesCost: number,
  most: SiteCost | undefined,
): NodeChoice | undefined {
  const nodeOfCell = cellsOn(problem, set)
  const cores = nodeOfCell && coresOfCells(problem, nodeOfCell)
  if (nodeOfCell === undefined || cores === undefined) return undefined
  const inOrder = { set, nodeOfCell, cores }
  const isTooMuch = (cost: SiteCost): boolean => most !== undefined && compareCosts(cost, most) > 0
  const least: SiteCost = {
    ...NOTHING,
    memory: leastMemory(problem, set),
    taken: takenCpus(problem, inOrder),
    nodes: nodesCost,
    distance: distanceIn(problem, set),
  }
  if (isTooMuch(least)) return undefined
  const { choice, backed } = arranged(problem, inOrder, least.memory)
  const { memory, available } = backed
  const withMemory = { ...least, memory, available, taken: takenCpus(problem, choice) }
  if (isTooMuch(withMemory)) return undefined
  return { ...choice, sites: backed.sites, cost: { ...withMemory, ...coreCosts(problem, choice) } }
}

/** Cells in the order of nodes; in another order where that lacks less memory. */
function arranged(
  problem: NodeProblem,
  inOrder: CellsOnSet,
  leastMissing: number,
): { readonly choice: CellsOnSet; readonly backed: SetMemory } {
  const backed = backCells(problem, inOrder)
  if (backed.memory <= leastMissing || inOrder.nodeOfCell.length === 1) return { choice: inOrder, backed }
  const choice = { ...inOrder, nodeOfCell: rearranged(problem, inOrder) }
  const other = backCells(problem, choice)
  return other.memory < backed.memory ? { choice, backed: other } : { choice: inOrder, backed }
}

/**
 * One cell for each node; more cells go to the nodes in turn, and a node takes part as long as it has a guest
 * core for one more.
 */
function cellsOn(problem: NodeProblem, set: readonly number[]): readonly number[] | undefined {
  const { cells } = problem
  if (cells === 'per-node' || cells <= set.length) return set
  const onNodes = share(problem, cells, set)
  return onNodes && range(cells).flatMap((round) => set.filter((_, at) => (onNodes[at] as number) > round))
}

/** Guest cores over cells, as evenly as the nodes allow, the odd ones to the lowest cells. */
function coresOfCells(problem: NodeProblem, nodeOfCell: readonly number[]): number[] | undefined {
  const { nodes, cores } = problem
  const each = Math.ceil(cores / nodeOfCell.length)
  const isLarge = nodeOfCell.every((node) => (nodes[node] as CandidateNode).capacity >= cores)
  if (!isLarge && !hasCapacityFor(problem, nodeOfCell, each)) return share(problem, cores, nodeOfCell)
  const least = Math.floor(cores / nodeOfCell.length)
  const odd = cores % nodeOfCell.length
  return nodeOfCell.map((_, cell) => (cell < odd ? least + 1 : least))
}

function hasCapacityFor({ nodes }: NodeProblem, nodeOfCell: readonly number[], each: number): boolean {
  const isOneEach = nodeOfCell.every((node, cell) => cell === 0 || node > (nodeOfCell[cell - 1] as number))
  return isOneEach && nodeOfCell.every((node) => (nodes[node] as CandidateNode).capacity >= each)
}

function share({ nodes }: NodeProblem, count: number, bins: readonly number[]): number[] | undefined {
  return shareEvenly(
    count,
    bins.map(() => 0),
    new Map(bins.map((node) => [node, (nodes[node] as CandidateNode).capacity])),
    bins,
  )
}

/** vCPUs that are left without a CPU that no other guest has. */
function takenCpus({ nodes, vcpusOfFirst }: NodeProblem, { nodeOfCell, cores }: CellsOnSet): number {
  const used = new Map<number, number>()
  let first = 0
  for (const [cell, node] of nodeOfCell.entries()) {
    const last = first + (cores[cell] as number)
    const vcpus = (vcpusOfFirst[last] as number) - (vcpusOfFirst[first] as number)
    used.set(node, (used.get(node) ?? 0) + vcpus)
    first = last
  }
  let taken = 0
  for (const [node, vcpus] of used) taken += Math.max(0, vcpus - (nodes[node] as CandidateNode).untaken)
  return taken
}

/** Among the nodes, and from each to the memory behind it. */
function distanceIn({ nodes, distance }: NodeProblem, set: readonly number[]): number {
  let all = 0
  for (const [at, index] of set.entries()) {
    const node = nodes[index] as CandidateNode
    all += node.sites[0]?.remote ?? 0
    for (let other = 0; other < at; other++)
      all += distance((nodes[set[other] as number] as CandidateNode).id, node.id)
  }
  return all
}

function coreCosts(
  { nodes, threads }: NodeProblem,
  { set, nodeOfCell, cores }: CellsOnSet,
): Pick<SiteCost, 'caches' | 'split'> {
  const onNode = new Map<number, number>(set.map((node) => [node, 0]))
  for (const [cell, node] of nodeOfCell.entries())
    onNode.set(node, (onNode.get(node) ?? 0) + (cores[cell] as number))
  let [caches, split] = [0, 0]
  for (const [index, count] of onNode) {
    const node = nodes[index] as CandidateNode
    const cost = node.cpusCost(count * threads)
    caches += cost.caches
    split += cost.split
  }
  return { caches, split }
}
