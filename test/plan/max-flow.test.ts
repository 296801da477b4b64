// How much of several demands the supplies meet: as much as possible in all, earlier demands first.

import t from 'tap'
import { allocate, canAllocate } from '../../src/plan/backing/max-flow.ts'

/** Demands such as '3:0,1': three, of supplies 0 and 1. What each gets, and whether that is all. */
const table: readonly (readonly [string, readonly string[], readonly number[], string, boolean])[] = [
  ['enough for all', ['2:0', '2:0'], [4], '2 2', true],
  ['too little', ['3:0'], [2], '2', false],
  ['the earlier demand first', ['2:0', '2:0'], [3], '2 1', false],
  ['from two supplies', ['4:0,1'], [3, 3], '4', true],
  ['a demand with a choice gives way', ['2:0,1', '2:0'], [2, 2], '2 2', true],
  ['two demands give way one after the other', ['1:0,1', '1:1,2', '1:0'], [1, 1, 1], '1 1 1', true],
  ['it gives way where not all can be met too', ['2:0,1', '3:0'], [2, 2], '2 2', false],
  ['a later demand does not take from an earlier one', ['2:0,1', '2:0', '1:1'], [2, 1], '2 1 0', false],
  ['a later demand gets what others cannot use', ['2:0', '2:0,1'], [1, 2], '1 2', false],
  ['no supply that may meet it', ['1:', '1:0'], [5], '0 1', false],
  ['a supply without a limit', ['9:0', '9:0'], [Number.POSITIVE_INFINITY], '9 9', true],
  ['nothing is asked', ['0:0'], [0], '0', true],
]

for (const [what, texts, supplies, expected, isAll] of table) {
  t.test(`max-flow: ${what}`, (t) => {
    const demands = texts.map((text) => {
      const [amount, from = ''] = text.split(':')
      return { amount: Number(amount), from: from.split(',').filter(Boolean).map(Number) }
    })
    t.equal(allocate(demands, supplies).join(' '), expected)
    t.equal(canAllocate(demands, supplies), isAll, 'all together')
    t.end()
  })
}
