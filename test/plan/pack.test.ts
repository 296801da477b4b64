// CPUs of one node so that as few cores as possible are split, then as few guest cores as possible are torn.

import t from 'tap'
import { formatSet } from '../../src/base/idset.ts'
import { packedCpus, packedSplitCores } from '../../src/plan/cpus/pack.ts'
import { nodeOf } from './fixtures.ts'

/** The cores, how many CPUs, threads per guest core; the CPUs and how many cores they split. */
const table: readonly (readonly [string, string, number, number, string, number])[] = [
  ['whole cores from the lowest on', '0-1 2-3 4-5', 4, 1, '0-3', 0],
  ['an odd CPU splits one core', '0-1 2-3 4-5', 3, 1, '0-2', 1],
  ['the rest of a core is left alone', '1* 2-3 4-5', 4, 1, '2-5', 0],
  ['unless the whole cores are not enough', '1* 2-3 4-5', 5, 1, '1-5', 1],
  ['an odd CPU comes from the rest of a core', '1* 2-3 4-5', 3, 1, '1-3', 1],
  ['of equally good answers the lowest CPUs', '0-1 2-3 5*', 3, 1, '0-2', 1],
  ['a small core before a part of a large one', '0-3 4-5', 2, 1, '4-5', 0],
  ['two small cores before a large one', '0 1 2-3', 2, 1, '0-1', 0],
  ['single threads: as many as each core gives', '0-2* 3-4*', 4, 1, '0-3', 2],
  ['pairs of threads: each pair on one core', '0-2* 3-4*', 4, 2, '0-1,3-4', 2],
  ['all CPUs', '0-1 2*', 3, 1, '0-2', 1],
  ['no CPU', '0-1 2*', 0, 1, '', 0],
]

for (const [what, cores, count, threads, cpus, splits] of table) {
  t.test(`packing: ${what}`, (t) => {
    const node = nodeOf(0, cores)
    t.equal(formatSet(packedCpus(node, count, threads)), cpus)
    t.equal(packedSplitCores(node, threads, node.cpus.length)(count), splits, 'split cores')
    t.end()
  })
}
