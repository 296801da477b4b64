// topology=align: no socket, die, cluster or core spans cells, and threads are those of host cores.

import fc from 'fast-check'
import t from 'tap'
import { type CpuSet, setOf, type VcpuSet } from '../../src/base/idset.ts'
import type { CpuTopology } from '../../src/model/domain.ts'
import type { Cell } from '../../src/model/placement.ts'
import { topologyFor } from '../../src/plan/cells/topology.ts'
import { cpus, guest, orCodes, situationIn } from './fixtures.ts'

/** '0-3 4-7' are the vCPUs of two cells. */
function cellsOf(text: string): Cell[] {
  return text.split(' ').map((vcpus, id) => ({
    id,
    vcpus: setOf<VcpuSet>(cpus(vcpus)),
    memoryKiB: 1024,
    distances: [],
  }))
}

interface Given {
  /** "sockets dies clusters cores threads"; without it the guest has none. */
  readonly has?: string
  readonly vcpus: number
  readonly cells: string
  /** The CPU of each vCPU; by default the CPU of the same number. HOST's cores are 0-1, 2-3, ... */
  readonly pins?: readonly number[]
}

const LEVELS = ['sockets', 'dies', 'clusters', 'cores', 'threads'] as const

function aligned({ has, vcpus, cells, pins }: Given): CpuTopology | undefined {
  const counts = has?.split(' ') ?? []
  const written = LEVELS.map((level, index) => `${level}='${counts[index]}'`).join(' ')
  const view = guest(vcpus, has === undefined ? '' : `<cpu><topology ${written}/></cpu>`)
  const situation = situationIn(view, { topology: 'align', pin: 'cell' })
  const vcpupin = [...Array(vcpus).keys()].map((vcpu) => setOf<CpuSet>([pins?.[vcpu] ?? vcpu]))
  return topologyFor(situation, cellsOf(cells), vcpupin)
}

const table: readonly (readonly [string, Given, string])[] = [
  ['a socket for each cell', { has: '1 1 1 4 1', vcpus: 4, cells: '0-1 2-3' }, '2 1 1 2 1'],
  ['one cell', { has: '1 1 1 4 1', vcpus: 4, cells: '0-3' }, 'stays'],
  ['sockets that fit', { has: '4 1 1 2 1', vcpus: 8, cells: '0-3 4-7' }, 'stays'],
  ['sockets too large for the second cell', { has: '2 1 1 3 1', vcpus: 6, cells: '0-3 4-5' }, '3 1 1 2 1'],
  ['no topology, one cell', { vcpus: 4, cells: '0-3' }, 'stays'],
  ['no topology, two cells', { vcpus: 4, cells: '0-1 2-3' }, '2 1 1 2 1'],
  ['threads on siblings', { has: '1 1 1 4 2', vcpus: 8, cells: '0-3 4-7' }, '2 1 1 2 2'],
  [
    'threads on two host cores',
    { has: '1 1 1 2 2', vcpus: 4, cells: '0-1 2-3', pins: [0, 2, 4, 6] },
    '2 1 1 2 1',
  ],
  [
    'threads on two host cores of one cell',
    { has: '1 1 1 2 2', vcpus: 4, cells: '0-3', pins: [0, 2, 1, 3] },
    '1 1 1 4 1',
  ],
  ['dies keep their size', { has: '1 4 1 2 1', vcpus: 8, cells: '0-3 4-7' }, '2 2 1 2 1'],
  ['dies that do not fit go', { has: '1 2 1 3 1', vcpus: 6, cells: '0-1 2-3 4-5' }, '3 1 1 2 1'],
  ['clusters keep their size', { has: '1 1 4 2 1', vcpus: 8, cells: '0-3 4-7' }, '2 1 2 2 1'],
  [
    'dies keep their size when threads become cores',
    { has: '1 2 1 2 2', vcpus: 8, cells: '0-3 4-7', pins: [0, 2, 1, 3, 4, 6, 5, 7] },
    '2 1 1 4 1',
  ],
  ['cells of one and three', { has: '1 1 1 4 1', vcpus: 4, cells: '0 1-3' }, '4 1 1 1 1'],
  ['interleaved cells', { has: '1 1 1 4 1', vcpus: 4, cells: '0,2 1,3' }, 'vcpus-interleaved'],
]

for (const [what, given, expected] of table) {
  t.test(`topology: ${what}`, (t) => {
    const answer = orCodes(() => {
      const topology = aligned(given)
      return topology === undefined ? 'stays' : LEVELS.map((level) => topology[level]).join(' ')
    })
    t.equal(answer, expected)
    t.end()
  })
}

t.test('no level of any topology spans cells, and the number of vCPUs stays', (t) => {
  const divisor = (of: number) =>
    fc.constantFrom(...[...Array(of).keys()].map((each) => each + 1).filter((each) => of % each === 0))
  const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 })
  const given = sizes.chain((each) => {
    const vcpus = each.reduce((sum, size) => sum + size, 0)
    return divisor(vcpus).chain((sockets) =>
      divisor(vcpus / sockets).chain((dies) =>
        divisor(vcpus / sockets / dies).map((threads) => {
          const has = `${sockets} ${dies} 1 ${vcpus / sockets / dies / threads} ${threads}`
          return { sizes: each, vcpus, threads, has }
        }),
      ),
    )
  })
  fc.assert(
    fc.property(given, ({ sizes, vcpus, threads, has }) => {
      let next = 0
      const ranges = sizes.map((size) => {
        next += size
        return `${next - size}-${next - 1}`
      })
      // Guest cores do not span cells: plan never makes such cells.
      if (sizes.some((size) => size % threads !== 0)) return
      const counts = has.split(' ').map(Number)
      const topology = aligned({ has, vcpus, cells: ranges.join(' ') })
      const levels = topology === undefined ? counts : LEVELS.map((level) => topology[level])
      const product = levels.reduce((all, each) => all * each, 1)
      if (product !== vcpus) throw new Error(`${levels} are ${product} vCPUs, not ${vcpus}`)
      for (let level = 0; level < LEVELS.length - 1; level++) {
        const block = levels.slice(level + 1).reduce((all, each) => all * each, 1)
        const cellOf = sizes.flatMap((size, cell) => Array(size).fill(cell))
        for (let first = 0; first < vcpus; first += block)
          if (new Set(cellOf.slice(first, first + block)).size > 1)
            throw new Error(`${LEVELS[level]} of ${levels} span the cells ${ranges}`)
      }
    }),
  )
  t.pass('1 to 5 cells of 1 to 6 vCPUs')
  t.end()
})
