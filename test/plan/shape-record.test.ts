// The shape of a guest as one line of text, both ways, and every way in which that text can be malformed.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { setOf } from '../../src/base/idset.ts'
import { factsOf } from '../../src/codes/codes.ts'
import type { ShapeProblem } from '../../src/codes/request.ts'
import type { Shape } from '../../src/model/shape.ts'
import { readShape, shapeText } from '../../src/request/shape/text.ts'

const TWO_CELLS =
  'v1 sockets:2 cores:2 threads:1 / cpus:0-1 memory:32768KiB distances:10,21 / ' +
  'cpus:2-3 memory:32768KiB distances:21,10'
const BARE_CELLS =
  'v1 sockets:1 dies:2 clusters:3 cores:1 threads:1 / ' +
  'cpus:0,2-5 memory:1KiB / cpus:1 memory:0KiB / memory:5KiB'

const SHAPES: Readonly<Record<string, Shape>> = {
  [TWO_CELLS]: {
    topology: { sockets: 2, dies: 1, clusters: 1, cores: 2, threads: 1 },
    cells: [
      { id: 0, vcpus: setOf([0, 1]), memoryKiB: 32768, distances: [10, 21] },
      { id: 1, vcpus: setOf([2, 3]), memoryKiB: 32768, distances: [21, 10] },
    ],
  },
  [BARE_CELLS]: {
    topology: { sockets: 1, dies: 2, clusters: 3, cores: 1, threads: 1 },
    cells: [
      { id: 0, vcpus: setOf([0, 2, 3, 4, 5]), memoryKiB: 1, distances: [] },
      { id: 1, vcpus: setOf([1]), memoryKiB: 0, distances: [] },
      { id: 2, vcpus: setOf([]), memoryKiB: 5, distances: [] },
    ],
  },
}

for (const [text, shape] of Object.entries(SHAPES))
  t.test(text, (t) => {
    t.equal(shapeText(shape), text, 'written')
    t.same(readShape(text, 'test'), { ...shape, source: 'test', text }, 'read')
    t.match(text, /^[\w\s.,:/-]*$/, 'of letters that a diff may show, and that need no quotes')
    t.end()
  })

t.test('blanks between the parts do not matter', (t) => {
  const text = TWO_CELLS
  const loose = ` ${text.replaceAll(' / ', '/').replaceAll(' ', '\n  ')} `
  const { cells, topology } = readShape(loose, 'test')
  t.same({ cells, topology }, SHAPES[text])
  t.end()
})

/** A text, and what is wrong with it. */
const MALFORMED: readonly (readonly [string, ShapeProblem])[] = [
  ['', { is: 'version', found: '' }],
  ['v2 sockets:1 cores:1 threads:1 / cpus:0 memory:1KiB', { is: 'version', found: 'v2' }],
  ['sockets:1 cores:1 threads:1 / cpus:0 memory:1KiB', { is: 'version', found: 'sockets:1' }],
  ['v1 / cpus:0 memory:1KiB', { is: 'topology', found: '' }],
  ['v1 sockets:1 cores:1 / cpus:0 memory:1KiB', { is: 'topology', found: 'sockets:1 cores:1' }],
  ...[
    'sockets:1 cores:0 threads:1',
    'sockets:1 cores:1 cores:1 threads:1',
    'sockets:1 cores:x threads:1',
  ].map((found) => [`v1 ${found} / cpus:0 memory:1KiB`, { is: 'topology', found }] as const),
  ['v1 sockets:1 cores:1 threads:1', { is: 'cells', found: 0, max: 128 }],
  [`v1 sockets:1 cores:1 threads:1${' / memory:1KiB'.repeat(129)}`, { is: 'cells', found: 129, max: 128 }],
  ...[
    '',
    'cpus:0',
    'cpus:0 memory:1MiB',
    'cpus:0-x memory:1KiB',
    'cpus:0 memory:1KiB distances:ten',
    'cpus:0 memory:1KiB nodes:0',
    'cpus:0 memory:1KiB memory:1KiB',
  ].map((found) => [`v1 sockets:1 cores:1 threads:1 / ${found}`, { is: 'cell', cell: 0, found }] as const),
  ...['10,21', '11', '256', '10,10'].map(
    (row) =>
      [
        `v1 sockets:1 cores:1 threads:1 / cpus:0 memory:1KiB distances:${row}`,
        { is: 'distances', cell: 0, cells: 1 },
      ] as const,
  ),
  ['v1 sockets:1 cores:2 threads:1 / cpus:0 memory:1KiB', { is: 'vcpus', places: 2 }],
  ['v1 sockets:1 cores:2 threads:1 / cpus:0-2 memory:1KiB', { is: 'vcpus', places: 2 }],
  ['v1 sockets:1 cores:2 threads:1 / cpus:0 memory:1KiB / cpus:0 memory:1KiB', { is: 'vcpus', places: 2 }],
  ['v1 sockets:99999 cores:99999 threads:99999 / cpus:0 memory:1KiB', { is: 'vcpus', places: 99999 ** 3 }],
]

for (const [text, problem] of MALFORMED)
  t.test(`malformed: ${text.slice(0, 80)}`, (t) => {
    try {
      readShape(text, 'metadata of db1')
      t.fail('it is refused')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const [only] = error.diagnostics
      t.same(only && factsOf(only, 'shape-malformed'), { source: 'metadata of db1', problem })
    }
    t.end()
  })
