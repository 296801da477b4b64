// An error of the operating system to the words and the code of a diagnostic.

/** What the system said: its words, and the code ("ENOSPC") that decides what can be done about it. */
export interface SystemFault {
  readonly reason: string
  readonly errno: string
}

/** What the system says when it refuses, in its own words; any other error passes. */
export function systemError(error: unknown, told: (fault: SystemFault) => never): unknown {
  const errno = errnoOf(error)
  if (error instanceof Error && errno !== undefined)
    told({ reason: error.message.replace(/, \w+( '.*')?$/s, ''), errno })
  return error
}

/** "ENOENT" and the like; undefined for an error that the system did not raise. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}

/** An error that looks as if the system had raised it, for what the system does not notice. */
export function faultOf(errno: string, words: string, syscall: string): Error {
  return Object.assign(new Error(`${errno}: ${words}, ${syscall}`), { code: errno, syscall })
}
