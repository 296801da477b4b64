// Documents that are not well-formed, and sets and sizes that cannot be read: the text of each code.

import type { BaseFacts, JsonProblem, JsonToken } from '../../base/diagnostic.ts'
import type { DocumentsFacts, Packer, TarProblem, XmlProblem } from '../../codes/documents.ts'
import { type Ask, short, type Text, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const documentsTexts: Texts<DocumentsFacts> = {
  'xml-malformed': ({ problem }, { ask }) =>
    problem.is === 'empty'
      ? text('not well-formed XML: the document is empty', ...emptyReason(ask))
      : text(
          `not well-formed XML: ${problem.is === 'no-element' ? 'there is no element' : xmlWords(problem)}`,
          ...malformedReason(ask),
        ),
  'xml-doctype': () =>
    text(
      'the document has a DOCTYPE, which is refused',
      'a domain needs none, and its entities could expand without limit or read other files',
      'delete the DOCTYPE line',
    ),
  'xml-prefix-undeclared': (f) =>
    text(
      `<${f.name}> uses the undeclared prefix "${f.prefix}"`,
      'libvirt drops such an element silently',
      `write <${f.name} xmlns:${f.prefix}='${f.uri}' ...>`,
    ),
  'xml-too-large': (f) =>
    text(
      `the document has ${f.length} bytes, more than ${f.max}`,
      'a domain usually has about 10 KiB',
      'check that this is a domain',
    ),
  'xml-too-deep': (f) =>
    text(
      `elements are nested deeper than ${f.max}`,
      'a domain has about ten levels',
      'check that this is a domain',
    ),
  'xml-too-many': (f) =>
    text(
      `there are more than ${f.max} elements and attributes`,
      'a large domain has a few thousand',
      'check that this is the right document',
    ),
  'yaml-malformed': (f) =>
    text(
      `${f.source}: line ${f.line}, column ${f.column}: ${f.reason}`,
      'the text is not valid YAML',
      'fix that line',
    ),
  'tar-malformed': (f) => tarText(f.problem),
}

/** Sets, sizes and JSON text that cannot be read. */
export const valuesTexts: Texts<BaseFacts> = {
  'set-malformed': (f) =>
    text(
      `${f.source}: ${short(f.text)} is not a valid set of ` +
        `ids${f.item === f.text.trim() ? '' : `, because of ${short(f.item)}`}`,
      f.by === 'libvirt'
        ? 'libvirt takes single ids, ascending ranges and ^ before a single id, separated by commas'
        : 'a set is written as the kernel does: single ids and ascending ranges, separated by commas',
      f.by === 'libvirt' ? 'write it like 0-3,8 or 0-7,^2' : 'write it like 0-3,8 (or 0-7,^2, or 0-31:2/4)',
    ),
  'set-too-large': (f) =>
    text(
      `${f.source}: ${short(f.text)} names an id above ${f.max}`,
      'no Linux host has that many CPUs or nodes',
      'check the last number',
    ),
  'set-too-long': (f) =>
    text(
      `${f.source}: the sets name more than ${f.max} ids, repeats counted`,
      'no host or guest has that many',
      'write each id once, and narrow the sets',
    ),
  'size-malformed': (f) =>
    text(
      `${f.source}: ${short(f.text)} is not a valid size`,
      'a size is a whole number and a unit',
      'write it like 64 MiB, 2M or 1G',
    ),
  'size-too-large': (f) =>
    text(
      `${f.source}: ${short(f.text)} is more memory than can be counted exactly`,
      'sizes are held as whole KiB up to 2^53',
      'check the unit',
    ),
  'json-malformed': (f) =>
    text(
      `${f.source}: line ${f.line}, column ${f.column}: ${jsonWords(f.problem)}`,
      'the text is not valid JSON',
      'fix that line; python3 -m json.tool shows it too',
    ),
}

/** A document that another program wrote is not the reader's to edit. */
function malformedReason({ document }: Ask): readonly [why: string, fix: string] {
  return document.by === 'reader'
    ? ['libvirt refuses such a document too', 'fix the line shown; xmllint --noout shows it too']
    : [
        `${writers[document.by]} wrote this document; it may have been cut off`,
        `try again; if it recurs, see: ${document.see}`,
      ]
}

function emptyReason({ document }: Ask): readonly [why: string, fix: string] {
  return document.by === 'reader'
    ? [
        'the file is empty, or the command before a pipe printed nothing',
        'write a domain into the file, or run the command before the pipe on its own, to see its error',
      ]
    : [
        `${writers[document.by]} wrote nothing, or the program was called by hand`,
        `try again; if it recurs, see: ${document.see}`,
      ]
}

const writers = { libvirt: 'libvirt', kubevirt: 'KubeVirt' } as const

const MAKE_TAR = 'tar cf host.tar /sys/devices/system /sys/kernel/mm/hugepages /proc/meminfo /proc/mounts'

const unpackers: Readonly<Record<Packer, string>> = {
  gzip: 'gunzip',
  bzip2: 'bunzip2',
  xz: 'unxz',
  zstd: 'unzstd',
}

function tarText(problem: TarProblem): Text {
  const makeAgain = 'create it again: tar cf host.tar -C DIR sys proc'
  switch (problem.is) {
    case 'not-a-tar':
      return problem.packedBy === undefined
        ? text('the file is not a tar archive', 'its first block is not a tar header', makeAgain)
        : text(
            `the file is compressed with ${problem.packedBy}, not a plain tar archive`,
            'its first block is not a tar header',
            `run ${unpackers[problem.packedBy]} on it first`,
          )
    case 'checksum':
      return text(
        `the header at byte ${problem.at} does not match its checksum`,
        'the archive is damaged there',
        makeAgain,
      )
    case 'size':
      return text(
        `the header at byte ${problem.at} has the size ${short(problem.text)}`,
        `a size is ${problem.base === 8 ? 'an octal' : 'a whole'} number`,
        makeAgain,
      )
    case 'truncated':
      return text(
        `the tar is truncated: it has ${problem.length} bytes and continues at byte ${problem.needed}`,
        'a tar ends with blocks of zeros',
        makeAgain,
      )
    case 'sparse':
      return text(
        `${problem.name} is stored as a sparse file`,
        'files of /sys and /proc have no holes',
        'create the tar without --sparse',
      )
    case 'no-machine':
      return text(
        'the tar has neither sys/ nor proc/',
        'a captured machine is read from these folders',
        MAKE_TAR,
      )
    case 'several-machines':
      return text(
        `the tar has ${problem.count} machines: ${problem.folders.join(', ')}`,
        'only one machine can be read from a tar',
        'use a tar of one machine, or unpack it and name the folder of one',
      )
    case 'too-many-entries':
      return text(
        `the tar has more than ${problem.max} files and folders`,
        'a large machine needs about ten thousand',
        MAKE_TAR,
      )
  }
}

/** "line 3, column 4: unmatched closing tag </vcpus> (inside <domain>)". */
function xmlWords({ reason, endTag, inside, line, column }: Extract<XmlProblem, { is: 'syntax' }>): string {
  const position = line === undefined ? '' : `line ${line}, column ${column}: `
  const tag = endTag === undefined ? '' : ` </${endTag}>`
  return `${position}${reason}${tag}${inside === undefined ? '' : ` (inside <${inside}>)`}`
}

function jsonWords(problem: JsonProblem): string {
  switch (problem.is) {
    case 'end':
      return `the text ends where ${jsonTokens[problem.expected]} is expected`
    case 'unexpected': {
      const found = problem.found ?? 'a bare word'
      return problem.expected === 'end'
        ? `${found} after the end of the document`
        : `${found} where ${jsonTokens[problem.expected]} is expected`
    }
    case 'key-twice':
      return `the key ${short(problem.key)} occurs twice`
    case 'string-without-end':
      return 'a string without a closing quote'
    case 'string-invalid':
      return 'a string with a control character or an unknown escape'
    case 'too-deep':
      return `nested deeper than ${problem.max}`
    case 'too-many-parts':
      return `more than ${problem.max} objects, keys and lists`
  }
}

const jsonTokens: Readonly<Record<JsonToken, string>> = {
  value: 'a value',
  key: 'a key in double quotes',
  ':': 'a colon',
  ', or }': 'a comma or }',
  ', or ]': 'a comma or ]',
}
