// New content for a file that must stay the same inode: it has several names, or something is mounted on it.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { pause } from '../node/system.ts'
import { errnoOf, faultOf } from '../system-error.ts'
import { readContent, writeContent } from './bytes.ts'
import { createFile, removeIfThere, temporaryName } from './temporary-file.ts'

/** The path of the copy that an error left behind. */
export function keptBy(error: unknown): string | undefined {
  return error instanceof Error && 'kept' in error ? String(error.kept) : undefined
}

/**
 * Copies the previous content to a file in the same folder, writes, and removes the copy. If the write fails,
 * the previous content is written back; if that fails too, or this process is killed, the copy stays.
 * @param before the file as it was when it was decided to write it
 * @throws what the system says; with `kept` when there is a copy that the user must see to
 */
export function writeInPlace(path: string, bytes: Uint8Array, before: Stats): void {
  const file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    const { dev, ino } = fstatSync(file)
    if (dev !== before.dev || ino !== before.ino) throw faultOf('EBUSY', 'it was replaced meanwhile', 'open')
    const { previous, copy } = keepPrevious(path, file)
    try {
      writeContent(file, bytes)
    } catch (error) {
      restore(file, previous, copy, error)
      removeIfThere(copy)
      throw error
    }
    removeIfThere(copy)
  } finally {
    closeSync(file)
  }
}

function restore(file: number, previous: Uint8Array, kept: string, failure: unknown): void {
  try {
    writeContent(file, previous)
  } catch {
    throw failure instanceof Error ? Object.assign(failure, { kept }) : failure
  }
}

const WAIT_MS = 3000
const MOST_BYTES = 256 * 1024 * 1024

/**
 * The copy is also the lock: whoever finds one waits. A copy that stays was left by a run that was killed,
 * and is removed only if the file holds the same content.
 */
function keepPrevious(path: string, file: number): { readonly previous: Uint8Array; readonly copy: string } {
  const copy = temporaryName(path, 'former')
  const until = performance.now() + WAIT_MS
  for (;;) {
    const previous = contentOf(file)
    if (createUnlessThere(copy, previous)) {
      if (contentOf(file).equals(previous)) return { previous, copy }
      removeIfThere(copy)
    } else if (performance.now() < until) pause(50)
    else if (isCopyOf(copy, previous)) removeIfThere(copy)
    else
      throw Object.assign(
        faultOf('EEXIST', `an interrupted run left its previous content in ${copy}`, 'open'),
        { kept: copy },
      )
  }
}

function contentOf(file: number): Buffer {
  if (fstatSync(file).size > MOST_BYTES) throw faultOf('EFBIG', 'it is too large for a copy', 'read')
  return readContent(file)
}

function createUnlessThere(path: string, bytes: Uint8Array): boolean {
  try {
    createFile(path, { bytes, mode: 0o600 })
    return true
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    return false
  }
}

function isCopyOf(copy: string, previous: Uint8Array): boolean {
  try {
    return readFileSync(copy).equals(previous)
  } catch {
    return false
  }
}
