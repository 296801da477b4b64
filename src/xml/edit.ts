// Edits are splices of the text that was read: the smallest span. Nothing outside a splice can change.

import type { Span } from '../base/diagnostic.ts'
import { quoteNear, spaceBefore, trailingSpace } from './layout.ts'
import { attribute, type XmlDocument, type XmlElement } from './parse.ts'

/** Replaces the span by the text. Spans are of the original text and do not overlap. */
export interface Edit extends Span {
  readonly text: string
}

/**
 * The text with the edits made.
 * @throws Error when two edits overlap: a bug of ours, never the input's
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = ''
  let done = 0
  for (const edit of inOrder(edits)) {
    if (edit.start < done) throw new Error(`edits overlap at ${edit.start}`)
    result += text.slice(done, edit.start) + edit.text
    done = edit.end
  }
  return result + text.slice(done)
}

/** Sorts edits by position; at one position insertions come first, else the order in which they were made. */
export function inOrder(edits: readonly Edit[]): readonly Edit[] {
  const isInsertion = ({ start, end }: Edit): number => (end > start ? 0 : 1)
  return [...edits].sort((a, b) => a.start - b.start || isInsertion(b) - isInsertion(a))
}

/** Sets an attribute: edits only the value where the attribute exists, else adds it behind the last one. */
export function setAttribute(
  document: XmlDocument,
  element: XmlElement,
  name: string,
  value: string,
): Edit[] {
  const written = attribute(element, name)
  if (written?.value === value) return []
  if (written !== undefined) return [{ start: written.start, end: written.end, text: value }]
  const last = element.attributes.at(-1)
  const at = last === undefined ? element.start + 1 + element.name.length : last.end + 1
  const quote = quoteNear(document, element)
  return [{ start: at, end: at, text: ` ${name}=${quote}${value}${quote}` }]
}

/** Removes an attribute and the white space before it. */
export function removeAttribute(document: XmlDocument, element: XmlElement, name: string): Edit[] {
  const written = attribute(element, name)
  if (written === undefined) return []
  // Its value may begin with the same word: the name ends before = and the quote.
  const nameStart = document.text.lastIndexOf(name, written.start - 2 - name.length)
  return [
    {
      start: nameStart - trailingSpace(document.text.slice(element.start, nameStart)).length,
      end: written.end + 1,
      text: '',
    },
  ]
}

/** Removes an element and the white space before it. */
export function removeElement(document: XmlDocument, element: XmlElement): Edit {
  return { start: element.start - spaceBefore(document, element).length, end: element.end, text: '' }
}
