// CPUs of one node, one thread of each core first.

import t from 'tap'
import { formatSet } from '../../src/base/idset.ts'
import { spreadCpus } from '../../src/plan/cpus/spread.ts'
import { nodeOf } from './fixtures.ts'

/** The cores, how many CPUs; the CPUs in the order in which vCPUs get them. */
const table: readonly (readonly [string, string, number, string])[] = [
  ['fewer than cores', '0-1 2-3 4-5', 2, '0 2'],
  ['one of each core', '0-1 2-3 4-5', 3, '0 2 4'],
  ['then second threads', '0-1 2-3 4-5', 4, '0 2 4 1'],
  ['all', '0-1 2-3 4-5', 6, '0 2 4 1 3 5'],
  ['siblings that are not neighbours', '0,4 1,5', 3, '0 1 4'],
  ['cores of unlike size', '0 2-3 4-7', 6, '0 2 4 3 5 6'],
  ['what is available of a core', '1* 2-3', 3, '1 2 3'],
  ['none', '0-1', 0, ''],
]

for (const [what, cores, count, expected] of table) {
  t.test(`spreading: ${what}`, (t) => {
    const spread = spreadCpus(nodeOf(3, cores), count)
    t.equal(spread.cores.map((core) => formatSet(core.cpus)).join(' '), expected)
    t.same([...spread.cpus], expected.split(' ').filter(Boolean).map(Number).sort(), 'the same CPUs as a set')
    t.equal(spread.id, 3)
    t.end()
  })
}
