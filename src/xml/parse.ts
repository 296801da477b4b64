// The text of the document that is edited -> elements with their positions. Plain XML, such as libvirt
// writes, is scanned; everything else is read by saxes, which also words every refusal.

import type { Span } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'
import { parseBySaxes } from './by-saxes.ts'
import type { XmlAttribute, XmlDocument, XmlElement, XmlLimits } from './elements.ts'
import { scanXml } from './scan.ts'

export type { XmlDocument, XmlElement } from './elements.ts'

/** Four times what libvirt accepts; 4,096 vCPUs with all that can be stated of each are 40,000 parts. */
export const defaultLimits: XmlLimits = { length: 16 * 1024 * 1024, depth: 1000, parts: 100_000 }

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
  return scanXml(text, most) ?? parseBySaxes(text, most, namespaces)
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
  if (element !== undefined)
    for (const each of element.children) if (each.local === name && each.uri === '') return each
  return undefined
}

/** All children of this name in no namespace. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  const found: XmlElement[] = []
  if (element !== undefined)
    for (const each of element.children) if (each.local === name && each.uri === '') found.push(each)
  return found
}

/** The attribute of this name. */
export function attribute(element: XmlElement | undefined, name: string): XmlAttribute | undefined {
  if (element !== undefined) for (const each of element.attributes) if (each.name === name) return each
  return undefined
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
