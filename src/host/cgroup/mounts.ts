// /proc/<pid>/mountinfo and /proc/<pid>/cgroup -> cgroup mounts, and from a cgroup's path to its folders.

import type { Files } from '../files.ts'
import { textAt } from '../kernel-text.ts'
import { parts, unescaped } from '../paths.ts'

/**
 * A cgroup hierarchy mounted at `point`, which shows the cgroup `root`. `controllers` is empty for v2 and
 * only 'cpuset' for the old cpuset file system.
 */
export interface CgroupMount {
  readonly root: string
  readonly point: string
  readonly version: 1 | 2
  readonly controllers: readonly string[]
}

/** The kernel's limit (PATH_MAX). */
export const MAX_PATH = 4096

/** One hierarchy per controller, visible through some containers: a host has about a hundred mounts. */
const MOST_MOUNTS = 1000

/** A line of /proc/<pid>/cgroup. `controllers` is empty for v2. */
export interface CgroupLine {
  readonly controllers: readonly string[]
  readonly path: string
}

/**
 * The cgroup mounts that the reading process sees, since it opens the files below them. The latest comes
 * first: of two on one mount point it is the visible one.
 */
export function readMounts(files: Files, pid: number | 'self'): CgroupMount[] {
  const own = textAt(files, '/proc/self/mountinfo') ?? textAt(files, `/proc/${pid}/mountinfo`)
  if (own !== undefined) return onTop(own.split('\n').flatMap(mountOfInfo))
  const mounts = textAt(files, '/proc/mounts') ?? textAt(files, '/proc/self/mounts')
  return mounts === undefined ? usualMounts(files) : onTop(mounts.split('\n').flatMap(mountOfLine))
}

/** Latest first, without mounts hidden by a later one on the same point. */
function onTop(mounts: readonly CgroupMount[]): CgroupMount[] {
  const seen = new Map<string, CgroupMount>()
  for (const mount of [...mounts].reverse()) if (!seen.has(mount.point)) seen.set(mount.point, mount)
  return [...seen.values()].slice(0, MOST_MOUNTS)
}

/** "36 35 0:30 ROOT POINT OPTIONS [tag...] - TYPE SOURCE SUPEROPTIONS". @see proc(5), mountinfo */
function mountOfInfo(line: string): CgroupMount[] {
  const [place, system] = line.split(' - ')
  const [, , , root, point] = (place ?? '').split(' ')
  const [type, , options] = (system ?? '').split(' ')
  return root === undefined || point === undefined || line.length > 3 * MAX_PATH
    ? []
    : mountOf(type, point, options, root)
}

/** "SOURCE POINT TYPE OPTIONS 0 0" does not state the root; it is nearly always that of the hierarchy. */
function mountOfLine(line: string): CgroupMount[] {
  const [, point, type, options] = line.split(' ')
  return point === undefined ? [] : mountOf(type, point, options, '/')
}

function mountOf(
  type: string | undefined,
  point: string,
  options: string | undefined,
  root: string,
): CgroupMount[] {
  const place = { root: unescaped(root), point: `/${parts(unescaped(point)).join('/')}` }
  if (type === 'cgroup2') return [{ ...place, version: 2, controllers: [] }]
  if (type === 'cpuset') return [{ ...place, version: 1, controllers: ['cpuset'] }]
  return type === 'cgroup' ? [{ ...place, version: 1, controllers: (options ?? '').trim().split(',') }] : []
}

/** For a capture without /proc: the usual mount points. */
function usualMounts(files: Files): CgroupMount[] {
  const v1 = ['cpuset', 'hugetlb'].map(
    (name): CgroupMount => ({ root: '/', point: `/sys/fs/cgroup/${name}`, version: 1, controllers: [name] }),
  )
  const isUnified = files.read('/sys/fs/cgroup/cgroup.controllers') !== undefined
  return isUnified
    ? [{ root: '/', point: '/sys/fs/cgroup', version: 2, controllers: [] }]
    : v1.filter(({ point }) => files.list(point))
}

/**
 * The cgroups of a process. Kernels without /proc/<pid>/cgroup state the cpuset in /proc/<pid>/cpuset.
 * Malformed lines are skipped.
 */
export function readLines(files: Files, pid: number | 'self'): CgroupLine[] {
  const lines = (textAt(files, `/proc/${pid}/cgroup`) ?? '').split('\n').flatMap((line) => {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line)
    return match === null || line.length > MAX_PATH
      ? []
      : [{ controllers: (match[1] as string).split(',').filter(Boolean), path: match[2] as string }]
  })
  const cpuset = textAt(files, `/proc/${pid}/cpuset`)?.trim()
  return lines.length === 0 && cpuset?.startsWith('/') ? [{ controllers: ['cpuset'], path: cpuset }] : lines
}

/**
 * The folders of a cgroup: its own first, then every ancestor up to the mount point; empty when it is not
 * visible.
 */
export function foldersOf(files: Files, mounts: readonly CgroupMount[], path: string): string[] {
  const seen = mounts.flatMap((mount) => {
    const below = namesBelow(mount.root, path)
    if (below !== undefined) return [chain(mount.point, below)]
    // A capture may contain more of the hierarchy than its mountinfo states.
    const whole = parts(path)
    const isNamed = whole.length > 0 && ![...whole, ...parts(mount.root)].includes('..')
    return isNamed && files.list([mount.point, ...whole].join('/')) ? [chain(mount.point, whole)] : []
  })
  return seen.find(([own]) => own !== undefined && files.list(own) !== undefined) ?? seen[0] ?? []
}

/**
 * The names from a mount's root down to a cgroup; undefined when the cgroup is not below it. Both paths are
 * relative to the reader's cgroup namespace, so both may begin with "..". A cgroup with more ".." than the
 * root is not visible.
 */
function namesBelow(root: string, path: string): string[] | undefined {
  const above = parts(root)
  const names = parts(path)
  const isBelow = above.every((name, index) => names[index] === name)
  const rest = names.slice(above.length)
  return isBelow && !rest.includes('..') ? rest : undefined
}

function chain(point: string, names: readonly string[]): string[] {
  return Array.from(
    { length: names.length + 1 },
    (_, up) => [point === '/' ? '' : point, ...names.slice(0, names.length - up)].join('/') || '/',
  )
}

/** The path of the cgroup at a folder below a cgroup mount, as /proc/<pid>/cgroup would show it. */
export function pathOfFolder(mounts: readonly CgroupMount[], folder: string): string | undefined {
  const names = parts(folder)
  const above = mounts
    .filter(({ point }) => parts(point).every((name, index) => names[index] === name))
    .sort((a, b) => parts(b.point).length - parts(a.point).length)[0]
  return above === undefined
    ? undefined
    : `/${[...parts(above.root), ...names.slice(parts(above.point).length)].join('/')}`
}
