// Cells that span several nodes, for a guest whose cells cannot each have one node with CPUs for all vCPUs.
//
// The largest cells choose first. A cell that fits into what one node has left takes the nearest such node to
// where it was, else it takes the fewest nodes that hold it together: grown from each node in turn by the
// nearest one, the nearest set wins, then the lowest ids. All cells fit if the nodes together have
// the capacity for all guest cores, since each guest core is counted alone.

import { range } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'

/** Guest cores of one cell on one node. */
export interface Share {
  readonly node: number
  readonly cores: number
}

/**
 * @param cores how many guest cores each cell has
 * @param capacities how many guest cores each node, by index, can run
 * @param prefer what it costs to put a cell on a node
 * @returns the shares of each cell, or undefined when the nodes together have too little capacity
 */
export function spreadOverNodes(
  cores: readonly number[],
  capacities: readonly number[],
  distance: (a: number, b: number) => number,
  prefer: (cell: number, node: number) => number,
): Share[][] | undefined {
  const left = [...capacities]
  const shares: Share[][] = cores.map(() => [])
  const distances = distancesFrom(capacities.length, distance)
  for (const cell of range(cores.length).sort(
    (a, b) => (cores[b] as number) - (cores[a] as number) || a - b,
  )) {
    const need = cores[cell] as number
    const nodes = oneNode(need, left, (node) => prefer(cell, node)) ?? severalNodes(need, left, distances)
    if (nodes === undefined) return undefined
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
  need: number,
  left: readonly number[],
  cost: (node: number) => number,
): number[] | undefined {
  let [best, least]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY]
  for (const node of left.keys()) {
    if ((left[node] as number) < need) continue
    const nodeCost = cost(node)
    if (best === undefined || nodeCost < least) [best, least] = [node, nodeCost]
  }
  return best === undefined ? undefined : [best]
}

interface Growing {
  readonly need: number
  readonly left: readonly number[]
  readonly distances: DistancesFrom
  readonly best: Grown | undefined
}

interface Grown {
  readonly nodes: number[]
  /** The sum of the distances among the nodes. */
  readonly apart: number
}

function severalNodes(need: number, left: readonly number[], distances: DistancesFrom): number[] | undefined {
  if (sum(left) < need) return undefined
  let best: Grown | undefined
  for (const start of left.keys()) best = grow(start, { need, left, distances, best }) ?? best
  return best?.nodes.sort((a, b) => a - b)
}

/** @returns undefined where the set becomes no better than the best so far */
function grow(start: number, { need, left, distances, best }: Growing): Grown | undefined {
  if ((left[start] as number) === 0) return undefined
  const nodes = [start]
  const taken = new Uint8Array(left.length)
  taken[start] = 1
  /** From each node to all that are taken. */
  const far = Float64Array.from(distances(start))
  let capacity = left[start] as number
  let apart = 0
  while (capacity < need) {
    if (nodes.length === best?.nodes.length) return undefined
    const next = nearest(left, far, taken)
    if (next === undefined) return undefined
    apart += far[next] as number
    taken[next] = 1
    nodes.push(next)
    capacity += left[next] as number
    const row = distances(next)
    for (let node = 0; node < far.length; node++) far[node] = (far[node] as number) + (row[node] as number)
  }
  const isBetter = best === undefined || nodes.length < best.nodes.length || apart < best.apart
  return isBetter ? { nodes, apart } : undefined
}

/**
 * The nearest node that is not full; of equally near ones the largest, so that fewer are needed, then the
 * lowest.
 */
function nearest(left: readonly number[], far: Float64Array, taken: Uint8Array): number | undefined {
  let best: number | undefined
  for (let node = 0; node < left.length; node++) {
    if (taken[node] === 1 || (left[node] as number) === 0) continue
    if (best !== undefined) {
      const further = (far[node] as number) - (far[best] as number)
      if (further > 0 || (further === 0 && (left[node] as number) <= (left[best] as number))) continue
    }
    best = node
  }
  return best
}
