// What promises to guests that are starting leave to another guest.

import fc from 'fast-check'
import t from 'tap'
import type { Diagnostic } from '../../src/base/diagnostic.ts'
import type { NodeSet } from '../../src/base/idset.ts'
import { setOf } from '../../src/base/idset.ts'
import { sum } from '../../src/base/lists.ts'
import type { MemoryFacts } from '../../src/codes/guest/memory.ts'
import type { PromisedMemory } from '../../src/model/host.ts'
import type { Backing } from '../../src/plan/backing/backings.ts'
import { canAllocate } from '../../src/plan/backing/max-flow.ts'
import { leftBy } from '../../src/plan/backing/promises.ts'
import { shortages } from '../../src/plan/backing/shortages.ts'
import { nodeSupply } from '../../src/plan/backing/supply.ts'
import { times } from '../long.ts'
import { type HostFacts, hostWith, PAGE } from './fixtures.ts'

const nodesOf = (text: string): NodeSet => setOf<NodeSet>(text.split(',').map(Number))

/** "db2 0,1:4" promises four pages on nodes 0 and 1; "db2! 0:4" to a guest whose QEMU runs. */
function promise(text: string): PromisedMemory {
  const [name = '', where = ''] = text.split(' ')
  const [nodes = '', pages] = where.split(':')
  return {
    guest: name.replace('!', ''),
    nodes: nodesOf(nodes),
    memoryKiB: Number(pages) * PAGE,
    pagesizeKiB: PAGE,
    ...(name.endsWith('!') && { isAllocating: true }),
  }
}

function backing(text: string, cell: number): Backing {
  const [nodes = '', pages] = text.split(':')
  return { cell, nodes: nodesOf(nodes), memoryKiB: Number(pages) * PAGE, bound: true, pagesizeKiB: PAGE }
}

interface Given extends HostFacts {
  readonly promised: readonly string[]
  readonly cells: readonly string[]
}

const hostOf = ({ promised, cells: _, ...facts }: Given) => ({
  ...hostWith(facts),
  promised: promised.map(promise),
})

/** "code free need missing holders" of each finding. */
function lacking(given: Given): string {
  return shortages(hostOf(given), given.cells.map(backing)).map(wordsOf).join('; ')
}

function wordsOf({ code, facts }: Diagnostic): string {
  if (code !== 'pages-held') return code
  const { nodes, free, need, missing, holders } = facts as MemoryFacts['pages-held']
  const held = holders.map(({ guest, pages }) => `${guest}:${pages}`)
  return `held nodes=${nodes} free=${free} need=${need} missing=${missing} ${held}`
}

const table: readonly (readonly [string, Given, string])[] = [
  ['enough beside a promise', { free: [8, 0], promised: ['db2 0:4'], cells: ['0:4'] }, ''],
  [
    'too few beside it',
    { free: [8, 0], promised: ['db2 0:5'], cells: ['0:4'] },
    'held nodes=0 free=8 need=4 missing=1 db2:5',
  ],
  ['a promise on another node', { free: [4, 4], promised: ['db2 1:4'], cells: ['0:4'] }, ''],
  ['a promise that another node can meet', { free: [4, 4], promised: ['db2 0,1:4'], cells: ['0:4'] }, ''],
  [
    'one that it cannot meet alone',
    { free: [4, 4], promised: ['db2 0,1:6'], cells: ['0:4'] },
    'held nodes=0 free=4 need=4 missing=2 db2:6',
  ],
  [
    'several guests',
    { free: [8, 0], promised: ['db2 0:2', 'db3 0:3', 'db2 0:1'], cells: ['0:4'] },
    'held nodes=0 free=8 need=4 missing=2 db2:3,db3:3',
  ],
  ['too few without any promise', { free: [2, 0], promised: ['db2 1:4'], cells: ['0:4'] }, 'pages-short'],
  ['surplus pages for both', { free: [4, 0], overcommit: 4, promised: ['db2 0:4'], cells: ['0:4'] }, ''],
  [
    'surplus pages that the promise takes',
    { free: [4, 0], overcommit: 4, promised: ['db2 0:6'], cells: ['0:4'] },
    'held nodes=0 free=4 need=4 missing=2 db2:6',
  ],
  [
    'reserved pages of a QEMU that runs are those of its promise',
    { free: [8, 0], reserved: 4, promised: ['db2! 0:4'], cells: ['0:4'] },
    '',
  ],
  [
    'reserved pages of others count beside a promise',
    { free: [8, 0], reserved: 4, promised: ['db2 0:4'], cells: ['0:4'] },
    'held nodes=0,1 free=8 need=4 missing=4 db2:4',
  ],
  ['a promise of another page size', { free: [4, 0], promised: [], cells: ['0:4'] }, ''],
]

for (const [what, given, expected] of table) {
  t.test(`promises: ${what}`, (t) => {
    t.equal(lacking(given), expected)
    t.end()
  })
}

t.test('what promises leave, from the place with the most first', (t) => {
  t.same(leftBy([{ amount: 3, from: [0] }], [4, 4]), { left: [1, 4], unmet: 0 })
  t.same(leftBy([{ amount: 5, from: [0, 1] }], [3, 4]), { left: [2, 0], unmet: 0 })
  t.same(leftBy([{ amount: 9, from: [0, 1] }], [3, 4]), { left: [0, 0], unmet: 2 })
  t.end()
})

t.test('nodes are chosen by what promises leave', (t) => {
  const host = hostOf({ free: [8, 8], overcommit: 3, promised: ['db2 0:10'], cells: [] })
  const { nodesKiB, extraKiB } = nodeSupply(host, { reserve: [] }, PAGE)
  t.same([nodesKiB, extraKiB], [[0, 8 * PAGE], 1 * PAGE])
  const ordinary: PromisedMemory = { guest: 'db2', nodes: nodesOf('0'), memoryKiB: 600 }
  const facts = hostWith({ memoryKiB: [1000, 1000], freeKiB: [900, 900] })
  const supply = nodeSupply({ ...facts, promised: [ordinary] }, { reserve: [] }, 0)
  t.same(supply.availableKiB, [300, 900], 'ordinary memory that is available now')
  t.same(supply.nodesKiB, [1000, 1000], 'not what a node has')
  t.end()
})

// ---- Any host with two nodes, any promises, any guest ----

const place = fc.constantFrom('0', '1', '0,1')
const demand = fc.tuple(place, fc.integer({ min: 1, max: 6 })).map(([nodes, pages]) => `${nodes}:${pages}`)
const given: fc.Arbitrary<Given> = fc.record({
  free: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 2, maxLength: 2 }),
  promised: fc.array(
    demand.map((text) => `db2 ${text}`),
    { maxLength: 3 },
  ),
  cells: fc.array(demand, { minLength: 1, maxLength: 3 }),
})

const demandsOf = (texts: readonly string[]) =>
  texts.map((text) => {
    const [nodes = '', pages] = (text.split(' ').at(-1) as string).split(':')
    return { amount: Number(pages), from: nodesOf(nodes) }
  })

t.test('a guest is let start exactly if no promise loses a page to it', (t) => {
  const seen = { held: 0, fits: 0 }
  fc.assert(
    fc.property(given, (each) => {
      const { promised, cells, free = [] } = each
      // Where promises alone are too many, others have taken their pages: what is left of them decides.
      fc.pre(canAllocate(demandsOf(promised), free))
      const fits = canAllocate([...demandsOf(promised), ...demandsOf(cells)], free)
      const found = lacking(each)
      seen[fits ? 'fits' : 'held'] += 1
      return (found === '') === fits
    }),
    { numRuns: times(4000) },
  )
  t.ok(seen.held > 0 && seen.fits > 0, `${seen.held} were short, ${seen.fits} were not`)
  t.end()
})

t.test('a promise never helps, and what is left is never more', (t) => {
  fc.assert(
    fc.property(given, (each) => {
      const without = { ...each, promised: [] }
      const left = leftBy(demandsOf(each.promised), each.free ?? []).left
      return (lacking(without) === '' || lacking(each) !== '') && sum(left) <= sum(each.free ?? [])
    }),
    { numRuns: times(2000) },
  )
  t.end()
})
