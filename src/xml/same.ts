// Two elements to whether they say the same: names, attributes in any order, text without the white space
// around it.

import type { XmlElement } from './parse.ts'

/**
 * Whether two elements are equal; comments, namespace declarations and the order of attributes do not count.
 */
export function sameXml(one: XmlElement, other: XmlElement): boolean {
  return (
    one.local === other.local &&
    one.uri === other.uri &&
    one.text.trim() === other.text.trim() &&
    attributesOf(one) === attributesOf(other) &&
    one.children.length === other.children.length &&
    one.children.every((child, at) => sameXml(child, other.children[at] as XmlElement))
  )
}

/** Declarations of namespaces say nothing by themselves. */
function attributesOf({ attributes }: XmlElement): string {
  const said = attributes.filter(({ name }) => name !== 'xmlns' && !name.startsWith('xmlns:'))
  return JSON.stringify(said.map(({ name, value }) => [name, value]).sort())
}
