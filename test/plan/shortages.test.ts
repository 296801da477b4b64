// What a host lacks to back the cells of a guest.

import t from 'tap'
import type { NodeSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import type { MemoryFacts } from '../../src/codes/guest/memory.ts'
import type { Backing } from '../../src/plan/backing/backings.ts'
import { missingKiB, shortages } from '../../src/plan/backing/shortages.ts'
import { type HostFacts, hostWith, PAGE } from './fixtures.ts'

/** '0-1:4' is a cell of four pages on nodes 0 and 1. */
function backing(text: string, cell: number, { pagesizeKiB = PAGE, atStart = false }: Given): Backing {
  const [nodes = '', pages] = text.split(':')
  return {
    cell,
    nodes: parseSet<NodeSet>(nodes, 'test'),
    memoryKiB: Number(pages) * PAGE,
    bound: true,
    atStart,
    ...(pagesizeKiB > 0 && { pagesizeKiB }),
  }
}

interface Given extends HostFacts {
  readonly cells: readonly string[]
  /** 2 MiB by default; 0 is ordinary memory, counted as many KiB as these pages have. */
  readonly pagesizeKiB?: number
  readonly atStart?: boolean
}

/** The facts in which the findings of a row differ. */
const SHOWN = [
  'nodes',
  'cells',
  'free',
  'need',
  'limit',
  'promised',
  'enough',
  'needKiB',
  'missing',
  'pool',
  'boot',
  'instead',
]

/** "code fact=value ..." of each finding, then the pages that are missing in all. */
function lacking(given: Given): string {
  const { cells, pagesizeKiB: _, atStart: __, ...facts } = given
  const host = hostWith(facts)
  const backings = cells.map((text, cell) => backing(text, cell, given))
  const found = shortages(host, backings).map(({ code, facts }) => {
    const shown = Object.entries(facts).filter(([name]) => SHOWN.includes(name))
    return [code, ...shown.map(([name, value]) => `${name}=${(texts[name] ?? String)(value as never)}`)].join(
      ' ',
    )
  })
  return [...found, missingKiB(host, backings) / PAGE].join('; ')
}

interface Pool {
  readonly node: number
  readonly total: number
  readonly alsoMissing?: number
}

/** "node:pages", and "+pages" that other cells lack there. */
const poolText = ({ node, total, alsoMissing }: Pool): string =>
  `${node}:${total}${alsoMissing === undefined ? '' : `+${alsoMissing}`}`

type Boot = MemoryFacts['pool-missing']['boot']

/** How facts that are not plain values are written. */
const texts: Readonly<Record<string, (value: never) => string>> = {
  pool: poolText,
  boot: ({ inAll, onNodes }: Boot) =>
    [inAll, ...onNodes.map(({ node, pages }) => `${node}:${pages}`)].join(','),
  instead: ({ pagesizeKiB, pools }: MemoryFacts['pool-missing']['instead']) =>
    [`${pagesizeKiB}`, ...pools.map(poolText)].join(','),
}

const table: readonly (readonly [string, Given, string])[] = [
  ['enough', { free: [4, 4], cells: ['0:4', '1:4'] }, '0'],
  [
    'a node with too few pages',
    { free: [2, 9], total: [6, 9], cells: ['0:4'] },
    `pages-short nodes=0 free=2 cells=0 need=4 missing=2 pool=0:6; 2`,
  ],
  [
    'cells on one node need pages together',
    { free: [4, 9], cells: ['0:3', '0:3'] },
    `pages-short nodes=0 free=4 cells=0,1 need=6 missing=2 pool=0:4; 2`,
  ],
  ['a cell on two nodes', { free: [2, 9], cells: ['0-1:6'] }, '0'],
  ['a cell that may use two nodes gives way', { free: [4, 4], cells: ['0-1:4', '0:4'] }, '0'],
  [
    'cells that lack pages of one node in part: the pool is to hold those of all',
    { free: [2, 3], cells: ['0:4', '0-1:10'] },
    'pages-short nodes=0 free=2 cells=0 need=4 missing=2 pool=0:2+7; ' +
      'pages-short nodes=0,1 free=5 cells=1 need=10 missing=7 pool=0:2+2; 9',
  ],
  ['surplus pages', { free: [2, 0], overcommit: 2, cells: ['0:4'] }, '0'],
  [
    'surplus pages that free memory does not hold',
    { free: [2, 0], overcommit: 5, freeKiB: [PAGE, 9 * PAGE], cells: ['0:4'] },
    `pages-short nodes=0 free=2 cells=0 need=4 missing=1 pool=0:2; 1`,
  ],
  [
    'no pool of this size',
    { free: [9, 9], cells: ['0:512'], pagesizeKiB: 2 ** 20 },
    'pool-missing need=1 boot=1 instead=2048,0:512; 512',
  ],
  [
    'no pool of this size for cells that need the same on every node',
    { free: [9, 9], total: [12, 9], cells: ['0:1024', '1:1024'], pagesizeKiB: 2 ** 20 },
    'pool-missing need=4 boot=4 instead=2048,0:1027,1:1024; 2048',
  ],
  [
    'no pool of this size for two cells of one node: the kernel gives each node the same',
    { free: [9, 2048], cells: ['1:1024', '1:1024'], pagesizeKiB: 2 ** 20 },
    'pool-missing need=4 boot=8,1:4 instead=2048; 2048',
  ],
  [
    'no pool of this size, and no other: a cell on two nodes',
    { free: [], cells: ['0:1536', '0-1:512'], pagesizeKiB: 2 ** 20, overcommit: 0 },
    'pool-missing need=4 boot=8,0:4 instead=2048,0:1792,1:256; 2048',
  ],
  ["the cgroup's limit", { free: [4, 4], limit: 3, cells: ['0:4'] }, 'pages-limit limit=3 need=4; 0'],
  [
    'pages that are promised',
    { free: [4, 4], reserved: 6, cells: ['0:4'] },
    'pages-promised free=8 promised=6 need=4; 0',
  ],
  ['no mount', { free: [4, 4], mounted: false, cells: ['0:4'] }, 'hugetlbfs-missing; 0'],
  [
    'a node with too little memory',
    { memoryKiB: [2 * PAGE, 9 * PAGE], cells: ['0:4'], pagesizeKiB: 0 },
    'memory-over-node nodes=0 cells=0 needKiB=8192 enough=host; 2',
  ],
  [
    'a node with too little memory for what QEMU allocates',
    { memoryKiB: [2 * PAGE, 9 * PAGE], cells: ['0:4'], pagesizeKiB: 0, atStart: true },
    'memory-short nodes=0 cells=0 needKiB=8192 enough=host; 2',
  ],
  ['unknown memory', { cells: ['0:4'], pagesizeKiB: 0 }, '0'],
]

for (const [what, given, expected] of table) {
  t.test(`shortages: ${what}`, (t) => {
    t.equal(lacking(given), expected)
    t.end()
  })
}
