// Text -> the language of manual pages, man(7). Every function returns whole lines.

/** The head of a page. It has no date: the same source gives the same bytes. */
export function head(name: string, section: number, version: string, manual: string): string[] {
  const title = name.toUpperCase().replaceAll('-', '\\-')
  // Neither hyphenated nor adjusted, so that options and files can be copied.
  return [`.TH ${title} ${section} "" "virt\\-numa ${version}" "${manual}"`, '.nh', '.ad l']
}

/** A section. */
export const section = (title: string, ...lines: readonly string[]): string[] => [`.SH ${title}`, ...lines]

/** A subsection. */
export const subsection = (title: string, ...lines: readonly string[]): string[] => [
  `.SS ${plain(title)}`,
  ...lines,
]

/** A paragraph. */
export const paragraph = (text: string): string[] => ['.PP', lineOf(marked(text))]

/** A term, and what it means behind it. */
export const item = (term: string, text: string): string[] => [
  '.TP',
  lineOf(marked(term)),
  lineOf(marked(text)),
]

/** Lines as they are typed. */
export const typed = (lines: readonly string[]): string[] => [
  '.PP',
  '.RS 4',
  '.nf',
  ...lines.map((line) => lineOf(plain(line))),
  '.fi',
  '.RE',
]

/** Other pages: "virsh(1), virt-numa(1)". */
export const seeAlso = (...pages: readonly string[]): string[] =>
  section(
    'SEE ALSO',
    pages
      .map((page) => page.replace(/^([^(]+)(.*)$/, (_, name: string, rest: string) => `${bold(name)}${rest}`))
      .join(', '),
  )

/** Words between stars are bold, and those between underscores italic: "*--host* _FILE_". */
function marked(text: string): string {
  return text
    .split(/(\*[^*\s][^*]*\*|(?<![\w-])_[^_\s][^_]*_(?![\w-]))/)
    .map((part, at) => {
      if (at % 2 === 0) return plain(part)
      return part.startsWith('*') ? bold(part.slice(1, -1)) : `\\fI${plain(part.slice(1, -1))}\\fR`
    })
    .join('')
}

const bold = (text: string): string => `\\fB${plain(text)}\\fR`

/** ASCII stays ASCII: roff would print typographic quotes and hyphens. */
const GLYPHS: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
}

const plain = (text: string): string => text.replace(/[\\\-'`^~]/g, (sign) => GLYPHS[sign] ?? sign)

/** A line of text must not begin like a request. */
const lineOf = (text: string): string => (/^[.']/.test(text) ? `\\&${text}` : text)

/** A text of a table as a sentence: with a capital, and a full stop. */
export const sentence = (about: string): string => `${about[0]?.toUpperCase()}${about.slice(1)}.`
