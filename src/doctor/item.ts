// One thing that the doctor looks at: what it saw, and what stands against it.

import { classOf, type Diagnostic } from '../base/diagnostic.ts'

/** `says` is one line of facts. */
export interface Item {
  readonly name: string
  readonly says: string
  readonly found: readonly Diagnostic[]
}

export type State = 'ok' | 'note' | 'finding'

export function stateOf({ found }: Pick<Item, 'found'>): State {
  if (found.length === 0) return 'ok'
  return found.every(({ code }) => classOf(code) === 'note') ? 'note' : 'finding'
}
