// Our one element in `<metadata>`: what the guest itself requests, and the shape that a fit records there.

import { diagnostic } from '../codes/codes.ts'
import { type Edit, setAttribute } from '../xml/edit.ts'
import { insertChildren, type NewElement, type Write } from '../xml/insert.ts'
import { child, tagSpan, type XmlDocument, type XmlElement } from '../xml/parse.ts'
import type { Reading } from './values.ts'

/** The namespace is fixed, the prefix is free. */
export const NAMESPACE = 'urn:virt-numa:1'

const ELEMENT = 'guestMappingPassthrough'

/** Its attribute for the recorded shape. It is not a key, so `tenant_keys` does not concern it. */
export const SHAPE = 'shape'

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
  const keys = ours.attributes.filter(({ name }) => name !== 'xmlns' && name !== SHAPE && !name.includes(':'))
  return new Map(keys.map(({ name, value }) => [name, value]))
}

/** Our element, if the guest has it. */
export function ownElement(metadata: XmlElement | undefined): XmlElement | undefined {
  return metadata?.children.find(({ uri }) => uri === NAMESPACE)
}

/** What libvirt prints before `<metadata>`. */
const ORDER = ['name', 'uuid', 'genid', 'title', 'description', 'metadata']

/** Records a shape. A guest without our element gets it, and so opts in. */
export function recordEdits(document: XmlDocument, shape: string, write: Write): Edit[] {
  const { root } = document
  const metadata = child(root, 'metadata')
  const own = ownElement(metadata)
  if (own !== undefined) return setAttribute(document, own, SHAPE, shape)
  const attributes = [['xmlns:numa', NAMESPACE] as const, [SHAPE, shape] as const]
  const element: NewElement = { name: `numa:${ELEMENT}`, attributes }
  const added: NewElement = { name: 'metadata', attributes: [], children: [element] }
  return metadata === undefined
    ? insertChildren(document, root, { added: [added], order: ORDER }, write)
    : insertChildren(document, metadata, { added: [element], order: [] }, write)
}
