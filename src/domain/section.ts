// A domain document on its way to edits, and what one section of it comes to.

import type { DomainView, Keeps, Placement, Rules } from '../model.ts'
import { type Edit, type NewElement, removeElement, type Write } from '../xml/edit.ts'
import type { XmlDocument, XmlElement } from '../xml/parse.ts'

/** A document, what it says now, and what it is to say. */
export interface Fitting {
  readonly document: XmlDocument
  readonly view: DomainView
  readonly placement: Placement
  readonly keeps: Keeps
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
