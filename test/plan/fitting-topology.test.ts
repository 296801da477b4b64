// Which parts of a guest span cells, and the topology that is proposed instead.

import t from 'tap'
import { setOf, type VcpuSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import type { CpuTopology } from '../../src/model/domain.ts'
import { fittingTopology, spanningParts } from '../../src/plan/cells/fitting-topology.ts'

/** sockets, dies, clusters, cores, threads */
type Levels = readonly [number, number, number, number, number]

const topologyOf = ([sockets, dies, clusters, cores, threads]: Levels): CpuTopology => ({
  sockets,
  dies,
  clusters,
  cores,
  threads,
})

const cellsOf = (sets: string): { vcpus: VcpuSet }[] =>
  sets.split(' ').map((set) => ({ vcpus: setOf<VcpuSet>(parseSet(set, 'cells')) }))

/** About, the cells, the topology, the sockets that span them, and the topology that fits. */
const cases: readonly (readonly [string, string, Levels, readonly number[], Levels])[] = [
  ['a socket in each cell stays', '0-3 4-7', [2, 1, 1, 4, 1], [], [2, 1, 1, 4, 1]],
  ['one socket over two cells', '0-3 4-7', [1, 1, 1, 8, 1], [0], [2, 1, 1, 4, 1]],
  ['its threads stay', '0-3 4-7', [1, 1, 1, 4, 2], [0], [2, 1, 1, 2, 2]],
  ['cells of five and three', '0-4 5-7', [2, 1, 1, 4, 1], [1], [8, 1, 1, 1, 1]],
  ['cells of four and two', '0-3 4-5', [1, 1, 1, 6, 1], [0], [3, 1, 1, 2, 1]],
  ['dies of the same size', '0-7 8-15', [1, 4, 1, 4, 1], [0], [2, 2, 1, 4, 1]],
  ['a socket of one die', '0-3 4-7', [1, 2, 1, 4, 1], [0], [2, 1, 1, 4, 1]],
  ['clusters of the same size', '0-7 8-15', [1, 1, 4, 4, 1], [0], [2, 1, 2, 4, 1]],
  ['dies that fit nowhere are left out', '0-5 6-11', [1, 3, 1, 4, 1], [0], [2, 1, 1, 6, 1]],
  ['cells out of order', '0-3,8-19 4-7,20-31', [2, 1, 1, 16, 1], [0, 1], [8, 1, 1, 4, 1]],
  ["the host's numbering", '0-1,4-5 2-3,6-7', [2, 1, 1, 2, 2], [0, 1], [4, 1, 1, 1, 2]],
  ['cores that span cells lose their threads', '0,2 1,3', [1, 1, 1, 2, 2], [0], [4, 1, 1, 1, 1]],
  ['four threads become two', '0-1,4-5 2-3,6-7', [1, 1, 1, 2, 4], [0], [4, 1, 1, 1, 2]],
  ['vCPUs of no cell are in cell 0', '0-3 4-5', [2, 1, 1, 4, 1], [1], [4, 1, 1, 2, 1]],
]

for (const [about, sets, levels, sockets, fits] of cases) {
  t.test(`fitting topology: ${about}`, (t) => {
    const [topology, cells] = [topologyOf(levels), cellsOf(sets)]
    const vcpus = levels.reduce((all, each) => all * each, 1)
    t.same(spanningParts(topology, cells).sockets, sockets, 'sockets that span cells')
    const proposed = fittingTopology({ topology, vcpus }, cells)
    t.same(proposed, topologyOf(fits), 'what fits')
    t.same(spanningParts(proposed, cells), { sockets: [], dies: [], clusters: [], cores: [] })
    t.end()
  })
}

t.test('fitting topology: parts below the socket', (t) => {
  t.same(spanningParts(topologyOf([1, 2, 2, 1, 2]), cellsOf('0,2,4,6 1,3,5,7')), {
    sockets: [0],
    dies: [0, 1],
    clusters: [0, 1, 2, 3],
    cores: [0, 1, 2, 3],
  })
  t.end()
})
