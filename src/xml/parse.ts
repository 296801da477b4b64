// The text of the document that is edited -> elements with the exact spans of element, start tag and
// attribute value. saxes reads it strictly; what is not well-formed XML with namespaces is refused with its
// position.

import { SaxesParser } from 'saxes'
import { Refusal, type Span } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'
import { isMalformed, refuseMalformed, spanAt } from './malformed.ts'

/** An attribute. `value` is decoded; `start` and `end` are the span of the raw value between its quotes. */
interface XmlAttribute extends Span {
  readonly name: string
  readonly value: string
}

/**
 * An element. `start`..`end` is all of it, `start`..`tagEnd` its start tag, `tagEnd`..`contentEnd` its
 * content.
 */
export interface XmlElement extends Span {
  readonly name: string
  readonly local: string
  readonly prefix: string
  /** The namespace, '' for none. */
  readonly uri: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlElement[]
  readonly parent: XmlElement | undefined
  /** All character data directly inside, CDATA included. */
  readonly text: string
  /** How much of the parent's text is before it. */
  readonly textBefore: number
  readonly tagEnd: number
  readonly contentEnd: number
  readonly selfClosing: boolean
}

/** A document that was read. */
export interface XmlDocument {
  /** What diagnostics call it: a file's name as typed, `stdin`; undefined for a text that is never shown. */
  readonly source?: string
  readonly text: string
  readonly root: XmlElement
}

/** How large a document may be. */
interface XmlLimits {
  /** UTF-16 units. */
  readonly length: number
  readonly depth: number
  /** Elements and attributes together. */
  readonly parts: number
}

/** Four times what libvirt accepts; 4,096 vCPUs with all that can be stated of each are 40,000 parts. */
export const defaultLimits: XmlLimits = { length: 16 * 1024 * 1024, depth: 1000, parts: 100_000 }

type Growing = { -readonly [Key in keyof XmlElement]: XmlElement[Key] } & {
  attributes: XmlAttribute[]
  children: XmlElement[]
}

/**
 * Reads a document.
 * @param namespaces by prefix, for the fix of an undeclared prefix
 * @throws Refusal `xml-malformed`, `xml-doctype`, `xml-prefix-undeclared`, `xml-too-large`, `xml-too-deep`,
 * `xml-too-many`
 */
export function parseXml(
  text: string,
  limits: Partial<XmlLimits> = {},
  namespaces: Readonly<Record<string, string>> = {},
): XmlDocument {
  const most = { ...defaultLimits, ...limits }
  if (text.length > most.length) refuse('xml-too-large', { length: text.length, max: most.length })
  // A byte order mark is kept: the parser sees the text without it, and every offset is moved by it.
  const skipped = text.startsWith('\uFEFF') ? 1 : 0
  const parser = new SaxesParser({ xmlns: true, position: true })
  const here = () => parser.position + skipped
  let root: Growing | undefined
  let open: Growing | undefined
  let depth = 0
  let parts = 0
  let attributes: XmlAttribute[] = []
  let start = 0

  const count = () => {
    parts += 1
    if (parts > most.parts) refuse('xml-too-many', { max: most.parts }, spanAt(text, here()))
  }

  // Each handler is a property that saxes adds to the parser; with eight of them V8 turns it into a
  // dictionary, and reading takes five times as long. So the rare ones are set only where they can be called,
  // and errors are caught.
  if (text.includes('<!DOCTYPE')) parser.on('doctype', () => refuse('xml-doctype', {}, spanAt(text, here())))
  parser.on('opentagstart', ({ name }) => {
    // The parser has read the name and what stands behind it: one character, or a line end of two.
    const likely = here() - name.length - 2
    start = text[likely] === '<' ? likely : text.lastIndexOf('<', likely)
    attributes = []
    depth += 1
    if (depth > most.depth) refuse('xml-too-deep', { max: most.depth }, { start, end: here() })
    count()
  })
  parser.on('attribute', ({ name, value }) => {
    const end = here() - 1
    count()
    // A value is as long as its text, except where that holds references or line ends of two characters.
    const likely = end - value.length
    const start = text[likely - 1] === text[end] ? likely : text.lastIndexOf(text[end] as string, end - 1) + 1
    attributes.push({ name, value, start, end })
  })
  parser.on('opentag', ({ name, local, prefix, uri, isSelfClosing }) => {
    const tagEnd = here()
    const parent = open
    open = {
      name,
      local,
      prefix,
      uri,
      attributes,
      children: [],
      parent,
      text: '',
      textBefore: parent?.text.length ?? 0,
      start,
      end: tagEnd,
      tagEnd,
      contentEnd: tagEnd,
      selfClosing: isSelfClosing,
    }
    if (parent === undefined) root = open
    else parent.children.push(open)
  })
  parser.on('closetag', () => {
    if (open === undefined) return
    if (!open.selfClosing) {
      open.end = here()
      // White space may stand behind the name.
      const likely = open.end - open.name.length - 3
      open.contentEnd = text[likely] === '<' ? likely : text.lastIndexOf('<', open.end - 1)
    }
    depth -= 1
    open = open.parent as Growing | undefined
  })
  const addText = (data: string) => {
    if (open !== undefined) open.text += data
  }
  parser.on('text', addText)
  if (text.includes('<![CDATA[')) parser.on('cdata', addText)
  try {
    parser.write(skipped === 0 ? text : text.slice(skipped)).close()
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error) || !isMalformed(error)) throw error
    refuseMalformed(error, { text, offset: here(), open, namespaces })
  }
  if (root === undefined) refuse('xml-malformed', { problem: { is: 'no-element' } })
  return { text, root }
}

/** Line and column of an offset, both from 1; a column counts UTF-16 units. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1
    lineStart = at + 1
  }
  return { line, column: offset - lineStart + 1 }
}

// ---- Looking at elements ----

/** The first child of this name in no namespace, where everything is that libvirt itself defines. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((each) => each.local === name && each.uri === '')
}

/** All children of this name in no namespace. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((each) => each.local === name && each.uri === '') ?? []
}

/** The attribute of this name. */
export function attribute(element: XmlElement | undefined, name: string): XmlAttribute | undefined {
  return element?.attributes.find((each) => each.name === name)
}

/**
 * All character data inside in the order of the document, that of children included: what XPath calls the
 * string value.
 */
export function stringValue({ text, children }: XmlElement): string {
  if (children.length === 0) return text
  let value = ''
  let taken = 0
  for (const each of children) {
    value += text.slice(taken, each.textBefore) + stringValue(each)
    taken = each.textBefore
  }
  return value + text.slice(taken)
}

/** The start tag, for a diagnostic to point at. */
export function tagSpan(element: XmlElement): Span {
  return { start: element.start, end: element.tagEnd }
}
