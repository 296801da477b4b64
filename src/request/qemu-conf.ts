// Text in the style of libvirt's qemu.conf to its settings, each with its place. What the keys mean is
// config.ts.

import { collectRefusals } from '../base/collect.ts'
import type { Diagnostic, Span } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'

/** `text` is without quotes; that of a list is as written. `items`: this is a list. */
export interface Value extends Span {
  readonly text: string
  readonly items?: readonly Value[]
}

export interface Setting {
  readonly key: Value
  readonly value: Value
}

interface Reader {
  readonly text: string
  readonly source: string
  at: number
  within: 'setting' | 'list'
  /** Whether the key of the setting that is being read is known. */
  isKnown: boolean
}

const GAP = /(?:[ \t\r\n]+|#[^\n]*)*/y
const BLANK = /[ \t\r]*/y
const NAME = /[A-Za-z_][\w.-]*/y
const BARE = /[^\s#,=[\]"']+/y
const TOKEN = /\S*/y
const LINE = /[^\n]*/y
/** A text on one line, by its quote. */
const STRINGS = { '"': /"[^"\n]*"/y, "'": /'[^'\n]*'/y }
const NEXT_SETTING = /^(?=[ \t]*[A-Za-z_][\w.-]*[ \t]*=)/gm

/**
 * Reads `key = "value"`, `'value'`, numbers and lists `[ "a", "b" ]`, which may span lines and end on a
 * comma; `#` begins a comment. Strings know no escapes and end on their line, as libvirt's do. What is
 * malformed (`config-syntax`) is added to `found`, and reading goes on with the next setting.
 * @param isKey which keys are known; of others nothing is quoted, since it may be a secret that was put into
 * the wrong file
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
    isKnown: false,
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
  reader.isKnown = false
  const key = taken(reader, NAME)
  reader.isKnown = isKey(key.text)
  const shown = reader.isKnown ? key.text : 'key'
  if (key.text === '') malformed(reader, 'a key', 'write key = "value"; a comment begins with #')
  take(reader, BLANK)
  if (reader.text[reader.at] !== '=') malformed(reader, '=', `write ${shown} = "value"`)
  reader.at++
  take(reader, BLANK)
  const value =
    reader.text[reader.at] === '[' ? readList(reader) : readValue(reader, 'a value', `${shown} = `)
  take(reader, BLANK)
  const next = reader.text[reader.at]
  if (next === undefined || next === '\n' || next === '#') return { key, value }
  return malformed(
    reader,
    'the end of the line',
    next === ',' ? `write ${shown} = [ "a", "b" ]` : 'write one setting per line',
  )
}

function readList(reader: Reader): Value {
  const start = reader.at++
  const items: Value[] = []
  reader.within = 'list'
  for (take(reader, GAP); reader.text[reader.at] !== ']'; take(reader, GAP)) {
    items.push(readValue(reader, 'a value or ]', ''))
    take(reader, GAP)
    if (reader.text[reader.at] === ']') break
    if (reader.text[reader.at] !== ',')
      malformed(reader, ', or ]', 'put commas between the values and close the list with ]')
    reader.at++
  }
  const end = ++reader.at
  reader.within = 'setting'
  return { start, end, text: reader.text.slice(start, end), items }
}

function readValue(reader: Reader, expected: string, before: string): Value {
  const quote = reader.text[reader.at]
  if (quote === '"' || quote === "'") return readString(reader, quote)
  const start = reader.at
  const bare = taken(reader, BARE)
  if (/^[-+]?\d+$/.test(bare.text)) return bare
  reader.at = start
  return malformed(reader, expected, `write ${before}"${(reader.isKnown && bare.text) || 'value'}"`)
}

function readString(reader: Reader, quote: '"' | "'"): Value {
  const string = taken(reader, STRINGS[quote])
  if (string.text !== '') return { ...string, text: string.text.slice(1, -1) }
  // What is told is the end of the line, where the quote is missing.
  take(reader, LINE)
  return malformed(reader, `a closing ${quote}`, `write ${quote}...${quote} on one line`)
}

function malformed(reader: Reader, expected: string, fix: string): never {
  const { text: found, start, end } = taken(reader, TOKEN)
  reader.at = start
  const quoted = reader.isKnown || /^(?:\W?|\[[\w-]*\])$/.test(found) ? found : undefined
  refuse('config-syntax', { source: reader.source, found: quoted, expected, fix }, { start, end })
}

/** A list that was never closed ends where the next setting begins, be it on the line that does not fit. */
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

/** What `pattern` finds right here; '' if nothing. */
function take(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at
  const text = pattern.exec(reader.text)?.[0] ?? ''
  reader.at += text.length
  return text
}
