// A document that we only read, such as the output of virsh capabilities, to plain data without spans
// (fast-xml-parser).

import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { refuse } from '../codes/codes.ts'
import { defaultLimits } from './parse.ts'

/** `text` is the character data directly inside, trimmed. */
export interface XmlData {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlData[]
  readonly text: string
}

/** What the parser gives in its ordered form: the one key that is not ':@' is the name. */
type Ordered = Record<string, unknown>

const ATTRIBUTES = ':@'
const TEXT = '#text'

/**
 * @throws Refusal `xml-malformed` (line and column in its words), `xml-doctype`, `xml-too-large`,
 * `xml-too-many`
 */
export function readXml(text: string): XmlData {
  const { length, parts } = defaultLimits
  if (text.length > length) refuse('xml-too-large', { length: text.length, max: length })
  if (/<!DOCTYPE/i.test(text)) refuse('xml-doctype', {})
  // A little more than there are: an end tag counts too. 8,192 CPUs make 50,000.
  if (times(text, '<') + times(text, '=') > parts) refuse('xml-too-many', { max: parts })
  const verdict = text.includes('<') ? XMLValidator.validate(text) : undefined
  if (verdict === undefined) refuse('xml-malformed', { reason: 'there is no element' })
  if (verdict !== true)
    refuse('xml-malformed', {
      reason: `line ${verdict.err.line}, column ${verdict.err.col}: ${unquoted(verdict.err.msg)}`,
    })
  const [root] = parse(text).flatMap(elementOf)
  return root ?? refuse('xml-malformed', { reason: 'there is no element' })
}

function times(text: string, character: string): number {
  let found = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++
  return found
}

function parse(text: string): Ordered[] {
  const options = {
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    ignorePiTags: true,
  }
  try {
    return new XMLParser({ ...options, ignoreDeclaration: true }).parse(text) as Ordered[]
  } catch (error) {
    // What the validator lets through and the parser does not: names like __proto__, and nesting without end.
    return refuse('xml-malformed', {
      reason: unquoted(error instanceof Error ? error.message : String(error)),
    })
  }
}

/**
 * Without what is quoted of the text, unless it looks like a name of it: where a quote is missing it may be
 * anything.
 */
const unquoted = (message: string): string =>
  message.replace(/'([^']*)'/g, (all, word: string) => (/^[a-z_]{1,20}$/.test(word) ? all : "'...'"))

function elementOf(ordered: Ordered): XmlData[] {
  const name = Object.keys(ordered).find((key) => key !== ATTRIBUTES)
  if (name === undefined || name === TEXT) return []
  const content = ordered[name] as Ordered[]
  const attributes = new Map(
    Object.entries((ordered[ATTRIBUTES] ?? {}) as Record<string, unknown>).map(([key, value]) => [
      key,
      String(value),
    ]),
  )
  const texts = content.filter((each) => TEXT in each).map((each) => String(each[TEXT]))
  return [{ name, attributes, children: content.flatMap(elementOf), text: texts.join('').trim() }]
}

/** What lies at a path of element names, as a list: "host", "cpu", "pages". */
export function elementsAt(element: XmlData, ...path: readonly string[]): readonly XmlData[] {
  return path.reduce<readonly XmlData[]>(
    (at, name) => at.flatMap(({ children }) => children.filter((each) => each.name === name)),
    [element],
  )
}
