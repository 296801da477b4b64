// The CPUs that the guest may use and the pins of its threads: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface CpusFacts {
  readonly 'cpus-outside': { element: string; cpus: string; allowed: string }

  readonly 'pins-empty': { element: string }

  readonly 'cpus-offline': { cpus: string; count: number; online: string }

  readonly 'no-cpus': { allowed: string; isolated: string; online: string }

  readonly 'not-enough-threads': { vcpus: number; cpus: number; cpuset: string }

  readonly 'pin-missing': { vcpu: number }
  /** With `bounds` cpus=as-pinned is a tenant's request. */
  readonly 'pin-outside': { vcpu: number; cpus: string; cpuset: string; bounds?: readonly string[] }

  readonly 'pin-spans-nodes': { vcpu: number; cpus: string; nodes: string }

  readonly 'emulator-unpinned': { threads: string }

  readonly 'emulator-among-vcpus': { cpus: string }

  readonly 'emulator-apart': { nodes: string; count: number; element: string; reaching: string }
}

/** The class of each code. */
export const cpusClasses: Readonly<Record<keyof CpusFacts, DiagnosticClass>> = {
  'cpus-outside': 'invalid',
  'pins-empty': 'invalid',
  'cpus-offline': 'invalid',
  'no-cpus': 'invalid',
  'not-enough-threads': 'invalid',
  'pin-missing': 'invalid',
  'pin-outside': 'invalid',
  'pin-spans-nodes': 'invalid',
  'emulator-unpinned': 'note',
  'emulator-among-vcpus': 'note',
  'emulator-apart': 'note',
}
