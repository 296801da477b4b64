// One thing that the doctor examines: what it saw, and what is wrong with it.

import type { Diagnostic } from '../base/diagnostic.ts'
import { classOf } from '../codes/codes.ts'

/** One line of the doctor's output. `says` is the facts in it. */
export interface Item {
  readonly name: string
  readonly says: string
  readonly found: readonly Diagnostic[]
}

/** `finding`: something is wrong. */
export type State = 'ok' | 'note' | 'finding'

/** What the diagnostics of an item amount to. */
export function stateOf({ found }: Pick<Item, 'found'>): State {
  if (found.length === 0) return 'ok'
  return found.every(({ code }) => classOf(code) === 'note') ? 'note' : 'finding'
}
