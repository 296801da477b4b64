// What a VMI says, and what like=kubevirt asks for: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface KubevirtFacts {
  readonly 'vmi-malformed': { source: string; path: string; what: string; why: string; fix: string }

  readonly 'dedicated-cpus-required': { source: string }

  readonly 'emulator-no-cpu': { vcpus: number; pool: number; cpuset: string }

  readonly 'emulator-no-second-cpu': { vcpus: number; pool: number; cpuset: string }

  readonly 'iothread-no-cpu': { vcpus: number; pool: number; got: number; cpuset: string }

  readonly 'iothreads-missing': object

  readonly 'hugepages-required': { inVmi?: boolean }

  readonly 'vmi-without-dedicated-cpus': { source: string }

  readonly 'vmi-cpu-count': { source: string; path: string; given: string }

  readonly 'vmi-cpu-limit': { source: string; requests: string; limits: string }

  readonly 'vmi-differs': { source: string; what: string; vmi: string; domain: string }
}

/** The class of each code. */
export const kubevirtClasses: Readonly<Record<keyof KubevirtFacts, DiagnosticClass>> = {
  'vmi-malformed': 'invalid',
  'dedicated-cpus-required': 'invalid',
  'emulator-no-cpu': 'invalid',
  'emulator-no-second-cpu': 'invalid',
  'iothread-no-cpu': 'invalid',
  'iothreads-missing': 'invalid',
  'hugepages-required': 'invalid',
  'vmi-without-dedicated-cpus': 'note',
  'vmi-cpu-count': 'note',
  'vmi-cpu-limit': 'note',
  'vmi-differs': 'note',
}
