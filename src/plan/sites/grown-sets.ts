// Sets of nodes on a host with too many nodes to try every set.
//
// A set is grown from each node in turn, always by the node nearest to those taken that still leaves the
// rest enough capacity. First only nodes are taken that have the memory and the free CPUs for an even
// share, so that a set without a shortage is found where there is one of such nodes; then all nodes.
// Growing may miss a nearer set; it never misses a smaller one.

import { sumsOf } from '../../base/lists.ts'
import type { CandidateNode, MemoryDemand, NodeProblem } from './node-problem.ts'

/** Sets of `count` nodes (indices, ascending): the nearest of nodes that lack nothing, and of all nodes. */
export function grownSets(problem: NodeProblem, count: number): number[][] {
  const all = problem.nodes.map((_, index) => index)
  const sufficient = sufficientNodes(problem, count)
  const sets = sufficient.length === all.length ? [all] : [sufficient, all]
  return sets.flatMap((nodes) => grow(problem, nodes, count) ?? [])
}

/** Whether enough nodes have the memory and the free CPUs for an even share of the guest. */
export function hasSufficientNodes(problem: NodeProblem, count: number): boolean {
  return sufficientNodes(problem, count).length >= count
}

/** Nodes that lack nothing for an even share of the guest among `count` nodes. */
function sufficientNodes({ nodes, cores, threads, memory }: NodeProblem, count: number): number[] {
  const each = Math.ceil(cores / count)
  const shares = Array.from(
    { length: count },
    (_, at) => Math.floor(cores / count) + (at < cores % count ? 1 : 0),
  )
  const kib = memory === undefined ? 0 : needed(memory, shares)
  return nodes.flatMap(({ sites, untaken, capacity }, index) => {
    const hasMemory =
      memory === undefined || sites.some((site) => (memory.supply.nodesKiB[site.memory] as number) >= kib)
    return hasMemory && untaken >= Math.min(each, capacity) * threads ? [index] : []
  })
}

/** Cells that fit what their nodes have need one unit each, and as much as the others leave. */
function needed(memory: MemoryDemand, shares: readonly number[]): number {
  return memory.fitsSupply ? Math.ceil(memory.totalKiB / shares.length) : Math.max(...memory.ofCells(shares))
}

/** A set that may still grow. */
interface Growing {
  readonly problem: NodeProblem
  /** Indices of the nodes that may be taken. */
  readonly from: readonly number[]
  /** Between these, by their position in `from`. */
  readonly distances: readonly Float64Array[]
  readonly capacities: readonly number[]
}

/** What a growing set still needs. */
interface Lacking {
  readonly capacity: number
  readonly nodes: number
}

function grow(problem: NodeProblem, from: readonly number[], count: number): number[][] {
  const { nodes, distance, cores } = problem
  const at = (index: number): CandidateNode => nodes[index] as CandidateNode
  const distances = from.map((a) => Float64Array.from(from, (b) => distance(at(a).id, at(b).id)))
  const capacities = from.map((index) => Math.min(at(index).capacity, cores))
  const growing: Growing = { problem, from, distances, capacities }
  let best: { readonly set: number[]; readonly far: number } | undefined
  for (const start of from.keys()) {
    const grown = growFrom(start, growing, count, best?.far ?? Number.POSITIVE_INFINITY)
    if (grown !== undefined && (best === undefined || grown.far < best.far)) best = grown
  }
  return best === undefined ? [] : [best.set]
}

/** @param most the search gives up a set that is farther apart than this */
function growFrom(
  start: number,
  { problem, from, distances, capacities }: Growing,
  count: number,
  most: number,
): { set: number[]; far: number } | undefined {
  const isTaken = new Uint8Array(from.length)
  const left = [...capacities].sort((a, b) => b - a)
  /** From each node to all that are taken, and to its memory; Infinity for those taken. */
  const far = Float64Array.from(from, (index) => problem.nodes[index]?.sites[0]?.remote ?? 0)
  let [lacking, all, next]: [Lacking, number, number | undefined] = [
    { capacity: problem.cores, nodes: count },
    0,
    start,
  ]
  while (next !== undefined) {
    const capacity = capacities[next] as number
    all += far[next] as number
    if (all > most) return undefined
    isTaken[next] = 1
    lacking = { capacity: lacking.capacity - capacity, nodes: lacking.nodes - 1 }
    if (lacking.nodes === 0) break
    left.splice(left.indexOf(capacity), 1)
    const row = distances[next] as Float64Array
    for (let node = 0; node < far.length; node++) far[node] = (far[node] as number) + (row[node] as number)
    far[next] = Number.POSITIVE_INFINITY
    next = nearest(capacities, far, left, lacking)
  }
  if (next === undefined || lacking.capacity > 0) return undefined
  return { set: from.filter((_, index) => isTaken[index] === 1), far: all }
}

/**
 * The nearest node with which the largest others still have the capacity that is lacking; of equally near
 * ones the lowest.
 */
function nearest(
  capacities: readonly number[],
  far: Float64Array,
  left: readonly number[],
  lacking: Lacking,
): number | undefined {
  const sums = sumsOf(left.slice(0, lacking.nodes + 1))
  let found: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (let index = 0; index < capacities.length; index++) {
    if ((far[index] as number) >= least) continue
    const capacity = capacities[index] as number
    if (capacity + othersCapacity(left, sums, capacity, lacking.nodes - 1) < lacking.capacity) continue
    found = index
    least = far[index] as number
  }
  return found
}

/** The capacity of the `count` largest nodes besides one with the capacity `taken`. */
function othersCapacity(
  left: readonly number[],
  sums: readonly number[],
  taken: number,
  count: number,
): number {
  if (count === 0) return 0
  const last = left[Math.min(count, left.length) - 1] as number
  const sum = (upTo: number): number => sums[Math.min(upTo, left.length)] as number
  return taken >= last ? sum(count + 1) - taken : sum(count)
}
