// Binding to edits of memory devices: the nodemask of those that have one.

import { formatSet, sameSet } from '../base/idset.ts'
import type { Binding, DomainView } from '../model.ts'
import { type Edit, setText } from '../xml/edit.ts'
import { child, type XmlDocument } from '../xml/parse.ts'
import { memoryElements } from './view.ts'

export function deviceEdits(document: XmlDocument, { memoryDevices }: DomainView, { devices = [] }: Binding): Edit[] {
  return memoryElements(document.root).flatMap((element, at) => {
    const [nodes, nodemask] = [devices[at], child(child(element, 'source'), 'nodemask')]
    if (nodes === undefined || nodemask === undefined || sameSet(nodes, memoryDevices[at]?.nodes ?? [])) return []
    return [setText(document, nodemask, formatSet(nodes))]
  })
}
