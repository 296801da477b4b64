// A file that appears under its name only when it is complete: it is filled in the same folder, under a
// temporary name.

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

/**
 * What a file is created with. `finish` gets the open file with its content, before it has its name: for
 * owner, mode and the like.
 */
interface NewFile {
  readonly bytes: Uint8Array
  readonly mode: number
  readonly finish?: (file: number) => void
}

/** Creates a file, replacing whatever has this name. */
export function replaceFile(path: string, content: NewFile): void {
  fillTemporary(path, content, (temporary) => renameSync(temporary, path))
}

/** Creates a file where nothing has this name; EEXIST where something has. */
export function createFile(path: string, content: NewFile): void {
  fillTemporary(path, content, (temporary) => {
    try {
      linkSync(temporary, path)
    } catch (error) {
      if (!WITHOUT_LINKS.includes(errnoOf(error) ?? '')) throw error
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
        throw faultOf('EEXIST', 'file already exists', 'rename')
      renameSync(temporary, path)
      return
    }
    removeIfThere(temporary)
  })
}

/** The errors of file systems without hard links. */
const WITHOUT_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

function fillTemporary(path: string, content: NewFile, publish: (temporary: string) => void): void {
  const wasPublished = tryTemporary(openTemporary(path, content.mode), content, publish)
  // Another process with the same id, in another container, took our temporary file for a stale one.
  if (!wasPublished) tryTemporary(openRandom(path, content.mode), content, publish)
  syncFolder(dirname(path))
}

interface Temporary {
  readonly path: string
  readonly file: number
}

/** @returns false when the temporary name no longer leads to the file that was filled */
function tryTemporary(
  { path, file }: Temporary,
  { bytes, finish }: NewFile,
  publish: (temporary: string) => void,
): boolean {
  try {
    writeContent(file, bytes)
    finish?.(file)
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
 * Opens a temporary file in the folder of a path for reading and writing. It is always a new file, so no link
 * is followed. A file of that name was left by a run that was killed, since process ids are reused, in
 * containers soon: it is removed.
 */
export function openTemporary(path: string, mode: number): Temporary {
  const temporary = temporaryName(path, `${process.pid}`)
  try {
    return { path: temporary, file: openSync(temporary, 'wx+', mode) }
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    removeIfThere(temporary)
    return openRandom(path, mode)
  }
}

/** Under a random name: the process that had the other name may still be alive, and would rename our file. */
function openRandom(path: string, mode: number): Temporary {
  const temporary = temporaryName(path, `${process.pid}-${randomBytes(6).toString('hex')}`)
  return { path: temporary, file: openSync(temporary, 'wx+', mode) }
}

/** Most file systems allow names of 255 bytes. */
const MOST_NAME_BYTES = 200

/** A hidden file in the same folder, so that a rename is enough: .db1.xml.virt-numa-4242 */
export function temporaryName(path: string, ending: string): string {
  let name = basename(path)
  while (Buffer.byteLength(name) > MOST_NAME_BYTES) name = name.slice(0, -1)
  return join(dirname(path), `.${name}.virt-numa-${ending}`)
}

/** Removes a file if it exists and may be removed. */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // A stale file is only clutter.
  }
}

/** A new name is on disk when its folder is. Not every file system can sync a folder. */
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
