// Documents that are not well-formed, and sets and sizes that cannot be read: the meaning of each code.

import type { BaseFacts } from '../../base/diagnostic.ts'
import type { DocumentsFacts } from '../../codes/documents.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const documentsMeanings: Meanings<DocumentsFacts> = {
  'xml-malformed': meaning(
    'the document is not well-formed XML',
    'A tag is not closed, a quote is missing, or the document is empty, as behind a pipe whose first ' +
      'command failed. libvirt refuses such a document too.',
    'Fix the line that is shown; xmllint --noout shows it too.',
  ),
  'xml-doctype': meaning(
    'the document has a DOCTYPE',
    'A domain needs none. Its entities could expand without limit, or read other files, so it is ' +
      'refused before it is read.',
    'Delete the DOCTYPE line.',
  ),
  'xml-prefix-undeclared': meaning(
    'an element uses an undeclared prefix',
    'Without the declaration of its namespace, libvirt drops the element silently.',
    'Declare the prefix with xmlns.',
  ),
  'xml-too-large': meaning(
    'the document is too large for a domain',
    'A domain usually has about 10 KB. A limit keeps a wrong file from taking memory and time.',
    'Check that the file is a domain.',
  ),
  'xml-too-deep': meaning(
    'elements are nested too deep',
    'A domain has about ten levels.',
    'Check that the file is a domain.',
  ),
  'xml-too-many': meaning(
    'the document has too many elements',
    'A large domain has a few thousand elements and attributes.',
    'Check that the file is the right document.',
  ),
  'yaml-malformed': meaning(
    'the text is not valid YAML',
    'A VMI in YAML is read without anchors, aliases and tags, which kubectl does not write either.',
    'Fix the line that the message names.',
  ),
  'tar-malformed': meaning(
    'the captured host is not a usable tar',
    'The file is not a tar, is damaged or truncated, or does not hold the sys/ and proc/ of one machine.',
    'Create it again; the message has the command.',
  ),
}

/** The meaning of each code of sets, sizes and JSON text. */
export const valuesMeanings: Meanings<BaseFacts> = {
  'set-malformed': meaning(
    'a text is not a set of ids',
    'CPUs, nodes and vCPUs are written as the kernel and libvirt write them: single ids and ascending ' +
      'ranges, separated by commas. libvirt also knows ^ before an id, and the kernel the form ' +
      '0-31:2/4.',
    'Write it like 0-3,8.',
  ),
  'set-too-large': meaning(
    'a set names an id that no host has',
    'The number is above what Linux supports for CPUs or nodes; most often a digit is wrong.',
    'Check the last number.',
  ),
  'set-too-long': meaning(
    'the sets of a document name too many ids',
    'All sets of a document together, repeats counted, name more ids than any host or guest has.',
    'Write each id once, and narrow the sets.',
  ),
  'size-malformed': meaning(
    'a text is not a size',
    'A size is a whole number and a unit, such as 64 MiB, 2M or 1G.',
    'Write a number with a unit.',
  ),
  'size-too-large': meaning(
    'a size is too large to be counted',
    'Memory is counted in whole KiB up to 2^53.',
    'Check the unit.',
  ),
  'json-malformed': meaning(
    'the text is not valid JSON',
    'A snapshot or a VMI cannot be read from it.',
    'Fix the line that the message names; python3 -m json.tool shows it too.',
  ),
}
