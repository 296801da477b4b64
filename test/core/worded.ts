// A diagnostic with the text that is printed for it.

import { type Diagnostic, Refusal } from '../../src/base/diagnostic.ts'
import { messageOf } from '../../src/explain/message.ts'
import type { Text } from '../../src/explain/texts/words.ts'

/** A diagnostic and its text. */
export type Worded = Diagnostic & Text

/** Adds its text to a diagnostic. */
export function worded(each: Diagnostic): Worded {
  return { ...each, ...messageOf(each) }
}

/** The text of the first of them; nothing where none is found. */
export function firstWorded([first]: readonly Diagnostic[]): Partial<Worded> {
  return first === undefined ? {} : worded(first)
}

/** What a call refuses, a line "code: what" each; empty where it refuses nothing. */
export function refusedBy(run: () => unknown): string {
  try {
    run()
    return ''
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostics.map((each) => `${each.code}: ${messageOf(each).what}`).join('\n')
  }
}
