// One action -> one line of the log.

import { constants, fstatSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Call } from '../src/hook-setup/operations.ts'
import { actionLine } from '../src/machine/log-line.ts'

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants

/** The line of one call of the hook, with its line end. */
export function logLine(
  { guest, operation, suboperation }: Call,
  what: string,
  now: Date,
  tookMs: number,
): string {
  return actionLine(`${operation} ${suboperation} ${guest}`, what, now, tookMs)
}

/**
 * Appends in one write, so that lines of several hooks never mix. Runs in Node's thread pool, since a file
 * system that does not answer blocks its caller. A pipe without a reader fails, and stdout belongs to the
 * answer.
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
