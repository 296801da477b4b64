// What a file has beside its content, to the file that takes its place: owner, mode, access control list, extended attributes.

import { fchmodSync, fchownSync, fstatSync, type Stats } from 'node:fs'
import { runBriefly } from './programs.ts'
import { errnoOf } from './system-error.ts'

/** All that cp of GNU can keep, labels of SELinux too; fails where extended attributes cannot be kept. */
const COPY = ['--attributes-only', '--preserve=all,xattr', '--no-preserve=ownership,timestamps,links', '--']

/** A test puts another in its place. */
export type Ask = typeof runBriefly

/**
 * Node can neither read nor write attributes, so cp does it, through the open file and not its name.
 * @param file the new one, open for writing
 * @returns false when something could not be kept, or nobody can tell: then the file is better written where it is
 */
export function copyAttributes(path: string, before: Stats, file: number, ask: Ask = runBriefly): boolean {
  try {
    // A new owner takes capabilities and the like away: it comes first.
    if (!hasOwner(fstatSync(file), before)) fchownSync(file, before.uid, before.gid)
    const { status } = ask('cp', [...COPY, path, '/proc/self/fd/0'], { file, timeoutS: 10 })
    if (status !== 0) return false
    if (fstatSync(file).mode !== before.mode) fchmodSync(file, before.mode & 0o7777)
    return hasOwner(fstatSync(file), before)
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}

const hasOwner = (status: Stats, { uid, gid }: Stats): boolean => status.uid === uid && status.gid === gid
