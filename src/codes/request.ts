// What is requested of us: keys, their values, what a tenant may request, and the configuration file: the
// facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** `pinned`: all CPUs of the threads' pins; `bounds`: those that they leave. */
interface PinFacts {
  readonly source: string
  readonly threads: string
  readonly pinned: string
  readonly bounds: readonly string[]
}

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

  readonly 'cpuset-unavailable': {
    source: string
    key: string
    wanted: string
    allowed: string
    bounds: readonly string[]
  }

  readonly 'cpuset-cut': {
    source: string
    key: string
    wanted: string
    left: string
    bounds: readonly string[]
  }

  readonly 'isolated-avoided': { source: string; config: string }

  readonly 'pins-cut': PinFacts & { left: string }

  readonly 'pins-moved': PinFacts & { allowed: string }

  readonly 'pins-beyond': Omit<PinFacts, 'source'>

  readonly 'config-syntax': { source: string; found: string | undefined; expected: string; fix: string }

  readonly 'config-repeated': { source: string; key: string; first: number }
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
}
