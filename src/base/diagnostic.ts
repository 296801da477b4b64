// What a refusal, a shortage or a note consists of: a code, facts, and a position in the source. Its text is
// made when it is printed (explain/texts/).

/** UTF-16 offsets into the text that was read, half-open. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The position in a document that a diagnostic is about. `source` is the document's name (inSource). */
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
 * `invalid`: it can never work, and is refused. `capacity`: pages or memory are lacking now. `usage`: the
 * command line is wrong. `misplaced`: a running guest is not placed as expected. `note`: for information.
 */
export type DiagnosticClass = 'invalid' | 'misplaced' | 'capacity' | 'usage' | 'note'

/**
 * What is wrong with a JSON text. `found`: the character or the short word there; absent where it may be part
 * of a secret.
 */
export type JsonProblem =
  | { readonly is: 'end'; readonly expected: JsonToken }
  | { readonly is: 'unexpected'; readonly expected: JsonToken | 'end'; readonly found?: string }
  | { readonly is: 'key-twice'; readonly key: string }
  | { readonly is: 'string-without-end' | 'string-invalid' }
  | { readonly is: 'too-deep' | 'too-many-parts'; readonly max: number }

/** What comes next in a JSON text. */
export type JsonToken = 'value' | 'key' | ':' | ', or }' | ', or ]'

/** The facts of what base/ itself refuses: sets, sizes and JSON text. */
export interface BaseFacts {
  readonly 'set-malformed': { source: string; text: string; item: string; by?: 'libvirt' }
  readonly 'set-too-large': { source: string; text: string; max: number }
  readonly 'set-too-long': { source: string; max: number }
  readonly 'size-malformed': { source: string; text: string }
  readonly 'size-too-large': { source: string; text: string }
  readonly 'json-malformed': { source: string; line: number; column: number; problem: JsonProblem }
}

/** An error keeps its message twice, and only a developer reads it. */
const MOST_IN_MESSAGE = 20

/** Every reason against the request; never empty. */
export class Refusal extends Error {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    const codes = diagnostics.slice(0, MOST_IN_MESSAGE).map(({ code }) => code)
    super(codes.join(', '))
    this.diagnostics = diagnostics
  }
}

/**
 * Refuses a malformed text.
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

/** What `read` returns, or its refusal. */
export function orRefusal<T>(read: () => T): T | Refusal {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

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
