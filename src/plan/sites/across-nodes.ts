// Cells on several nodes together, for when no way to give each cell one node has CPUs for all.
//
// The largest cells choose first. A cell that fits into what one node has left takes the nearest such node to
// where it was, else it takes the fewest nodes that hold it together: grown from each node in turn by the
// nearest one, the nearest set wins, then the lowest ids. All cells fit, since every guest core takes a place
// of its own and there are enough places in all.

import { range } from '../../base/idset.ts'

/** Guest cores of one cell on one node. */
export interface Share {
  readonly node: number
  readonly cores: number
}

/**
 * @param cores how many guest cores each cell has
 * @param rooms per node (by index) how many it has room for
 * @param prefer what it costs to put a cell on a node
 * @returns per cell its shares, or undefined when there are not enough places in all
 */
export function spreadOverNodes(
  cores: readonly number[],
  rooms: readonly number[],
  separation: (a: number, b: number) => number,
  prefer: (cell: number, node: number) => number,
): Share[][] | undefined {
  const left = [...rooms]
  const shares: Share[][] = cores.map(() => [])
  const ways = waysOf(rooms.length, separation)
  for (const cell of range(cores.length).sort(
    (a, b) => (cores[b] as number) - (cores[a] as number) || a - b,
  )) {
    const need = cores[cell] as number
    const nodes = oneNode(need, left, (node) => prefer(cell, node)) ?? severalNodes(need, left, ways)
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

/** The ways from a node to all, worked out when they are first asked for. */
type WaysFrom = (node: number) => Float64Array

function waysOf(nodes: number, separation: (a: number, b: number) => number): WaysFrom {
  const known = new Map<number, Float64Array>()
  return (from) => {
    const ways = known.get(from) ?? Float64Array.from({ length: nodes }, (_, to) => separation(from, to))
    known.set(from, ways)
    return ways
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
    const way = cost(node)
    if (best === undefined || way < least) [best, least] = [node, way]
  }
  return best === undefined ? undefined : [best]
}

interface Growing {
  readonly need: number
  readonly left: readonly number[]
  readonly ways: WaysFrom
  readonly best: Grown | undefined
}

interface Grown {
  readonly nodes: number[]
  readonly apart: number
}

function severalNodes(need: number, left: readonly number[], ways: WaysFrom): number[] | undefined {
  if (left.reduce((sum, room) => sum + room, 0) < need) return undefined
  let best: Grown | undefined
  for (const start of left.keys()) best = grow(start, { need, left, ways, best }) ?? best
  return best?.nodes.sort((a, b) => a - b)
}

/** @returns undefined where the set becomes no better than the best so far */
function grow(start: number, { need, left, ways, best }: Growing): Grown | undefined {
  if ((left[start] as number) === 0) return undefined
  const nodes = [start]
  const taken = new Uint8Array(left.length)
  taken[start] = 1
  /** From each node to all that are taken. */
  const far = Float64Array.from(ways(start))
  let room = left[start] as number
  let apart = 0
  while (room < need) {
    if (nodes.length === best?.nodes.length) return undefined
    const next = nearest(left, far, taken)
    if (next === undefined) return undefined
    apart += far[next] as number
    taken[next] = 1
    nodes.push(next)
    room += left[next] as number
    const way = ways(next)
    for (let node = 0; node < far.length; node++) far[node] = (far[node] as number) + (way[node] as number)
  }
  const isBetter = best === undefined || nodes.length < best.nodes.length || apart < best.apart
  return isBetter ? { nodes, apart } : undefined
}

/**
 * The nearest node with room; of equally near ones the roomiest, so that fewer are needed, then the lowest.
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
