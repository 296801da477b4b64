// Any document -> elements with the exact spans of element, start tag and attribute value. saxes reads it
// strictly; what is not well-formed XML with namespaces is refused with its position.

import { SaxesParser } from 'saxes'
import { Refusal } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'
import type { Growing, XmlAttribute, XmlDocument, XmlLimits } from './elements.ts'
import { isMalformed, refuseMalformed, spanAt } from './malformed.ts'

/**
 * Reads a document that may be anything.
 * @throws Refusal `xml-malformed`, `xml-doctype`, `xml-prefix-undeclared`, `xml-too-deep`, `xml-too-many`
 */
export function parseBySaxes(
  text: string,
  most: XmlLimits,
  namespaces: Readonly<Record<string, string>>,
): XmlDocument {
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
