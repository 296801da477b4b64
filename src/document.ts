// What a door reads of a guest's document before it does anything with it: whether the guest asks, and its partition.

import { readWishes } from './domain/metadata.ts'
import type { Config } from './request/config.ts'
import { optedIn } from './request/sources.ts'
import { child, type XmlDocument } from './xml/parse.ts'

/** Before anything else is read of the guest: a mistake in the XML of one that did not ask is not ours to tell. */
export function isAsked({ root }: XmlDocument, config: Config): boolean {
  const wishes = readWishes({ problems: [] }, child(root, 'metadata'))
  return optedIn({ name: nameOf(root), ...(wishes !== undefined && { wishes }) }, config)
}

/** Blanks at its ends belong to it: "db1 " is another guest than "db1". */
export function nameOf(root: XmlDocument['root']): string {
  return child(root, 'name')?.text ?? ''
}

/** Libvirt's own default where the guest says none. */
export function partitionOf({ root }: XmlDocument): string {
  return child(child(root, 'resource'), 'partition')?.text.trim() || '/machine'
}
