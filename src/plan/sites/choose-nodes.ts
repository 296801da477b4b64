// Which nodes hold a guest whose cells are still to be made: the set of nodes with the least cost (cost.ts).
//
// Numbers of nodes are tried in the order of their cost: the fewest that hold the guest cores first, or as
// many as cells were requested. The search ends at the first number at which no memory is missing and no CPU
// of another guest is used, or as little as on all nodes together: more or fewer nodes could only be worse.
// Up to 16 nodes every set of that number is looked at, in the order of ids, and given up as soon as its
// distances exceed those of the best two; so the answer is exact. Beyond 16, sets are grown (grown-sets.ts),
// and
// only so many numbers of nodes are tried.

import { sum } from '../../base/lists.ts'
import { compareCosts, type SiteCost } from './cost.ts'
import { grownSets, hasSufficientNodes } from './grown-sets.ts'
import type { CandidateNode, NodeChoice, NodeProblem } from './node-problem.ts'
import { chooseSet } from './node-sets.ts'
import { leastMemory } from './set-memory.ts'

/** The best set, the second best of those that were looked at, and whether these were all. */
export interface ChosenNodes {
  readonly best: NodeChoice
  readonly next?: NodeChoice
  readonly isExact: boolean
}

const EXACT_UP_TO = 16
/** Beyond that: numbers of nodes that are tried where the first one lacks something. */
const MOST_COUNTS = 4

/** @returns undefined when no set of at most as many nodes as there are cells holds the guest cores */
export function chooseNodes(problem: NodeProblem): ChosenNodes | undefined {
  const isExact = problem.nodes.length <= EXACT_UP_TO
  const counts = isExact ? nodeCounts(problem) : likelyCounts(problem)
  const two = bestTwo()
  const least = leastCost(problem)
  for (const [nodesCost, count] of counts.entries()) {
    if (isExact) lookAtAll(problem, count, nodesCost, two)
    else for (const set of grownSets(problem, count)) two.take(chooseSet(problem, set, nodesCost, two.most()))
    const best = two.best()?.cost
    if (best !== undefined && best.memory <= least.memory && best.taken <= least.taken) break
  }
  const [best, next] = [two.best(), two.next()]
  return best && { best, isExact, ...(next && { next }) }
}

/** Numbers of nodes with capacity for all guest cores, the best first. */
function nodeCounts({ nodes, cores, cells, usesEveryNode }: NodeProblem): number[] {
  const most = Math.min(nodes.length, cores, cells === 'per-node' ? nodes.length : cells)
  const capacities = nodes.map(({ capacity }) => capacity).sort((a, b) => b - a)
  const counts: number[] = []
  let capacity = 0
  for (let count = 1; count <= most; count++) {
    capacity += capacities[count - 1] as number
    if (capacity >= cores) counts.push(count)
  }
  return usesEveryNode || cells !== 'per-node' ? counts.reverse() : counts
}

/** The best number, and those after it at which a set without a shortage is likely. */
function likelyCounts(problem: NodeProblem): number[] {
  const [first, ...others] = nodeCounts(problem)
  if (first === undefined) return []
  const likely = others.filter((count) => hasSufficientNodes(problem, count))
  return [first, ...likely.slice(0, MOST_COUNTS)]
}

/** What every set costs at least: what all nodes together lack. */
function leastCost(problem: NodeProblem): Pick<SiteCost, 'memory' | 'taken'> {
  const { nodes, vcpusOfFirst } = problem
  const untaken = sum(nodes.map((node) => node.untaken))
  return {
    memory: leastMemory(problem, [...nodes.keys()]),
    taken: Math.max(0, (vcpusOfFirst.at(-1) as number) - untaken),
  }
}

interface BestTwo {
  readonly best: () => NodeChoice | undefined
  readonly next: () => NodeChoice | undefined
  /** What a set may cost to become one of the two; undefined while there are fewer. */
  readonly most: () => SiteCost | undefined
  readonly take: (choice: NodeChoice | undefined) => void
}

/** Of equal ones the first is kept. */
function bestTwo(): BestTwo {
  let [best, next]: (NodeChoice | undefined)[] = []
  const isLess = (a: NodeChoice, b: NodeChoice | undefined): boolean =>
    b === undefined || compareCosts(a.cost, b.cost) < 0
  return {
    best: () => best,
    next: () => next,
    most: () => next?.cost,
    take: (choice) => {
      if (choice === undefined) return
      if (isLess(choice, best)) [best, next] = [choice, best]
      else if (isLess(choice, next)) next = choice
    },
  }
}

function lookAtAll(problem: NodeProblem, count: number, nodesCost: number, two: BestTwo): void {
  const { nodes, distance, cores } = problem
  const set: number[] = []
  const mostCapacity = largestFrom(nodes, cores)
  const extend = (from: number, capacity: number, far: number): void => {
    const most = two.most()
    if (most !== undefined && isFar(most, nodesCost, far)) return
    if (set.length === count) {
      if (capacity >= cores) two.take(chooseSet(problem, [...set], nodesCost, most))
      return
    }
    const open = count - set.length
    for (let index = from; index <= nodes.length - open; index++) {
      if (capacity + open * (mostCapacity[index] as number) < cores) return
      const node = nodes[index] as CandidateNode
      let further = far + (node.sites[0]?.remote ?? 0)
      for (const other of set) further += distance((nodes[other] as CandidateNode).id, node.id)
      set.push(index)
      extend(index + 1, capacity + Math.min(node.capacity, cores), further)
      set.pop()
    }
  }
  extend(0, 0, 0)
}

/** The largest capacity among the nodes from an index on. */
function largestFrom(nodes: readonly CandidateNode[], cores: number): number[] {
  const most: number[] = []
  for (let index = nodes.length - 1; index >= 0; index--)
    most[index] = Math.max(most[index + 1] ?? 0, Math.min((nodes[index] as CandidateNode).capacity, cores))
  return most
}

/** Whether a set of this number that is so far apart costs more, whatever else it costs. */
function isFar(
  { memory, cpus, taken, nodes, available, distance }: SiteCost,
  nodesCost: number,
  far: number,
): boolean {
  if (memory > 0 || cpus > 0 || taken > 0) return false
  return nodesCost > nodes || (nodesCost === nodes && available === 0 && far > distance)
}
