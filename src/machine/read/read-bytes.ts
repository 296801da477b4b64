// A file, a pipe or stdin -> its bytes, up to a limit: the rest of a larger input stays unread.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { errnoOf } from '../system-error.ts'
import { pause } from '../write/bytes.ts'

const FIRST_BYTES = 64 * 1024

/** At most `most` bytes, and one more where there are more. Waits for the writer of a pipe. */
export function readAtMost(file: number, most: number): Uint8Array {
  const stated = fstatSync(file)
  let bytes: Buffer = Buffer.allocUnsafe(
    Math.min(most, stated.isFile() ? Math.max(stated.size, FIRST_BYTES) : FIRST_BYTES) + 1,
  )
  for (let done = 0; ; ) {
    if (done === bytes.length && done <= most) bytes = enlarged(bytes, Math.min(most + 1, done * 2))
    const got = done > most ? 0 : readSome(file, bytes, done)
    if (got === 0) return bytes.subarray(0, done)
    done += got
  }
}

function enlarged(bytes: Buffer, length: number): Buffer {
  const larger = Buffer.allocUnsafe(length)
  bytes.copy(larger)
  return larger
}

function readSome(file: number, bytes: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(file, bytes, at, bytes.length - at, null)
    } catch (error) {
      // A pipe that another process has set to non-blocking is empty at the moment.
      if (errnoOf(error) !== 'EAGAIN') throw error
      pause(5)
    }
  }
}

/** Opens a path for reading. Only 'blocking' waits for the writer of a pipe. */
export function withFile<T>(path: string, kind: 'blocking' | 'at-once', read: (file: number) => T): T {
  const file = openSync(
    path,
    kind === 'blocking' ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK,
  )
  try {
    return read(file)
  } finally {
    closeSync(file)
  }
}
