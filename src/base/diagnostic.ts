// What a refusal, a shortage or a note consists of: a code, the facts, and the place in the source. The texts
// are made when it is printed (explain/texts/).

/** UTF-16 offsets into the text that was read, half-open. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Where a document shows what a diagnostic is about. `source` is the name of the document (inSource). */
export interface Place extends Span {
  readonly source?: string
}

/**
 * Facts are data: sets, numbers, names and tagged choices. A code never changes meaning.
 * @see codes/ for the facts and the class of every code
 */
export interface Diagnostic<Code extends string = string> {
  readonly code: Code
  readonly facts: object
  readonly at?: Place
}

/**
 * `invalid`: it can never work, and is refused. `capacity`: it cannot work now, for want of pages or memory.
 * `usage`: the command line was typed wrong. `misplaced`: a running guest is not where it should be. `note`:
 * worth knowing.
 */
export type DiagnosticClass = 'invalid' | 'misplaced' | 'capacity' | 'usage' | 'note'

/** The facts of what this room itself refuses: sets, sizes and JSON text. */
export interface BaseFacts {
  readonly 'set-malformed': { source: string; text: string; item: string; by?: 'libvirt' }
  readonly 'set-too-large': { source: string; text: string; max: number }
  readonly 'set-too-long': { source: string; max: number }
  readonly 'size-malformed': { source: string; text: string }
  readonly 'size-too-large': { source: string; text: string }
  readonly 'json-malformed': { source: string; line: number; column: number; reason: string }
}

/** An error keeps its message twice, and only a developer reads it. */
const MOST_IN_MESSAGE = 20

/** Everything that was found to stand against the request; never empty. */
export class Refusal extends Error {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    const codes = diagnostics.slice(0, MOST_IN_MESSAGE).map(({ code }) => code)
    super(codes.join(', '))
    this.diagnostics = diagnostics
  }
}

/**
 * Refuses a text that is not what it should be.
 * @throws Refusal always
 */
export function refuseText<C extends keyof BaseFacts>(code: C, facts: BaseFacts[C]): never {
  throw new Refusal([{ code, facts }])
}

/**
 * Reads a document, and names it in every place of what is refused.
 * @param source the document's name; undefined for a text that is never shown
 * @throws Refusal of `read`
 */
export function inSource<T>(source: string | undefined, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Refusal) || source === undefined) throw error
    throw new Refusal(error.diagnostics.map((each) => withSource(each, source)))
  }
}

function withSource(each: Diagnostic, source: string): Diagnostic {
  return each.at === undefined || each.at.source !== undefined
    ? each
    : { ...each, at: { ...each.at, source } }
}
