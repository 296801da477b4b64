// New content for a file that must stay the same file: one that has several names, or that something is
// mounted on.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { errnoOf, faultOf } from '../system-error.ts'
import { pause, readContent, writeContent } from './bytes.ts'
import { besideName, createFile, removeIfThere } from './temporary-file.ts'

/** Where an error left a copy of the former content. */
export function keptBy(error: unknown): string | undefined {
  return error instanceof Error && 'kept' in error ? String(error.kept) : undefined
}

/**
 * Copies the former content to a file beside it, writes, and removes the copy. When the write fails, the
 * former content is written back; when that fails too, or this process is killed, the copy stays.
 * @param before the file as it was when it was decided to write it
 * @throws what the system says; with `kept` when there is a copy that the user must see to
 */
export function writeInPlace(path: string, bytes: Uint8Array, before: Stats): void {
  const file = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    const { dev, ino } = fstatSync(file)
    if (dev !== before.dev || ino !== before.ino) throw faultOf('EBUSY', 'it was replaced meanwhile', 'open')
    const { former, copy } = keepFormer(path, file)
    try {
      writeContent(file, bytes)
    } catch (error) {
      restore(file, former, copy, error)
      removeIfThere(copy)
      throw error
    }
    removeIfThere(copy)
  } finally {
    closeSync(file)
  }
}

function restore(file: number, former: Uint8Array, kept: string, failure: unknown): void {
  try {
    writeContent(file, former)
  } catch {
    throw failure instanceof Error ? Object.assign(failure, { kept }) : failure
  }
}

const WAIT_MS = 3000
const MOST_BYTES = 256 * 1024 * 1024

/**
 * The copy is also what keeps two of us from writing at once: whoever finds one waits. One that stays was
 * left by a run that was killed, and is removed only when the file still, or again, holds the same.
 */
function keepFormer(path: string, file: number): { readonly former: Uint8Array; readonly copy: string } {
  const copy = besideName(path, 'former')
  const until = performance.now() + WAIT_MS
  for (;;) {
    const former = contentOf(file)
    if (createUnlessThere(copy, former)) {
      if (contentOf(file).equals(former)) return { former, copy }
      removeIfThere(copy)
    } else if (performance.now() < until) pause(50)
    else if (isCopyOf(copy, former)) removeIfThere(copy)
    else
      throw Object.assign(
        faultOf('EEXIST', `an interrupted run left its former content in ${copy}`, 'open'),
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

function isCopyOf(copy: string, former: Uint8Array): boolean {
  try {
    return readFileSync(copy).equals(former)
  } catch {
    return false
  }
}
