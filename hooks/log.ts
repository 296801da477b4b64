// Appends a line to the log file.

import { constants, fstatSync } from 'node:fs'
import { open } from 'node:fs/promises'

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants

/**
 * Appends in one write, so that lines of several hooks never mix. Runs in Node's thread pool, since a file
 * system that does not answer blocks its caller. Opening a pipe without a reader fails. Writes nothing if the
 * log is stdout, which belongs to the answer.
 */
export async function appendLog(file: string, line: string): Promise<void> {
  // Read now: when the file system answers, descriptor 1 may already be closed.
  const stdout = fstatSync(1)
  const log = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640)
  try {
    const { dev, ino } = await log.stat()
    if (dev !== stdout.dev || ino !== stdout.ino) await log.write(line)
  } finally {
    await log.close()
  }
}
