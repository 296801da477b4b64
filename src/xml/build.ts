// New elements to text, by xmlbuilder2. It is large to load, so a door loads this file only when an element
// is to be written.

import { create } from 'xmlbuilder2'
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js'
import type { NewElement } from './insert.ts'
import type { Layout } from './layout.ts'

/** @see Write. Values are sets, sizes and words: none holds a quote. */
export function writeElement(element: NewElement, layout: Layout): string {
  const root = create().ele(element.name, Object.fromEntries(element.attributes))
  addChildren(root, element)
  const printed = root.toString({
    prettyPrint: layout.newline !== '',
    indent: layout.unit,
    newline: `${layout.newline}${layout.indent}`,
  })
  return layout.quote === '"' ? printed : printed.replaceAll('"', "'")
}

function addChildren(parent: XMLBuilder, { children = [], text }: NewElement): void {
  if (text !== undefined) parent.txt(text)
  for (const each of children) addChildren(parent.ele(each.name, Object.fromEntries(each.attributes)), each)
}
