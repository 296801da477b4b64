// A text -> the file that the user named: replaced atomically where possible, else written in place.

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
import { refuse } from '../../codes/codes.ts'
import { pause } from '../node/system.ts'
import { runBriefly } from '../programs/programs.ts'
import { errnoOf, faultOf, systemError } from '../system-error.ts'
import { writeAll } from './bytes.ts'
import { keptBy, writeInPlace } from './in-place.ts'
import { createFile, replaceFile } from './temporary-file.ts'

/**
 * Replaces the file atomically: fills a temporary file in the same folder, syncs it to disk and renames it.
 * Owner, mode, access control list and extended attributes stay; a link is followed. A file with several
 * names, a mount point, and a file whose attributes cannot be copied are written in place, with a copy of the
 * previous content in the same folder meanwhile. Whatever goes wrong, the file keeps its content. Pipes and
 * devices are written to directly.
 * @param newMode of a file that is not there yet; the umask applies
 * @throws Refusal `unwritable`
 */
export function saveFile(path: string, text: string, newMode = 0o666): void {
  const bytes = Buffer.from(text)
  // /dev/stdout is a link to a pipe that has no path.
  let before: Stats | undefined
  try {
    before = statSync(path, { throwIfNoEntry: false })
    delaySignals()
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

const onSignal: Readonly<Record<'SIGHUP' | 'SIGINT' | 'SIGTERM', () => never>> = {
  SIGHUP: () => process.exit(128 + 1),
  SIGINT: () => process.exit(128 + 2),
  SIGTERM: () => process.exit(128 + 15),
}

/**
 * Delays these signals until the file is complete: handlers run in the event loop, which does not turn
 * before.
 */
function delaySignals(): void {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    if (!process.listeners(signal).includes(onSignal[signal])) process.on(signal, onSignal[signal])
  }
}

function createNew(path: string, bytes: Uint8Array, mode: number): void {
  // Following it would let whoever made the link choose which file is created.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw faultOf('EEXIST', `it is a link to ${readlinkSync(path)}, which does not exist`, 'open')
  }
  try {
    createFile(path, { bytes, mode })
  } catch (error) {
    const now = errnoOf(error) === 'EEXIST' ? lstatSync(path, { throwIfNoEntry: false }) : undefined
    if (!now?.isFile()) throw error
    // Another process created it first: it is a file like any other.
    replace(path, bytes, now)
  }
}

/** The errors of a rename onto a mount point. */
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
      // Nobody else may read it before it has the previous owner and mode.
      mode: 0o600,
      finish: (file) => {
        if (!copyAttributes(path, before, file)) throw unkept
      },
    })
    return true
  } catch (error) {
    if (error === unkept || MOUNTED.includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** How long to wait for a reader of a pipe. */
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

/** Opening a pipe without a reader would block forever. */
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

/**
 * Everything that GNU cp can preserve, SELinux labels included; it fails where extended attributes cannot be
 * kept.
 */
const COPY = ['--attributes-only', '--preserve=all,xattr', '--no-preserve=ownership,timestamps,links', '--']

/** Runs a program; tests replace it. */
type Ask = typeof runBriefly

/**
 * Copies owner, mode, access control list and extended attributes with cp, since Node has no calls for them;
 * through the open file, not its name.
 * @param file the new one, open for writing
 * @returns false when something could not be kept, or nobody can tell: then the file is better written where
 * it is
 */
export function copyAttributes(path: string, before: Stats, file: number, ask: Ask = runBriefly): boolean {
  try {
    // Changing the owner drops capabilities, so it comes first.
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
