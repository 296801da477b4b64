// The command line itself, and how many findings are printed: the facts and the class of each code.

import type { Diagnostic, DiagnosticClass } from '../base/diagnostic.ts'

/** Two things on a command line that exclude each other. */
export type UsageConflict =
  | {
      readonly between:
        | 'in-place-and-output'
        | 'in-place-and-stdin'
        | 'in-place-and-guest'
        | 'diff-and-output'
        | 'diff-and-in-place'
        | 'connect-and-document'
        | 'compare-and-svg'
        | 'all-and-guest'
        | 'all-and-pid'
        | 'watch-and-one'
        | 'interval-and-once'
    }
  | { readonly between: 'compare-and-key'; readonly key: string }
  | { readonly between: 'guest-and-document'; readonly input: string }

/** The facts of each code. */
export interface CommandLineFacts {
  readonly 'usage-command': {
    given: string | undefined
    close?: string | undefined
  }

  readonly 'usage-option': {
    command: string
    option: string
    close?: string | undefined
  }

  readonly 'usage-option-value': { option: string; given: string | undefined; takes: string | undefined }
  /** `cause`: the refusal that the same value of a key gets in the configuration. */
  readonly 'usage-value': { cause: Diagnostic }

  readonly 'usage-missing': { command: string; option: string; takes: string }

  /** The only file that is named is the one to write: `option` takes it. */
  readonly 'usage-no-document': { command: string; option: string; file: string; extension: string }

  readonly 'usage-pid': { option: string; given: string }

  readonly 'usage-mode': { option: string; given: string }

  readonly 'usage-repeated': { option: string }

  readonly 'usage-inputs': { command: string; inputs: readonly string[]; max: number }

  /** `code`: the word after explain. */
  readonly 'usage-code': { code: string; close?: string | undefined }

  readonly 'usage-conflict': UsageConflict

  readonly 'more-found': { count: number; codes: string }
}

/** The class of each code. */
export const commandLineClasses: Readonly<Record<keyof CommandLineFacts, DiagnosticClass>> = {
  'usage-command': 'usage',
  'usage-option': 'usage',
  'usage-option-value': 'usage',
  'usage-value': 'usage',
  'usage-missing': 'usage',
  'usage-no-document': 'usage',
  'usage-pid': 'usage',
  'usage-mode': 'usage',
  'usage-repeated': 'usage',
  'usage-inputs': 'usage',
  'usage-conflict': 'usage',
  'usage-code': 'usage',
  'more-found': 'note',
}
