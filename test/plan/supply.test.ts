// What nodes and pools still give of one page size.

import t from 'tap'
import { hasPool, pageSupply, reservedPages } from '../../src/plan/backing/supply.ts'
import { type HostFacts, hostWith, PAGE } from './fixtures.ts'

/** "free, makeable, extra, total", and the cgroup's limit where there is one; nodes 0 and 1. */
const table: readonly (readonly [string, HostFacts, string])[] = [
  ['free pages', { free: [3, 8] }, '3 8, Infinity Infinity, 0, 11'],
  ['nothing is said of free pages: all of them', { total: [8, 8] }, '8 8, Infinity Infinity, 0, 16'],
  ['no pages', { free: [] }, '0 0, Infinity Infinity, 0, 0'],
  [
    'surplus pages for which free memory is enough',
    { free: [1, 1], freeKiB: [5000, PAGE - 1] },
    '1 1, 2 0, 0, 2',
  ],
  [
    'overcommit less what is used of it',
    { free: [3, 8], overcommit: 6, surplus: 2 },
    '3 8, Infinity Infinity, 4, 15',
  ],
  [
    'more surplus pages than overcommit',
    { free: [3, 8], overcommit: 1, surplus: 2 },
    '3 8, Infinity Infinity, 0, 11',
  ],
  ['promised pages', { free: [3, 8], reserved: 5 }, '3 8, Infinity Infinity, 0, 6'],
  ['more promised pages than free ones', { free: [3, 8], reserved: 12 }, '3 8, Infinity Infinity, 0, 0'],
  ["the cgroup's limit", { free: [3, 8], limit: 4 }, '3 8, Infinity Infinity, 0, 4, limit 4'],
]

for (const [what, facts, expected] of table) {
  t.test(`supply of pages: ${what}`, (t) => {
    const { free, makeable, extra, total, limit } = pageSupply(hostWith(facts), PAGE)
    const words = [free.join(' '), makeable.join(' '), extra, total]
    t.equal([...words, ...(limit === undefined ? [] : [`limit ${limit}`])].join(', '), expected)
    t.end()
  })
}

t.test('whether the host has pages of a size', (t) => {
  t.equal(hasPool(hostWith({ free: [0, 0] }), PAGE), true, 'on a node, even if none is free')
  t.equal(hasPool(hostWith({ free: [], overcommit: 1 }), PAGE), true, 'as a pool alone')
  t.equal(hasPool(hostWith({ free: [3, 3] }), 2 ** 20), false, 'of another size')
  t.end()
})

t.test('pages that are reserved', (t) => {
  const reserve = [{ pagesizeKiB: PAGE, kib: 5 * 1024 }]
  t.equal(reservedPages({ reserve }, PAGE), 3, 'a part of a page is a page')
  t.equal(reservedPages({ reserve }, 2 ** 20), 0, 'of another size')
  t.end()
})
