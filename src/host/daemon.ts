// Pid files and /proc -> the running libvirt daemon that manages QEMU, and the facts in its /proc folder.

import type { Files } from './files.ts'
import { known, textAt } from './kernel-text.ts'

/** The daemons that run QEMU guests: the monolithic and the modular one. */
const DAEMONS = ['libvirtd', 'virtqemud'] as const

/** A running libvirt daemon. Unknown facts are absent. */
export interface Daemon {
  readonly name: (typeof DAEMONS)[number]
  readonly pid: number
  /** Seconds since 1970. */
  readonly startedS?: number
  /** Seccomp mode: 0 none, 1 strict, 2 filter. */
  readonly seccomp?: number
  /** The capability bounding set, one bit per capability. @see capabilities(7) */
  readonly bounding?: bigint
  /** SELinux context or AppArmor profile with its mode. */
  readonly confinement?: string
}

/** The same on every architecture that libvirt supports. @see sysconf(3), _SC_CLK_TCK */
const TICKS_PER_S = 100

/**
 * Finds the running daemon.
 * @param runFolder the folder of the pid files: the daemon's /run
 * @returns the process in a pid file, if it really is that program
 */
export function readDaemon(files: Files, runFolder = '/run'): Daemon | undefined {
  for (const name of DAEMONS) {
    const text = textAt(files, `${runFolder}/${name}.pid`)?.trim() ?? ''
    const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
    // A stale pid file may name a process that is another program by now.
    if (pid !== undefined && textAt(files, `/proc/${pid}/comm`)?.trim() === name)
      return daemonOf(files, name, pid)
  }
  return undefined
}

/**
 * The version of the library that the running daemon has loaded, which may be older than the installed one:
 * libvirt.so.0.9002.1 is 9.2.1.
 */
export function loadedLibvirt(files: Files): string | undefined {
  const daemon = readDaemon(files)
  const maps = daemon && textAt(files, `/proc/${daemon.pid}/maps`)
  const [, interfaceVersion, micro] = /\/libvirt\.so\.0\.(\d{1,6})\.(\d{1,4})\b/.exec(maps ?? '') ?? []
  if (interfaceVersion === undefined) return undefined
  const version = Number(interfaceVersion)
  return `${Math.floor(version / 1000)}.${version % 1000}.${micro}`
}

function daemonOf(files: Files, name: Daemon['name'], pid: number): Daemon {
  const status = textAt(files, `/proc/${pid}/status`) ?? ''
  const seccomp = /^Seccomp:\s*([0-2])$/m.exec(status)?.[1]
  const bounding = /^CapBnd:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1]
  const confinement = (textAt(files, `/proc/${pid}/attr/current`) ?? '').trim()
  return {
    name,
    pid,
    ...known('startedS', readStart(files, pid)),
    ...known('seccomp', seccomp === undefined ? undefined : Number(seccomp)),
    ...known('bounding', bounding === undefined ? undefined : BigInt(`0x${bounding}`)),
    ...known('confinement', confinement === '' ? undefined : confinement),
  }
}

/** The 22nd field of stat counts ticks since boot. The name before it may contain blanks and parentheses. */
function readStart(files: Files, pid: number): number | undefined {
  const fields = (textAt(files, `/proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ')
  const boot = /^btime (\d+)$/m.exec(textAt(files, '/proc/stat') ?? '')?.[1]
  const ticks = Number(fields[19] ?? Number.NaN)
  return boot === undefined || !Number.isFinite(ticks) ? undefined : Number(boot) + ticks / TICKS_PER_S
}
