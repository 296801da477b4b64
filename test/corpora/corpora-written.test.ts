// All domains of ../shared/corpora written in other ways that mean the same: line ends, quotes, comments,
// references and more are put into them. Each is fitted as the plain one is, and all that was put in is still
// there.

import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { Placed } from '../../src/place.ts'
import { applyEdits, type Edit } from '../../src/xml/edit.ts'
import type { XmlElement } from '../../src/xml/parse.ts'
import { fitTo, invalidBySchema, outside, readDomains, textOf, tightHost } from './corpus.ts'

const NODES = 2

interface Way {
  readonly write: (text: string) => string
  /**
   * What was put in, to be found again as often; where it sits in a value that an edit replaces, it may go.
   */
  readonly mark?: RegExp
}

const COMMENT = '<!-- \u{1f600} <vcpu cpuset="7">1</vcpu> & -->'
const INSTRUCTION = "<?note <numatune/> cpuset='7'?>"

/** Edits made of every element of the document. */
function everywhere(text: string, edit: (element: XmlElement) => readonly Edit[]): string {
  const walk = (element: XmlElement): readonly Edit[] => [...edit(element), ...element.children.flatMap(walk)]
  return applyEdits(text, walk(readDocument(text).root))
}

const before = (put: string) => (text: string) =>
  everywhere(text, ({ start, parent }) => (parent ? [{ start, end: start, text: put }] : []))
const inTags = (text: string, change: (tag: string) => string): string =>
  everywhere(text, ({ start, tagEnd }) => [{ start, end: tagEnd, text: change(text.slice(start, tagEnd)) }])

/** The text of elements that hold nothing else. */
const leafText = (text: string, change: (raw: string) => string): string =>
  everywhere(text, ({ children, tagEnd, contentEnd }) => {
    const raw = text.slice(tagEnd, contentEnd)
    return children.length > 0 || raw.trim() === '' || raw.includes('<')
      ? []
      : [{ start: tagEnd, end: contentEnd, text: change(raw) }]
  })

const reference = (character: string): string => `&#x${(character.codePointAt(0) as number).toString(16)};`

const WAYS: Record<string, Way> = {
  CRLF: { write: (text) => text.replace(/\r?\n/g, '\r\n') },
  'a mark at the start and no line end at the end': { write: (text) => `\uFEFF${text.trim()}` },
  tabs: { write: (text) => text.replace(/^(?: {2})+/gm, (indent) => '\t'.repeat(indent.length / 2)) },
  'double quotes': { write: (text) => inTags(text, (tag) => tag.replace(/='([^'"]*)'/g, '="$1"')) },
  'one line': {
    write: (text) =>
      everywhere(text, ({ children, tagEnd, contentEnd }) => {
        const ends = [tagEnd, ...children.map(({ end }) => end)]
        const starts = [...children.map(({ start }) => start), contentEnd]
        const gaps =
          children.length === 0
            ? []
            : ends.map((start, index) => ({ start, end: starts[index] as number, text: '' }))
        return gaps.filter(({ start, end }) => text.slice(start, end).trim() === '')
      }),
  },
  'space in tags': {
    write: (text) =>
      inTags(text, (tag) => tag.replace(/\s([\w:.-]+)=(['"])/g, '\n\t $1 = $2').replace(/(\/?)>$/, '\n$1>')),
  },
  comments: { write: before(COMMENT), mark: /<!-- \u{1f600}.*?-->/gu },
  instructions: { write: before(INSTRUCTION), mark: /<\?note.*?\?>/g },
  CDATA: {
    write: (text) => leafText(text, (raw) => (raw.includes('&') ? raw : `<![CDATA[${raw}]]>`)),
    mark: /<!\[CDATA\[/g,
  },
  'references in texts': {
    write: (text) =>
      leafText(text, (raw) => raw.replace(/^(\s*)([^\s&])/, (_, space, first) => space + reference(first))),
  },
  'references in values': {
    write: (text) =>
      everywhere(text, ({ attributes }) =>
        attributes
          .filter(({ name, start, end }) => !name.startsWith('xmlns') && end > start && text[start] !== '&')
          .map(({ start }) => {
            const first = String.fromCodePoint(text.codePointAt(start) as number)
            return { start, end: start + first.length, text: reference(first) }
          }),
      ),
  },
  'astral letters': {
    write: (text) =>
      everywhere(text, ({ name, parent, contentEnd }) =>
        name === 'name' && parent?.name === 'domain'
          ? [{ start: contentEnd, end: contentEnd, text: '\u{1d50a}\u{20000}' }]
          : [],
      ),
    mark: /\u{1d50a}\u{20000}/gu,
  },
}

function fit(text: string): Placed | Refusal {
  try {
    return fitTo(tightHost(NODES, readDomain(readDocument(text))), text)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

const codesOf = ({ diagnostics }: Refusal): string => diagnostics.map(({ code }) => code).join()
const count = (text: string, mark: RegExp | undefined): number =>
  mark === undefined ? 0 : [...text.matchAll(mark)].length

const domains = readDomains()
  .filter(({ well_formed }) => well_formed)
  .map((domain) => ({ id: domain.id, text: textOf(domain) }))
  .map((domain) => ({ ...domain, plain: fit(domain.text) }))
const untaken = invalidBySchema(new Map(domains.map(({ id, text }) => [id, text])))

for (const [way, { write, mark }] of Object.entries(WAYS)) {
  t.test(`${way}: the same answer, and the document written as it was`, (t) => {
    const answers = new Map<string, string>()
    let fitted = 0
    for (const { id, text, plain } of domains) {
      const dressed = write(text)
      const placed = fit(dressed)
      if (plain instanceof Refusal || placed instanceof Refusal) {
        const same =
          plain instanceof Refusal && placed instanceof Refusal && codesOf(plain) === codesOf(placed)
        const found = placed instanceof Refusal ? placed.message : 'fitted, though the plain one is refused'
        if (!same) t.fail(`${id}: ${found}`)
        continue
      }
      fitted += 1
      if (!isDeepStrictEqual(placed.placement, plain.placement)) t.fail(`${id}: another placement`)
      if (outside(dressed, placed) !== placed.text) t.fail(`${id}: the bytes outside of the edits`)
      if (count(placed.text, mark) !== count(dressed, mark))
        t.fail(`${id}: ${count(dressed, mark)} were put in, ${count(placed.text, mark)} are left`)
      if (way === 'CRLF' && /[^\r]\n/.test(placed.text)) t.fail(`${id}: a line end of another kind`)
      const again = fit(placed.text)
      if (again instanceof Refusal || again.edits.length > 0) t.fail(`${id}: a second run edits`)
      if (!untaken.has(id)) answers.set(id, placed.text)
    }
    t.same([...invalidBySchema(answers)], [], "libvirt's schema takes the answers")
    t.ok(fitted > 1350, `${fitted} domains fitted`)
    t.end()
  })
}
