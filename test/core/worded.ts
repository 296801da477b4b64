// Diagnostics with their texts.

import { type Diagnostic, Refusal } from '../../src/base/diagnostic.ts'
import { messageOf } from '../../src/explain/message.ts'
import type { Text } from '../../src/explain/texts/words.ts'

/** A diagnostic and its text. */
export type Worded = Diagnostic & Text

/** Adds its text to a diagnostic. */
export function worded(each: Diagnostic): Worded {
  return { ...each, ...messageOf(each) }
}

/** The text of the first of them. */
export function firstWorded([first]: readonly Diagnostic[]): Partial<Worded> {
  return first === undefined ? {} : worded(first)
}

/** What a call refuses, one line "code: what" per diagnostic; empty if it does not refuse. */
export function refusedBy(run: () => unknown): string {
  try {
    run()
    return ''
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostics.map((each) => `${each.code}: ${messageOf(each).what}`).join('\n')
  }
}
