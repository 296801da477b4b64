// The topology and cache files of the online CPUs -> level-3 caches, sockets, dies and clusters: what sets of
// CPUs share above the core.

import { type CpuSet, formatSet, setOf } from '../base/idset.ts'
import { groupBy } from '../base/lists.ts'
import type { Cache, Host } from '../model/host.ts'
import { disjoint } from './cores.ts'
import type { Files } from './files.ts'
import { known, listAt, maskAt, numberAt } from './kernel-text.ts'

const CPU = '/sys/devices/system/cpu'

/** What CPUs share above the core. */
export type SharedBy = Pick<Host, 'caches' | 'sockets' | 'dies' | 'clusters'>

/** Sets of CPUs, ascending by first CPU; empty: not known. */
interface Levels {
  readonly sockets: readonly CpuSet[]
  readonly dies: readonly CpuSet[]
  readonly clusters: readonly CpuSet[]
}

/** The level-3 caches of the given CPUs; each has all online CPUs that share it. */
export function readCaches(files: Files, cpus: CpuSet, online: CpuSet): Pick<SharedBy, 'caches'> {
  const caches = disjoint(cpus, online, (cpu) => readCache(files, cpu))
  return known('caches', caches.length === 0 ? undefined : caches)
}

/**
 * The sockets, dies and clusters of the given CPUs; each set has all online CPUs that share one.
 * @see Documentation/ABI/stable/sysfs-devices-system-cpu; core_siblings is the old name of package_cpus
 */
export function readLevels(files: Files, cpus: CpuSet, online: CpuSet): Omit<SharedBy, 'caches'> {
  const levelOf = (level: KernelLevel): CpuSet[] => readLevel(files, cpus, online, level)
  return levelsOf({ sockets: levelOf(SOCKET), dies: levelOf(DIE), clusters: levelOf(CLUSTER) })
}

/**
 * Leaves out dies that are whole sockets, and clusters that are whole dies or sockets: where a host has no
 * such level, the kernel and libvirt state the level above.
 */
export function levelsOf({ sockets, dies, clusters }: Levels): Omit<SharedBy, 'caches'> {
  const isLevel = (sets: readonly CpuSet[], ...above: (readonly CpuSet[])[]): boolean =>
    sets.length > 0 && above.every((other) => textOf(other) !== textOf(sets))
  return {
    ...known('sockets', isLevel(sockets) ? sockets : undefined),
    ...known('dies', isLevel(dies, sockets) ? dies : undefined),
    ...known('clusters', isLevel(clusters, sockets, dies) ? clusters : undefined),
  }
}

const textOf = (sets: readonly CpuSet[]): string => sets.map(formatSet).join(' ')

/** Files with the ids that name one together, its own last, and files that list its CPUs. */
interface KernelLevel {
  readonly ids: readonly string[]
  readonly lists: readonly string[]
}

const SOCKET: KernelLevel = { ids: ['physical_package_id'], lists: ['package_cpus', 'core_siblings'] }
const DIE: KernelLevel = { ids: [...SOCKET.ids, 'die_id'], lists: ['die_cpus'] }
const CLUSTER: KernelLevel = { ids: [...DIE.ids, 'cluster_id'], lists: ['cluster_cpus'] }

/** The kernel's value for an unknown 16-bit id; other unknown ids are -1. */
const UNKNOWN_ID = 65_535

function readLevel(files: Files, cpus: CpuSet, online: CpuSet, { ids, lists }: KernelLevel): CpuSet[] {
  const idAt = (cpu: number, name: string): number | undefined => {
    const id = numberAt(files, `${topologyOf(cpu)}/${name}`)
    return id === UNKNOWN_ID ? undefined : id
  }
  const listed = (cpu: number): CpuSet | undefined => {
    for (const name of lists) {
      const path = `${topologyOf(cpu)}/${name}`
      const set = listAt<CpuSet>(files, `${path}_list`) ?? maskAt<CpuSet>(files, path)
      if (set !== undefined) return set
    }
    return undefined
  }
  // A capture may lack the lists. Only then is every CPU read.
  const nameOf = (cpu: number): string => ids.map((name) => idAt(cpu, name) ?? '').join(':')
  let byName: ReadonlyMap<string, readonly number[]> | undefined
  const named = (cpu: number): CpuSet => {
    byName ??= groupBy(online, nameOf)
    return setOf<CpuSet>(byName.get(nameOf(cpu)) ?? [])
  }
  const own = ids.at(-1) as string
  return disjoint(cpus, online, (cpu) =>
    idAt(cpu, own) === undefined ? undefined : { cpus: listed(cpu) ?? named(cpu) },
  ).map((each) => each.cpus)
}

const topologyOf = (cpu: number): string => `${CPU}/cpu${cpu}/topology`

/**
 * The folders of caches that can be of level 3, the usual one first: index3 follows two caches of level 1 and
 * one of level 2. There may be one of level 1 (index2), or two of level 2 (index4).
 */
const INDEXES = [3, 2, 4]

function readCache(files: Files, cpu: number): Cache | undefined {
  const folder = INDEXES.map((index) => `${CPU}/cpu${cpu}/cache/index${index}`).find(
    (each) => numberAt(files, `${each}/level`) === 3,
  )
  if (folder === undefined) return undefined
  const cpus =
    listAt<CpuSet>(files, `${folder}/shared_cpu_list`) ?? maskAt<CpuSet>(files, `${folder}/shared_cpu_map`)
  return cpus && { ...known('id', numberAt(files, `${folder}/id`)), cpus }
}
