// A process or a cgroup to what it may use: CPUs, nodes and huge pages. cgroup v2, v1 and both at once.

import { refuse } from '../../base/diagnostic.ts'
import { type CpuSet, type IdSet, intersect, type NodeSet, parseSet, subtract } from '../../base/idset.ts'
import type { Allowed } from '../../model.ts'
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

/** What is not known is absent. `path` is the folder of the cgroup in the hierarchy that has the cpuset. */
export interface CgroupFacts {
  readonly allowed: Partial<Pick<Allowed, 'cpus' | 'nodes'>> & { readonly pages?: Allowed['pages'] }
  /** Fewer CPUs than are online; false when the CPUs are not known. */
  readonly confinesCpus: boolean
  /** Fewer nodes than have memory. */
  readonly confinesNodes: boolean
  readonly path?: string
  /** Whether the cpuset controller is on for this very cgroup: only then can libvirt confine a guest's memory by it. */
  readonly cpusetController: boolean
}

type Of = { readonly pid: number | 'self' } | { readonly path: string }

/** File names, the first that can be read counts: v2, v1, v1 before effective sets, and the same mounted with noprefix. */
const CPUS = ['cpuset.cpus.effective', 'cpuset.effective_cpus', 'cpuset.cpus', 'effective_cpus', 'cpus']
const MEMS = ['cpuset.mems.effective', 'cpuset.effective_mems', 'cpuset.mems', 'effective_mems', 'mems']

const NODE = '/sys/devices/system/node'

/**
 * Sets come from the cgroup's own files, or from its nearest ancestor that has them; only where no cgroup file can be read
 * from /proc/<pid>/status, which loses isolcpus and keeps a taskset. Page limits are the tightest on the way up.
 * @param of a process, or a cgroup: a folder under a cgroup mount or a path as in /proc/<pid>/cgroup
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
  const pages = readPageLimits(files, locate(files, mounts, lines, 'hugetlb').folders)
  const usable = cpus && intersect(cpus, onlineCpus)
  return {
    allowed: { ...known('cpus', usable), ...known('nodes', nodes), ...known('pages', pages) },
    confinesCpus: usable !== undefined && usable.length < onlineCpus.length,
    confinesNodes: nodes !== undefined && subtract(readMemoryNodes(files), nodes).length > 0,
    ...known('path', cpuset.folders[0]),
    cpusetController: isControlled(files, cpuset),
  }
}

interface Located {
  readonly version: 1 | 2
  /** The own folder, then its ancestors. */
  readonly folders: readonly string[]
}

/** A controller that a v1 hierarchy has taken is not in v2; else the line without controllers, v2's, counts. */
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

/** Empty is "as the parent" in v2, and in v1 a set that was never filled in, which no process can be in. */
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

/** A cgroup's mems never hold a node without memory, so one that is missing there confines nobody. */
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

/** The same path for every controller: which of them know it is seen when their folders are looked for. */
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
