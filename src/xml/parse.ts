// The one document that we edit: text to elements with the exact spans of element, start tag and attribute
// value. saxes does the reading, strictly; everything that is no namespace-well-formed XML is refused with
// its place.

import { SaxesParser } from 'saxes'
import { Refusal, type Span } from '../base/diagnostic.ts'
import { nearest } from '../base/nearest.ts'
import { refuse } from '../codes/codes.ts'

/** `value` is decoded; `start` and `end` are the span of the raw value between its quotes. */
export interface XmlAttribute extends Span {
  readonly name: string
  readonly value: string
}

/**
 * `start`..`end` is the whole element, `start`..`tagEnd` its start tag, `tagEnd`..`contentEnd` its content.
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
  /** How much of the parent's text stands before it. */
  readonly textBefore: number
  readonly tagEnd: number
  readonly contentEnd: number
  readonly selfClosing: boolean
}

export interface XmlDocument {
  /** What diagnostics call it: a file's name as typed, `stdin`; undefined for a text that is never shown. */
  readonly source?: string
  readonly text: string
  readonly root: XmlElement
}

export interface XmlLimits {
  /** UTF-16 units. */
  readonly length: number
  readonly depth: number
  /** Elements and attributes together. */
  readonly parts: number
}

/**
 * Four times what libvirt takes in one text; 4,096 vCPUs with all that can be said of each make 40,000 parts.
 */
export const defaultLimits: XmlLimits = { length: 16 * 1024 * 1024, depth: 1000, parts: 100_000 }

type Growing = { -readonly [Key in keyof XmlElement]: XmlElement[Key] } & {
  attributes: XmlAttribute[]
  children: XmlElement[]
}

/**
 * @param namespaces what to show in the fix when a prefix is undeclared: prefix to namespace
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
  parser.on('opentagstart', () => {
    start = text.lastIndexOf('<', here() - 1)
    attributes = []
    depth += 1
    if (depth > most.depth) refuse('xml-too-deep', { max: most.depth }, { start, end: here() })
    count()
  })
  parser.on('attribute', ({ name, value }) => {
    const end = here() - 1
    count()
    attributes.push({ name, value, start: text.lastIndexOf(text[end] as string, end - 1) + 1, end })
  })
  parser.on('opentag', ({ name, local, prefix, uri, isSelfClosing }) => {
    const tagEnd = here()
    const parent = open
    const shape = { start, end: tagEnd, tagEnd, contentEnd: tagEnd, selfClosing: isSelfClosing }
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
      ...shape,
    }
    if (parent === undefined) root = open
    else parent.children.push(open)
  })
  parser.on('closetag', () => {
    if (open === undefined) return
    if (!open.selfClosing) {
      open.end = here()
      open.contentEnd = text.lastIndexOf('<', open.end - 1)
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
    if (error instanceof Refusal || !(error instanceof Error) || !PLACE.test(error.message)) throw error
    refuseMalformed(error.message, text, open, here(), namespaces)
  }
  if (root === undefined) refuse('xml-malformed', { reason: 'there is no element' })
  return { text, root }
}

/** How saxes begins what it says: line and column. */
const PLACE = /^(?:[^:]*:)?\d+:\d+: /

function refuseMalformed(
  message: string,
  text: string,
  open: XmlElement | undefined,
  offset: number,
  namespaces: Readonly<Record<string, string>>,
): never {
  const reason = message.replace(PLACE, '').replace(/\.$/, '')
  const prefix = /^unbound namespace prefix: "?([^".]+)/.exec(reason)?.[1]
  const at = spanAt(text, offset)
  if (text.trim() === '') refuse('xml-malformed', { reason: 'the document is empty', empty: true })
  if (prefix === undefined) {
    const said = /^unmatched closing tag/.test(reason) ? 'unmatched closing tag' : brief(reason)
    refuse('xml-malformed', { reason: `${said}${endTagBefore(text, offset, open)}${insideOf(open)}` }, at)
  }
  // The tag that saxes has just read, or one of its attributes.
  const tag = text.slice(text.lastIndexOf('<', offset - 1) + 1, offset)
  const name = tag.startsWith(`${prefix}:`) ? (/^[^\s/>]*/.exec(tag)?.[0] ?? '') : `${prefix}:...`
  refuse(
    'xml-prefix-undeclared',
    { prefix: brief(prefix), name: brief(name), uri: namespaces[prefix] ?? 'URI' },
    at,
  )
}

const insideOf = (open: XmlElement | undefined): string =>
  open === undefined ? '' : ` (inside <${brief(open.name)}>)`

/**
 * " </vcpus>" where a parser gave up at the end of one; only a name that is near to one that is open, for it
 * may be part of a text.
 */
function endTagBefore(text: string, offset: number, open: XmlElement | undefined): string {
  const name = /<\/([^<>]{1,100})>$/.exec(text.slice(Math.max(0, offset - 103), offset))?.[1]?.trim()
  if (name === undefined) return ''
  const names = new Set<string>()
  for (let each = open; each !== undefined; each = each.parent) {
    names.add(each.name)
    for (const child of each.children) names.add(child.name)
  }
  return names.has(name) || nearest(name, [...names]) !== undefined ? ` </${name}>` : ''
}

const brief = (words: string): string => (words.length > 100 ? `${words.slice(0, 97)}...` : words)

/** The character before `offset`: where a parser stood when it gave up. */
function spanAt(text: string, offset: number): Span {
  const end = Math.max(1, Math.min(offset, text.length))
  return { start: end - 1, end }
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

/** The first child of this name in no namespace: all that libvirt itself defines is there. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((each) => each.local === name && each.uri === '')
}

export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((each) => each.local === name && each.uri === '') ?? []
}

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
