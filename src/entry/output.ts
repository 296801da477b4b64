// What a command prints: stdout and stderr to the last byte.

import { fstatSync, fsyncSync } from 'node:fs'
import { refuse } from '../base/diagnostic.ts'
import { writeAll } from './bytes.ts'
import { errnoOf, systemError } from './system-error.ts'

/**
 * Blocks until all is written, and on disk where it is a file; a reader that went away (EPIPE) is no error of ours.
 * @throws Refusal `unwritable`
 */
export function print(stream: 1 | 2, text: string): void {
  try {
    writeAll(stream, Buffer.from(text))
    // Some file systems report a full disk only then.
    if (stream === 1 && fstatSync(stream).isFile()) syncStream(stream)
  } catch (error) {
    if (errnoOf(error) === 'EPIPE') return
    const file = stream === 1 ? 'stdout' : 'stderr'
    throw systemError(error, (fault) => refuse('unwritable', { file, ...fault, isStream: true }))
  }
}

function syncStream(stream: number): void {
  try {
    fsyncSync(stream)
  } catch (error) {
    // Files of the kernel's own, such as those of /sys, are on no disk.
    if (errnoOf(error) !== 'EINVAL') throw error
  }
}
