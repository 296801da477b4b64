// Bytes -> an open file, all of them. The system may write fewer than it is given and report success.

import { fstatSync, fsyncSync, ftruncateSync, readSync, writeSync } from 'node:fs'
import { pause } from '../node/system.ts'
import { errnoOf, faultOf } from '../system-error.ts'

/**
 * Blocks until everything is written.
 * @param from position of the first byte in the file; absent: where the file is
 */
export function writeAll(file: number, bytes: Uint8Array, from?: number): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      const written = writeSync(
        file,
        bytes,
        done,
        bytes.length - done,
        from === undefined ? null : from + done,
      )
      if (written === 0) throw faultOf('EIO', 'it accepts no more', 'write')
      done += written
    } catch (error) {
      // A pipe that another process has set to non-blocking is full at the moment.
      if (errnoOf(error) !== 'EAGAIN') throw error
      pause(5)
    }
  }
}

/**
 * Makes these bytes the whole content of a regular file: writes them, syncs them to disk, and reads them
 * back. A longer file is truncated last, so that a failed write has freed nothing.
 * @param file open for reading and writing
 */
export function writeContent(file: number, bytes: Uint8Array): void {
  writeAll(file, bytes, 0)
  ftruncateSync(file, bytes.length)
  fsyncSync(file)
  if (!readContent(file).equals(bytes)) {
    throw faultOf('EIO', 'the file does not contain what was written', 'read')
  }
}

/** The whole content of a regular file, whatever its current position. */
export function readContent(file: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(file).size)
  let done = 0
  while (done < bytes.length) {
    const read = readSync(file, bytes, done, bytes.length - done, done)
    if (read === 0) return bytes.subarray(0, done)
    done += read
  }
  return bytes
}
