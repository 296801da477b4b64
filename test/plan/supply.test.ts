// What nodes and pools still give of one page size.

import t from 'tap'
import { hasPool, nodeSupply, pageSupply, reservedPages } from '../../src/plan/backing/supply.ts'
import { type HostFacts, hostWith, PAGE } from './fixtures.ts'

/** "free, makeable, extra, total", and the cgroup's limit where there is one; nodes 0 and 1. */
const table: readonly (readonly [string, HostFacts, string])[] = [
  ['free pages', { free: [3, 8] }, '3 8, Infinity Infinity, 0, 11'],
  ['free pages are not stated: all count', { total: [8, 8] }, '8 8, Infinity Infinity, 0, 16'],
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

interface Supplied extends HostFacts {
  /** 0 is ordinary memory; pages of 2 MiB by default. */
  readonly pagesizeKiB?: number
  readonly reserve?: number
  readonly reserveKiB?: number
  readonly availableKiB?: readonly number[]
}

/** "nodes; makeable; extra; available", in KiB, of nodes 0 and 1. */
function supplied({ pagesizeKiB = PAGE, reserve = 0, reserveKiB, availableKiB, ...facts }: Supplied): string {
  const host = hostWith(facts)
  const nodes = host.nodes.map((node, id) => ({
    ...node,
    ...(availableKiB && { availableKiB: availableKiB[id] as number }),
  }))
  const kept = { reserve: [{ pagesizeKiB: PAGE, kib: reserve * PAGE }], ...(reserveKiB && { reserveKiB }) }
  const given = nodeSupply({ ...host, nodes }, kept, pagesizeKiB)
  const lists = [given.nodesKiB, given.makeableKiB, [given.extraKiB], given.availableKiB]
  return lists.map((kib) => kib.join(' ')).join('; ')
}

const KEPT = { memoryKiB: [900, 900], freeKiB: [300, 200] }

const nodeTable: readonly (readonly [string, Supplied, string])[] = [
  ['free pages', { free: [3, 8] }, '6144 16384; Infinity Infinity; 0; Infinity Infinity'],
  [
    'surplus pages',
    { free: [3, 8], overcommit: 2, freeKiB: [PAGE, 0] },
    '6144 16384; 2048 0; 4096; Infinity Infinity',
  ],
  ['reserved pages', { free: [3, 8], reserve: 4 }, '0 8192; Infinity Infinity; 0; Infinity Infinity'],
  ['ordinary memory: all, and what is free', { pagesizeKiB: 0, ...KEPT }, '900 900; 0 0; 0; 300 200'],
  [
    'what is available counts, where it is stated',
    { pagesizeKiB: 0, ...KEPT, availableKiB: [700, 600] },
    '900 900; 0 0; 0; 700 600',
  ],
  ['free memory is not stated: all counts', { pagesizeKiB: 0, memoryKiB: [900, 0] }, '900 0; 0 0; 0; 900 0'],
  ['memory is not stated', { pagesizeKiB: 0 }, 'Infinity Infinity; 0 0; 0; Infinity Infinity'],
  ['memory that the host keeps', { pagesizeKiB: 0, ...KEPT, reserveKiB: 250 }, '650 650; 0 0; 0; 50 0'],
  [
    'it does not count for pages',
    { free: [3, 8], reserveKiB: 9999 },
    '6144 16384; Infinity Infinity; 0; Infinity Infinity',
  ],
]

for (const [what, facts, expected] of nodeTable) {
  t.test(`supply of nodes: ${what}`, (t) => {
    t.equal(supplied(facts), expected)
    t.end()
  })
}
