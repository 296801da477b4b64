// The installed hook, and its installation: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** What is at a path that is not a hook of ours. */
export type PathContent =
  | { readonly is: 'link'; readonly to: string }
  | { readonly is: 'folder' | 'other-file' | 'not-a-file' }

/** Why a hook of ours does not work: `mode` are permission bits, `files` are missing or not executable. */
export type HookDefect =
  | { readonly is: 'outdated' }
  | { readonly is: 'not-executable'; readonly mode: number }
  | { readonly is: 'incomplete'; readonly files: readonly string[] }

/** Who can change a file that root runs, besides root. */
export type WhoElse = { readonly is: 'owner' | 'group'; readonly id: number } | { readonly is: 'everybody' }

/** Where a program should not be: a daemon may not see it, or it may be gone after a boot. */
export type PrivateFolder = 'temporary' | 'emptied-at-boot' | 'node-of-one-user' | 'home'

/** What is wrong with the answer of a hook that is tried. `error`: the first line that it printed, if any. */
export type TrialProblem =
  | { readonly is: 'not-run'; readonly reason: string }
  | { readonly is: 'no-answer' }
  | { readonly is: 'ended'; readonly status: number; readonly error?: string }
  | { readonly is: 'not-a-domain'; readonly printed: string }
  | { readonly is: 'not-rebound' | 'not-refused' }

/** What the hook does when its time is up. `input`: it reads the domain that libvirt writes. */
export type HookStep = 'configuration' | 'input' | 'fit'

/** The facts of each code. */
export interface HookFacts {
  readonly 'hook-foreign': { path: string; version: string | undefined; folder: string }

  /**
   * `role`: a link to a hook of ours, a file of our name in qemu.d, or qemu.d itself, which is not a
   * folder.
   */
  readonly 'hook-place-taken': {
    path: string
    holds: PathContent
    role: 'link-to-ours' | 'our-name' | 'folder'
  }

  /** `command` runs the hook that was tried, with a domain on stdin. */
  readonly 'hook-trial-failed': {
    operation: string
    guest: 'opted-in' | 'not-opted-in'
    problem: TrialProblem
    command: readonly string[]
  }

  readonly 'hook-program-exposed': { path: string; by: WhoElse }

  readonly 'hook-program-private': { path: string; folder: PrivateFolder }

  readonly 'install-unwritable': { file: string; reason: string; errno: string; isRoot: boolean }

  /**
   * The ledger of promises to guests that are starting. `waitedS`: how long another process held its lock.
   */
  readonly 'ledger-unusable': { folder: string; reason: string } | { folder: string; waitedS: number }

  readonly 'hook-timeout': { limitS: number; during: HookStep }

  readonly 'hook-memory': { limitMiB: number }

  readonly 'daemon-reload-needed': { daemon: string; command: string }

  readonly 'daemon-reload-failed': { daemon: string; command: string; reason: string }

  readonly 'hook-policy-denies': { daemon: string; hook: string; path: string }

  readonly 'hook-policy-unknown': { path: string }

  readonly 'hook-label-late': { path: string; reason: string }

  readonly 'hook-absent': { path: string }

  readonly 'hook-broken': { path: string; because: HookDefect }

  readonly 'hook-unseen': { daemon: string; path: string; reload: string }
}

/** The class of each code. */
export const hookClasses: Readonly<Record<keyof HookFacts, DiagnosticClass>> = {
  'hook-foreign': 'invalid',
  'hook-place-taken': 'invalid',
  'hook-trial-failed': 'invalid',
  'hook-program-exposed': 'invalid',
  'hook-program-private': 'note',
  'install-unwritable': 'invalid',
  'ledger-unusable': 'note',
  'hook-timeout': 'invalid',
  'hook-memory': 'invalid',
  'daemon-reload-needed': 'note',
  'daemon-reload-failed': 'invalid',
  'hook-policy-denies': 'invalid',
  'hook-policy-unknown': 'note',
  'hook-label-late': 'note',
  'hook-absent': 'invalid',
  'hook-broken': 'invalid',
  'hook-unseen': 'note',
}
