// The host to plan for, wherever it comes from: this machine, a captured one, or a file that states it.

import { statSync } from 'node:fs'
import { Refusal } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import { refuse } from '../codes/codes.ts'
import { readCgroup } from '../host/cgroup/cgroup.ts'
import type { Files } from '../host/files.ts'
import { onlineCpus, readHost } from '../host/sysfs.ts'
import type { Allowed, Host } from '../model.ts'
import { machineIn, thisMachine } from './files.ts'
import { confinement, type GuestPlace, guestAllowed } from './guest-cgroup.ts'
import type { HostFile } from './host-file.ts'
import { lazyHostFile } from './lazy.ts'

/** The host, and what a snapshot or a cgroup allows on it. */
export interface HostSource {
  readonly host: Host
  readonly allowed: Partial<Allowed>
}

/** Which host, and which of its CPUs and nodes. All absent: this machine and the cgroup of this process. */
export interface HostOptions {
  readonly host?: string
  readonly cgroup?: string
  readonly pid?: number
  /** Siblings are read for these CPUs only; absent: for the CPUs that the cgroup allows. */
  readonly cpuset?: CpuSet
  /** Siblings of all CPUs, for a snapshot. */
  readonly whole?: boolean
  /** A guest that has not been started: which cgroup will hold it. */
  readonly guest?: GuestPlace
}

/** @throws Refusal of the source that is read */
export function readHostSource(options: HostOptions): HostSource {
  const { host, cgroup, pid } = options
  const source = openHost(host)
  if ('files' in source) return readMachine(source.files, options)
  if (cgroup !== undefined || pid !== undefined)
    refuse('host-without-cgroups', {
      file: host as string,
      option: cgroup === undefined ? '--pid' : '--cgroup',
    })
  return source
}

/**
 * The files of a running or captured machine.
 * @throws Refusal `host-without-processes` for a document that states the host alone
 */
export function readFilesOf(host: string | undefined): Files {
  const source = openHost(host)
  return 'files' in source ? source.files : refuse('host-without-processes', { file: host as string })
}

function openHost(host: string | undefined): HostFile {
  if (host === undefined) return { files: thisMachine }
  if (isFolder(host)) return { files: machineIn(host) }
  const opened = lazyHostFile(host)
  if ('problems' in opened) throw new Refusal(opened.problems)
  return opened
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** The cgroup of this process says nothing about a captured machine. */
function readMachine(files: Files, options: HostOptions): HostSource {
  const { host, cgroup, pid, cpuset, whole = false, guest } = options
  const online = onlineCpus(files)
  const named = pid !== undefined ? { pid } : cgroup !== undefined ? { path: cgroup } : undefined
  const of = named ?? (host === undefined ? { pid: 'self' as const } : undefined)
  const own = of && online && confinement(readCgroup(files, of, online))
  const allowed =
    guest === undefined || online === undefined ? (own ?? {}) : guestAllowed(files, own, guest, online)
  return { host: readHost(files, whole ? undefined : (cpuset ?? allowed.cpus)), allowed }
}
