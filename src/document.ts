// A guest's text -> its document, and what is read of that before anything else: its type, whether it opted
// in, its name and its partition.

import { inSource } from './base/diagnostic.ts'
import { refuse } from './codes/codes.ts'
import { NAMESPACE, readWrittenKeys } from './domain/metadata.ts'
import type { DomainView } from './model/domain.ts'
import type { Config } from './request/config.ts'
import { optedIn } from './request/sources.ts'
import { child, childrenOf, parseXml, type XmlDocument } from './xml/parse.ts'

/**
 * Reads a domain.
 * @param source what diagnostics call the document: a file's name as typed, `stdin`
 * @throws Refusal `xml-malformed` and the others of parseXml
 */
export function readDocument(text: string, source?: string): XmlDocument {
  const document = inSource(source, () => parseXml(text, undefined, { numa: NAMESPACE }))
  return source === undefined ? document : { ...document, source }
}

const TYPES = ['kvm', 'qemu', 'hvf', 'kqemu']

/** @throws Refusal `not-qemu` for a guest that another hypervisor runs */
export function checkType({ type }: DomainView): void {
  if (!TYPES.includes(type)) refuse('not-qemu', { type })
}

/**
 * Whether a guest opted in. Nothing else is read: mistakes in the XML of other guests are not reported.
 */
export function isOptedIn({ root }: XmlDocument, config: Config): boolean {
  const writtenKeys = readWrittenKeys({ problems: [] }, child(root, 'metadata'))
  const tune = { memnodes: childrenOf(child(root, 'numatune'), 'memnode') }
  return optedIn({ name: nameOf(root), ...(writtenKeys !== undefined && { writtenKeys }), tune }, config)
}

/** The guest's name with blanks at its ends: "db1 " and "db1" are two guests. */
export function nameOf(root: XmlDocument['root']): string {
  return child(root, 'name')?.text ?? ''
}

/** The guest's cgroup partition; libvirt's default where it states none. @see libvirt cgroups */
export function partitionOf({ root }: XmlDocument): string {
  return child(child(root, 'resource'), 'partition')?.text.trim() || '/machine'
}
