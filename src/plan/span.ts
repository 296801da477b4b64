// Cells on several nodes together, for when no way to give each cell one node has CPUs for all.
//
// The largest cells choose first. A cell that fits into what one node has left takes the nearest such node to where it was,
// else it takes the fewest nodes that hold it together: grown from each node in turn by the nearest one, the nearest set wins,
// then the lowest ids. All cells fit, since every guest core takes a place of its own and there are enough places in all.

import { range } from '../base/idset.ts'

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
export function spanNodes(
  cores: readonly number[],
  rooms: readonly number[],
  separation: (a: number, b: number) => number,
  prefer: (cell: number, node: number) => number,
): Share[][] | undefined {
  const left = [...rooms]
  const shares: Share[][] = cores.map(() => [])
  for (const cell of range(cores.length).sort((a, b) => (cores[b] as number) - (cores[a] as number) || a - b)) {
    const need = cores[cell] as number
    const nodes = oneNode(need, left, (node) => prefer(cell, node)) ?? severalNodes(need, left, separation)
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

function oneNode(need: number, left: readonly number[], cost: (node: number) => number): number[] | undefined {
  let best: number | undefined
  for (const node of left.keys()) if ((left[node] as number) >= need && (best === undefined || cost(node) < cost(best))) best = node
  return best === undefined ? undefined : [best]
}

function severalNodes(need: number, left: readonly number[], separation: (a: number, b: number) => number): number[] | undefined {
  let best: { readonly nodes: number[]; readonly apart: number } | undefined
  for (const start of left.keys()) {
    const set = grow(start, need, left, separation)
    if (set === undefined) continue
    const isBetter =
      best === undefined || set.nodes.length < best.nodes.length || (set.nodes.length === best.nodes.length && set.apart < best.apart)
    if (isBetter) best = set
  }
  return best?.nodes.sort((a, b) => a - b)
}

function grow(start: number, need: number, left: readonly number[], separation: (a: number, b: number) => number) {
  if ((left[start] as number) === 0) return undefined
  const nodes = [start]
  let room = left[start] as number
  let apart = 0
  while (room < need) {
    const way = (node: number): number => nodes.reduce((sum, each) => sum + separation(each, node), 0)
    const free = [...left.keys()].filter((node) => (left[node] as number) > 0 && !nodes.includes(node))
    // The nearest; of equally near ones the roomiest, so that fewer are needed.
    const next = free.sort((a, b) => way(a) - way(b) || (left[b] as number) - (left[a] as number) || a - b)[0]
    if (next === undefined) return undefined
    apart += way(next)
    nodes.push(next)
    room += left[next] as number
  }
  return { nodes, apart }
}
