// Things one by one to the bin that holds least and has capacity.

import t from 'tap'
import { shareEvenly } from '../../src/plan/cells/share-evenly.ts'

interface Given {
  readonly count: number
  /** What each bin holds before. */
  readonly held: readonly number[]
  /** How many more each bin takes, or each group of bins; 9 by default. */
  readonly capacity?: readonly number[]
  readonly group?: readonly number[]
}

function shared({ count, held, capacity = held.map(() => 9), group }: Given): string {
  return shareEvenly(count, held, new Map(capacity.entries()), group)?.join(' ') ?? 'none'
}

const table: readonly (readonly [string, Given, string])[] = [
  ['equal parts', { count: 4, held: [0, 0] }, '2 2'],
  ['a remainder goes to the lowest bins', { count: 5, held: [0, 0, 0] }, '2 2 1'],
  ['what bins hold before counts', { count: 3, held: [2, 0] }, '1 2'],
  ['a bin that holds much gets nothing', { count: 3, held: [5, 0, 0] }, '0 2 1'],
  [
    'what a full bin does not take goes to the others',
    { count: 6, held: [0, 0, 0], capacity: [1, 9, 9] },
    '1 3 2',
  ],
  ['a full bin', { count: 3, held: [0, 0], capacity: [0, 5] }, '0 3'],
  ['exactly the capacity', { count: 4, held: [0, 0], capacity: [1, 3] }, '1 3'],
  ['too little capacity', { count: 5, held: [0, 0], capacity: [2, 2] }, 'none'],
  [
    'bins of a group share its capacity',
    { count: 4, held: [0, 0, 0], capacity: [2, 9], group: [0, 0, 1] },
    '1 1 2',
  ],
  [
    'an odd capacity goes to the lower bin of a group',
    { count: 3, held: [0, 0], capacity: [3], group: [0, 0] },
    '2 1',
  ],
  ['nothing', { count: 0, held: [0, 0], capacity: [0, 0] }, '0 0'],
]

for (const [what, given, expected] of table) {
  t.test(`even shares: ${what}`, (t) => {
    t.equal(shared(given), expected)
    t.end()
  })
}
