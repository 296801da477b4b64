// Edits are splices of the text that was read: the smallest span, in the neighbour's indent, quotes and line
// ends. Nothing outside a splice can change.

import type { Span } from '../base/diagnostic.ts'
import { attribute, type XmlDocument, type XmlElement } from './parse.ts'

/** Replaces the span by the text. Spans are of the original text and do not overlap. */
export interface Edit extends Span {
  readonly text: string
}

/** An element to be written. */
export interface NewElement {
  readonly name: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly children?: readonly NewElement[]
}

/** How a new element is laid out. `newline` is '' where the neighbours stand on one line. */
export interface Layout {
  readonly newline: string
  readonly indent: string
  readonly unit: string
  readonly quote: '"' | "'"
}

/** Prints an element, without indent before it or line end after it. */
export type Write = (element: NewElement, layout: Layout) => string

/** @throws Error when two edits overlap: a bug of ours, never the input's */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = ''
  let done = 0
  for (const edit of inOrder(edits)) {
    if (edit.start < done) throw new Error(`edits overlap at ${edit.start}`)
    result += text.slice(done, edit.start) + edit.text
    done = edit.end
  }
  return result + text.slice(done)
}

/** By place; at one place what is only added comes first, else in the order they were made. */
export function inOrder(edits: readonly Edit[]): readonly Edit[] {
  return edits
    .map((edit, index) => ({ edit, index }))
    .sort(
      (a, b) =>
        a.edit.start - b.edit.start ||
        Number(a.edit.end > a.edit.start) - Number(b.edit.end > b.edit.start) ||
        a.index - b.index,
    )
    .map(({ edit }) => edit)
}

/**
 * An attribute gets a value: an edit of the value alone where it is there, else it is added behind the last
 * one.
 */
export function setAttribute(
  document: XmlDocument,
  element: XmlElement,
  name: string,
  value: string,
): Edit[] {
  const written = attribute(element, name)
  if (written?.value === value) return []
  if (written !== undefined) return [{ start: written.start, end: written.end, text: value }]
  const last = element.attributes.at(-1)
  const at = last === undefined ? element.start + 1 + element.name.length : last.end + 1
  const quote = quoteNear(document, element)
  return [{ start: at, end: at, text: ` ${name}=${quote}${value}${quote}` }]
}

/** An attribute goes, with the white space before it. */
export function removeAttribute(document: XmlDocument, element: XmlElement, name: string): Edit[] {
  const written = attribute(element, name)
  if (written === undefined) return []
  // Its value may begin with the same word: the name ends before = and the quote.
  const nameStart = document.text.lastIndexOf(name, written.start - 2 - name.length)
  return [
    {
      start: nameStart - trailingSpace(document.text.slice(element.start, nameStart)).length,
      end: written.end + 1,
      text: '',
    },
  ]
}

/** An element goes, with the white space before it. */
export function removeElement(document: XmlDocument, element: XmlElement): Edit {
  return { start: element.start - spaceBefore(document, element).length, end: element.end, text: '' }
}

/**
 * New children, each where `order` (the names in the order libvirt prints them) wants it: behind the last
 * child that comes before or with it, else at the front. Children of other names are passed over. One call
 * per parent.
 * @param keyOf a new child goes behind those of its own name whose key is not higher
 */
export function insertChildren(
  document: XmlDocument,
  parent: XmlElement,
  added: readonly NewElement[],
  order: readonly string[],
  write: Write,
  keyOf: (element: XmlElement | NewElement) => number = () => 0,
): Edit[] {
  if (added.length === 0) return []
  const layout = childLayout(document, parent)
  const before = layout.newline + layout.indent
  if (parent.children.length === 0 && document.text.slice(parent.tagEnd, parent.contentEnd).trim() === '') {
    const content = added.map((element) => before + write(element, layout)).join('')
    return [
      fillEmpty(document, parent, content + layout.newline + (layout.newline && indentOf(document, parent))),
    ]
  }
  const anchorOf = anchorsIn(parent, order, keyOf)
  return added.map((element) => {
    const at = anchorOf(element)?.end ?? parent.tagEnd
    return { start: at, end: at, text: before + write(element, layout) }
  })
}

/**
 * The written child that a new one goes behind: the last of a name that comes before its own, or of its own
 * name and no higher key. The children are looked at once, however many are new.
 */
function anchorsIn(
  parent: XmlElement,
  order: readonly string[],
  keyOf: (element: XmlElement | NewElement) => number,
): (element: NewElement) => XmlElement | undefined {
  const rankOf = new Map(order.map((name, rank) => [name, rank]))
  const lastOfRank: number[] = order.map(() => -1)
  const ofName = new Map<string, { readonly key: number; last: number }[]>()
  parent.children.forEach((child, index) => {
    const rank = child.uri === '' ? rankOf.get(child.local) : undefined
    if (rank === undefined) return
    lastOfRank[rank] = index
    const alike = ofName.get(child.local) ?? []
    ofName.set(child.local, alike)
    alike.push({ key: keyOf(child), last: index })
  })
  for (const alike of ofName.values()) {
    alike.sort((a, b) => a.key - b.key)
    for (let at = 1; at < alike.length; at++) {
      const each = alike[at] as { last: number }
      each.last = Math.max(each.last, alike[at - 1]?.last ?? -1)
    }
  }
  const beforeRank = [-1]
  for (const last of lastOfRank) beforeRank.push(Math.max(last, beforeRank.at(-1) as number))
  return (element) => {
    const ofOwn = lastUpTo(ofName.get(element.name) ?? [], keyOf(element))
    return parent.children[Math.max(ofOwn, beforeRank[rankOf.get(element.name) ?? 0] as number)]
  }
}

/** Ascending by key: the `last` of the last one whose key is not higher (binary search), or -1. */
function lastUpTo(
  ascending: readonly { readonly key: number; readonly last: number }[],
  key: number,
): number {
  let [from, to] = [0, ascending.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((ascending[middle]?.key as number) <= key) from = middle + 1
    else to = middle
  }
  return ascending[from - 1]?.last ?? -1
}

/** A replacement for one element, laid out in its place. */
export function replaceElement(
  document: XmlDocument,
  element: XmlElement,
  by: NewElement,
  write: Write,
): Edit {
  const layout = { ...styleNear(document, element), indent: indentOf(document, element) }
  return { start: element.start, end: element.end, text: write(by, layout) }
}

function fillEmpty(document: XmlDocument, parent: XmlElement, content: string): Edit {
  if (!parent.selfClosing) return { start: parent.tagEnd, end: parent.contentEnd, text: content }
  const slash = document.text.lastIndexOf('/', parent.tagEnd - 1)
  const start = slash - trailingSpace(document.text.slice(parent.start, slash)).length
  return { start, end: parent.tagEnd, text: `>${content}</${parent.name}>` }
}

/** The layout of the children that a parent has, or would have. */
function childLayout(document: XmlDocument, parent: XmlElement): Layout {
  const style = styleNear(document, parent)
  const first = parent.children[0]
  const indent =
    first === undefined || style.newline === ''
      ? indentOf(document, parent) + style.unit
      : indentOf(document, first)
  return style.newline === '' ? { ...style, indent: '' } : { ...style, indent }
}

/**
 * Line end, indent unit and quote of an element's surroundings: its own line and its parent's, else the
 * document's.
 */
function styleNear(document: XmlDocument, element: XmlElement): Omit<Layout, 'indent'> {
  const own = element.children[0]
  const space = own === undefined ? spaceBefore(document, element) : spaceBefore(document, own)
  const newline = space.includes('\r\n') ? '\r\n' : space.includes('\n') ? '\n' : ''
  return {
    newline,
    unit: newline === '' ? '' : indentUnit(document, own ?? element),
    quote: quoteNear(document, element),
  }
}

function indentUnit(document: XmlDocument, element: XmlElement): string {
  for (let each: XmlElement | undefined = element; each?.parent !== undefined; each = each.parent) {
    const outer = indentOf(document, each.parent)
    const inner = indentOf(document, each)
    if (inner.length > outer.length && inner.startsWith(outer)) return inner.slice(outer.length)
  }
  return '  '
}

/**
 * The white space between the start of the element's line and the element; '' if something else stands before
 * it there.
 */
function indentOf(document: XmlDocument, element: XmlElement): string {
  const lineStart = document.text.lastIndexOf('\n', element.start - 1) + 1
  const before = document.text.slice(lineStart, element.start)
  return before.trim() === '' ? before.replace('\uFEFF', '') : ''
}

function spaceBefore(document: XmlDocument, element: XmlElement): string {
  return trailingSpace(document.text.slice(element.parent?.tagEnd ?? 0, element.start))
}

function trailingSpace(text: string): string {
  // An expression would try anew at every blank of a text that does not end in one.
  let from = text.length
  while (from > 0 && ' \t\r\n'.includes(text[from - 1] as string)) from--
  return text.slice(from)
}

/** The quote of the nearest attribute: of the element, its children, its parents, else of the document. */
function quoteNear(document: XmlDocument, element: XmlElement): '"' | "'" {
  for (let each: XmlElement | undefined = element; each !== undefined; each = each.parent) {
    const written =
      each.attributes[0] ?? each.children.find((one) => one.attributes.length > 0)?.attributes[0]
    if (written !== undefined) return document.text[written.end] === '"' ? '"' : "'"
  }
  return "'"
}
