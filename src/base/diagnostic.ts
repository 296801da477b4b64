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
 * `usage`: the command line was typed wrong. `misplaced`: a running guest is not where it should be. `note`: worth knowing.
 */
export type DiagnosticClass = 'invalid' | 'misplaced' | 'capacity' | 'usage' | 'note'

/** An error keeps its message twice, and nobody reads it but us. */
const MOST_IN_MESSAGE = 20

/** All that was found to stand against the request; never empty. */
export class Refusal extends Error {
  readonly diagnostics: readonly Diagnostic[]
  /** A file that is loaded at run time is bundled with a Refusal of its own: its diagnostics make it one. */
  static override [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof Error && 'diagnostics' in error
  }

  constructor(diagnostics: readonly Diagnostic[]) {
    super(
      diagnostics
        .slice(0, MOST_IN_MESSAGE)
        .map(({ code, what }) => `${code}: ${what}`)
        .join('\n'),
    )
    this.diagnostics = diagnostics
  }
}

export function diagnostic<C extends Code>(code: C, facts: FactsOf<C>, at?: Span): Diagnostic {
  const text = (
    table[classOf(code)] as Record<string, (facts: FactsOf<C>) => { what: string; why: string; fix?: string }>
  )[code]
  if (text === undefined) throw new Error(`no text for ${code}`)
  return { code, ...text(facts), ...(at && { at }) }
}

export function refuse<C extends Code>(code: C, facts: FactsOf<C>, at?: Span): never {
  throw new Refusal([diagnostic(code, facts, at)])
}

export function classOf(code: Code): DiagnosticClass {
  if (code in table.note) return 'note'
  if (code in table.usage) return 'usage'
  if (code in table.misplaced) return 'misplaced'
  return code in table.capacity ? 'capacity' : 'invalid'
}

/** Whether the command line itself was wrong: exit status 2 instead of 1. */
export function isUsage(code: Code): boolean {
  return classOf(code) === 'usage'
}

/** Runs every check, so that all known reasons are told at once, and refuses with all of them. */
export function refuseAll(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new Refusal(diagnostics)
}
