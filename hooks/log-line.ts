// One call of the hook -> its line in the log.

import type { Call } from '../src/hook-setup/operations.ts'
import { actionLine } from '../src/machine/log-line.ts'

/** The line of one call of the hook, with its line end. */
export function logLine(
  { guest, operation, suboperation }: Call,
  what: string,
  now: Date,
  tookMs: number,
): string {
  return actionLine(`${operation} ${suboperation} ${guest}`, what, now, tookMs)
}
