// Text in the style of libvirt's qemu.conf -> its settings, each with its position. config.ts reads what the
// keys mean.

import { collectRefusals, type Diagnostic, type Span } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'
import type { ExpectedSyntax } from '../codes/request.ts'

/** A value and its span. `text` is without quotes; that of a list is as written. `items`: this is a list. */
export interface Value extends Span {
  readonly text: string
  readonly items?: readonly Value[]
}

/** One setting. */
export interface Setting {
  readonly key: Value
  readonly value: Value
}

interface Reader {
  readonly text: string
  readonly source: string
  at: number
  within: 'setting' | 'list'
  /** The key of the setting that is being read, if it is known. */
  key: string | undefined
}

const GAP = /(?:[ \t\r\n]+|#[^\n]*)*/y
const BLANK = /[ \t\r]*/y
const NAME = /[A-Za-z_][\w.-]*/y
const BARE = /[^\s#,=[\]"']+/y
const TOKEN = /\S*/y
const LINE = /[^\n]*/y
/** A string on one line, by its quote. */
const STRINGS = { '"': /"[^"\n]*"/y, "'": /'[^'\n]*'/y }
const NEXT_SETTING = /^(?=[ \t]*[A-Za-z_][\w.-]*[ \t]*=)/gm

/**
 * Reads `key = "value"`, `'value'`, numbers and lists `[ "a", "b" ]`, which may span lines and end on a
 * comma; `#` begins a comment. Strings know no escapes and end on their line, as libvirt's do. What is
 * malformed (`config-syntax`) is added to `found`, and reading goes on with the next setting.
 * @param isKey whether a key is known; of other settings nothing is quoted, since a secret may have been put
 * into the wrong file
 */
export function readSettings(
  text: string,
  source: string,
  found: Diagnostic[],
  isKey: (name: string) => boolean = () => false,
): readonly Setting[] {
  const reader: Reader = {
    text,
    source,
    at: text.startsWith('\uFEFF') ? 1 : 0,
    within: 'setting',
    key: undefined,
  }
  const settings: Setting[] = []
  for (take(reader, GAP); reader.at < text.length; take(reader, GAP)) {
    const line = reader.at
    const setting = collectRefusals(found, () => readSetting(reader, isKey))
    if (setting === undefined) recover(reader, line)
    else settings.push(setting)
  }
  return settings
}

function readSetting(reader: Reader, isKey: (name: string) => boolean): Setting {
  reader.within = 'setting'
  reader.key = undefined
  const key = taken(reader, NAME)
  if (isKey(key.text)) reader.key = key.text
  if (key.text === '') malformed(reader, { is: 'key' })
  take(reader, BLANK)
  if (reader.text[reader.at] !== '=') malformed(reader, { is: 'equals' })
  reader.at++
  take(reader, BLANK)
  const value = reader.text[reader.at] === '[' ? readList(reader) : readValue(reader, 'value')
  take(reader, BLANK)
  const next = reader.text[reader.at]
  if (next === undefined || next === '\n' || next === '#') return { key, value }
  return malformed(reader, { is: 'line-end' })
}

function readList(reader: Reader): Value {
  const start = reader.at++
  const items: Value[] = []
  reader.within = 'list'
  for (take(reader, GAP); reader.text[reader.at] !== ']'; take(reader, GAP)) {
    items.push(readValue(reader, 'list-item'))
    take(reader, GAP)
    if (reader.text[reader.at] === ']') break
    if (reader.text[reader.at] !== ',') malformed(reader, { is: 'comma-or-bracket' })
    reader.at++
  }
  const end = ++reader.at
  reader.within = 'setting'
  return { start, end, text: reader.text.slice(start, end), items }
}

function readValue(reader: Reader, is: 'value' | 'list-item'): Value {
  const quote = reader.text[reader.at]
  if (quote === '"' || quote === "'") return readString(reader, quote)
  const start = reader.at
  const bare = taken(reader, BARE)
  if (/^[-+]?\d+$/.test(bare.text)) return bare
  reader.at = start
  const isShown = reader.key !== undefined && bare.text !== ''
  return malformed(reader, { is, ...(isShown && { bare: bare.text }) })
}

function readString(reader: Reader, quote: '"' | "'"): Value {
  const string = taken(reader, STRINGS[quote])
  if (string.text !== '') return { ...string, text: string.text.slice(1, -1) }
  // The diagnostic is about the end of the line, where the quote is missing.
  take(reader, LINE)
  return malformed(reader, { is: 'closing-quote', quote })
}

function malformed(reader: Reader, expected: ExpectedSyntax): never {
  const { text: found, start, end } = taken(reader, TOKEN)
  reader.at = start
  const { source, key } = reader
  const isShown = key !== undefined || /^(?:\W?|\[[\w-]*\])$/.test(found)
  const facts = { source, expected, ...(key !== undefined && { key }), ...(isShown && { found }) }
  refuse('config-syntax', facts, { start, end })
}

/** A list that is never closed ends where the next setting begins, even on the line with the mistake. */
function recover(reader: Reader, setting: number): void {
  if (reader.within === 'setting') {
    take(reader, LINE)
    return
  }
  NEXT_SETTING.lastIndex = Math.max(reader.text.lastIndexOf('\n', reader.at - 1), setting) + 1
  reader.at = NEXT_SETTING.exec(reader.text)?.index ?? reader.text.length
}

function taken(reader: Reader, pattern: RegExp): Value {
  const start = reader.at
  return { text: take(reader, pattern), start, end: reader.at }
}

/** What `pattern` finds at the position; '' if nothing. */
function take(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at
  const text = pattern.exec(reader.text)?.[0] ?? ''
  reader.at += text.length
  return text
}
