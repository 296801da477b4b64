// What of a definition nobody else may read, as spans of its text, and a text without it.
//
// Two sources: what libvirt prints only with --security-info, found by laying the two documents side by side, and what is named
// like a secret. The first knows what a later libvirt may come to hide; the second holds for a document that no libvirt printed.

import type { Span } from '../base/diagnostic.ts'
import { applyEdits, type Edit } from '../xml/edit.ts'
import { attribute, type XmlDocument, type XmlElement } from '../xml/parse.ts'

const MASK = '*****'

const SECRET_NAME = /passw|passphrase|secret|cookie|token|^key$/i

/** Names that stand beside a secret and are none: `<secret type='passphrase'>`. */
const PLAIN = ['type', 'name']

/** In the order of the text, without overlap; the text of an attribute's value or of an element's content each. */
export function secretSpans(document: XmlDocument, shown?: XmlDocument): readonly Span[] {
  const spans = [...namedLikeSecrets(document.root, undefined), ...(shown === undefined ? [] : hidden(document.root, shown.root))]
  return withoutOverlap(spans.filter(({ start, end }) => end > start))
}

function namedLikeSecrets(element: XmlElement, before: XmlElement | undefined): readonly Span[] {
  const isSecret = SECRET_NAME.test(element.local)
  const isCommand = ['arg', 'env'].includes(element.local) && element.uri !== ''
  const speaks = isCommand && [element, before].some((each) => each?.attributes.some(({ value }) => /pass|secret|token|key/i.test(value)))
  const own = element.attributes.filter(
    ({ name }) => SECRET_NAME.test(name) || (isSecret && !PLAIN.includes(name)) || (speaks && name === 'value'),
  )
  const content = isSecret && element.children.length === 0 ? [contentOf(element)] : []
  return [...own, ...content, ...element.children.flatMap((child, at) => namedLikeSecrets(child, element.children[at - 1]))]
}

/** Elements come in one order in both documents, so that a child pairs with the next of its name, or is itself what is hidden. */
function hidden(element: XmlElement, shown: XmlElement | undefined): readonly Span[] {
  const attributes = element.attributes.filter(({ name, value }) => attribute(shown, name)?.value !== value)
  if (element.children.length === 0) return element.text === shown?.text ? attributes : [...attributes, contentOf(element)]
  let next = 0
  const inside = element.children.flatMap((child) => {
    const isPaired = shown?.children[next]?.name === child.name
    return hidden(child, isPaired ? shown?.children[next++] : undefined)
  })
  return [...attributes, ...inside]
}

const contentOf = ({ tagEnd, contentEnd }: XmlElement): Span => ({ start: tagEnd, end: contentEnd })

function withoutOverlap(spans: readonly Span[]): readonly Span[] {
  const kept: Span[] = []
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= (kept.at(-1)?.end ?? 0)) kept.push({ start, end })
  }
  return kept
}

/** The text, with the edits if there are any, and with a mask in the place of each secret: no length is told. */
export function redacted(text: string, secrets: readonly Span[], edits: readonly Edit[] = []): string {
  const apart = secrets.filter(({ start, end }) => edits.every((edit) => edit.end <= start || end <= edit.start))
  return applyEdits(text, [...edits, ...apart.map(({ start, end }) => ({ start, end, text: MASK }))])
}

/** The text with every place where it was: what diagnostics may show. */
export function masked(text: string, secrets: readonly Span[]): string {
  return applyEdits(
    text,
    secrets.map(({ start, end }) => ({ start, end, text: text.slice(start, end).replace(/[^\r\n]/g, '*') })),
  )
}

/** What libvirt does not show of a definition: a copy that was taken without --security-info lacks it. */
export function hiddenSpans(document: XmlDocument, shown: XmlDocument): readonly Span[] {
  return withoutOverlap(hidden(document.root, shown.root).filter(({ start, end }) => end > start))
}

/**
 * What is hidden in a definition and missing in the document that is to replace it: "passwd of <graphics>". A password that is
 * written anew counts as kept, and one whose whole element is left out was meant to go. libvirt takes a mask for a password.
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
  /** Not an element, which only holds some. */
  readonly isSecret: boolean
}

/** Amounts by path: of attributes (" domain devices graphics @passwd"), of contents ("... cookie #"), of the elements themselves. */
function count(root: XmlElement, counts: (start: number) => boolean): ReadonlyMap<string, Counted> {
  const found = new Map<string, Counted>()
  const add = (key: string, what: string, isSecret = true): void => {
    found.set(key, { amount: (found.get(key)?.amount ?? 0) + 1, what, isSecret })
  }
  const walk = (element: XmlElement, around: string): void => {
    const path = `${around} ${element.name}`
    add(path, `<${element.name}>`, false)
    for (const { name, start } of element.attributes) if (counts(start)) add(`${path} @${name}`, `${name} of <${element.name}>`)
    const hasContent = element.children.length === 0 && element.contentEnd > element.tagEnd
    if (hasContent && counts(element.tagEnd)) add(`${path} #`, `<${element.name}>`)
    for (const child of element.children) walk(child, path)
  }
  walk(root, '')
  return found
}
