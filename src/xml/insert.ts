// New elements -> edits that insert them among the children of an element, in the layout of their neighbours.

import type { Edit } from './edit.ts'
import { childLayout, indentOf, type Layout, trailingSpace } from './layout.ts'
import type { XmlDocument, XmlElement } from './parse.ts'

/** An element that is not in the document yet. */
export interface NewElement {
  readonly name: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly children?: readonly NewElement[]
  /** Its text, where it has no children. */
  readonly text?: string
}

/** New children of one element. */
interface NewChildren {
  readonly added: readonly NewElement[]
  /** The names of children in the order in which libvirt prints them. */
  readonly order: readonly string[]
  /** A new child goes behind those of its own name whose key is not higher; absent: behind all of them. */
  readonly keyOf?: (element: XmlElement | NewElement) => number
}

/** Prints an element, without indent before it or line end after it. */
export type Write = (element: NewElement, layout: Layout) => string

/**
 * Inserts children, each behind the last child that comes before or with it in the order, else at the front.
 * Children of other names are skipped. Call it once per parent.
 */
export function insertChildren(
  document: XmlDocument,
  parent: XmlElement,
  children: NewChildren,
  write: Write,
): Edit[] {
  const { added } = children
  if (added.length === 0) return []
  const layout = childLayout(document, parent)
  const before = layout.newline + layout.indent
  if (parent.children.length === 0 && document.text.slice(parent.tagEnd, parent.contentEnd).trim() === '') {
    const content = added.map((element) => before + write(element, layout)).join('')
    return [
      fillEmpty(document, parent, content + layout.newline + (layout.newline && indentOf(document, parent))),
    ]
  }
  const anchorOf = anchorsIn(parent, children)
  return added.map((element) => {
    const at = anchorOf(element)?.end ?? parent.tagEnd
    return { start: at, end: at, text: before + write(element, layout) }
  })
}

/**
 * The written child that a new one goes behind: the last of a name that comes before its own, or of its own
 * name and no higher key. The children are looked at once, however many are new.
 */
function anchorsIn(
  parent: XmlElement,
  { order, keyOf = () => 0 }: NewChildren,
): (element: NewElement) => XmlElement | undefined {
  const rankOf = new Map(order.map((name, rank) => [name, rank]))
  const lastOfRank: number[] = order.map(() => -1)
  const ofName = new Map<string, { readonly key: number; last: number }[]>()
  parent.children.forEach((child, index) => {
    const rank = child.uri === '' ? rankOf.get(child.local) : undefined
    if (rank === undefined) return
    lastOfRank[rank] = index
    const alike = ofName.get(child.local) ?? []
    ofName.set(child.local, alike)
    alike.push({ key: keyOf(child), last: index })
  })
  for (const alike of ofName.values()) {
    alike.sort((a, b) => a.key - b.key)
    for (let at = 1; at < alike.length; at++) {
      const each = alike[at] as { last: number }
      each.last = Math.max(each.last, alike[at - 1]?.last ?? -1)
    }
  }
  const beforeRank = [-1]
  for (const last of lastOfRank) beforeRank.push(Math.max(last, beforeRank.at(-1) as number))
  return (element) => {
    const ofOwn = lastUpTo(ofName.get(element.name) ?? [], keyOf(element))
    return parent.children[Math.max(ofOwn, beforeRank[rankOf.get(element.name) ?? 0] as number)]
  }
}

/** Ascending by key: the `last` of the last one whose key is not higher (binary search), or -1. */
function lastUpTo(
  ascending: readonly { readonly key: number; readonly last: number }[],
  key: number,
): number {
  let [from, to] = [0, ascending.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((ascending[middle]?.key as number) <= key) from = middle + 1
    else to = middle
  }
  return ascending[from - 1]?.last ?? -1
}

function fillEmpty(document: XmlDocument, parent: XmlElement, content: string): Edit {
  if (!parent.selfClosing) return { start: parent.tagEnd, end: parent.contentEnd, text: content }
  const slash = document.text.lastIndexOf('/', parent.tagEnd - 1)
  const start = slash - trailingSpace(document.text.slice(parent.start, slash)).length
  return { start, end: parent.tagEnd, text: `>${content}</${parent.name}>` }
}
