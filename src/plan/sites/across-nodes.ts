// Cells that span several nodes, for a guest whose cells cannot each have one node with CPUs for all vCPUs.
//
// The largest cells choose first. A cell that fits into what one node has left takes such a node: the one
// that lacks the least of its memory, then the nearest to where it was. Any other takes the fewest nodes that
// hold its guest cores together: grown from each node in turn by the nearest one that leaves it possible with
// so few; if all such sets lack memory, also by the one that gives the most of it. The set that lacks the
// least memory wins, then the nearest, then the lowest ids. All cells fit if the nodes together have the
// capacity for all guest cores, since each guest core is counted alone.

import { range } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { SpreadMemory } from './spread-memory.ts'

/** Guest cores of one cell on one node. */
export interface Share {
  readonly node: number
  readonly cores: number
}

/** Cells, and nodes by their index. */
export interface SpreadProblem {
  /** How many guest cores each cell has. */
  readonly cores: readonly number[]
  /** How many guest cores each node can run. */
  readonly capacities: readonly number[]
  readonly distance: (a: number, b: number) => number
  /** What it costs to put a cell on a node. */
  readonly prefer: (cell: number, node: number) => number
  readonly memory: SpreadMemory
}

/** @returns the shares of each cell, or undefined when the nodes together have too little capacity */
export function spreadOverNodes(problem: SpreadProblem): Share[][] | undefined {
  const { cores, capacities, distance, memory } = problem
  const left = [...capacities]
  const shares: Share[][] = cores.map(() => [])
  const distances = distancesFrom(capacities.length, distance)
  for (const cell of range(cores.length).sort(
    (a, b) => (cores[b] as number) - (cores[a] as number) || a - b,
  )) {
    const need = cores[cell] as number
    const nodes = oneNode(problem, cell, left) ?? severalNodes({ cell, need, left, distances, memory })
    if (nodes === undefined) return undefined
    memory.take(cell, nodes)
    let open = need
    for (const node of nodes) {
      const taken = Math.min(open, left[node] as number)
      left[node] = (left[node] as number) - taken
      open -= taken
      shares[cell]?.push({ node, cores: taken })
    }
  }
  return shares
}

/** The distances from a node to all nodes, computed when they are first needed. */
type DistancesFrom = (node: number) => Float64Array

function distancesFrom(nodes: number, distance: (a: number, b: number) => number): DistancesFrom {
  const known = new Map<number, Float64Array>()
  return (from) => {
    const distances = known.get(from) ?? Float64Array.from({ length: nodes }, (_, to) => distance(from, to))
    known.set(from, distances)
    return distances
  }
}

function oneNode(
  { cores, prefer, memory }: SpreadProblem,
  cell: number,
  left: readonly number[],
): number[] | undefined {
  let best: { readonly node: number; readonly lackKiB: number; readonly cost: number } | undefined
  for (const node of left.keys()) {
    if ((left[node] as number) < (cores[cell] as number)) continue
    const [lackKiB, cost] = [memory.lackKiB(cell, [node]), prefer(cell, node)]
    if (best === undefined || lackKiB < best.lackKiB || (lackKiB === best.lackKiB && cost < best.cost))
      best = { node, lackKiB, cost }
  }
  return best && [best.node]
}

// ---- Several nodes ----

/** One cell that no node holds. */
interface Growing {
  readonly cell: number
  readonly need: number
  readonly left: readonly number[]
  readonly distances: DistancesFrom
  readonly memory: SpreadMemory
}

interface Grown {
  readonly nodes: readonly number[]
  readonly lackKiB: number
  /** The sum of the distances among the nodes. */
  readonly apart: number
}

function severalNodes(growing: Growing): number[] | undefined {
  const { left, need } = growing
  if (sum(left) < need) return undefined
  const largestFirst = [...left.keys()].sort((a, b) => (left[b] as number) - (left[a] as number) || a - b)
  let [fewest, capacity] = [0, 0]
  for (; capacity < need; fewest++) capacity += left[largestFirst[fewest] as number] as number
  let best: Grown | undefined
  for (const order of ['nearest', 'most-memory'] as const) {
    if (best?.lackKiB === 0) break
    for (const start of left.keys()) {
      if (left[start] === 0) continue
      const grown = grow(growing, start, { order, fewest, largestFirst })
      if (grown !== undefined) best = better(best, grown)
    }
  }
  return best && [...best.nodes].sort((a, b) => a - b)
}

const better = (best: Grown | undefined, other: Grown): Grown =>
  best === undefined ||
  other.lackKiB < best.lackKiB ||
  (other.lackKiB === best.lackKiB && other.apart < best.apart)
    ? other
    : best

interface Growth {
  readonly order: 'nearest' | 'most-memory'
  /** No fewer nodes hold the cell, so each of so many gets a guest core. */
  readonly fewest: number
  readonly largestFirst: readonly number[]
}

/** @returns undefined where no set of so few nodes has the first one in it */
function grow(growing: Growing, start: number, growth: Growth): Grown | undefined {
  const { cell, need, left, distances, memory } = growing
  const nodes: number[] = []
  const isTaken = new Uint8Array(left.length)
  /** From each node to all that are taken. */
  const far = new Float64Array(left.length)
  let [capacity, apart] = [0, 0]
  for (let next: number | undefined = start; next !== undefined; ) {
    apart += far[next] as number
    nodes.push(next)
    isTaken[next] = 1
    capacity += left[next] as number
    if (capacity >= need) return { nodes, apart, lackKiB: memory.lackKiB(cell, nodes) }
    const row = distances(next)
    for (let node = 0; node < far.length; node++) far[node] = (far[node] as number) + (row[node] as number)
    const least =
      need - capacity - largest(growth.largestFirst, left, isTaken, growth.fewest - nodes.length - 1)
    next = nextOf(growing, { nodes, isTaken, far, least }, growth.order)
  }
  return undefined
}

/** What so many nodes hold at most of those that are not taken. */
function largest(
  largestFirst: readonly number[],
  left: readonly number[],
  isTaken: Uint8Array,
  count: number,
): number {
  let [all, open] = [0, count]
  for (let at = 0; at < largestFirst.length && open > 0; at++) {
    const node = largestFirst[at] as number
    if (isTaken[node] === 1) continue
    all += left[node] as number
    open -= 1
  }
  return all
}

/** A set that grows: `far` is from each node to all of it, `least` what the next node must hold. */
interface GrowingSet {
  readonly nodes: readonly number[]
  readonly isTaken: Uint8Array
  readonly far: Float64Array
  readonly least: number
}

/** Of equally good nodes the largest, then the lowest. */
function nextOf(
  { cell, left, memory }: Growing,
  { nodes, isTaken, far, least }: GrowingSet,
  order: Growth['order'],
): number | undefined {
  const gives = order === 'nearest' ? () => 0 : memory.givenTo(cell, nodes)
  let best: { readonly node: number; readonly given: number } | undefined
  for (let node = 0; node < left.length; node++) {
    if (isTaken[node] === 1 || (left[node] as number) < Math.max(1, least)) continue
    const given = gives(node)
    const isBetter =
      best === undefined ||
      given > best.given ||
      (given === best.given &&
        ((far[node] as number) < (far[best.node] as number) ||
          (far[node] === far[best.node] && (left[node] as number) > (left[best.node] as number))))
    if (isBetter) best = { node, given }
  }
  return best?.node
}
