// Documents that are not well-formed, and sets and sizes that cannot be read: the text of each code.

import type { BaseFacts } from '../../base/diagnostic.ts'
import type { DocumentsFacts } from '../../codes/documents.ts'
import { short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const documentsTexts: Texts<DocumentsFacts> = {
  'xml-malformed': (f) =>
    text(
      `not well-formed XML: ${f.reason}`,
      f.empty ? 'a command that fails before a pipe prints nothing' : 'libvirt refuses such a document too',
      f.empty
        ? 'run what stands before the pipe by itself'
        : 'fix the line shown; xmllint --noout shows it too',
    ),
  'xml-doctype': () =>
    text(
      'a DOCTYPE is not read',
      'a domain needs none, and entities could blow up or reach out',
      'delete the DOCTYPE line',
    ),
  'xml-prefix-undeclared': (f) =>
    text(
      `<${f.name}> uses the prefix "${f.prefix}" that nothing declares`,
      'libvirt drops such an element silently',
      `write <${f.name} xmlns:${f.prefix}='${f.uri}' ...>`,
    ),
  'xml-too-large': (f) =>
    text(
      `the document has ${f.length} bytes, more than ${f.max}`,
      'a domain has some 10 KB',
      'check that this is a domain',
    ),
  'xml-too-deep': (f) =>
    text(
      `elements are nested deeper than ${f.max}`,
      'a domain has some ten levels',
      'check that this is a domain',
    ),
  'xml-too-many': (f) =>
    text(
      `there are more than ${f.max} elements and attributes`,
      'a large domain has some thousand',
      'check that this is the right document',
    ),
  'yaml-malformed': (f) =>
    text(
      `${f.source}: line ${f.line}, column ${f.column}: ${f.reason}`,
      'the text is not valid YAML',
      'fix that line',
    ),
  'tar-malformed': (f) => text(f.what, f.why, f.fix),
}

/** Sets, sizes and JSON text that cannot be read. */
export const valuesTexts: Texts<BaseFacts> = {
  'set-malformed': (f) =>
    text(
      `${f.source}: ${short(f.text)} is not a valid set of ids${f.item === f.text.trim() ? '' : `, because of ${short(f.item)}`}`,
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
      'no host and no guest has that many',
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
      `${f.source}: line ${f.line}, column ${f.column}: ${f.reason}`,
      'the text is not valid JSON',
      'fix that line; python3 -m json.tool shows it too',
    ),
}
