// memory=by-free-pages: by vCPU as far as the free pages of the nodes allow.

import t from 'tap'
import { byFreePages, fill } from '../../src/plan/cells/free-pages.ts'
import { requestFrom } from '../../src/request/request.ts'
import { guest, type HostFacts, hostWith, orCodes, PAGE } from './fixtures.ts'

interface Given extends HostFacts {
  readonly units: number
  /** A page by default. */
  readonly unitKiB?: number
  /** "node:vCPUs" of each cell; one vCPU each on nodes 0 and 1 by default. */
  readonly cells?: readonly string[]
  /** Pages of each node that are to stay free. */
  readonly reserve?: number
}

/** Units of each cell, or the codes of a refusal. */
function split({ units, unitKiB = PAGE, cells = ['0:1', '1:1'], reserve = 0, ...facts }: Given): string {
  const backed = cells.map((text) => {
    const [node, vcpus] = text.split(':')
    return { node: Number(node), vcpus: Number(vcpus) }
  })
  const request = requestFrom([{ memory: 'by-free-pages' }], {
    reserve: [{ pagesizeKiB: PAGE, kib: reserve * PAGE }],
  })
  const input = { view: guest(1), resources: hostWith(facts), request }
  return orCodes(() => byFreePages(input, { units, unitKiB }, backed, PAGE).join(' '))
}

const table: readonly (readonly [string, Given, string])[] = [
  ['enough: by vCPU', { free: [99, 99], units: 40, cells: ['0:3', '1:1'] }, '30 10'],
  ['what a node lacks comes from the other', { free: [10, 99], units: 40 }, '10 30'],
  ['from the others by vCPU', { free: [4, 99, 99], units: 40, cells: ['0:2', '1:1', '2:3'] }, '4 9 27'],
  [
    'cells on one node share its pages evenly',
    { free: [11, 99], units: 30, cells: ['0:1', '0:1', '1:1'] },
    '6 5 19',
  ],
  ['reserved pages stay free', { free: [10, 99], units: 40, reserve: 8 }, '2 38'],
  ['units of two pages: an odd page is of no use', { free: [5, 99], units: 10, unitKiB: 2 * PAGE }, '2 8'],
  ['a cell without free pages gets a surplus page', { free: [0, 99], units: 40, overcommit: 4 }, '1 39'],
  ['surplus pages make up for what is short', { free: [10, 10], units: 24, overcommit: 8 }, '12 12'],
  ['too few in all', { free: [10, 10], units: 24 }, 'pages-short-in-all'],
  ['too few that are not promised', { free: [50, 50], units: 20, reserved: 90 }, 'pages-short-in-all'],
  ['a node without pages', { free: [0, 99], units: 40 }, 'node-without-pages'],
  [
    'no free memory for a surplus page',
    { free: [0, 99], units: 40, overcommit: 4, freeKiB: [PAGE - 1, PAGE] },
    'node-without-pages',
  ],
]

for (const [what, given, expected] of table) {
  t.test(`free pages: ${what}`, (t) => {
    t.equal(split(given), expected)
    t.end()
  })
}

/** Units, the weight of each cell, and its capacity in units. */
type Fill = readonly [units: number, weights: readonly number[], capacity: readonly number[]]

const fillTable: readonly (readonly [string, Fill, string])[] = [
  ['in proportion', [10, [3, 2], [99, 99]], '6 4'],
  ['at most the capacity', [10, [1, 1], [2, 99]], '2 8'],
  ['a remainder goes to the lowest', [5, [1, 1], [9, 9]], '3 2'],
  ['to the lowest with capacity', [7, [1, 1, 1], [2, 9, 9]], '2 3 2'],
  ['a remainder ignores weights', [7, [1, 2], [9, 9]], '3 4'],
  ['nothing for a weight of 0', [2, [0, 1], [9, 9]], '0 2'],
]

for (const [what, [units, weights, capacity], expected] of fillTable) {
  t.test(`filling cells: ${what}`, (t) => {
    t.equal(fill(units, weights, capacity).join(' '), expected)
    t.end()
  })
}
