// YAML text -> the values of JSON, by the yaml library. Loaded only for a VMI in YAML.

import { Lexer, LineCounter, type ParsedNode, parseDocument, type Tags } from 'yaml'
import type { Json, JsonObject } from '../base/json.ts'

/** Line and column from 1. */
interface Mistake {
  readonly line: number
  readonly column: number
  readonly reason: string
}

const MAX_DEPTH = 100
/** A line has about seven; a VMI with everything that Kubernetes adds has a thousand lines. */
const MAX_TOKENS = 50_000
const TIMESTAMP = 'tag:yaml.org,2002:timestamp'

/**
 * Reads one document as kubectl does: YAML 1.1 (`yes` is true), but timestamps stay text. A key that is not
 * text is converted. The first mistake is returned, not thrown: this file is a bundle with a Refusal class of
 * its own.
 */
export function parseYaml(text: string): { readonly value: Json } | { readonly mistake: Mistake } {
  const lines = new LineCounter()
  if (hasMoreTokens(text))
    return { mistake: { line: 1, column: 1, reason: `it has more than ${MAX_TOKENS} tokens` } }
  try {
    const document = parseDocument<ParsedNode>(text, {
      version: '1.1',
      customTags: withoutTimes,
      lineCounter: lines,
      prettyErrors: false,
    })
    const [first] = document.errors
    if (first === undefined) return { value: plain(document.toJS({ mapAsMap: true, maxAliasCount: 100 }), 0) }
    const { line, col } = lines.linePos(first.pos[0])
    return {
      mistake: {
        line,
        column: col,
        reason: first.code === 'MULTIPLE_DOCS' ? 'a second document begins' : withoutQuotes(first.message),
      },
    }
  } catch (error) {
    return { mistake: { line: 1, column: 1, reason: reasonOf(error) } }
  }
}

/** What the library quotes, after a colon or a backslash, may be a secret. */
const withoutQuotes = (message: string): string => message.replace(/(?:: | \\)[\s\S]*$/, '')

/**
 * Each token costs a kilobyte, and the keys of an object are compared with each other. The lexer alone keeps
 * none.
 */
function hasMoreTokens(text: string): boolean {
  let tokens = 0
  for (const _ of new Lexer().lex(text)) {
    tokens += 1
    if (tokens > MAX_TOKENS) return true
  }
  return false
}

const withoutTimes = (tags: Tags): Tags =>
  tags.filter((tag) => typeof tag !== 'object' || tag.tag !== TIMESTAMP)

/** A hostile document exhausts the stack of the library, or expands aliases beyond its limit. */
function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return `nested deeper than ${MAX_DEPTH}`
  if (error instanceof ReferenceError) return 'an alias is unknown, or aliases expand to too much'
  if (error instanceof TypeError) return error.message
  throw error
}

/** @throws RangeError, TypeError */
function plain(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) throw new RangeError()
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1))
  if (value instanceof Map) return plainObject(value, depth)
  throw new TypeError('a value has no equivalent in JSON')
}

function plainObject(map: ReadonlyMap<unknown, unknown>, depth: number): JsonObject {
  return new Map([...map].map(([key, value]) => [textOf(key), plain(value, depth + 1)]))
}

function textOf(key: unknown): string {
  if (key !== null && typeof key === 'object') throw new TypeError('a key is not text')
  return `${key}`
}
