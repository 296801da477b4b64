// Several inputs that may each be refused -> one list of everything that was refused.

import { type Diagnostic, Refusal, type Span } from './diagnostic.ts'

/**
 * Runs `read` and adds what it refuses to `found`. A diagnostic without a position gets `at`.
 * @returns what `read` returns; undefined when it refuses
 */
export function collectRefusals<T>(found: Diagnostic[], read: () => T, at?: Span): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    for (const refused of error.diagnostics) found.push(at === undefined ? refused : { at, ...refused })
    return undefined
  }
}
