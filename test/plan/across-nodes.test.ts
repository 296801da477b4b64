// Cells that no single node can hold, on several nodes.

import t from 'tap'
import { spreadOverNodes } from '../../src/plan/sites/across-nodes.ts'
import { PAIRS } from './fixtures.ts'

interface Given {
  /** Guest cores of each cell, and the capacity of each node. */
  readonly cores: readonly number[]
  readonly capacities: readonly number[]
  /** The node that each cell is to be near; node 0 by default. */
  readonly nearTo?: readonly number[]
  readonly distances?: readonly (readonly number[])[]
}

/** "node:cores+node:cores" of each cell. */
function spread({ cores, capacities, nearTo = [], distances }: Given): string {
  const between = (a: number, b: number): number => distances?.[a]?.[b] ?? (a === b ? 10 : 21)
  const shares = spreadOverNodes(cores, capacities, between, (cell, node) => between(nearTo[cell] ?? 0, node))
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
  ['too little capacity', { cores: [5, 4], capacities: [4, 4] }, 'none'],
]

for (const [what, given, expected] of table) {
  t.test(`cells over several nodes: ${what}`, (t) => {
    t.equal(spread(given), expected)
    t.end()
  })
}
