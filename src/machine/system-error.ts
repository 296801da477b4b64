// An error of the operating system -> what a diagnostic needs of it.

/** The message of the system, and its code, such as "ENOSPC". */
export interface SystemFault {
  readonly reason: string
  readonly errno: string
}

/** Calls `report` with an error of the operating system. @returns any other error, to be thrown again */
export function systemError(error: unknown, report: (fault: SystemFault) => never): unknown {
  const fault = systemFault(error)
  if (fault !== undefined) report(fault)
  return error
}

/** What the operating system said; undefined for an error that it did not raise. */
export function systemFault(error: unknown): SystemFault | undefined {
  const errno = errnoOf(error)
  if (!(error instanceof Error) || errno === undefined) return undefined
  return { reason: error.message.replace(/^E[A-Z0-9]+: |, \w+( '.*')?$/gs, ''), errno }
}

/** "ENOENT" and the like; undefined for an error that the system did not raise. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}

/** An error like those of the operating system, for what the system does not notice. */
export function faultOf(errno: string, words: string, syscall: string): Error {
  return Object.assign(new Error(`${errno}: ${words}, ${syscall}`), { code: errno, syscall })
}
