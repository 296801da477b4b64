// The pid files and /proc to the libvirt daemon that serves QEMU, with what a running one tells of itself.

import type { Files } from './files.ts'
import { known, textAt } from './kernel-text.ts'

export const DAEMONS = ['libvirtd', 'virtqemud'] as const

export interface Daemon {
  readonly name: (typeof DAEMONS)[number]
  readonly pid: number
  /** Since 1970. */
  readonly startedS?: number
  /** 0 none, 1 strict, 2 filter. */
  readonly seccomp?: number
  /** The capabilities that it and its children can have, a bit each. */
  readonly bounding?: bigint
  /** SELinux context or AppArmor profile with its mode. */
  readonly confinement?: string
}

/** Of every architecture that libvirt runs on. @see sysconf(3), _SC_CLK_TCK */
const TICKS_PER_S = 100

/**
 * @param runFolder where pid files lie: /run of the daemon
 * @returns the process that a pid file names, if it is that program
 */
export function readDaemon(files: Files, runFolder = '/run'): Daemon | undefined {
  for (const name of DAEMONS) {
    const text = textAt(files, `${runFolder}/${name}.pid`)?.trim() ?? ''
    const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
    // A pid file stays behind, and its number may be another's by now.
    if (pid !== undefined && textAt(files, `/proc/${pid}/comm`)?.trim() === name)
      return daemonOf(files, name, pid)
  }
  return undefined
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

/** The 22nd field of stat counts from the boot; the name before it may hold blanks and brackets. */
function readStart(files: Files, pid: number): number | undefined {
  const fields = (textAt(files, `/proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ')
  const boot = /^btime (\d+)$/m.exec(textAt(files, '/proc/stat') ?? '')?.[1]
  const ticks = Number(fields[19] ?? Number.NaN)
  return boot === undefined || !Number.isFinite(ticks) ? undefined : Number(boot) + ticks / TICKS_PER_S
}
