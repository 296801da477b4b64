// The table of everything we say: one entry per code, by class. A text takes facts and gives what, why and fix.
// Texts stand together so that they read alike: `what` has the numbers, `why` is one sentence, `fix` can be typed.

interface Text {
  what: string
  why: string
  fix?: string
}

const text = (what: string, why: string, fix?: string): Text => (fix === undefined ? { what, why } : { what, why, fix })
const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`
const short = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)

const invalid = {
  // Values
  'set-malformed': (f: { source: string; text: string; item: string }) =>
    text(
      `${f.source}: ${short(f.text)} is no set of ids${f.item === f.text.trim() ? '' : `, because of ${short(f.item)}`}`,
      'a set is written as the kernel does: single ids and ascending ranges, separated by commas',
      'write it like 0-3,8 (or 0-7,^2, or 0-31:2/4)',
    ),
  'set-too-large': (f: { source: string; text: string; max: number }) =>
    text(`${f.source}: ${short(f.text)} names an id above ${f.max}`, 'no Linux host has so many CPUs or nodes', 'check the last number'),
  'size-malformed': (f: { source: string; text: string }) =>
    text(`${f.source}: ${short(f.text)} is no size`, 'a size is a whole number and a unit', 'write it like 64 MiB, 2M or 1G'),
  'size-too-large': (f: { source: string; text: string }) =>
    text(
      `${f.source}: ${short(f.text)} is more memory than can be counted exactly`,
      'sizes are held as whole KiB up to 2^53',
      'check the unit',
    ),

  // Files and documents
  unreadable: (f: { file: string; reason: string }) =>
    text(`cannot read ${f.file}: ${f.reason}`, 'it is needed to decide', 'check the path and its permissions'),
  unwritable: (f: { file: string; reason: string }) =>
    text(
      `cannot write ${f.file}: ${f.reason}`,
      'the result was not stored; the file is as it was before',
      'free the space or choose another file with -o',
    ),
  'utf8-invalid': (f: { offset: number }) =>
    text(`byte ${f.offset} is no UTF-8`, 'libvirt reads and writes UTF-8 only', 'convert it: iconv -t UTF-8'),
  'xml-malformed': (f: { reason: string }) =>
    text(`not well-formed XML: ${f.reason}`, 'libvirt refuses such a document too', 'mend the line shown; xmllint --noout shows it too'),
  'xml-doctype': (_: object) =>
    text('a DOCTYPE is not read', 'a domain needs none, and entities could blow up or reach out', 'delete the DOCTYPE line'),
  'xml-prefix-undeclared': (f: { prefix: string; name: string; uri: string }) =>
    text(
      `<${f.name}> uses the prefix "${f.prefix}" that nothing declares`,
      'libvirt drops such an element without a word',
      `write <${f.name} xmlns:${f.prefix}='${f.uri}' ...>`,
    ),
  'xml-too-large': (f: { length: number; max: number }) =>
    text(`the document has ${f.length} bytes, more than ${f.max}`, 'a domain has some 10 KB', 'check that this is a domain'),
  'xml-too-deep': (f: { max: number }) =>
    text(`elements are nested deeper than ${f.max}`, 'a domain has some ten levels', 'check that this is a domain'),
} as const

const capacity = {
  'pages-short': (f: { node: string; free: number; page: string; cell: string; need: number; why: string; fix: string }) =>
    text(`node ${f.node} has ${plural(f.free, `free ${f.page} page`)}, ${f.cell} needs ${f.need}`, f.why, f.fix),
} as const

const note = {
  'emulator-unpinned': (f: { threads: string }) =>
    text(
      `${f.threads} not pinned`,
      'the guest takes every CPU it was given, so none is spare',
      'give the guest one CPU more, or say emulator=shared',
    ),
} as const

export const table = { invalid, capacity, note } as const

type Table = typeof invalid & typeof capacity & typeof note

/** Every code; what it means never changes. */
export type Code = keyof Table
export type FactsOf<C extends Code> = Parameters<Table[C]>[0]
