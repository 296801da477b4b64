// The parser's spans and the edits made from them, on documents of every layout and on random ones.

import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { diagnostic } from '../../src/codes/codes.ts'
import { firstOf, renderDiagnostics } from '../../src/explain/diagnostics.ts'
import { writeElement } from '../../src/xml/build.ts'
import { applyEdits, type Edit, removeAttribute, removeElement, setAttribute } from '../../src/xml/edit.ts'
import { insertChildren, type NewElement } from '../../src/xml/insert.ts'
import {
  attribute,
  child,
  childrenOf,
  lineAndColumn,
  parseXml,
  type XmlDocument,
  type XmlElement,
} from '../../src/xml/parse.ts'
import { readXml, type XmlData } from '../../src/xml/read.ts'
import { firstWorded, worded } from './worded.ts'

const RUNS = { numRuns: 500, seed: 20_260_117 }

const all = (element: XmlElement): XmlElement[] => [element, ...element.children.flatMap(all)]

function refusalOf(
  text: string,
  limits?: Parameters<typeof parseXml>[1],
): { code: string; at: string; what: string; fix: string } {
  try {
    parseXml(text, limits, { numa: 'urn:virt-numa:1' })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code = '', at, what = '', fix = '' } = firstWorded(error.diagnostics)
    const place = at && lineAndColumn(text, at.start)
    return { code, what, fix, at: place === undefined ? '' : `${place.line}:${place.column}` }
  }
  return { code: 'none', at: '', what: '', fix: '' }
}

// ---- Spans ----

const documents: Record<string, string> = {
  'one line': "<domain type='kvm'><vcpu current='2'>4</vcpu><cpu/></domain>",
  'both quotes, each within the other': `<a one='"' two="'" three="it's 'so'" four='say "so"'/>`,
  'space around equals signs': '<a one = "1"\n  two\t=\r\n"2" three= \'3\' />',
  'greater-than signs and slashes in values': `<a one='a > b' two="/>" three='/a>'><b four="/"/></a>`,
  references: `<a one='&lt;&amp;&#10;&#x1F600;' two="&quot;&apos;">&gt;<b/></a>`,
  'values that look alike': `<a one='two' two='two' three='one="two"'/>`,
  'empty values': `<a one='' two=""><b three=''></b></a>`,
  'line ends and tabs in values': '<a one="1\n2\r\n3\t4"/>',
  'comments, instructions and CDATA':
    `<?xml version='1.0'?>\n<!-- <a b='c'> --><a><!--<b c='d'/>--><?p <b e='f'/>?><![CDATA[<b ` +
    `g='h'>]]><b i='j'/></a><!-- x -->\n`,
  'prefixes and declarations': `<a xmlns:n='urn:n'><n:b xmlns='urn:m' n:c='1' d='2'><e/></n:b></a>`,
  'a byte order mark':
    "\uFEFF<?xml version='1.0' encoding='UTF-8'?>\r\n<a one='1'>\r\n\t<b two='2'/>\r\n</a>",
  'letters of two units':
    "<a one='\u{1f600}\u{1f600}'><b two='\u{20000}'/>\u{1f600}<\u00e9l\u00e9ment d='\u00fc'/></a>",
  'end tags with space': "<a one='1'><b></b\n></a >",
  'names of objects': "<__proto__ constructor='1' __proto__='2'><toString hasOwnProperty='3'/></__proto__>",
}

/** What must hold for the spans of every element and attribute of a document. */
function spanProblems({ text, root }: XmlDocument): string[] {
  return all(root).flatMap((element) => {
    const { start, end, tagEnd, contentEnd, selfClosing, name, parent, children } = element
    const wrong: string[] = []
    const expect = (holds: boolean, what: string): void => {
      if (!holds) wrong.push(`${name} at ${start}: ${what}`)
    }
    expect(text.startsWith(`<${name}`, start) && text[tagEnd - 1] === '>', 'start tag')
    expect(text[tagEnd - 2] === '/' ? selfClosing : !selfClosing, 'self-closing')
    expect(
      selfClosing
        ? end === tagEnd && contentEnd === tagEnd
        : new RegExp(`^</${name}\\s*>$`).test(text.slice(contentEnd, end)),
      'end tag',
    )
    expect(
      parent === undefined ||
        (start >= parent.tagEnd && end <= parent.contentEnd && parent.children.includes(element)),
      'inside its parent',
    )
    expect(
      children.every((one, at) => at === 0 || one.start >= (children[at - 1]?.end ?? 0)),
      'children in order',
    )
    const names: string[] = []
    for (const each of element.attributes) {
      const raw = text.slice(each.start, each.end)
      const quote = text[each.end] as string
      expect(
        (quote === '"' || quote === "'") && text[each.start - 1] === quote && !raw.includes(quote),
        `${each.name}: its quotes`,
      )
      expect(
        new RegExp(`\\s${each.name}\\s*=\\s*$`).test(text.slice(start, each.start - 1)),
        `${each.name}: its name before it`,
      )
      expect(decodedRaw(raw) === each.value, `${each.name}: ${raw} is ${JSON.stringify(each.value)}`)
      expect(each.start > start && each.end < tagEnd, `${each.name}: inside the tag`)
      names.push(each.name)
    }
    expect(new Set(names).size === names.length, 'each attribute once')
    return wrong
  })
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** A raw value as XML reads it: line ends and tabs to spaces, then references. */
function decodedRaw(raw: string): string {
  return raw
    .replace(/\r\n|[\n\r\t]/g, ' ')
    .replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex: string, decimal: string, name: string) =>
      name === undefined
        ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
        : (ENTITIES[name] ?? ''),
    )
}

t.test('an attribute’s span is its raw value, an element’s span its text', (t) => {
  for (const [name, text] of Object.entries(documents)) t.same(spanProblems(parseXml(text)), [], name)
  const attributes = Object.values(documents).flatMap((text) =>
    all(parseXml(text).root).flatMap((element) => element.attributes),
  )
  t.equal(attributes.length, 36, 'and none is missed')
  t.end()
})

/** A document, and a description of its contents. */
interface Made {
  readonly text: string
  readonly expected: Expected
}

interface Expected {
  readonly name: string
  readonly attributes: readonly (readonly [name: string, raw: string])[]
  readonly children: readonly Expected[]
}

const word = fc.constantFrom('a', 'b', 'cpu', 'cell', 'el-1', 'x.y', '_z', '\u00e9')
const space = fc.constantFrom(' ', '\n', '\t', '\r\n  ', '  ')
const gap = fc.constantFrom('', ' ', '\n', '\r\n')
const rawValue = fc.array(
  fc.constantFrom('a', '0-3', '&lt;', '&#65;', '>', '/>', "'", '"', '=', ' ', '\t', '\u{1f600}', 'name="x"'),
  {
    maxLength: 5,
  },
)
const filler = fc.constantFrom(
  '',
  '',
  '\n  ',
  'text',
  '<!-- <b c="d"/> -->',
  '<![CDATA[<x y="z">]]>',
  '&amp;',
  '\u{1f600}',
  '<?pi <q r="s"?>',
)

const attributeArb = fc
  .tuple(word, space, gap, gap, fc.constantFrom("'", '"'), rawValue)
  .map(([name, before, left, right, quote, parts]) => {
    const raw = parts.map((part) => part.replaceAll(quote, '')).join('')
    return { name, raw, text: `${before}${name}${left}=${right}${quote}${raw}${quote}` }
  })

/** Elements of at most this many levels. */
const elementOf = fc.memo((levels): fc.Arbitrary<Made> => {
  const inside: fc.Arbitrary<[string, Made][]> =
    levels <= 1 ? fc.constant([]) : fc.array(fc.tuple(filler, elementOf(levels - 1)), { maxLength: 3 })
  const attributes = fc.uniqueArray(attributeArb, { maxLength: 4, selector: ({ name }) => name })
  return fc.tuple(word, attributes, inside, filler, gap, fc.boolean()).map(made)
})

type Parts = [
  name: string,
  attributes: { name: string; raw: string; text: string }[],
  inside: [string, Made][],
  string,
  string,
  boolean,
]

function made([name, attributes, inside, last, late, isShort]: Parts): Made {
  const open = `<${name}${attributes.map(({ text }) => text).join('')}${late}`
  const content = inside.map(([before, { text }]) => before + text).join('') + last
  return {
    text: content === '' && isShort ? `${open}/>` : `${open}>${content}</${name}${late}>`,
    expected: {
      name,
      attributes: attributes.map((each) => [each.name, each.raw]),
      children: inside.map(([, each]) => each.expected),
    },
  }
}

const madeArb = elementOf(4)

function readBack({ name, attributes, children }: XmlElement, text: string): Expected {
  return {
    name,
    attributes: attributes.map((each) => [each.name, text.slice(each.start, each.end)]),
    children: children.map((each) => readBack(each, text)),
  }
}

t.test('random documents are read as they were generated', (t) => {
  let attributes = 0
  fc.assert(
    fc.property(
      fc.constantFrom('', '\uFEFF', "<?xml version='1.0'?>\n", '<!-- <a b="c"> -->'),
      madeArb,
      (before, made) => {
        const document = parseXml(before + made.text)
        attributes += all(document.root).flatMap((element) => element.attributes).length
        const problems = spanProblems(document)
        return (
          problems.length === 0 &&
          JSON.stringify(readBack(document.root, document.text)) === JSON.stringify(made.expected)
        )
      },
    ),
    RUNS,
  )
  t.ok(attributes > 1000, `${attributes} attributes`)
  t.end()
})

t.test('setting an attribute changes nothing else', (t) => {
  let edited = 0
  fc.assert(
    fc.property(madeArb, fc.nat(), (made, pick) => {
      const document = parseXml(made.text)
      const elements = all(document.root)
      const element = elements[pick % elements.length] as XmlElement
      const before = element.attributes[pick % Math.max(1, element.attributes.length)]
      const edits = setAttribute(document, element, before?.name ?? 'fresh', '7-9')
      const after = parseXml(applyEdits(made.text, edits))
      const same = all(after.root)[elements.indexOf(element)] as XmlElement
      if (attribute(same, before?.name ?? 'fresh')?.value !== '7-9') return false
      if (before === undefined)
        return all(after.root).length === elements.length && edits[0]?.start === edits[0]?.end
      edited += 1
      return after.text === `${made.text.slice(0, before.start)}7-9${made.text.slice(before.end)}`
    }),
    RUNS,
  )
  t.ok(edited > 100, `${edited} values replaced`)
  t.end()
})

t.test('removing an attribute changes nothing else', (t) => {
  let removed = 0
  fc.assert(
    fc.property(madeArb, fc.nat(), (made, pick) => {
      const document = parseXml(made.text)
      const owners = all(document.root).filter(({ attributes }) => attributes.length > 0)
      const element = owners[pick % Math.max(1, owners.length)]
      const gone = element?.attributes[pick % element.attributes.length]
      if (element === undefined || gone === undefined) return true
      removed += 1
      const [edit] = removeAttribute(document, element, gone.name) as [Edit]
      const cut = new RegExp(`^\\s+${gone.name}\\s*=\\s*(["'])[^]*\\1$`)
      if (!cut.test(made.text.slice(edit.start, edit.end))) return false
      const after = parseXml(applyEdits(made.text, [edit]))
      const left = all(after.root)[all(document.root).indexOf(element)] as XmlElement
      const values = (one: XmlElement): string[] =>
        one.attributes.map(({ name, value }) => `${name}=${value}`)
      return (
        JSON.stringify(values(left)) ===
        JSON.stringify(values(element).filter((each) => !each.startsWith(`${gone.name}=`)))
      )
    }),
    RUNS,
  )
  t.ok(removed > 100, `${removed} removed`)
  t.end()
})

// ---- What is refused, and where ----

t.test('malformed XML is refused with its position', (t) => {
  const wrong: Record<string, readonly [text: string, code: string, at: string]> = {
    nothing: ['', 'xml-malformed', ''],
    'white space': [' \n ', 'xml-malformed', ''],
    'two roots': ['<a/>\n<b/>', 'xml-malformed', '2:3'],
    'an end tag of another name': ['<a>\n  <b>\n  </c>\n</a>', 'xml-malformed', '3:6'],
    'a tag that never ends': ['<a>\n<b', 'xml-malformed', '2:2'],
    'a value without quotes': ['<a b=c/>', 'xml-malformed', '1:6'],
    'an attribute twice': ["<a b='1' b='2'/>", 'xml-malformed', ''],
    'an attribute twice by its namespace': [
      "<a xmlns:n='u' xmlns:m='u' n:b='1' m:b='2'/>",
      'xml-malformed',
      '',
    ],
    'a bare ampersand': ['<a>b & c</a>', 'xml-malformed', ''],
    'a less-than sign in a value': ["<a b='<'/>", 'xml-malformed', ''],
    'a control character': ['<a>\u0001</a>', 'xml-malformed', '1:4'],
    'a lone surrogate': ['<a>\ud800</a>', 'xml-malformed', ''],
    'a reference to no character': ['<a>&#0;</a>', 'xml-malformed', ''],
    'two hyphens in a comment': ['<a><!-- -- --></a>', 'xml-malformed', ''],
    'a declaration that is late': ["<a/><?xml version='1.0'?>", 'xml-malformed', ''],
    'a DOCTYPE': ['<!DOCTYPE a>\n<a/>', 'xml-doctype', '1:12'],
    'an undeclared prefix': ['<a>\n  <numa:b/>\n</a>', 'xml-prefix-undeclared', ''],
    'an undeclared prefix of an attribute': ["<a n:b='1'/>", 'xml-prefix-undeclared', ''],
  }
  for (const [name, [text, code, at]] of Object.entries(wrong)) {
    const refused = refusalOf(text)
    t.equal(refused.code, code, `${name}: ${refused.what}`)
    if (at !== '') t.equal(refused.at, at, `${name}: its position`)
  }
  t.match(refusalOf('<a><numa:b/></a>').fix, "<numa:b xmlns:numa='urn:virt-numa:1'")
  t.end()
})

t.test('the limits of a document', (t) => {
  const deep = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth)
  t.equal(refusalOf(deep(1000)).code, 'none')
  t.equal(refusalOf(deep(1001)).code, 'xml-too-deep')
  t.equal(refusalOf('<a/>', { length: 4, depth: 1 }).code, 'none')
  t.equal(refusalOf('<a/> ', { length: 4, depth: 1 }).code, 'xml-too-large')
  t.equal(refusalOf('<a><b/></a>', { length: 100, depth: 1 }).code, 'xml-too-deep')
  const wide = `<a>${"<b c='1'/>".repeat(50_000)}</a>`
  t.equal(parseXml(wide, { parts: 100_001 }).root.children.length, 50_000, 'many elements')
  t.equal(refusalOf(wide).code, 'xml-too-many', 'with the root one too many')
  t.end()
})

t.test('the first of many findings are reported, and the others counted', (t) => {
  const found = Array.from({ length: 250 }, (_, vcpu) => diagnostic('pin-missing', { vcpu }))
  t.equal(firstOf(found.slice(0, 100)).length, 100)
  const reported = firstOf(found)
  t.same(
    [reported.length, reported.at(-1)?.code, reported.map(worded).at(-1)?.what],
    [101, 'more-found', '150 more findings: pin-missing'],
  )
  t.match(
    renderDiagnostics(found, 'capacity-warns', []),
    /note\[more-found\]: 150 more findings: pin-missing/,
  )
  t.end()
})

t.test('every prefix of a document is refused, and only refusals are thrown', (t) => {
  const whole = documents['comments, instructions and CDATA'] as string
  const root = whole.lastIndexOf('</a>') + 4
  const codes = Array.from({ length: root }, (_, length) => refusalOf(whole.slice(0, length)).code)
  t.same([...new Set(codes)], ['xml-malformed'], `${root} pieces`)
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(
          '<',
          '>',
          '/',
          'a',
          '=',
          "'",
          '"',
          ' ',
          '!',
          '-',
          '[',
          ']',
          '?',
          '&',
          ';',
          ':',
          '\0',
        ),
        maxLength: 30,
      }),
      (text) => {
        refusalOf(text)
      },
    ),
    { ...RUNS, numRuns: 5000 },
  )
  t.end()
})

t.test('children without a namespace are found by name', (t) => {
  const { root } = parseXml("<a xmlns:n='urn:n'><n:b c='1'/><b c='2'/><b c='3'/><B c='4'/></a>")
  t.equal(attribute(child(root, 'b'), 'c')?.value, '2')
  t.equal(childrenOf(root, 'b').length, 2)
  t.equal(child(root, 'c'), undefined)
  t.equal(child(undefined, 'b'), undefined)
  t.equal(attribute(child(root, 'b'), 'd'), undefined)
  t.same(lineAndColumn('a\nb\r\nc', 5), { line: 3, column: 1 })
  t.same(lineAndColumn('a\nb', 1), { line: 1, column: 2 })
  t.end()
})

// ---- Edits ----

const ORDER = ['name', 'memory', 'vcpu', 'cputune', 'numatune', 'cpu', 'devices']
const tune: NewElement = {
  name: 'numatune',
  attributes: [],
  children: [
    {
      name: 'memory',
      attributes: [
        ['mode', 'strict'],
        ['nodeset', '0-1'],
      ],
    },
  ],
}

function inserted(text: string, added: readonly NewElement[] = [tune], order = ORDER): string {
  const document = parseXml(text)
  return applyEdits(text, insertChildren(document, document.root, { added, order }, writeElement))
}

t.test('new children are inserted where libvirt prints them, in the layout of their neighbours', (t) => {
  const lines = (...text: string[]): string => text.join('\n')
  t.equal(
    inserted(lines('<domain>', '  <name>a</name>', "  <vcpu current='1'>2</vcpu>", '  <cpu/>', '</domain>')),
    lines(
      '<domain>',
      '  <name>a</name>',
      "  <vcpu current='1'>2</vcpu>",
      '  <numatune>',
      "    <memory mode='strict' nodeset='0-1'/>",
      '  </numatune>',
      '  <cpu/>',
      '</domain>',
    ),
    'between its neighbours',
  )
  t.equal(
    inserted('<domain>\r\n\t<vcpu id="1">2</vcpu>\r\n</domain>\r\n'),
    '<domain>\r\n\t<vcpu id="1">2</vcpu>\r\n\t<numatune>\r\n' +
      '\t\t<memory mode="strict" nodeset="0-1"/>\r\n\t</numatune>\r\n</domain>\r\n',
    'CRLF, tabs and double quotes',
  )
  t.equal(
    inserted("<domain type='kvm'><vcpu>2</vcpu><cpu/></domain>"),
    "<domain type='kvm'><vcpu>2</vcpu><numatune><memory mode='strict' nodeset='0-1'/></numatune>" +
      '<cpu/></domain>',
    'on one line',
  )
  t.equal(
    inserted(lines('<domain>', '   <cpu/>', '</domain>')),
    lines(
      '<domain>',
      '   <numatune>',
      "      <memory mode='strict' nodeset='0-1'/>",
      '   </numatune>',
      '   <cpu/>',
      '</domain>',
    ),
    'in front, three spaces deep',
  )
  t.equal(
    inserted('<domain/>'),
    "<domain><numatune><memory mode='strict' nodeset='0-1'/></numatune></domain>",
    'into a self-closing parent',
  )
  t.equal(
    inserted('<domain type="kvm" />'),
    '<domain type="kvm"><numatune><memory mode="strict" nodeset="0-1"/></numatune></domain>',
    'and has space before its end',
  )
  t.equal(
    inserted('<domain></domain>'),
    "<domain><numatune><memory mode='strict' nodeset='0-1'/></numatune></domain>",
    'into an empty parent',
  )
  t.end()
})

t.test('a self-closing parent is opened in the layout around it', (t) => {
  const text = '<domain>\n  <vcpu>2</vcpu>\n  <cpu mode="host-passthrough" />\n</domain>\n'
  const document = parseXml(text)
  const added: NewElement = {
    name: 'numa',
    attributes: [],
    children: [{ name: 'cell', attributes: [['id', '0']] }],
  }
  const edits = insertChildren(
    document,
    child(document.root, 'cpu') as XmlElement,
    { added: [added], order: ['numa'] },
    writeElement,
  )
  t.equal(
    applyEdits(text, edits),
    '<domain>\n  <vcpu>2</vcpu>\n  <cpu mode="host-passthrough">\n    <numa>\n' +
      '      <cell id="0"/>\n    </numa>\n  </cpu>\n</domain>\n',
  )
  t.end()
})

t.test('comments are kept, and foreign children are skipped', (t) => {
  const text =
    "<domain xmlns:q='urn:q'>\n  <!-- before -->\n  <vcpu>2</vcpu> <!-- two -->\n" +
    '  <q:numatune/>\n  <!-- cpu -->\n  <cpu/>\n</domain>'
  const fitted = inserted(text)
  t.equal(
    fitted,
    "<domain xmlns:q='urn:q'>\n  <!-- before -->\n  <vcpu>2</vcpu>\n  <numatune>\n" +
      "    <memory mode='strict' nodeset='0-1'/>\n  </numatune> <!-- two -->\n  <q:numatune/>\n" +
      '  <!-- cpu -->\n  <cpu/>\n</domain>',
  )
  const onlyComment = '<domain>\n  <!-- nothing yet -->\n</domain>'
  const { root } = parseXml(inserted(onlyComment))
  t.equal(child(root, 'numatune')?.children.length, 1)
  t.match(inserted(onlyComment), '<!-- nothing yet -->')
  t.end()
})

t.test('several new children keep their order', (t) => {
  const two: NewElement[] = [
    { name: 'cputune', attributes: [] },
    { name: 'numatune', attributes: [] },
  ]
  t.equal(
    inserted('<domain>\n  <vcpu/>\n</domain>', two),
    '<domain>\n  <vcpu/>\n  <cputune/>\n  <numatune/>\n</domain>',
  )
  t.equal(
    inserted('<domain>\n  <cpu/>\n</domain>', two),
    '<domain>\n  <cputune/>\n  <numatune/>\n  <cpu/>\n</domain>',
  )
  t.equal(inserted('<domain/>', two), '<domain><cputune/><numatune/></domain>')
  t.same(
    insertChildren(parseXml('<a/>'), parseXml('<a/>').root, { added: [], order: [] }, writeElement),
    [],
    'none, no edit',
  )
  t.end()
})

t.test('attributes are set, added and removed with the smallest edit', (t) => {
  const edit = (text: string, make: (document: XmlDocument, root: XmlElement) => readonly Edit[]): string => {
    const document = parseXml(text)
    return applyEdits(text, make(document, document.root))
  }
  t.equal(
    edit(`<a one = "1" two='2'/>`, (d, root) => setAttribute(d, root, 'one', '9')),
    `<a one = "9" two='2'/>`,
  )
  t.equal(
    edit(`<a one="1"/>`, (d, root) => setAttribute(d, root, 'two', '2')),
    `<a one="1" two="2"/>`,
    'in the quotes of its neighbour',
  )
  t.equal(
    edit('<a/>', (d, root) => setAttribute(d, root, 'two', '2')),
    "<a two='2'/>",
  )
  t.equal(
    edit('<a />', (d, root) => setAttribute(d, root, 'two', '2')),
    "<a two='2' />",
  )
  t.same(
    setAttribute(parseXml("<a one='1'/>"), parseXml("<a one='1'/>").root, 'one', '1'),
    [],
    'no change, no edit',
  )
  t.equal(
    edit("<a one='1'\n   two='2'/>", (d, root) => removeAttribute(d, root, 'two')),
    "<a one='1'/>",
  )
  t.equal(
    edit("<a one='1' two='2'/>", (d, root) => removeAttribute(d, root, 'one')),
    "<a two='2'/>",
  )
  t.equal(
    edit("<a mode='mode' x='mode'/>", (d, root) => removeAttribute(d, root, 'mode')),
    "<a x='mode'/>",
    'a value that is its name',
  )
  t.equal(
    edit("<a my-id='1' id='2'/>", (d, root) => removeAttribute(d, root, 'id')),
    "<a my-id='1'/>",
    'a name that ends like it',
  )
  t.same(removeAttribute(parseXml('<a/>'), parseXml('<a/>').root, 'one'), [], 'nothing there, no edit')
  t.end()
})

t.test('elements are removed with the space before them', (t) => {
  const text = '<a>\n  <b/>\n  <c>\n    <d/>\n  </c>\n  <!-- e -->\n</a>'
  const document = parseXml(text)
  const c = child(document.root, 'c') as XmlElement
  t.equal(applyEdits(text, [removeElement(document, c)]), '<a>\n  <b/>\n  <!-- e -->\n</a>')
  t.end()
})

t.test('overlapping edits are a bug, and throw', (t) => {
  const at = (start: number, end: number, text: string): Edit => ({ start, end, text })
  t.equal(applyEdits('abcdef', [at(4, 5, 'X'), at(0, 1, 'Y'), at(2, 2, '-')]), 'Yb-cdXf', 'in any order')
  t.equal(
    applyEdits('abc', [at(1, 1, '1'), at(1, 1, '2'), at(1, 2, '3')]),
    'a123c',
    'insertions at one position come first',
  )
  t.throws(() => applyEdits('abcdef', [at(0, 3, ''), at(2, 4, '')]), /overlap/)
  t.equal(applyEdits('abc', []), 'abc')
  t.end()
})

// ---- The other reader ----

const listOf = ({ name, attributes, children }: XmlData): unknown => [
  name,
  [...attributes].sort(),
  children.map(listOf),
]
const seen = ({ name, attributes, children }: XmlElement): unknown => [
  name,
  attributes.map((each) => [each.name, each.value]).sort(),
  children.map(seen),
]

t.test('two readers see the same elements', (t) => {
  for (const name of [
    'one line',
    'values that look alike',
    'empty values',
    'comments, instructions and CDATA',
    'prefixes and declarations',
    'letters of two units',
  ]) {
    const text = documents[name] as string
    t.same(listOf(readXml(text)), seen(parseXml(text).root), name)
  }
  t.end()
})
