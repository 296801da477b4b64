// One section of a domain document on its way to edits.

import type { KubevirtElements } from '../model.ts'
import { type Edit, type NewElement, removeElement } from '../xml/edit.ts'
import type { XmlDocument, XmlElement } from '../xml/parse.ts'

/** What is done beside the placement itself. */
export interface Also {
  /** `<allocation mode='immediate'/>`, as KubeVirt writes it. */
  readonly allocateNow: boolean
  /** Of a VMI. */
  readonly elements?: KubevirtElements
  /** `kept`: cells and page sizes are not touched (rebind). */
  readonly shape: 'new' | 'kept'
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
