// What the doctor goes by: the host's files, and what only the door can find out.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import type { SelinuxMode } from '../host/confinement.ts'
import type { Daemon } from '../host/daemon.ts'
import type { Files } from '../host/files.ts'
import type { Host } from '../model.ts'
import type { Owned, QemuConf } from './qemu-user.ts'

/** A hook that is ours, as it lies there. `exposed` and `missing` are what is wrong with what it names. */
export interface OurHook {
  readonly path: string
  readonly mode: number
  readonly node: string
  readonly program: string
  readonly missing: readonly string[]
  /** As an earlier version wrote it. */
  readonly isOutdated?: boolean
  readonly exposed: readonly Diagnostic[]
}

/** What is not known is absent; of a captured host that is most of what programs tell. */
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
  /** Other hooks that libvirt runs beside ours. */
  readonly otherHooks: readonly string[]
  /** Whether a running daemon has looked for hooks since there is one. */
  readonly isHookSeen: boolean
  readonly selinux: SelinuxMode
  /** What SELinux says of our hooks. */
  readonly policy: readonly Diagnostic[]
  /** The CPUs of the cgroup that guests are put into, and its name. */
  readonly partition?: { readonly name: string; readonly cpus: CpuSet }
  readonly kvm?: Owned
}

/** "libvirtd (process 812)". */
export const named = ({ name, pid }: Daemon): string => `${name} (process ${pid})`
