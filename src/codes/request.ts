// What is requested of us: keys, their values, what a tenant may request, and the configuration file: the
// facts and the class of each code.

import type { Bound } from '../base/bounds.ts'
import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import type { PinnedThreadIds } from './guest/cpus.ts'

/** `pinned`: all CPUs of the threads' pins; `bounds`: those that they leave. */
interface PinFacts {
  readonly source: string
  readonly threads: PinnedThreadIds
  readonly pinned: CpuSet
  readonly bounds: readonly Bound[]
}

/**
 * What a line of the configuration should have instead. `bare`: the value is there, but without quotes.
 */
export type ExpectedSyntax =
  | { readonly is: 'key' | 'equals' | 'comma-or-bracket' | 'line-end' }
  | { readonly is: 'value' | 'list-item'; readonly bare?: string }
  | { readonly is: 'closing-quote'; readonly quote: '"' | "'" }

/** What is wrong with a recorded shape. `places`: how many vCPUs its topology makes. */
export type ShapeProblem =
  | { readonly is: 'version' | 'topology'; readonly found: string }
  | { readonly is: 'cells'; readonly found: number; readonly max: number }
  | { readonly is: 'cell'; readonly cell: number; readonly found: string }
  | { readonly is: 'distances'; readonly cell: number; readonly cells: number }
  | { readonly is: 'vcpus'; readonly places: number }

/** The facts of each code. */
export interface RequestFacts {
  readonly 'unknown-key': {
    source: string
    key: string
    known: readonly string[]
    close?: string | undefined
  }

  readonly 'unknown-value': {
    source: string
    key: string
    value: string
    known: readonly string[]
    close?: string | undefined
    example?: string | undefined
  }

  readonly 'tenant-key-refused': { source: string; key: string; config: string; allowed: readonly string[] }

  /** `bounds`: those that do not hold all of the CPUs. */
  readonly 'cpuset-unavailable': {
    source: string
    key: string
    wanted: CpuSet
    allowed: CpuSet
    bounds: readonly Bound[]
  }

  readonly 'cpuset-cut': {
    source: string
    key: string
    wanted: CpuSet | 'none'
    left: CpuSet
    bounds: readonly Bound[]
  }

  readonly 'isolated-avoided': { source: string; config: string }

  readonly 'pins-cut': PinFacts & { left: CpuSet }

  readonly 'pins-moved': PinFacts & { allowed: CpuSet }

  readonly 'pins-beyond': Omit<PinFacts, 'source'>

  /**
   * `found`: '' at the end of a line; absent where it may be a secret. `key`: that of the setting, if it is
   * known.
   */
  readonly 'config-syntax': {
    source: string
    key?: string
    found?: string
    expected: ExpectedSyntax
  }

  readonly 'config-repeated': { source: string; key: string; first: number }

  readonly 'shape-malformed': { source: string; problem: ShapeProblem }
}

/** The class of each code. */
export const requestClasses: Readonly<Record<keyof RequestFacts, DiagnosticClass>> = {
  'unknown-key': 'invalid',
  'unknown-value': 'invalid',
  'tenant-key-refused': 'invalid',
  'cpuset-unavailable': 'invalid',
  'cpuset-cut': 'note',
  'isolated-avoided': 'note',
  'pins-cut': 'note',
  'pins-moved': 'note',
  'pins-beyond': 'note',
  'config-syntax': 'invalid',
  'config-repeated': 'invalid',
  'shape-malformed': 'invalid',
}
