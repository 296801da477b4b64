// A text to the file that the user named: replaced in one step where that is possible, written where it is
// where it is not.

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { refuse } from '../../base/diagnostic.ts'
import { runBriefly } from '../programs/programs.ts'
import { errnoOf, faultOf, systemError } from '../system-error.ts'
import { pause, writeAll } from './bytes.ts'
import { keptBy, writeInPlace } from './in-place.ts'
import { createFile, replaceFile } from './temporary-file.ts'

/**
 * Replaces the file in one step: a temporary file beside it is filled, brought to disk and renamed over it.
 * Owner, mode, access control list and extended attributes stay; a link is followed. A file with several
 * names, one that something is mounted on, and one whose attributes cannot be copied is written in place,
 * with a copy of its former content beside it meanwhile. Whatever goes wrong, the file is as it was. Pipes
 * and devices are written to directly.
 * @param newMode of a file that is not there yet; the umask applies
 * @throws Refusal `unwritable`
 */
export function saveFile(path: string, text: string, newMode = 0o666): void {
  const bytes = Buffer.from(text)
  // The link /dev/stdout leads to a pipe that has no path.
  let before: Stats | undefined
  try {
    before = statSync(path, { throwIfNoEntry: false })
    holdSignals()
    if (before === undefined) createNew(path, bytes, newMode)
    else if (before.isFile()) replace(realpathSync(path), bytes, before)
    else writeDirectly(path, bytes, before)
  } catch (error) {
    const isStream = before !== undefined && !before.isFile() && !before.isDirectory()
    const kept = keptBy(error)
    throw systemError(error, (fault) =>
      refuse('unwritable', {
        file: path,
        ...fault,
        ...(isStream && { isStream }),
        ...(kept !== undefined && { kept }),
      }),
    )
  }
}

const endings: Readonly<Record<'SIGHUP' | 'SIGINT' | 'SIGTERM', () => never>> = {
  SIGHUP: () => process.exit(128 + 1),
  SIGINT: () => process.exit(128 + 2),
  SIGTERM: () => process.exit(128 + 15),
}

/**
 * These wait until the file is whole and in its place: the loop of events, where they are heard, does not
 * turn before.
 */
function holdSignals(): void {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    if (!process.listeners(signal).includes(endings[signal])) process.on(signal, endings[signal])
  }
}

function createNew(path: string, bytes: Uint8Array, mode: number): void {
  // To follow it would let whoever made it choose which file is made.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw faultOf('EEXIST', `it is a link to ${readlinkSync(path)}, which does not exist`, 'open')
  }
  try {
    createFile(path, { bytes, mode })
  } catch (error) {
    const now = errnoOf(error) === 'EEXIST' ? lstatSync(path, { throwIfNoEntry: false }) : undefined
    if (!now?.isFile()) throw error
    // Somebody else was faster: theirs is a file like any other.
    replace(path, bytes, now)
  }
}

/** What a rename onto a mount point answers. */
const MOUNTED = ['EBUSY', 'EXDEV']

function replace(path: string, bytes: Uint8Array, before: Stats): void {
  if (before.nlink > 1 || !replaceWhole(path, bytes, before)) writeInPlace(path, bytes, before)
}

/** @returns false when the file can only be written in place */
function replaceWhole(path: string, bytes: Uint8Array, before: Stats): boolean {
  const unkept = new Error('attributes cannot be kept')
  try {
    replaceFile(path, {
      bytes,
      // Until it has the former owner and mode nobody else may read it.
      mode: 0o600,
      settle: (file) => {
        if (!copyAttributes(path, before, file)) throw unkept
      },
    })
    return true
  } catch (error) {
    if (error === unkept || MOUNTED.includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** How long a pipe without a reader is waited for. */
const READER_MS = 3000

function writeDirectly(path: string, bytes: Uint8Array, status: Stats): void {
  const file = status.isFIFO() ? openPipe(path) : openSync(path, constants.O_WRONLY | constants.O_NOCTTY)
  try {
    if (status.isFIFO() && !fstatSync(file).isFIFO())
      throw faultOf('EBUSY', 'it was replaced meanwhile', 'open')
    writeAll(file, bytes)
  } finally {
    closeSync(file)
  }
}

/** Opening a pipe that nobody reads would block for ever. */
function openPipe(path: string): number {
  const until = performance.now() + READER_MS
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') throw error
      if (performance.now() > until) throw faultOf('ENXIO', 'nobody reads this pipe', 'open')
      pause(20)
    }
  }
}

/** All that cp of GNU can keep, labels of SELinux too; fails where extended attributes cannot be kept. */
const COPY = ['--attributes-only', '--preserve=all,xattr', '--no-preserve=ownership,timestamps,links', '--']

/** A test puts another in its place. */
export type Ask = typeof runBriefly

/**
 * Node can neither read nor write attributes, so cp does it, through the open file and not its name.
 * @param file the new one, open for writing
 * @returns false when something could not be kept, or nobody can tell: then the file is better written where
 * it is
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
