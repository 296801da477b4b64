// The secrets in a definition, as spans of its text, and texts without them.
//
// Three sources: what libvirt prints only with --security-info, found by comparing the two documents; names
// of secrets; and every value of an element that does not affect placement (shown.ts). The first includes
// what a later libvirt may hide; the others work for a document that libvirt did not print.

import type { Span } from '../base/diagnostic.ts'
import type { Source } from '../explain/diagnostics.ts'
import { applyEdits, type Edit, inOrder } from '../xml/edit.ts'
import { attribute, type XmlDocument, type XmlElement } from '../xml/parse.ts'
import { privateSpans, SECRET_NAME } from './shown.ts'

const MASK = '*****'

/** Attributes of a secret that are not secret: `<secret type='passphrase'>`. */
const PLAIN = ['type', 'name']

/**
 * The secrets of a document in the order of the text, without overlap: attribute values and element contents.
 */
export function secretSpans(document: XmlDocument, shown?: XmlDocument): readonly Span[] {
  const spans = [
    ...namedLikeSecrets(document.root, undefined),
    ...(shown === undefined ? [] : hidden(document.root, shown.root)),
  ]
  return withoutOverlap(spans.filter(({ start, end }) => end > start))
}

function namedLikeSecrets(element: XmlElement, before: XmlElement | undefined): readonly Span[] {
  const isSecret = SECRET_NAME.test(element.local)
  const isCommand = ['arg', 'env'].includes(element.local) && element.uri !== ''
  const speaks =
    isCommand &&
    [element, before].some((each) =>
      each?.attributes.some(({ value }) => /pass|secret|token|key/i.test(value)),
    )
  const own = element.attributes.filter(
    ({ name }) =>
      SECRET_NAME.test(name) || (isSecret && !PLAIN.includes(name)) || (speaks && name === 'value'),
  )
  const content = isSecret && element.children.length === 0 ? [contentOf(element)] : []
  return [
    ...own,
    ...content,
    ...element.children.flatMap((child, at) => namedLikeSecrets(child, element.children[at - 1])),
  ]
}

/**
 * The same elements come in the same order, so a child pairs with the next of its name, or is hidden itself.
 */
function hidden(element: XmlElement, shown: XmlElement | undefined): readonly Span[] {
  const attributes = element.attributes.filter(({ name, value }) => attribute(shown, name)?.value !== value)
  if (element.children.length === 0)
    return element.text === shown?.text ? attributes : [...attributes, contentOf(element)]
  let next = 0
  const inside = element.children.flatMap((child) => {
    const isPaired = shown?.children[next]?.name === child.name
    return hidden(child, isPaired ? shown?.children[next++] : undefined)
  })
  return [...attributes, ...inside]
}

const contentOf = ({ tagEnd, contentEnd }: XmlElement): Span => ({ start: tagEnd, end: contentEnd })

/** Sorted, with overlapping spans merged. */
function withoutOverlap(spans: readonly Span[]): readonly Span[] {
  const kept: { start: number; end: number }[] = []
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (last === undefined || start >= last.end) kept.push({ start, end })
    else last.end = Math.max(last.end, end)
  }
  return kept
}

/**
 * Everything in a document that must be masked unless the document itself was requested.
 * @param shown the same as libvirt shows it to everybody
 */
export function hiddenOf(document: XmlDocument, shown?: XmlDocument): readonly Span[] {
  const spans = [...privateSpans(document.text), ...secretSpans(document, shown)]
  return withoutOverlap(spans.flatMap((span) => linesOf(document.text, span)))
}

/** A value of more lines is masked as one. */
const MOST_LINES = 10_000

/** Splits a span into lines without their indent, so that a masked text keeps its layout. */
function linesOf(text: string, { start, end }: Span): readonly Span[] {
  const lines: Span[] = []
  for (const found of text.slice(start, end).matchAll(/\S(?:[^\r\n]*\S)?/g)) {
    if (lines.length === MOST_LINES) return [{ start, end }]
    lines.push({ start: start + found.index, end: start + found.index + found[0].length })
  }
  return lines
}

/** The spans within the first `length` characters. */
export function within(spans: readonly Span[], length: number): readonly Span[] {
  return spans
    .filter(({ start }) => start < length)
    .map(({ start, end }) => ({ start, end: Math.min(end, length) }))
}

/** A domain for diagnostics to point into. */
export function domainSource(name: string, text: string): Source {
  return { name, text, hidden: privateSpans }
}

/**
 * The text with its edits applied and every secret replaced by one mask, which hides the length. What an edit
 * leaves of a secret is masked too.
 */
export function redacted(text: string, secrets: readonly Span[], edits: readonly Edit[] = []): string {
  return applyEdits(text, [
    ...edits,
    ...apartFrom(secrets, inOrder(edits)).map(({ start, end }) => ({ start, end, text: MASK })),
  ])
}

/** The parts of spans outside of edits; both are sorted, so each is walked once. */
function apartFrom(spans: readonly Span[], edits: readonly Edit[]): readonly Span[] {
  let next = 0
  return spans.flatMap((span) => {
    const pieces: Span[] = []
    let { start } = span
    while (next < edits.length && (edits[next] as Edit).end <= start) next++
    for (let at = next; at < edits.length && (edits[at] as Edit).start < span.end; at++) {
      const edit = edits[at] as Edit
      if (edit.start > start) pieces.push({ start, end: edit.start })
      start = Math.max(start, edit.end)
    }
    return start < span.end ? [...pieces, { start, end: span.end }] : pieces
  })
}

/** A message of another program without the secret values of a document; paths are not secret. */
export function withoutValues(said: string, text: string, secrets: readonly Span[]): string {
  const values = new Set(
    secrets.map(({ start, end }) => text.slice(start, end)).flatMap((value) => [value, decoded(value)]),
  )
  const quoted = [...values].filter(
    (value) => value.length >= LEAST_QUOTED && said.includes(value) && !/^\/[\w./-]+$/.test(value),
  )
  return quoted
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .reduce((words, value) => words.replaceAll(value, MASK), said)
}

/** Shorter values occur in ordinary words. */
const LEAST_QUOTED = 4

const REFERENCES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&amp;': '&',
}

const decoded = (value: string): string =>
  value.replace(/&(?:lt|gt|quot|apos|amp);/g, (reference) => REFERENCES[reference] as string)

/** What libvirt hides of a definition: a copy taken without --security-info lacks it. */
export function hiddenSpans(document: XmlDocument, shown: XmlDocument): readonly Span[] {
  return withoutOverlap(hidden(document.root, shown.root).filter(({ start, end }) => end > start))
}

/**
 * The secrets of a definition that its replacement lacks: "passwd of <graphics>". A new password counts as
 * kept, and an element that is removed as a whole was meant to go. libvirt would take a mask for a password.
 */
export function lostSecrets(before: XmlDocument, shown: XmlDocument, after: XmlDocument): readonly string[] {
  const spans = hiddenSpans(before, shown)
  const had = count(before.root, (start) => spans.some((span) => span.start === start))
  const seen = count(shown.root, () => false)
  const has = count(after.root, (start) => !/^\*+['"<]/.test(after.text.slice(start, start + 100)))
  const holder = (path: string): string => (path === '' || seen.has(path) ? path : holder(outer(path)))
  return [...had]
    .filter(([key, { amount, isSecret }]) => {
      const holders = has.get(holder(outer(key)))?.amount ?? 0
      return isSecret && (has.get(key)?.amount ?? 0) < Math.min(amount, holders)
    })
    .map(([, { what }]) => what)
    .sort()
}

const outer = (path: string): string => path.slice(0, path.lastIndexOf(' '))

interface Counted {
  readonly amount: number
  readonly what: string
  /** False for an element, which only contains secrets. */
  readonly isSecret: boolean
}

/**
 * Counts by path: attributes (" domain devices graphics @passwd"), contents ("... cookie #"), and elements.
 */
function count(root: XmlElement, counts: (start: number) => boolean): ReadonlyMap<string, Counted> {
  const found = new Map<string, Counted>()
  const add = (key: string, what: string, isSecret = true): void => {
    found.set(key, { amount: (found.get(key)?.amount ?? 0) + 1, what, isSecret })
  }
  const walk = (element: XmlElement, around: string): void => {
    const path = `${around} ${element.name}`
    add(path, `<${element.name}>`, false)
    for (const { name, start } of element.attributes)
      if (counts(start)) add(`${path} @${name}`, `${name} of <${element.name}>`)
    const hasContent = element.children.length === 0 && element.contentEnd > element.tagEnd
    if (hasContent && counts(element.tagEnd)) add(`${path} #`, `<${element.name}>`)
    for (const child of element.children) walk(child, path)
  }
  walk(root, '')
  return found
}
