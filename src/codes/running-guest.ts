// A running guest that cannot be read, or that is not where its XML says: the facts and the class of each
// code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** Why no running guest has this name; `files` are the status files that were looked for. */
export type NotRunning =
  | { readonly is: 'not-a-name' }
  | { readonly is: 'no-status'; readonly files: readonly string[] }
  | { readonly is: 'process-gone'; readonly file: string; readonly pid: number }

/** The facts of each code. */
export interface RunningGuestFacts {
  readonly 'guest-not-running': { guest: string; because: NotRunning }

  readonly 'guest-gone': { pid: number }

  readonly 'not-qemu-process': { pid: number; name: string }

  readonly 'status-malformed': { file: string }

  readonly 'guest-memory-unreadable': { pid: number }

  readonly 'host-without-processes': { file: string }

  readonly 'threads-wider': { threads: string; cpus: string; wanted: string; fix: string }

  readonly 'threads-elsewhere': { threads: string; cpus: string; wanted: string; fix: string }

  readonly 'guest-memory-elsewhere': {
    cells: string
    elsewhere: string
    allocated: string
    where: string
    nodes: string
    mode: string
    fix: string
  }

  readonly 'guest-memory-unbound': { cells: string; has: string; wanted: string; fix: string }

  readonly 'guest-pagesize': { cells: string; has: string; wanted: string; fix: string }

  readonly 'vcpus-far': { vcpus: string; cell: number; cpus: string; memory: string }

  readonly 'guest-memory-unknown': { cells: string; size: string; why: string }

  readonly 'guest-memory-alike': { cells: string; size: string }

  readonly 'threads-unknown': { threads: string; why: string }

  readonly 'wanted-unknown': { pid: number; guest: string }
}

/** The class of each code. */
export const runningGuestClasses: Readonly<Record<keyof RunningGuestFacts, DiagnosticClass>> = {
  'guest-not-running': 'invalid',
  'guest-gone': 'invalid',
  'not-qemu-process': 'invalid',
  'status-malformed': 'invalid',
  'guest-memory-unreadable': 'invalid',
  'host-without-processes': 'invalid',
  'threads-wider': 'misplaced',
  'threads-elsewhere': 'misplaced',
  'guest-memory-elsewhere': 'misplaced',
  'guest-memory-unbound': 'misplaced',
  'guest-pagesize': 'misplaced',
  'vcpus-far': 'note',
  'guest-memory-unknown': 'note',
  'guest-memory-alike': 'note',
  'threads-unknown': 'note',
  'wanted-unknown': 'note',
}
