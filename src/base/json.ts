// JSON text -> values. JSON.parse does not suffice: it reports no position (or one that depends on the
// engine), it silently takes the last of two equal keys, and its objects have a prototype.

import { type JsonProblem, type JsonToken, refuseText } from './diagnostic.ts'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object: its keys in the order of the text, each once. */
export type JsonObject = ReadonlyMap<string, Json>

/**
 * A value as a diagnostic states it: a long text is cut, of an object, a list and what may be secret only the
 * kind is stated.
 */
export type FoundValue =
  | null
  | boolean
  | number
  | string
  | { readonly kind: 'text' | 'number' | 'list' | 'object' }

const MOST_FOUND = 40

/** What a diagnostic may state of a value. */
export function foundValue(value: Json): FoundValue {
  if (typeof value === 'string')
    return value.length > MOST_FOUND ? `${value.slice(0, MOST_FOUND - 3)}...` : value
  if (value === null || typeof value !== 'object') return value
  return { kind: Array.isArray(value) ? 'list' : 'object' }
}

/** How deep objects and lists may be nested. */
const MAX_DEPTH = 100
/**
 * How many objects, keys and lists a text may have; a host of 1,024 nodes with four page sizes has 20,000.
 */
const MAX_PARTS = 100_000

interface Reader {
  readonly text: string
  readonly source: string
  readonly mostParts: number
  at: number
  /** Objects, keys and lists so far. */
  parts: number
}

/**
 * Parses a JSON text. A byte order mark is skipped.
 * @param source what the text is, for messages
 * @param mostParts how many objects, keys and lists it may have
 * @throws Refusal `json-malformed` with line and column, both from 1
 * @see RFC 8259
 */
export function parseJson(text: string, source: string, mostParts = MAX_PARTS): Json {
  const reader: Reader = { text, source, mostParts, at: text.startsWith('\uFEFF') ? 1 : 0, parts: 0 }
  skipBlanks(reader)
  const value = readValue(reader, 0)
  skipBlanks(reader)
  if (reader.at < text.length) refuseFound(reader, 'end')
  return value
}

/**
 * Reads a stream: values one behind the other, with or without blanks between them.
 * @throws Refusal as parseJson does
 */
export function parseJsonStream(text: string, source: string): Json[] {
  const mostParts = MAX_PARTS
  const reader: Reader = { text, source, mostParts, at: text.startsWith('\uFEFF') ? 1 : 0, parts: 0 }
  const values: Json[] = []
  skipBlanks(reader)
  while (reader.at < text.length) {
    values.push(readValue(reader, 0))
    skipBlanks(reader)
  }
  return values
}

function readValue(reader: Reader, depth: number): Json {
  if (depth > MAX_DEPTH) refuseHere(reader, { is: 'too-deep', max: MAX_DEPTH })
  const first = reader.text[reader.at]
  if (first === '{') return readObject(reader, depth)
  if (first === '[') return readArray(reader, depth)
  if (first === '"') return readString(reader)
  return readLiteral(reader)
}

function readObject(reader: Reader, depth: number): JsonObject {
  const object = new Map<string, Json>()
  count(reader)
  open(reader)
  if (closes(reader, '}')) return object
  for (;;) {
    const start = reader.at
    count(reader)
    if (reader.text[reader.at] !== '"') refuseFound(reader, 'key')
    const key = readString(reader)
    if (object.has(key)) refuseHere({ ...reader, at: start }, { is: 'key-twice', key })
    skipBlanks(reader)
    if (reader.text[reader.at] !== ':') refuseFound(reader, ':')
    open(reader)
    object.set(key, readValue(reader, depth + 1))
    if (ends(reader, '}')) return object
  }
}

function readArray(reader: Reader, depth: number): Json[] {
  const values: Json[] = []
  count(reader)
  open(reader)
  if (closes(reader, ']')) return values
  for (;;) {
    values.push(readValue(reader, depth + 1))
    if (ends(reader, ']')) return values
  }
}

function count(reader: Reader): void {
  reader.parts += 1
  const { parts, mostParts: max } = reader
  if (parts > max) refuseHere(reader, { is: 'too-many-parts', max })
}

function open(reader: Reader): void {
  reader.at += 1
  skipBlanks(reader)
}

function closes(reader: Reader, bracket: string): boolean {
  if (reader.text[reader.at] !== bracket) return false
  reader.at += 1
  return true
}

function ends(reader: Reader, bracket: '}' | ']'): boolean {
  skipBlanks(reader)
  if (closes(reader, bracket)) return true
  if (reader.text[reader.at] !== ',') refuseFound(reader, `, or ${bracket}`)
  open(reader)
  return false
}

/** JSON.parse decodes the escapes. */
function readString(reader: Reader): string {
  const end = endOfString(reader)
  if (end === undefined) refuseHere(reader, { is: 'string-without-end' })
  try {
    return JSON.parse(reader.text.slice(reader.at, end)) as string
  } catch {
    return refuseHere(reader, { is: 'string-invalid' })
  } finally {
    reader.at = end
  }
}

/**
 * Behind the next quote that an even number of backslashes precedes. A regular expression would keep a state
 * for each character of a long string on QuickJS.
 */
function endOfString({ text, at }: Reader): number | undefined {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let start = quote
    while (text[start - 1] === '\\') start -= 1
    if ((quote - start) % 2 === 0) return quote + 1
  }
  return undefined
}

function readLiteral(reader: Reader): Json {
  const word = match(
    reader,
    /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y,
  )
  if (word === undefined) refuseFound(reader, 'value')
  reader.at += word.length
  return JSON.parse(word) as number | boolean | null
}

function match({ text, at }: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function skipBlanks(reader: Reader): void {
  while (/[ \t\r\n]/.test(reader.text[reader.at] ?? '')) reader.at += 1
}

/**
 * Refuses what is at the position. Words of three letters or more are not stated: after a missing quote they
 * may be part of a secret.
 */
function refuseFound(reader: Reader, expected: JsonToken | 'end'): never {
  const { text, at } = reader
  if (at >= text.length && expected !== 'end') refuseHere(reader, { is: 'end', expected })
  const word =
    /^[\w.+-]{1,3}/.exec(text.slice(at, at + 3))?.[0] ?? String.fromCodePoint(text.codePointAt(at) as number)
  refuseHere(reader, { is: 'unexpected', expected, ...(word.length < 3 && { found: word }) })
}

function refuseHere({ text, source, at }: Reader, problem: JsonProblem): never {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - (before.lastIndexOf('\n') + 1) + 1
  refuseText('json-malformed', { source, line, column, problem })
}
