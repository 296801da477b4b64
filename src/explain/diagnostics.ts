// Diagnostics to the lines that people read: label, why, fix, and the place with its line of text and a
// caret.

import type { Diagnostic, Place, Span } from '../base/diagnostic.ts'
import { visible } from '../base/visible.ts'
import { classOf, diagnostic } from '../codes/codes.ts'
import { applyEdits } from '../xml/edit.ts'
import { lineAndColumn } from '../xml/parse.ts'
import { byFlags } from './asks.ts'
import { messageOf } from './message.ts'
import type { Text } from './texts/words.ts'

/**
 * The text that spans point into, and what its file is called. `hidden`: what of the text must not be shown
 * with a diagnostic.
 */
export interface Source {
  readonly name: string
  readonly text: string
  readonly hidden: (text: string) => readonly Span[]
}

/** In `transform` a shortage is a warning, in `check` an error. */
export type Severity = 'capacity-warns' | 'capacity-fails'

const WIDTH = 80
const MOST_READ = 4096
const MOST_SHOWN = 100

/**
 * Ends with a line end. Control characters of the input are written out, never sent to the terminal; what is
 * private is masked.
 * @param ask how the reader requests what a fix names
 */
export function renderDiagnostics(
  all: readonly Diagnostic[],
  severity: Severity,
  sources: readonly Source[],
  ask = byFlags,
): string {
  const first = firstOf(all)
  const texts = shownTexts(first, sources)
  return first.map((each) => renderDiagnostic(each, messageOf(each, ask), severity, texts)).join('')
}

/** The source that a diagnostic points into; of several with one name the one that was read last. */
export function sourceOf({ at }: Diagnostic, sources: readonly Source[]): Source | undefined {
  return [...sources].reverse().find(({ name }) => name === at?.source)
}

function shownTexts(all: readonly Diagnostic[], sources: readonly Source[]): ReadonlyMap<string, string> {
  const pointed = new Set(all.flatMap((each) => sourceOf(each, sources) ?? []))
  return new Map(
    [...pointed].map((source) => {
      const into = all.filter(({ at }) => at?.source === source.name)
      return [source.name, shownText(source, into)]
    }),
  )
}

function renderDiagnostic(
  each: Diagnostic,
  { what, why, fix }: Text,
  severity: Severity,
  texts: ReadonlyMap<string, string>,
): string {
  const lines = [`${labelOf(each, severity)}[${each.code}]: ${what}`]
  if (why !== undefined) lines.push(`   why: ${why}`)
  if (fix !== undefined) lines.push(`   fix: ${fix}`)
  const text = texts.get(each.at?.source ?? '')
  const at = each.at === undefined || text === undefined ? [] : place(text, each.at)
  return `${[...lines.map(visible), ...at].join('\n')}\n`
}

/**
 * Up to the last line that is pointed into, and some way along it: a large document is not read to its end
 * for one line.
 */
function shownText({ text, hidden }: Source, shown: readonly Diagnostic[]): string {
  const last = shown.reduce((max, { at }) => Math.max(max, at?.start ?? -1), -1)
  if (last < 0) return ''
  const next = text.indexOf('\n', last)
  const upTo = text.slice(0, Math.min(next < 0 ? text.length : next, last + MOST_READ))
  return masked(upTo, hidden(upTo))
}

/** The text with every place where it was: stars where it must not be shown. */
export function masked(text: string, hidden: readonly Span[]): string {
  return applyEdits(
    text,
    hidden.map(({ start, end }) => ({
      start,
      end,
      text: text.slice(start, end).replace(/\S+/g, (run) => '*'.repeat(run.length)),
    })),
  )
}

/** The first ones, and for any others one diagnostic that counts them and names their codes. */
export function firstOf(all: readonly Diagnostic[]): readonly Diagnostic[] {
  if (all.length <= MOST_SHOWN) return all
  const others = all.slice(MOST_SHOWN)
  const codes = [...new Set(others.map(({ code }) => code))].sort().join(', ')
  return [...all.slice(0, MOST_SHOWN), diagnostic('more-found', { count: others.length, codes })]
}

/** How a diagnostic is labelled. */
export function labelOf(
  { code }: Pick<Diagnostic, 'code'>,
  severity: Severity,
): 'error' | 'warning' | 'note' {
  const kind = classOf(code)
  if (kind === 'note') return 'note'
  return kind === 'capacity' && severity === 'capacity-warns' ? 'warning' : 'error'
}

/** The caret stands below what is shown: a character that is written out is wider than it was. */
function place(text: string, { source, start, end }: Place): string[] {
  const { line, column } = lineAndColumn(text, start)
  const lineStart = start - column + 1
  const next = text.indexOf('\n', lineStart)
  const whole = text.slice(lineStart, next < 0 ? text.length : next).replace(/\r$/, '')
  const indent = /^\s*/.exec(whole)?.[0].length ?? 0
  const from = Math.max(Math.min(indent, column - 1), column - 1 - WIDTH / 2)
  const stop = Math.min(column - 1 + end - start, from + WIDTH)
  const shown = (part: string): string => visible(part.replace(/\t/g, ' '))
  const before = `${visible(`    at: ${source}:${line}:${column}   `)}${shown(whole.slice(from, column - 1))}`
  const pointed = shown(whole.slice(column - 1, stop))
  const caret = `${' '.repeat(before.length)}^${'~'.repeat(Math.max(0, pointed.length - 1))}`
  return [`${before}${pointed}${shown(whole.slice(stop, from + WIDTH))}`, caret]
}
