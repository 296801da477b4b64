// A document that is only read, such as the output of virsh capabilities -> plain data without spans
// (fast-xml-parser).

import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { refuse } from '../codes/codes.ts'
import { defaultLimits } from './parse.ts'

/** An element. `text` is the character data directly inside, trimmed. */
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
 * Reads a document.
 * @throws Refusal `xml-malformed`, `xml-doctype`, `xml-too-large`, `xml-too-many`
 */
export function readXml(text: string): XmlData {
  const { length, parts } = defaultLimits
  if (text.length > length) refuse('xml-too-large', { length: text.length, max: length })
  if (/<!DOCTYPE/i.test(text)) refuse('xml-doctype', {})
  // A little more than there are: an end tag counts too. 8,192 CPUs make 50,000.
  if (times(text, '<') + times(text, '=') > parts) refuse('xml-too-many', { max: parts })
  const verdict = text.includes('<') ? XMLValidator.validate(text) : undefined
  if (verdict === undefined) refuse('xml-malformed', { problem: { is: 'no-element' } })
  if (verdict !== true) {
    const { line, col: column, msg } = verdict.err
    refuse('xml-malformed', { problem: { is: 'syntax', line, column, reason: unquoted(msg) } })
  }
  const [root] = parse(text).flatMap(elementOf)
  return root ?? refuse('xml-malformed', { problem: { is: 'no-element' } })
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
    // The validator accepts names like __proto__ and endless nesting, and the parser does not.
    const reason = unquoted(error instanceof Error ? error.message : String(error))
    return refuse('xml-malformed', { problem: { is: 'syntax', reason } })
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

/** The elements at a path of names: "host", "cpu", "pages". */
export function elementsAt(element: XmlData, ...path: readonly string[]): readonly XmlData[] {
  return path.reduce<readonly XmlData[]>(
    (at, name) => at.flatMap(({ children }) => children.filter((each) => each.name === name)),
    [element],
  )
}
