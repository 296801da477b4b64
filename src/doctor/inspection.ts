// What the doctor examines, the files of the host and what only other programs know, and what it reports.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import { classOf } from '../codes/codes.ts'
import type { SelinuxMode } from '../host/confinement.ts'
import type { Daemon } from '../host/daemon.ts'
import type { Files } from '../host/files.ts'
import type { Host, QemuConf } from '../model/host.ts'
import type { Owned } from './qemu-user.ts'

/** One of our hooks as it is installed. `exposed` and `missing` are problems with the paths in it. */
export interface OurHook {
  readonly path: string
  readonly mode: number
  readonly node: string
  readonly program: string
  readonly missing: readonly string[]
  /** An earlier version wrote it. */
  readonly isOutdated?: boolean
  readonly exposed: readonly Diagnostic[]
}

/**
 * Everything about a host. Unknown facts are absent: of a captured host, most that other programs would
 * report.
 */
export interface Inspection {
  readonly files: Files
  readonly host: Host
  readonly isThisHost: boolean
  readonly versions: { readonly libvirt?: string; readonly qemu?: string; readonly node?: string }
  readonly daemon?: Daemon
  readonly config: { readonly path: string; readonly isThere: boolean; readonly found: readonly Diagnostic[] }
  readonly qemuConf: QemuConf
  readonly hooksFolder: string
  readonly hooks: readonly OurHook[]
  /** Other hooks that libvirt runs as well. */
  readonly otherHooks: readonly string[]
  /** Whether the running daemon is known to have looked for hooks since the hook was installed. */
  readonly isHookSeen: boolean
  readonly selinux: SelinuxMode
  /** Findings of SELinux about our hooks. */
  readonly policy: readonly Diagnostic[]
  /** The default cgroup of guests and its CPUs. */
  readonly partition?: { readonly name: string; readonly cpus: CpuSet }
  readonly kvm?: Owned
}

/** "libvirtd (process 812)". */
export const named = ({ name, pid }: Daemon): string => `${name} (process ${pid})`

/**
 * One line of the doctor's output. `says` has the facts, `found` what is wrong with them. `isUnknown`:
 * whether something is wrong cannot be determined.
 */
export interface Item {
  readonly name: string
  readonly says: string
  readonly isUnknown?: boolean
  readonly found: readonly Diagnostic[]
}

/** `note`: worth knowing; `finding`: something is wrong. */
export type State = 'ok' | 'unknown' | 'note' | 'finding'

/** The worst state among an item's diagnostics. */
export function stateOf({ found, isUnknown = false }: Pick<Item, 'found' | 'isUnknown'>): State {
  if (found.length === 0) return isUnknown ? 'unknown' : 'ok'
  return found.every(({ code }) => classOf(code) === 'note') ? 'note' : 'finding'
}
