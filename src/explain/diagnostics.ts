// Diagnostics to the lines that people read: label, why, fix, and the place with its line of text and a
// caret.

import type { Diagnostic, Span } from '../base/diagnostic.ts'
import { visible } from '../base/visible.ts'
import { classOf, diagnostic } from '../codes/codes.ts'
import { applyEdits } from '../xml/edit.ts'
import { lineAndColumn } from '../xml/parse.ts'
import { messageOf } from './message.ts'

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

type Shown = Pick<Source, 'name' | 'text'>

const WIDTH = 80
const MOST_READ = 4096
const MOST_TOLD = 100

/**
 * Ends with a line end. Control characters of the input are written out, never sent to the terminal; what is
 * private is masked.
 */
export function renderDiagnostics(
  all: readonly Diagnostic[],
  severity: Severity,
  source: Source | undefined,
): string {
  const told = firstOf(all)
  const shown = source && { name: source.name, text: shownText(source, told) }
  return told.map((each) => renderDiagnostic(each, severity, shown)).join('')
}

function renderDiagnostic(each: Diagnostic, severity: Severity, shown: Shown | undefined): string {
  const { what, why, fix } = messageOf(each)
  const lines = [`${labelOf(each, severity)}[${each.code}]: ${what}`, `   why: ${why}`]
  if (fix !== undefined) lines.push(`   fix: ${fix}`)
  const at = each.at === undefined || shown === undefined ? [] : place(shown, each.at.start, each.at.end)
  return `${[...lines.map(visible), ...at].join('\n')}\n`
}

/**
 * Up to the last line that is pointed into, and some way along it: a large document is not read to its end
 * for one line.
 */
function shownText({ text, hidden }: Source, told: readonly Diagnostic[]): string {
  const last = told.reduce((max, { at }) => Math.max(max, at?.start ?? -1), -1)
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

/** Nobody reads a thousand; what the others are is told in one. */
export function firstOf(all: readonly Diagnostic[]): readonly Diagnostic[] {
  if (all.length <= MOST_TOLD) return all
  const others = all.slice(MOST_TOLD)
  const codes = [...new Set(others.map(({ code }) => code))].sort().join(', ')
  return [...all.slice(0, MOST_TOLD), diagnostic('more-found', { count: others.length, codes })]
}

export function labelOf(
  { code }: Pick<Diagnostic, 'code'>,
  severity: Severity,
): 'error' | 'warning' | 'note' {
  const kind = classOf(code)
  if (kind === 'note') return 'note'
  return kind === 'capacity' && severity === 'capacity-warns' ? 'warning' : 'error'
}

/** The caret stands below what is shown: a character that is written out is wider than it was. */
function place({ name, text }: Shown, start: number, end: number): string[] {
  const { line, column } = lineAndColumn(text, start)
  const lineStart = start - column + 1
  const next = text.indexOf('\n', lineStart)
  const whole = text.slice(lineStart, next < 0 ? text.length : next).replace(/\r$/, '')
  const indent = /^\s*/.exec(whole)?.[0].length ?? 0
  const from = Math.max(Math.min(indent, column - 1), column - 1 - WIDTH / 2)
  const stop = Math.min(column - 1 + end - start, from + WIDTH)
  const told = (part: string): string => visible(part.replace(/\t/g, ' '))
  const before = `${visible(`    at: ${name}:${line}:${column}   `)}${told(whole.slice(from, column - 1))}`
  const pointed = told(whole.slice(column - 1, stop))
  const caret = `${' '.repeat(before.length)}^${'~'.repeat(Math.max(0, pointed.length - 1))}`
  return [`${before}${pointed}${told(whole.slice(stop, from + WIDTH))}`, caret]
}
