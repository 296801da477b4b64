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

  readonly 'hook-trial-failed': { operation: string; guest: string; what: string; command: string }

  readonly 'hook-program-exposed': { path: string; who: string }

  readonly 'hook-program-private': { path: string; where: string }

  readonly 'install-unwritable': { file: string; reason: string; errno: string; isRoot: boolean }

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
  'daemon-reload-needed': 'note',
  'daemon-reload-failed': 'invalid',
  'hook-policy-denies': 'invalid',
  'hook-policy-unknown': 'note',
  'hook-label-late': 'note',
  'hook-absent': 'invalid',
  'hook-broken': 'invalid',
  'hook-unseen': 'note',
}
