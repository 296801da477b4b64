// What a VMI says, and what like=kubevirt asks for: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import type { UnexpectedValue } from './documents.ts'

/** What is wrong at a path of a VMI. `other-case`: the path ends with the key `key` in other case. */
export type VmiProblem =
  | UnexpectedValue
  | { readonly is: 'missing' }
  | { readonly is: 'other-case'; readonly key: string }

/** What a VMI and its domain state differently. */
export type VmiDifference =
  | { readonly in: 'vcpus'; readonly vmi: number; readonly domain: number }
  | { readonly in: 'memory'; readonly vmiKiB: number; readonly domainKiB: number }

/**
 * Why no server can listen at a path. `in-use`: another one answers there. `refused`: the system's answer.
 */
export type SocketProblem =
  | { readonly is: 'in-use' }
  | { readonly is: 'not-a-socket' }
  | { readonly is: 'too-long'; readonly bytes: number; readonly max: number }
  | { readonly is: 'refused'; readonly reason: string; readonly errno: string }

/** The facts of each code. */
export interface KubevirtFacts {
  readonly 'vmi-malformed': { source: string; path: string; problem: VmiProblem }

  readonly 'dedicated-cpus-required': { source: string }

  readonly 'emulator-no-cpu': { vcpus: number; pool: number; cpuset: CpuSet }

  readonly 'emulator-no-second-cpu': { vcpus: number; pool: number; cpuset: CpuSet }

  readonly 'iothread-no-cpu': { vcpus: number; pool: number; got: number; cpuset: CpuSet }

  readonly 'iothreads-missing': object

  readonly 'hugepages-required': { inVmi?: boolean }

  readonly 'vmi-without-dedicated-cpus': { source: string }

  readonly 'vmi-cpu-count': { source: string; path: string; given: string }

  readonly 'vmi-cpu-limit': { source: string; requests: string; limits: string }

  readonly 'vmi-differs': { source: string } & VmiDifference

  /** `shape`: the text to keep. */
  readonly 'shape-annotation': { source: string; shape: string }

  readonly 'socket-unusable': { path: string; problem: SocketProblem }

  readonly 'serve-needs-node': object

  readonly 'message-malformed': { method: string; offset: number }
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
  'shape-annotation': 'note',
  'socket-unusable': 'invalid',
  'serve-needs-node': 'invalid',
  'message-malformed': 'invalid',
}
