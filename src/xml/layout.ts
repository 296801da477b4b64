// How a document is written around an element: indent, quotes and line ends, which new elements take over.

import type { XmlDocument, XmlElement } from './parse.ts'

/** The layout of a new element. `newline` is '' where its neighbours are on one line. */
export interface Layout {
  readonly newline: string
  readonly indent: string
  readonly unit: string
  readonly quote: '"' | "'"
}

/** The layout of the children that a parent has, or would have. */
export function childLayout(document: XmlDocument, parent: XmlElement): Layout {
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
export function indentOf(document: XmlDocument, element: XmlElement): string {
  const lineStart = document.text.lastIndexOf('\n', element.start - 1) + 1
  const before = document.text.slice(lineStart, element.start)
  return before.trim() === '' ? before.replace('\uFEFF', '') : ''
}

/** The white space before an element. */
export function spaceBefore(document: XmlDocument, element: XmlElement): string {
  return trailingSpace(document.text.slice(element.parent?.tagEnd ?? 0, element.start))
}

/** The white space at the end of a text. */
export function trailingSpace(text: string): string {
  // An expression would try anew at every blank of a text that does not end in one.
  let from = text.length
  while (from > 0 && ' \t\r\n'.includes(text[from - 1] as string)) from--
  return text.slice(from)
}

/** The quote of the nearest attribute: of the element, its children, its parents, else of the document. */
export function quoteNear(document: XmlDocument, element: XmlElement): '"' | "'" {
  for (let each: XmlElement | undefined = element; each !== undefined; each = each.parent) {
    const written =
      each.attributes[0] ?? each.children.find((one) => one.attributes.length > 0)?.attributes[0]
    if (written !== undefined) return document.text[written.end] === '"' ? '"' : "'"
  }
  return "'"
}
