// Children as they are and as they should be to edits: attributes that differ are set, what is missing is
// added, what is too much goes. What already says the same in other words ("0,1" for "0-1") stays as it is.

import { collectRefusals } from '../base/diagnostic.ts'
import { formatSet, type IdSet } from '../base/idset.ts'
import { parseLibvirtSet } from '../base/parse-set.ts'
import { type Edit, removeAttribute, removeElement, setAttribute } from '../xml/edit.ts'
import { insertChildren, type NewElement, type Write } from '../xml/insert.ts'
import { attribute, childrenOf, type XmlDocument, type XmlElement } from '../xml/parse.ts'

/**
 * A child element that should exist. `key` distinguishes children of one name. An undefined value: the
 * attribute should not exist.
 */
export interface DesiredChild {
  readonly name: string
  readonly key: string
  readonly attributes: readonly (readonly [name: string, value: string | undefined])[]
  readonly children?: readonly NewElement[]
}

/**
 * The children of the given names become exactly `desired`; all others stay. `keyOf` reads the key of a
 * written child.
 */
export interface Kin {
  readonly names: readonly string[]
  readonly keyOf: (element: XmlElement, position: number) => string
  readonly desired: readonly DesiredChild[]
  readonly order: readonly string[]
}

/** Edits inside an element that is there. */
export function reconcile(document: XmlDocument, parent: XmlElement, kin: Kin, write: Write): Edit[] {
  const desired = new Map<string, Map<string, DesiredChild>>()
  for (const each of kin.desired) {
    const ofName = desired.get(each.name) ?? new Map<string, DesiredChild>()
    desired.set(each.name, ofName.set(each.key, each))
  }
  const found = new Map<DesiredChild, XmlElement>()
  const surplus: XmlElement[] = []
  const keys = new Map<XmlElement | NewElement, string>()
  for (const name of kin.names) {
    childrenOf(parent, name).forEach((element, position) => {
      const key = kin.keyOf(element, position)
      const each = desired.get(name)?.get(key)
      keys.set(element, key)
      if (each === undefined || found.has(each)) surplus.push(element)
      else found.set(each, element)
    })
  }
  const edits: Edit[] = []
  const added: NewElement[] = []
  for (const each of kin.desired) {
    const element = found.get(each)
    if (element !== undefined) edits.push(...setAttributes(document, element, each.attributes))
    else {
      const made = asElement(each)
      keys.set(made, each.key)
      added.push(made)
    }
  }
  // libvirt prints cells and pins by number, so a missing one goes between its neighbours.
  const keyOf = (element: XmlElement | NewElement): number => Number(keys.get(element) ?? 0)
  return [
    ...edits,
    ...surplus.map((element) => removeElement(document, element)),
    ...insertChildren(document, parent, { added, order: kin.order, keyOf }, write),
  ]
}

/** A desired child as a new element; attributes without a value are left out. */
export function asElement({ name, attributes, children }: DesiredChild): NewElement {
  const stated = attributes.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)
  return { name, attributes: stated, ...(children !== undefined && { children }) }
}

/** Sets and removes attributes where they do not already say the same. */
export function setAttributes(
  document: XmlDocument,
  element: XmlElement,
  attributes: DesiredChild['attributes'],
): Edit[] {
  const edits: Edit[] = []
  for (const [name, value] of attributes) {
    if (value === undefined) edits.push(...removeAttribute(document, element, name))
    else if (!saysTheSame(name, attribute(element, name)?.value, value))
      edits.push(...setAttribute(document, element, name, value))
  }
  return edits
}

const ONE = /^\d+$/
const SETS = ['cpus', 'cpuset', 'nodeset']

function saysTheSame(name: string, written: string | undefined, desired: string): boolean {
  if (written === undefined || written === desired) return written === desired
  // Two single ids, the most frequent case, need no reading as sets.
  if (ONE.test(written) && ONE.test(desired)) return Number(written) === Number(desired)
  if (!SETS.includes(name)) return false
  // libvirt does not look at every set: a cpuset beside placement='auto' may say anything.
  const set = collectRefusals([], () => parseLibvirtSet<IdSet<string>>(written, name))
  return set !== undefined && formatSet(set) === desired
}
