// A hook's file to its SELinux label, and to what the policy says of a daemon that runs it.

import { type Diagnostic, diagnostic } from '../base/diagnostic.ts'
import type { SelinuxMode } from '../host/confinement.ts'
import type { Daemon } from '../host/daemon.ts'
import type { runProgram } from '../machine/programs/programs.ts'

/** A test puts another in its place. */
export type Ask = typeof runProgram

/** What virtqemud runs as in Fedora's policy, where it is not running now. */
const VIRTQEMUD = 'system_u:system_r:virtqemud_t:s0'

/** Gives the file the label that the policy has for its place. */
export function labelHook(mode: SelinuxMode, path: string, ask: Ask): Diagnostic[] {
  if (mode === 'off') return []
  const { status, stderr, reason } = ask('restorecon', ['-F', path], { timeoutS: 30 })
  return status === 0 ? [] : [diagnostic('hook-label-late', { path, reason: firstLine(reason ?? stderr) })]
}

/** A hook that has not the label of its place. */
export function labelOfPlace(mode: SelinuxMode, path: string, ask: Ask): Diagnostic[] {
  if (mode === 'off') return []
  // With -n it changes nothing and prints what it would.
  const { status, stdout } = ask('restorecon', ['-n', '-v', '-F', path], { timeoutS: 30 })
  return status === 0 && stdout.trim() !== ''
    ? [diagnostic('hook-label-late', { path, reason: firstLine(stdout) })]
    : []
}

/**
 * Asks the kernel, through libselinux's own program, whether the daemon may execute the file. A denial is an
 * error: libvirt takes a hook that it cannot run for one that fails.
 * @param path the file that has the label
 * @param shown where it will lie
 */
export function policyOn(
  mode: SelinuxMode,
  daemon: Daemon | undefined,
  path: string,
  shown: string,
  ask: Ask,
): Diagnostic[] {
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
