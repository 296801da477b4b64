// CPUs of one node on as few level-3 caches as possible, then so that as few cores as possible are split,
// then as few guest cores as possible are split.

import t from 'tap'
import { formatSet, union } from '../../src/base/idset.ts'
import type { AvailableNode } from '../../src/plan/cpus/available.ts'
import { packedCost, packedCpus } from '../../src/plan/cpus/pack.ts'
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
    const { split, caches } = packedCost(node, threads, node.cpus.length)(count)
    t.equal(split, splits, 'split cores')
    t.equal(caches, count === 0 ? 0 : 1, 'without caches all of a node is one')
    t.end()
  })
}

/** Cores per cache: 'A 0-1 2-3 B 4-5' is two cores on cache A and one on B. */
function nodeWithCaches(text: string): AvailableNode {
  const groups = text.split(/[A-Z]/).slice(1)
  const cores = groups.flatMap((group, cache) =>
    nodeOf(0, group.trim()).cores.map((core) => ({ ...core, cache })),
  )
  return { id: 0, cores, cpus: union(...cores.map(({ cpus }) => cpus)) }
}

/** The cores by cache, how many CPUs, threads per guest core; the CPUs, caches in use and split cores. */
const cacheTable: readonly (readonly [string, string, number, number, string, number, number])[] = [
  ['the lowest cache that has enough', 'A 0-1 2-3 B 4-5 6-7', 4, 1, '0-3', 1, 0],
  ['a whole cache before parts of two', 'A 0-1 B 2-3 4-5', 4, 1, '2-5', 1, 0],
  ['the fewest caches, though a core is split', 'A 0-1 B 2-3 C 4-7', 3, 1, '4-6', 1, 1],
  ['within a cache whole cores first', 'A 0* 2-3 4-5 B 6-9', 4, 1, '2-5', 1, 0],
  ['a large cache before two small ones', 'A 0-1 B 2-3 C 4-5 6-7', 4, 2, '4-7', 1, 0],
  ['two caches where none has enough', 'A 0-1 2-3 B 4-5 6-7', 6, 1, '0-5', 2, 0],
  ['of two caches those without a split core', 'A 0-1 2* B 4-5 6-7', 6, 1, '0-1,4-7', 2, 0],
  ['all of them', 'A 0-1 B 2-3 C 4-5', 6, 1, '0-5', 3, 0],
  ['no CPU is on no cache', 'A 0-1 B 2-3', 0, 1, '', 0, 0],
]

for (const [what, cores, count, threads, cpus, caches, split] of cacheTable) {
  t.test(`packing by cache: ${what}`, (t) => {
    const node = nodeWithCaches(cores)
    t.equal(formatSet(packedCpus(node, count, threads)), cpus)
    t.same(packedCost(node, threads, node.cpus.length)(count), { caches, split })
    t.end()
  })
}
