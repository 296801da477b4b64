// A process or a cgroup -> the CPUs, nodes and huge pages that it may use. Reads cgroup v2, v1 and hybrid
// setups.

import { type CpuSet, type IdSet, intersect, type NodeSet, subtract } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { refuse } from '../../codes/codes.ts'
import type { Allowed } from '../../model/host.ts'
import type { Files } from '../files.ts'
import { ifReadable, known, listAt, textAt } from '../kernel-text.ts'
import { parts } from '../paths.ts'
import { readPageLimits } from './limits.ts'
import {
  type CgroupLine,
  type CgroupMount,
  foldersOf,
  MAX_PATH,
  pathOfFolder,
  readLines,
  readMounts,
} from './mounts.ts'

/**
 * Facts about one cgroup; unknown ones are absent. `path` is its folder in the hierarchy of the cpuset
 * controller.
 */
export interface CgroupFacts {
  readonly allowed: Partial<Pick<Allowed, 'cpus' | 'nodes'>> & { readonly pages?: Allowed['pages'] }
  /** Whether it allows fewer CPUs than are online; false when its CPUs are unknown. */
  readonly confinesCpus: boolean
  /** Whether it allows fewer nodes than have memory. */
  readonly confinesNodes: boolean
  readonly path?: string
  /**
   * Whether this cgroup itself has the cpuset controller: only then can libvirt confine a guest's memory with
   * it.
   */
  readonly cpusetController: boolean
  /** The controllers that are in hierarchies of v1, each of which may hold a process in another cgroup. */
  readonly inV1: { readonly cpuset: boolean; readonly hugetlb: boolean }
}

type Of = { readonly pid: number | 'self' } | { readonly path: string }

/**
 * File names in order of preference: v2, v1, v1 before effective sets, and the latter two mounted with
 * noprefix.
 */
const CPUS = ['cpuset.cpus.effective', 'cpuset.effective_cpus', 'cpuset.cpus', 'effective_cpus', 'cpus']
const MEMS = ['cpuset.mems.effective', 'cpuset.effective_mems', 'cpuset.mems', 'effective_mems', 'mems']

const NODE = '/sys/devices/system/node'

/**
 * Reads sets from the cgroup's own files or its nearest ancestor that has them. /proc/<pid>/status is used
 * only when no cgroup file can be read: it lacks isolated CPUs and includes the effect of taskset. Page
 * limits are the tightest of the cgroup and its ancestors.
 * @param of a process, or a cgroup: a folder under a cgroup mount, or a path as in /proc/<pid>/cgroup
 * @throws Refusal `process-missing`, `cgroup-missing`
 * @see cgroup_namespaces(7), cpuset(7); Documentation/admin-guide/cgroup-v2, cgroup-v1/hugetlb
 */
export function readCgroup(files: Files, of: Of, onlineCpus: CpuSet): CgroupFacts {
  const pid = 'pid' in of ? of.pid : 'self'
  const mounts = readMounts(files, pid)
  if ('pid' in of && of.pid !== 'self') refuseMissing(files, of.pid)
  const lines = 'pid' in of ? readLines(files, pid) : linesOfPath(files, mounts, of.path)
  const cpuset = locate(files, mounts, lines, 'cpuset')
  const status = 'pid' in of ? textAt(files, `/proc/${pid}/status`) : undefined
  const cpus =
    nearestSet<CpuSet>(files, cpuset.folders, CPUS) ?? statusSet<CpuSet>(status, 'Cpus_allowed_list')
  const nodes =
    nearestSet<NodeSet>(files, cpuset.folders, MEMS) ?? statusSet<NodeSet>(status, 'Mems_allowed_list')
  const hugetlb = locate(files, mounts, lines, 'hugetlb')
  const pages = readPageLimits(files, hugetlb.folders)
  const usable = cpus && intersect(cpus, onlineCpus)
  return {
    allowed: { ...known('cpus', usable), ...known('nodes', nodes), ...known('pages', pages) },
    confinesCpus: usable !== undefined && usable.length < onlineCpus.length,
    confinesNodes: nodes !== undefined && subtract(readMemoryNodes(files), nodes).length > 0,
    ...known('path', cpuset.folders[0]),
    cpusetController: isControlled(files, cpuset),
    inV1: { cpuset: cpuset.version === 1, hugetlb: hugetlb.version === 1 },
  }
}

interface Located {
  readonly version: 1 | 2
  /** The cgroup's folder, then those of its ancestors. */
  readonly folders: readonly string[]
}

/** A controller is in a v1 hierarchy or in v2, whose line lists no controllers. */
function locate(
  files: Files,
  mounts: readonly CgroupMount[],
  lines: readonly CgroupLine[],
  controller: string,
): Located {
  const v1 = lines.find(({ controllers }) => controllers.includes(controller))
  const line = v1 ?? lines.find(({ controllers }) => controllers.length === 0)
  const version = v1 === undefined ? 2 : 1
  const fitting = mounts.filter(
    (mount) => mount.version === version && (version === 2 || mount.controllers.includes(controller)),
  )
  return { version, folders: line === undefined ? [] : foldersOf(files, fitting, line.path) }
}

/** An empty set means "inherit" in v2. In v1 it was never set, and no process can be in such a cgroup. */
function nearestSet<Set extends IdSet<string>>(
  files: Files,
  folders: readonly string[],
  names: readonly string[],
): Set | undefined {
  for (const folder of folders) {
    for (const name of names) {
      const set = listAt<Set>(files, `${folder}/${name}`)
      if (set !== undefined && set.length > 0) return set
    }
  }
  return undefined
}

function statusSet<Set extends IdSet<string>>(status: string | undefined, name: string): Set | undefined {
  const text = new RegExp(`^${name}:(.*)$`, 'm').exec(status ?? '')?.[1]
  const set = text === undefined ? undefined : ifReadable(() => parseSet<Set>(text, name))
  return set?.length === 0 ? undefined : set
}

/** A cgroup's mems never include a node without memory, so its absence does not confine. */
function readMemoryNodes(files: Files): NodeSet {
  const names = ['has_memory', 'has_normal_memory', 'online']
  return (
    names.map((name) => listAt<NodeSet>(files, `${NODE}/${name}`)).find(Boolean) ?? ([] as unknown as NodeSet)
  )
}

function isControlled(files: Files, { version, folders }: Located): boolean {
  const own = folders[0]
  if (own === undefined) return false
  const controllers = textAt(files, `${own}/cgroup.controllers`)
  if (version === 2 && controllers !== undefined) return controllers.trim().split(/\s+/).includes('cpuset')
  return nearestSet(files, version === 2 ? [own] : folders, CPUS) !== undefined
}

/** Uses the same path for every controller; `foldersOf` finds out which hierarchies have it. */
function linesOfPath(files: Files, mounts: readonly CgroupMount[], given: string): CgroupLine[] {
  if (given.length > MAX_PATH) refuseNoCgroup(given, mounts)
  const absolute = given.startsWith('/') ? `/${parts(given).join('/')}` : undefined
  const asFolder =
    absolute === undefined || files.list(absolute) === undefined ? undefined : pathOfFolder(mounts, absolute)
  for (const path of [asFolder, absolute]) {
    if (path === undefined) continue
    const here = mounts.filter((mount) => {
      const [own] = foldersOf(files, [mount], path)
      return own !== undefined && files.list(own) !== undefined
    })
    if (here.length > 0) return here.map(({ controllers }) => ({ controllers, path }))
  }
  return refuseNoCgroup(given, mounts)
}

function refuseNoCgroup(path: string, mounts: readonly CgroupMount[]): never {
  refuse('cgroup-missing', { path, mounts: [...new Set(mounts.map(({ point }) => point))].sort() })
}

function refuseMissing(files: Files, pid: number): void {
  const names = ['cgroup', 'cpuset', 'status']
  if (!names.some((name) => files.read(`/proc/${pid}/${name}`) !== undefined))
    refuse('process-missing', { pid })
}
