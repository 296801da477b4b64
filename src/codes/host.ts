// Descriptions of a host that cannot be read: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface HostFacts {
  readonly 'host-unreadable': { reason: string }

  readonly 'host-malformed': { source: string; path: string; what: string; why: string; fix: string }

  readonly 'capabilities-malformed': { source: string; what: string; why: string }

  readonly 'cgroup-missing': { path: string; mounts: readonly string[] }

  readonly 'process-missing': { pid: number }
}

/** The class of each code. */
export const hostClasses: Readonly<Record<keyof HostFacts, DiagnosticClass>> = {
  'host-unreadable': 'invalid',
  'host-malformed': 'invalid',
  'capabilities-malformed': 'invalid',
  'cgroup-missing': 'invalid',
  'process-missing': 'invalid',
}
