// New elements to text, in the native programs and the library: what build.ts prints by xmlbuilder2, without
// its code, which needs modules of Node.

import type { NewElement } from './insert.ts'
import type { Layout } from './layout.ts'

/** @see Write. Values are sets, sizes and words: none holds a quote, `<`, `&` or a line end. */
export function writeElement(element: NewElement, layout: Layout): string {
  return printed(element, layout, layout.newline === '' ? '' : layout.newline + layout.indent)
}

/** @param line what starts a line at the depth of this element; '' prints all in one line */
function printed(
  { name, attributes, children = [], text }: NewElement,
  layout: Layout,
  line: string,
): string {
  const { quote } = layout
  const tag = `<${name}${attributes.map(([key, value]) => ` ${key}=${quote}${value}${quote}`).join('')}`
  if (text !== undefined) return `${tag}>${text}</${name}>`
  if (children.length === 0) return `${tag}/>`
  const inner = line === '' ? '' : line + layout.unit
  return `${tag}>${children.map((child) => inner + printed(child, layout, inner)).join('')}${line}</${name}>`
}
