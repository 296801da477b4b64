// A hook's file -> its SELinux label, and whether the policy allows the daemon to execute it.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { SelinuxMode } from '../host/confinement.ts'
import type { Daemon } from '../host/daemon.ts'
import type { runProgram } from '../machine/programs/programs.ts'

/** Runs a program; tests replace it. */
export type Ask = typeof runProgram

/** What virtqemud runs as in Fedora's policy; used while it is not running. */
const VIRTQEMUD = 'system_u:system_r:virtqemud_t:s0'

/** Gives the file the label that the policy has for its path. @returns why that failed, if it did */
export function labelHook(mode: SelinuxMode, path: string, ask: Ask): Diagnostic[] {
  if (mode === 'off') return []
  const { status, stderr, reason } = ask('restorecon', ['-F', path], { timeoutS: 30 })
  return status === 0 ? [] : [diagnostic('hook-label-late', { path, reason: firstLine(reason ?? stderr) })]
}

/** Reports a hook whose label is not the one that the policy has for its path. */
export function checkLabel(mode: SelinuxMode, path: string, ask: Ask): Diagnostic[] {
  if (mode === 'off') return []
  // With -n it changes nothing and prints what it would change.
  const { status, stdout } = ask('restorecon', ['-n', '-v', '-F', path], { timeoutS: 30 })
  return status === 0 && stdout.trim() !== ''
    ? [diagnostic('hook-label-late', { path, reason: firstLine(stdout) })]
    : []
}

/** A hook and who runs it. `path` is the file that has the label, `shown` where it will be. */
export interface Execution {
  readonly mode: SelinuxMode
  readonly daemon: Daemon | undefined
  readonly path: string
  readonly shown: string
}

/**
 * Asks the kernel, through libselinux's own program, whether the daemon may execute the file. A denial is an
 * error: to libvirt a hook that it cannot execute is a hook that fails.
 */
export function policyOn({ mode, daemon, path, shown }: Execution, ask: Ask): Diagnostic[] {
  if (mode !== 'enforcing') return []
  const unknown = [diagnostic('hook-policy-unknown', { path: shown })]
  const label = ask('stat', ['-c', '%C', path], { timeoutS: 30 }).stdout.trim()
  const context = daemon?.confinement ?? VIRTQEMUD
  if (!label.includes(':')) return unknown
  const { status, stderr } = ask('selinux_check_access', [context, label, 'file', 'execute'], {
    timeoutS: 30,
  })
  if (status === 0) return []
  if (!/permission denied/i.test(stderr)) return unknown
  return [
    diagnostic('hook-policy-denies', {
      daemon: `${daemon?.name ?? 'virtqemud'} (${context})`,
      hook: label,
      path: shown,
    }),
  ]
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? ''
