// What the guest itself requests: our one element in `<metadata>` to its keys and values.

import { diagnostic } from '../codes/codes.ts'
import { tagSpan, type XmlElement } from '../xml/parse.ts'
import type { Reading } from './values.ts'

/** The namespace is fixed, the prefix is free. */
export const NAMESPACE = 'urn:virt-numa:1'

const ELEMENT = 'guestMappingPassthrough'

/**
 * The attributes of our element, as written; `undefined` when the guest does not opt in.
 * libvirt keeps only one top-level element per namespace, so a second one is refused before libvirt drops it.
 */
export function readWrittenKeys(
  reading: Reading,
  metadata: XmlElement | undefined,
): Map<string, string> | undefined {
  const [ours, second] = metadata?.children.filter(({ uri }) => uri === NAMESPACE) ?? []
  if (ours === undefined) return undefined
  if (second !== undefined)
    reading.problems.push(diagnostic('metadata-twice', { name: second.name }, tagSpan(second)))
  if (ours.local !== ELEMENT)
    reading.problems.push(diagnostic('metadata-element', { name: ours.name, known: ELEMENT }, tagSpan(ours)))
  const keys = ours.attributes.filter(({ name }) => name !== 'xmlns' && !name.includes(':'))
  return new Map(keys.map(({ name, value }) => [name, value]))
}
