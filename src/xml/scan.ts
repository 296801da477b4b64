// The plain XML that libvirt writes -> elements with their spans, at a fraction of what a whole parser costs.
// What is anything else, a mistake included, is left to saxes: the answer is then `undefined`. What is read
// here saxes reads alike, to the last span (test/core/scan.test.ts).
//
// Plain is: names of ASCII, quoted values without line ends and tabs, the five entities, comments. Not plain
// is: CDATA, DOCTYPE, instructions, references by number, two prefixed attributes in one element, characters
// beyond the first plane.

import type { Growing, XmlAttribute, XmlDocument, XmlElement, XmlLimits } from './elements.ts'

/** Control characters, surrogates, byte order marks and what is no character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
const ODD = /[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufeff\ufffe\uffff]/
const UNUSUAL = [']]>', '<![', '<!D'] as const
const DECLARATION =
  /^<\?xml version=(?:'1\.0'|"1\.0")(?: encoding=(?:'[Uu][Tt][Ff]-8'|"[Uu][Tt][Ff]-8"))? *\?>/
const NOT_BLANK = /[^ \t\r\n]/
const CHARACTERS: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const RESERVED = ['http://www.w3.org/XML/1998/namespace', 'http://www.w3.org/2000/xmlns/']
/** Names are compared with all before; more of them are left to saxes. */
const MOST_ATTRIBUTES = 64

const [TAB, LINE_FEED, RETURN, BLANK] = [0x09, 0x0a, 0x0d, 0x20] as const
const [BANG, DOUBLE, SINGLE, SLASH, GREATER] = [0x21, 0x22, 0x27, 0x2f, 0x3e] as const
const COLON = 0x3a
const NOT_A_NAME = -2

/** What each character of ASCII may be in a name: nothing, any part of it, or any but its first. */
const [ANYWHERE, BEHIND_THE_FIRST] = [1, 2] as const
const IN_NAMES = Uint8Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit)
  return /[A-Za-z_]/.test(character) ? ANYWHERE : /[\d.-]/.test(character) ? BEHIND_THE_FIRST : 0
})

/** The namespaces in scope, by prefix. */
type Names = ReadonlyMap<string, string>

/** @param most limits of depth and parts; more of either is left to saxes, which refuses it */
export function scanXml(text: string, most: XmlLimits): XmlDocument | undefined {
  if (UNUSUAL.some((each) => text.includes(each)) || ODD.test(text)) return undefined
  const hasReturns = text.includes('\r')
  const hasReferences = text.includes('&')
  const hasTabs = text.includes('\t')
  /** The first of each at or behind the place where it was last wanted: no part is searched twice. */
  const [lineFeeds, angles, blanks] = [firstFrom(text, '\n'), firstFrom(text, '<'), firstFrom(text, ' ')]
  const outer: Names[] = []
  let names: Names = new Map([['', '']])
  let root: Growing | undefined
  let open: Growing | undefined
  let depth = 0
  let parts = 0
  let at = text.startsWith('<?') ? (DECLARATION.exec(text)?.[0].length ?? 0) : 0

  /** @returns where the colon of a name is; below 0 without one, or where it is not a name of ASCII */
  const colonIn = (from: number, end: number): number => {
    let colon = -1
    let isFirst = true
    for (let place = from; place < end; place++) {
      const unit = text.charCodeAt(place)
      const kind = unit < 128 ? IN_NAMES[unit] : 0
      if (unit === COLON && !isFirst && colon < 0) {
        colon = place - from
        isFirst = true
      } else if (kind === ANYWHERE || (kind === BEHIND_THE_FIRST && !isFirst)) isFirst = false
      else return NOT_A_NAME
    }
    return isFirst ? NOT_A_NAME : colon
  }

  // Each of the following reads one thing at `at`, and returns whether it is plain.

  const readCharacters = (end: number): boolean => {
    const data = text.slice(at, end)
    if (open === undefined) return !NOT_BLANK.test(data)
    const characters = hasReferences && data.includes('&') ? decoded(data) : data
    if (characters === undefined) return false
    open.text += hasReturns ? characters.replace(/\r\n?/g, '\n') : characters
    return true
  }

  const readComment = (): boolean => {
    if (!text.startsWith('<!--', at)) return false
    const end = text.indexOf('--', at + 4)
    at = end + 3
    return end >= 0 && text.charCodeAt(end + 2) === GREATER
  }

  const readEndTag = (): boolean => {
    const last = text.indexOf('>', at)
    if (open === undefined || last < 0) return false
    const name = text.slice(at + 2, last)
    if (name !== open.name && (!name.startsWith(open.name) || NOT_BLANK.test(name.slice(open.name.length))))
      return false
    open.contentEnd = at
    at = last + 1
    open.end = at
    open = open.parent as Growing | undefined
    depth -= 1
    names = outer.pop() as Names
    return true
  }

  let attributes: XmlAttribute[] = []
  let declared: Map<string, string> | undefined
  let prefixUsed = ''

  /** Reads up to the end of the start tag, and leaves `at` at its ">". */
  const readAttributes = (): boolean => {
    for (;;) {
      const before = at
      let unit = text.charCodeAt(at)
      while (unit === BLANK || unit === LINE_FEED || unit === RETURN || unit === TAB)
        unit = text.charCodeAt(++at)
      if (unit === GREATER) return true
      if (unit === SLASH) return text.charCodeAt(++at) === GREATER
      if (at === before || attributes.length === MOST_ATTRIBUTES) return false
      const equals = text.indexOf('=', at)
      if (equals < 0) return false
      const colon = colonIn(at, equals)
      const quote = text.charCodeAt(equals + 1)
      if (colon === NOT_A_NAME || (quote !== SINGLE && quote !== DOUBLE)) return false
      const name = text.slice(at, equals)
      const start = equals + 2
      const end = text.indexOf(quote === SINGLE ? "'" : '"', start)
      if (end < 0) return false
      if (angles(start) < end || lineFeeds(start) < end) return false
      const raw = text.slice(start, end)
      if ((hasTabs && raw.includes('\t')) || (hasReturns && raw.includes('\r'))) return false
      const value = hasReferences && raw.includes('&') ? decoded(raw) : raw
      if (value === undefined) return false
      for (const each of attributes) if (each.name === name) return false
      attributes.push({ name, value, start, end })
      at = end + 1
      if (name === 'xmlns' || (colon === 5 && name.startsWith('xmlns:'))) {
        if (!declare(name.slice(6), value)) return false
      } else if (colon > 0) {
        // Two may have one namespace and one local name.
        if (prefixUsed !== '') return false
        prefixUsed = name.slice(0, colon)
      }
    }
  }

  const declare = (prefix: string, uri: string): boolean => {
    declared ??= new Map(names)
    declared.set(prefix, uri)
    const isReserved = prefix === 'xml' || prefix === 'xmlns' || RESERVED.includes(uri)
    return !isReserved && uri.trim() === uri && (prefix === '' || uri !== '')
  }

  const readStartTag = (): boolean => {
    const start = at
    if (open === undefined && root !== undefined) return false
    const first = text.indexOf('>', start)
    if (first < 0) return false
    const last = text.charCodeAt(first - 1) === SLASH ? first - 1 : first
    const blank = blanks(start)
    const nameEnd = Math.min(blank, last)
    const colon = colonIn(start + 1, nameEnd)
    if (colon === NOT_A_NAME) return false
    const name = text.slice(start + 1, nameEnd)
    attributes = []
    declared = undefined
    prefixUsed = ''
    at = start + 1 + name.length
    if (blank > last) at = first
    else if (!readAttributes()) return false
    const selfClosing = text.charCodeAt(at - 1) === SLASH
    at += 1
    depth += 1
    parts += 1 + attributes.length
    if (depth > most.depth || parts > most.parts) return false
    const inside: Names = declared ?? names
    const prefix = colon < 0 ? '' : name.slice(0, colon)
    const uri = inside.get(prefix)
    if (uri === undefined || (prefixUsed !== '' && !inside.has(prefixUsed))) return false
    const element: Growing = {
      name,
      local: colon < 0 ? name : name.slice(colon + 1),
      prefix,
      uri,
      attributes,
      children: [],
      parent: open,
      text: '',
      textBefore: open === undefined ? 0 : open.text.length,
      start,
      end: at,
      tagEnd: at,
      contentEnd: at,
      selfClosing,
    }
    if (open === undefined) root = element
    else open.children.push(element as XmlElement)
    if (selfClosing) {
      depth -= 1
      return true
    }
    open = element
    outer.push(names)
    names = inside
    return true
  }

  for (;;) {
    const next = text.indexOf('<', at)
    if (next > at && !readCharacters(next)) return undefined
    if (next < 0) {
      const isWhole = open === undefined && root !== undefined && readCharacters(text.length)
      return isWhole ? { text, root: root as unknown as XmlElement } : undefined
    }
    at = next
    const second = text.charCodeAt(at + 1)
    const isPlain = second === SLASH ? readEndTag() : second === BANG ? readComment() : readStartTag()
    if (!isPlain) return undefined
  }
}

/** Where a character stands from a place on, which only ever grows; behind the text where there is none. */
function firstFrom(text: string, character: string): (place: number) => number {
  let found = -1
  return (place) => {
    if (found < place) {
      found = text.indexOf(character, place)
      if (found < 0) found = text.length
    }
    return found
  }
}

function decoded(raw: string): string | undefined {
  let isPlain = true
  const text = raw.replace(/&([^;]*;?)/g, (_, reference: string) => {
    const character = reference.endsWith(';') ? CHARACTERS[reference.slice(0, -1)] : undefined
    if (character === undefined) isPlain = false
    return character ?? ''
  })
  return isPlain ? text : undefined
}
