// An error of the operating system -> what a diagnostic needs of it.

/** The words of the system, and the code ("ENOSPC") that decides what can be done about it. */
export interface SystemFault {
  readonly reason: string
  readonly errno: string
}

/** Calls `report` with an error of the operating system. @returns any other error, to be thrown again */
export function systemError(error: unknown, report: (fault: SystemFault) => never): unknown {
  const errno = errnoOf(error)
  if (error instanceof Error && errno !== undefined)
    report({ reason: error.message.replace(/^E[A-Z0-9]+: |, \w+( '.*')?$/gs, ''), errno })
  return error
}

/** "ENOENT" and the like; undefined for an error that the system did not raise. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}

/** An error like those of the operating system, for what the system does not notice. */
export function faultOf(errno: string, words: string, syscall: string): Error {
  return Object.assign(new Error(`${errno}: ${words}, ${syscall}`), { code: errno, syscall })
}
