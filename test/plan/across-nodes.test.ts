// Cells that no single node can hold, on several nodes.

import t from 'tap'
import { range } from '../../src/base/idset.ts'
import { sum } from '../../src/base/lists.ts'
import { spreadOverNodes } from '../../src/plan/sites/across-nodes.ts'
import { spreadMemory } from '../../src/plan/sites/spread-memory.ts'
import { PAIRS } from './fixtures.ts'

interface Given {
  /** Guest cores of each cell, and the capacity of each node. */
  readonly cores: readonly number[]
  readonly capacities: readonly number[]
  /** The node that each cell is to be near; node 0 by default. */
  readonly nearTo?: readonly number[]
  readonly distances?: readonly (readonly number[])[]
  /** What each cell needs, and each node has, of one kind of memory; any node has enough by default. */
  readonly needKiB?: readonly number[]
  readonly nodesKiB?: readonly number[]
}

/** "node:cores+node:cores" of each cell. */
function spread({ cores, capacities, nearTo = [], distances, needKiB = [], nodesKiB }: Given): string {
  const between = (a: number, b: number): number => distances?.[a]?.[b] ?? (a === b ? 10 : 21)
  const none = capacities.map(() => 0)
  const supply = nodesKiB && { nodesKiB, makeableKiB: none, extraKiB: 0, availableKiB: nodesKiB }
  const needs = cores.map((_, cell) => ({ memoryKiB: needKiB[cell] ?? 0, pagesizeKiB: 2048 }))
  const shares = spreadOverNodes({
    cores,
    capacities,
    distance: between,
    prefer: (cell, node) => between(nearTo[cell] ?? 0, node),
    memory: spreadMemory(needs, new Map(supply && [[2048, supply]]), (_, node) => node),
  })
  const texts = shares?.map((each) => each.map(({ node, cores }) => `${node}:${cores}`).join('+'))
  return texts?.join(' ') ?? 'none'
}

/** Nodes 0, 1 and 2 are near each other, node 3 is far from all. */
const OUTLIER = [
  [10, 11, 11, 60],
  [11, 10, 11, 60],
  [11, 11, 10, 60],
  [60, 60, 60, 10],
]

const table: readonly (readonly [string, Given, string])[] = [
  ['a cell that fits stays on its node', { cores: [2, 2], capacities: [4, 4], nearTo: [1, 0] }, '1:2 0:2'],
  [
    'a full node: the nearest other one',
    { cores: [2], capacities: [2, 2, 2, 0], nearTo: [3], distances: PAIRS },
    '2:2',
  ],
  ['the largest cell chooses first', { cores: [2, 4], capacities: [4, 2] }, '1:2 0:4'],
  ['of cells alike the lowest chooses first', { cores: [4, 4], capacities: [4, 4] }, '0:4 1:4'],
  ['too large for any node: two nodes', { cores: [6], capacities: [4, 4] }, '0:4+1:2'],
  ['the nearest two', { cores: [6], capacities: [4, 4, 4, 4], distances: PAIRS }, '2:4+3:2'],
  ['of equally near nodes the largest', { cores: [8], capacities: [2, 2, 4, 4] }, '2:4+3:4'],
  ['few nodes before near ones', { cores: [6], capacities: [2, 2, 2, 4], distances: OUTLIER }, '0:2+3:4'],
  ['a full node is left out', { cores: [6], capacities: [0, 4, 4] }, '1:4+2:2'],
  ['what the larger cell leaves', { cores: [3, 5], capacities: [4, 4] }, '1:3 0:4+1:1'],
  [
    'a cell without vCPUs at boot has a node all the same',
    { cores: [0], capacities: [4, 4], nearTo: [1] },
    '1:0',
  ],
  ['small nodes are not in the way', { cores: [6], capacities: [1, 4, 4, 1], distances: PAIRS }, '1:4+2:2'],
  [
    'of equally near sets the one that holds the memory',
    { cores: [6], capacities: [4, 4, 4], needKiB: [10], nodesKiB: [4, 4, 6] },
    '0:4+2:2',
  ],
  [
    'memory that no nearest set holds',
    { cores: [6], capacities: [4, 4, 4, 4], distances: PAIRS, needKiB: [12], nodesKiB: [8, 1, 8, 1] },
    '0:4+2:2',
  ],
  [
    'what the larger cell leaves of the memory',
    { cores: [6, 3], capacities: [4, 4, 4, 4], needKiB: [8, 4], nodesKiB: [4, 4, 0, 4] },
    '0:4+1:2 3:3',
  ],
  [
    'a cell that fits goes where its memory is',
    { cores: [2], capacities: [4, 4], needKiB: [4], nodesKiB: [2, 4] },
    '1:2',
  ],
  ['too little capacity', { cores: [5, 4], capacities: [4, 4] }, 'none'],
]

for (const [what, given, expected] of table) {
  t.test(`cells over several nodes: ${what}`, (t) => {
    t.equal(spread(given), expected)
    t.end()
  })
}

t.test('a cell that no node holds has the fewest nodes, and a guest core on each', (t) => {
  const wrong: string[] = []
  for (let code = 0; code < 4 ** 4; code++) {
    const capacities = range(4).map((node) => (code >> (2 * node)) & 3)
    for (let need = Math.max(...capacities) + 1; need <= sum(capacities); need++) {
      const shares = spread({ cores: [need], capacities, distances: PAIRS })
      const parts = shares.split('+').map((each) => Number(each.split(':')[1]))
      if (parts.length !== fewestFor(need, capacities) || parts.includes(0) || sum(parts) !== need)
        wrong.push(`${need} on ${capacities}: ${shares}`)
    }
  }
  t.same(wrong, [])
  t.end()
})

/** How many of the largest nodes hold so many guest cores. */
function fewestFor(need: number, capacities: readonly number[]): number {
  const largest = [...capacities].sort((a, b) => b - a)
  return range(5).find((count) => sum(largest.slice(0, count)) >= need) ?? 0
}
