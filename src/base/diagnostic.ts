// What we say when something is refused, short or worth knowing: a code, what, why, fix and where.
// Every text stands in codes.ts.

import { type Code, type FactsOf, table } from './codes.ts'

/** UTF-16 offsets into the text that was read, half-open. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * `what` holds the numbers, `why` the rule behind it, `fix` something to type or to write.
 * A code never changes meaning.
 */
export interface Diagnostic {
  readonly code: Code
  readonly what: string
  readonly why: string
  readonly fix?: string
  readonly at?: Span
}

/**
 * `invalid`: it can never work, and is refused. `capacity`: it cannot work now, for want of pages or memory.
 * `note`: worth knowing.
 */
export type DiagnosticClass = 'invalid' | 'capacity' | 'note'

/** All that was found to stand against the request; never empty. */
export class Refusal extends Error {
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ code, what }) => `${code}: ${what}`).join('\n'))
    this.diagnostics = diagnostics
  }
}

export function diagnostic<C extends Code>(code: C, facts: FactsOf<C>, at?: Span): Diagnostic {
  const text = (table[classOf(code)] as Record<string, (facts: FactsOf<C>) => { what: string; why: string; fix?: string }>)[code]
  if (text === undefined) throw new Error(`no text for ${code}`)
  return { code, ...text(facts), ...(at && { at }) }
}

export function refuse<C extends Code>(code: C, facts: FactsOf<C>, at?: Span): never {
  throw new Refusal([diagnostic(code, facts, at)])
}

export function classOf(code: Code): DiagnosticClass {
  if (code in table.note) return 'note'
  return code in table.capacity ? 'capacity' : 'invalid'
}

/** Runs every check, so that all known reasons are told at once, and refuses with all of them. */
export function refuseAll(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new Refusal(diagnostics)
}
