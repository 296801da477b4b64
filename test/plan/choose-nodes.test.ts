// Which nodes hold a new guest: the fewest, the nearest to each other, the fewest split cores, the lowest.

import t from 'tap'
import { chooseNodes } from '../../src/plan/sites/choose-nodes.ts'
import { PAIRS } from './fixtures.ts'

interface Given {
  /** How many guest cores nodes 0, 1, ... have room for. */
  readonly capacities: readonly number[]
  readonly need: number
  readonly count?: number
  /** Without them all nodes are equally far apart. */
  readonly distances?: readonly (readonly number[])[]
  /** Sets of nodes such as '0,1' that split so many cores; other sets split none. */
  readonly splits?: Readonly<Record<string, number>>
}

function chosen({ capacities, need, count, distances, splits = {} }: Given): string {
  const ids = chooseNodes(
    capacities.map((room, id) => ({ id, room })),
    need,
    count,
    (a, b) => distances?.[a]?.[b] ?? 21,
    (ids) => splits[ids.join()] ?? 0,
  )
  return ids?.join() ?? 'none'
}

/** Four nodes in a row, of which the last two are nearest. */
const ROW = [
  [10, 15, 20, 30],
  [15, 10, 15, 20],
  [20, 15, 10, 12],
  [30, 20, 12, 10],
]

const table: readonly (readonly [string, Given, string])[] = [
  ['of nodes alike the lowest', { capacities: [4, 4, 4], need: 3 }, '0'],
  ['a node that is too small is left out', { capacities: [2, 4, 4], need: 3 }, '1'],
  ['one large node before two small ones', { capacities: [2, 2, 4], need: 4 }, '2'],
  ['the nearest two', { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS }, '2,3'],
  ['of pairs that are equally near the lowest', { capacities: [2, 2, 2, 2], need: 4 }, '0,1'],
  [
    'far apart, where only these have the room',
    { capacities: [4, 2, 4, 2], need: 7, distances: PAIRS },
    '0,2',
  ],
  ['the sum over all pairs counts', { capacities: [2, 2, 2, 2], need: 6, distances: ROW }, '1,2,3'],
  ['the fewest split cores', { capacities: [2, 2, 2], need: 4, splits: { '0,1': 2, '1,2': 1 } }, '0,2'],
  [
    'near before few split cores',
    { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS, splits: { '2,3': 4 } },
    '2,3',
  ],
  ['as many nodes as requested', { capacities: [4, 4, 4], need: 3, count: 2 }, '0,1'],
  ['a node without a limit', { capacities: [2, Number.POSITIVE_INFINITY], need: 9 }, '1'],
  ['not enough room in all', { capacities: [2, 2], need: 5 }, 'none'],
  ['more nodes than there are', { capacities: [4, 4], need: 2, count: 3 }, 'none'],
]

for (const [what, given, expected] of table) {
  t.test(`node choice: ${what}`, (t) => {
    t.equal(chosen(given), expected)
    t.end()
  })
}

t.test('node choice: among more than 16 nodes sets are grown', (t) => {
  const distances = Array.from({ length: 17 }, (_, a) =>
    Array.from({ length: 17 }, (__, b) => (a >= 15 && b >= 15 ? 11 : 21)),
  )
  t.equal(chosen({ capacities: distances.map(() => 1), need: 2, distances }), '15,16')
  t.end()
})
