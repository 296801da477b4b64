// One action to one line of the log.

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { actionLine } from '../src/entry/action-line.ts'
import type { Call } from '../src/entry/operations.ts'

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants

export function logLine({ guest, operation, suboperation }: Call, what: string, now: Date, tookMs: number): string {
  return actionLine(`${operation} ${suboperation} ${guest}`, what, now, tookMs)
}

/** In one write to the end of the file, so that lines of several hooks never mix. A pipe without a reader does not block. */
export function appendLog(file: string, line: string): void {
  const log = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640)
  try {
    writeSync(log, line)
  } finally {
    closeSync(log)
  }
}
