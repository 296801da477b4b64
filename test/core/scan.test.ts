// The two readers of documents: what the scanner takes, saxes reads alike, and what is odd is left to saxes.
// `npm run fuzz -- --target xml` compares them on mutated documents.

import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { parseBySaxes } from '../../src/xml/by-saxes.ts'
import { defaultLimits, parseXml } from '../../src/xml/parse.ts'
import { scanXml } from '../../src/xml/scan.ts'
import { readCorpus } from '../fuzz/corpus.ts'
import { randomFor } from '../fuzz/random.ts'
import { targets } from '../fuzz/targets.ts'
import { times } from '../long.ts'

const corpus = readCorpus()

t.test('real documents are scanned, and read alike', (t) => {
  let scanned = 0
  for (const text of corpus.domains) {
    const found = scanXml(text, defaultLimits)
    if (found === undefined) continue
    scanned += 1
    if (!isDeepStrictEqual(found, parseBySaxes(text, defaultLimits, {}))) t.fail(text)
  }
  t.ok(scanned > 0.9 * corpus.domains.length, `${scanned} of ${corpus.domains.length} documents are scanned`)
  t.end()
})

t.test('plain documents', (t) => {
  for (const text of [
    '<a/>',
    '<a></a>',
    '<a ></a >',
    '<a\t\r\n b="1"/>'.replace('\t\r\n', ' \t\r\n'),
    "<a b='1' c=\"it's\">é &lt;b&gt; &amp;amp; &quot;&apos;</a>",
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- one -->\n<a/>\n<!-- two -->\n',
    "<a xmlns='urn:a'><b xmlns=''/><c:d xmlns:c='urn:c' c:e='1'/></a>",
    '<a>x\r\ny\rz<b/>after</a>\r\n',
    '<a b=">"/>',
  ]) {
    const found = scanXml(text, defaultLimits)
    t.ok(found !== undefined, text)
    t.ok(isDeepStrictEqual(found, parseBySaxes(text, defaultLimits, {})), text)
  }
  t.end()
})

t.test('what is odd is left to saxes', (t) => {
  for (const text of [
    '',
    'a',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>x',
    '<a b=1/>',
    '<a b/>',
    '<a b="1"c="2"/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a b="\n"/>',
    '<a>&#60;</a>',
    '<a>&nbsp;</a>',
    '<a>&lt</a>',
    '<a>]]></a>',
    '<a><![CDATA[x]]></a>',
    '<!DOCTYPE a><a/>',
    '<a><?b?></a>',
    '<a><!-- -- --></a>',
    '<a:b/>',
    '<a b:c="1"/>',
    "<a xmlns:b='urn:b' b:c='1' b:d='2'/>",
    "<a xmlns:b=''/>",
    "<a xmlns:xml='urn:x'/>",
    '<é/>',
    '<a>🐧</a>',
    '<a>\0</a>',
    '\uFEFF<a/>',
    `<a ${Array.from({ length: 65 }, (_, at) => `b${at}='1'`).join(' ')}/>`,
  ])
    t.equal(scanXml(text, defaultLimits), undefined, text.slice(0, 40))
  t.equal(scanXml('<a><b/></a>', { ...defaultLimits, depth: 1 }), undefined, 'too deep')
  t.equal(scanXml('<a><b/></a>', { ...defaultLimits, parts: 1 }), undefined, 'too many parts')
  t.end()
})

t.test('mutated documents', async (t) => {
  const outcomes: Record<string, number> = {}
  for (let index = 0; index < times(60_000); index++) {
    const input = targets.xml?.(corpus, randomFor(1, 'xml', index))
    try {
      const outcome = (await input?.run()) ?? ''
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    } catch (error) {
      t.fail(`${String(error)}: ${String(input?.show())}`)
    }
  }
  for (const each of ['scanned', 'left', 'refused'])
    t.ok((outcomes[each] ?? 0) > 10, `${each}: ${outcomes[each]}`)
})

t.test('the time grows with the document', (t) => {
  const took = (text: string): number => {
    const began = process.cpuUsage()
    parseXml(text)
    const { user, system } = process.cpuUsage(began)
    return (user + system) / 1000
  }
  for (const [about, piece] of [
    ['elements without a blank', '<b></b>'],
    ['comments', '<!--b-->'],
    ['references', '&lt;&gt;'],
    ['text without a tag', 'x '],
  ] as const)
    t.ok(took(`<a>${piece.repeat(90_000)}</a>`) < 4000, about)
  t.end()
})
