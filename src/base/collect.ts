// Several things that may each be refused to one list of all that was refused.

import { type Diagnostic, Refusal, type Span } from './diagnostic.ts'

/** Runs `read`; what it refuses is added to `found` (at `at`, where it has no place of its own) and gives undefined. */
export function gather<T>(found: Diagnostic[], read: () => T, at?: Span): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    for (const refused of error.diagnostics) found.push(at === undefined ? refused : { at, ...refused })
    return undefined
  }
}
