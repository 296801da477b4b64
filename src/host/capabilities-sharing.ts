// The <cpu> and <bank> elements of `virsh capabilities` -> level-3 caches, sockets, dies and clusters.

import { type CpuSet, intersect, setOf, subtract } from '../base/idset.ts'
import { groupBy } from '../base/lists.ts'
import { parseSet } from '../base/parse-set.ts'
import type { Cache } from '../model/host.ts'
import { elementsAt, type XmlData } from '../xml/read.ts'
import { known } from './kernel-text.ts'
import { levelsOf, type SharedBy } from './shared-by.ts'

/** An online CPU and its element. */
interface OnlineCpu {
  readonly id: number
  readonly element: XmlData
}

/**
 * What CPUs share above the core. libvirt writes 0 for a die or a cluster that the kernel does not state.
 * @param source names the text in refusals
 * @throws Refusal of a set of CPUs that cannot be read
 * @see libvirt formatcaps, host topology and cache
 */
export function sharedIn(root: XmlData, cpus: readonly OnlineCpu[], source: string): SharedBy {
  const online = setOf<CpuSet>(cpus.map(({ id }) => id))
  const caches = cachesOf(elementsAt(root, 'host', 'cache', 'bank'), online, source)
  return {
    ...known('caches', caches.length === 0 ? undefined : caches),
    ...levelsOf({
      sockets: groupsBy(cpus, ['socket_id']),
      dies: groupsBy(cpus, ['socket_id', 'die_id']),
      clusters: groupsBy(cpus, ['socket_id', 'die_id', 'cluster_id']),
    }),
  }
}

/** A CPU that is in two banks, as libvirt has it of a capture of its own, counts in the first one. */
function cachesOf(banks: readonly XmlData[], online: CpuSet, source: string): Cache[] {
  let left = online
  return banks
    .filter(({ attributes }) => attributes.get('level') === '3')
    .flatMap(({ attributes }): Cache[] => {
      const id = attributes.get('id') ?? ''
      const cpus = intersect(left, parseSet<CpuSet>(attributes.get('cpus') ?? '', `${source}: <bank cpus>`))
      left = subtract(left, cpus)
      return cpus.length === 0
        ? []
        : [{ ...known('id', /^\d{1,15}$/.test(id) ? Number(id) : undefined), cpus }]
    })
    .sort((a, b) => (a.cpus[0] as number) - (b.cpus[0] as number))
}

/** The CPUs with the same values of all the attributes; those that lack the last one are in no group. */
function groupsBy(cpus: readonly OnlineCpu[], names: readonly string[]): CpuSet[] {
  const own = names.at(-1) as string
  const stated = cpus.filter(({ element }) => element.attributes.has(own))
  const groups = groupBy(stated, ({ element }) => names.map((name) => element.attributes.get(name)).join(':'))
  return [...groups.values()]
    .map((group) => setOf<CpuSet>(group.map(({ id }) => id)))
    .sort((a, b) => (a[0] as number) - (b[0] as number))
}
