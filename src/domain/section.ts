// A domain document on its way to edits, and what one section of it comes to.

import type { DomainView } from '../model/domain.ts'
import type { Keeps, Placement } from '../model/placement.ts'
import type { Rules } from '../model/request.ts'
import { type Edit, removeElement } from '../xml/edit.ts'
import type { NewElement, Write } from '../xml/insert.ts'
import type { XmlDocument, XmlElement } from '../xml/parse.ts'

/** A document, what it says now, and what it is to say. */
export interface Fitting {
  readonly document: XmlDocument
  readonly view: DomainView
  readonly placement: Placement
  readonly keeps: Keeps
  /** New ids of level-3 caches, by element as `DomainView.resctrl` has them. */
  readonly cacheIds: readonly ReadonlyMap<number, number>[]
  /** What is written besides the placement. */
  readonly rules: Pick<Rules, 'allocation' | 'elements'>
  /** Prints a new element; it is called only when there is one. */
  readonly write: Write
}

/** One section of the domain: edits in what is there, and what is to be added below `<domain>`. */
export interface Section {
  readonly edits: readonly Edit[]
  readonly added?: NewElement | undefined
}

/** A parent that would be left empty goes with its only child. */
export function removeChild(document: XmlDocument, element: XmlElement): Edit {
  const { parent } = element
  return removeElement(
    document,
    parent !== undefined && parent.parent !== undefined && parent.children.length === 1 ? parent : element,
  )
}
