// A file that appears under its name only once it is whole: it is filled beside that name, under a temporary
// one.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errnoOf, faultOf } from '../system-error.ts'
import { writeContent } from './bytes.ts'

/** `settle` gets the file with its content, before it has its name: for owner, mode and the like. */
export interface Filling {
  readonly bytes: Uint8Array
  readonly mode: number
  readonly settle?: (file: number) => void
}

/** Puts a file in the place of whatever has this name. */
export function replaceFile(path: string, filling: Filling): void {
  fillBeside(path, filling, (beside) => renameSync(beside, path))
}

/** Puts a file where nothing has this name; EEXIST where something has. */
export function createFile(path: string, filling: Filling): void {
  fillBeside(path, filling, (beside) => {
    try {
      linkSync(beside, path)
    } catch (error) {
      if (!WITHOUT_LINKS.includes(errnoOf(error) ?? '')) throw error
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
        throw faultOf('EEXIST', 'file already exists', 'rename')
      renameSync(beside, path)
      return
    }
    removeIfThere(beside)
  })
}

/** What file systems without hard links answer. */
const WITHOUT_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

function fillBeside(path: string, filling: Filling, publish: (beside: string) => void): void {
  const wasPublished = tryBeside(openBeside(path, filling.mode), filling, publish)
  // Another process with our number, in another container, took our file for one that was left behind.
  if (!wasPublished) tryBeside(openFresh(path, filling.mode), filling, publish)
  syncFolder(dirname(path))
}

interface Beside {
  readonly path: string
  readonly file: number
}

/** @returns false when the temporary name no longer leads to the file that was filled */
function tryBeside(
  { path, file }: Beside,
  { bytes, settle }: Filling,
  publish: (beside: string) => void,
): boolean {
  try {
    writeContent(file, bytes)
    settle?.(file)
    const { dev, ino } = fstatSync(file)
    const named = lstatSync(path, { throwIfNoEntry: false })
    if (named?.dev !== dev || named.ino !== ino) return false
    publish(path)
    return true
  } catch (error) {
    removeIfThere(path)
    throw error
  } finally {
    closeSync(file)
  }
}

/**
 * Opens the temporary file of a path for reading and writing. Always a new one, so no link is followed. One
 * that has its name was left by a run that was killed, since process numbers come again, in a container soon:
 * it goes.
 */
export function openBeside(path: string, mode: number): Beside {
  const beside = besideName(path, `${process.pid}`)
  try {
    return { path: beside, file: openSync(beside, 'wx+', mode) }
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    removeIfThere(beside)
    return openFresh(path, mode)
  }
}

/**
 * Under a name that nobody else has. Not the former name again: whoever had it may be alive, and would move
 * our file.
 */
function openFresh(path: string, mode: number): Beside {
  const beside = besideName(path, `${process.pid}-${randomBytes(6).toString('hex')}`)
  return { path: beside, file: openSync(beside, 'wx+', mode) }
}

/** Most file systems take names of 255 bytes. */
const MOST_NAME_BYTES = 200

/** Hidden, beside the file, so that a rename is enough: .db1.xml.virt-numa-4242 */
export function besideName(path: string, ending: string): string {
  let name = basename(path)
  while (Buffer.byteLength(name) > MOST_NAME_BYTES) name = name.slice(0, -1)
  return join(dirname(path), `.${name}.virt-numa-${ending}`)
}

/** A folder of this name, or one that may not be removed, stays. */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // What stands in the way of nothing may stay.
  }
}

/** A name is on disk once its folder is; not every file system can be told so. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch {
    // The file itself is on disk.
  }
}
