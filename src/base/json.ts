// JSON text -> values. JSON.parse does not suffice: it reports no position (or one that depends on the
// engine), it silently takes the last of two equal keys, and its objects have a prototype.

import { refuseText } from './diagnostic.ts'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object: its keys in the order of the text, each once. */
export type JsonObject = ReadonlyMap<string, Json>

/** How deep objects and lists may be nested. */
const MAX_DEPTH = 100
/**
 * How many objects, keys and lists a text may have; a host of 1,024 nodes with four page sizes has 20,000.
 */
const MAX_PARTS = 100_000

interface Reader {
  readonly text: string
  readonly source: string
  at: number
  /** Objects, keys and lists so far. */
  parts: number
}

/**
 * Parses a JSON text. A byte order mark is skipped.
 * @param source what the text is, for messages
 * @throws Refusal `json-malformed` with line and column, both from 1
 * @see RFC 8259
 */
export function parseJson(text: string, source: string): Json {
  const reader: Reader = { text, source, at: text.startsWith('\uFEFF') ? 1 : 0, parts: 0 }
  skipBlanks(reader)
  const value = readValue(reader, 0)
  skipBlanks(reader)
  if (reader.at < text.length) refuseHere(reader, `${found(reader)} after the end of the document`)
  return value
}

function readValue(reader: Reader, depth: number): Json {
  if (depth > MAX_DEPTH) refuseHere(reader, `nested deeper than ${MAX_DEPTH}`)
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
    if (reader.text[reader.at] !== '"')
      refuseHere(reader, `${found(reader)} where a key in double quotes belongs`)
    const key = readString(reader)
    if (object.has(key)) refuseHere({ ...reader, at: start }, `the key ${JSON.stringify(key)} is there twice`)
    skipBlanks(reader)
    if (reader.text[reader.at] !== ':') refuseHere(reader, `${found(reader)} where a colon belongs`)
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
  if (reader.parts > MAX_PARTS) refuseHere(reader, `more than ${MAX_PARTS} objects, keys and lists`)
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

function ends(reader: Reader, bracket: string): boolean {
  skipBlanks(reader)
  if (closes(reader, bracket)) return true
  if (reader.text[reader.at] !== ',')
    refuseHere(reader, `${found(reader)} where a comma or ${bracket} belongs`)
  open(reader)
  return false
}

/** Finds the end of the string; JSON.parse decodes its escapes. */
function readString(reader: Reader): string {
  const raw = match(reader, /"(?:[^"\\]|\\.)*"/y)
  if (raw === undefined) refuseHere(reader, 'a string that does not end')
  try {
    return JSON.parse(raw) as string
  } catch {
    return refuseHere(reader, 'a string with a bare control character or an unknown escape')
  } finally {
    reader.at += raw.length
  }
}

function readLiteral(reader: Reader): Json {
  const word = match(
    reader,
    /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y,
  )
  if (word === undefined) refuseHere(reader, `${found(reader)} where a value belongs`)
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
 * What is at the position, in words. Words of three letters or more are not quoted: after a missing quote
 * they may be part of a secret.
 */
function found({ text, at }: Reader): string {
  if (at >= text.length) return 'the end'
  const word =
    /^[\w.+-]{1,3}/.exec(text.slice(at, at + 3))?.[0] ?? String.fromCodePoint(text.codePointAt(at) as number)
  return word.length < 3 ? word : 'a bare word'
}

function refuseHere({ text, source, at }: Reader, reason: string): never {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  refuseText('json-malformed', { source, line, column: at - (before.lastIndexOf('\n') + 1) + 1, reason })
}
