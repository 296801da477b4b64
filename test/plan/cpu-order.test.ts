// CPUs in KubeVirt's order: full cores of all nodes, then fragments within one node.

import t from 'tap'
import { type CoreCpus, cpuPool } from '../../src/plan/kubevirt/cpu-order.ts'
import { nodeOf } from './fixtures.ts'

type Take = readonly [from: 'cores' | 'node', count: number] | readonly [from: 'thread']

const shown = (core: CoreCpus | undefined): string =>
  core === undefined ? 'none' : `${core.node}:${core.cpus.join()}`

/** "node:CPUs" of each guest core, in the order of the calls; CPUs alone of single threads. */
function taken(nodes: readonly string[], threads: number, takes: readonly Take[]): string {
  const pool = cpuPool(
    nodes.map((cores, id) => nodeOf(id, cores)),
    threads,
  )
  const texts = takes.map(([from, count = 0]) => {
    if (from === 'cores') return pool.takeCores(count).map(shown).join(' ') || 'none'
    return from === 'node' ? shown(pool.takeFromNode(count)) : `${pool.takeThread() ?? 'none'}`
  })
  return texts.join(' / ')
}

const THREAD: Take = ['thread']

/** The cores of nodes 0, 1, ..., threads per guest core, what is taken, and the answers. */
const table: readonly (readonly [string, readonly string[], number, readonly Take[], string])[] = [
  ['full cores, node by node', ['0-1 2-3', '4-5 6-7'], 2, [['cores', 3]], '0:0,1 0:2,3 1:4,5'],
  ['full cores of all nodes, then fragments', ['0 1 2-3', '4-5'], 2, [['cores', 3]], '0:2,3 1:4,5 0:0,1'],
  ['fragments of two nodes do not join', ['0 1 2', '3 4'], 2, [['cores', 3]], '0:0,1 1:3,4'],
  ['a bigger core gives two guest cores', ['0-3', '4-5'], 2, [['cores', 2]], '0:0,1 0:2,3'],
  ['what is left of a core joins the fragments', ['0-2 4'], 2, [['cores', 2]], '0:0,1 0:4,2'],
  ['too few threads', ['0'], 2, [['cores', 1], THREAD], 'none / 0'],
  [
    'single threads: fragments first',
    ['0-1 2', '3'],
    2,
    [THREAD, THREAD, THREAD, THREAD, THREAD],
    '2 / 0 / 1 / 3 / none',
  ],
  ['what was taken is gone', ['0-1 2-3'], 2, [['cores', 1], THREAD, ['cores', 1]], '0:0,1 / 2 / none'],
  ['threads of the first node with as many', ['0', '4-5 6'], 2, [['node', 2]], '1:6,4'],
  ['no node with as many threads', ['0 1', '2 3'], 2, [['node', 3]], 'none'],
]

for (const [what, nodes, threads, takes, expected] of table) {
  t.test(`KubeVirt's order: ${what}`, (t) => {
    t.equal(taken(nodes, threads, takes), expected)
    t.end()
  })
}
