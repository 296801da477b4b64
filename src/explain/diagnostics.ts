// Diagnostics to the lines that people read: label, why, fix, and the place with its line of text and a caret.

import { classOf, type Diagnostic, diagnostic } from '../base/diagnostic.ts'
import { visible } from '../base/visible.ts'
import { lineAndColumn } from '../xml/parse.ts'

/** The text that spans point into, and what its file is called. */
export interface Source {
  readonly name: string
  readonly text: string
}

/** In `transform` a shortage is a warning, in `check` an error. */
export type Severity = 'capacity-warns' | 'capacity-fails'

const WIDTH = 80
const MOST_TOLD = 100

/** Ends with a line end. Control characters of the input are shown, never sent to the terminal. */
export function renderDiagnostic(each: Diagnostic, severity: Severity, source: Source | undefined): string {
  const lines = [`${labelOf(each, severity)}[${each.code}]: ${each.what}`, `   why: ${each.why}`]
  if (each.fix !== undefined) lines.push(`   fix: ${each.fix}`)
  if (each.at !== undefined && source !== undefined) lines.push(...place(source, each.at.start, each.at.end))
  return `${lines.map(visible).join('\n')}\n`
}

export function renderDiagnostics(all: readonly Diagnostic[], severity: Severity, source: Source | undefined): string {
  return firstOf(all)
    .map((each) => renderDiagnostic(each, severity, source))
    .join('')
}

/** Nobody reads a thousand; what the others are is told in one. */
export function firstOf(all: readonly Diagnostic[]): readonly Diagnostic[] {
  if (all.length <= MOST_TOLD) return all
  const others = all.slice(MOST_TOLD)
  const codes = [...new Set(others.map(({ code }) => code))].sort().join(', ')
  return [...all.slice(0, MOST_TOLD), diagnostic('more-found', { count: others.length, codes })]
}

export function labelOf({ code }: Pick<Diagnostic, 'code'>, severity: Severity): 'error' | 'warning' | 'note' {
  const kind = classOf(code)
  if (kind === 'note') return 'note'
  return kind === 'capacity' && severity === 'capacity-warns' ? 'warning' : 'error'
}

function place({ name, text }: Source, start: number, end: number): string[] {
  const { line, column } = lineAndColumn(text, start)
  const lineStart = start - column + 1
  const next = text.indexOf('\n', lineStart)
  const whole = text.slice(lineStart, next < 0 ? text.length : next).replace(/\r$/, '')
  const indent = /^\s*/.exec(whole)?.[0].length ?? 0
  const from = Math.max(Math.min(indent, column - 1), column - 1 - WIDTH / 2)
  const shown = whole.slice(from, from + WIDTH)
  const head = `    at: ${name}:${line}:${column}   `
  const length = Math.max(1, Math.min(end - start, from + shown.length - (column - 1)))
  const caret = `${' '.repeat(head.length + column - 1 - from)}^${'~'.repeat(length - 1)}`
  return [`${head}${shown.replace(/\t/g, ' ')}`, caret]
}
