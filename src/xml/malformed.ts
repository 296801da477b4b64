// A document that saxes does not accept -> the refusal with its position. Nothing that may be part of a
// secret is quoted: where a quote is missing, any text may look like markup.

import type { Span } from '../base/diagnostic.ts'
import { nearest } from '../base/nearest.ts'
import { refuse } from '../codes/codes.ts'

/** The innermost element that was open, and through `parent` those around it. */
interface OpenElement {
  readonly name: string
  readonly children: readonly { readonly name: string }[]
  readonly parent: OpenElement | undefined
}

/** Where saxes stopped; `namespaces` by prefix, for the fix of an undeclared prefix. */
interface Stopped {
  readonly text: string
  readonly offset: number
  readonly open: OpenElement | undefined
  readonly namespaces: Readonly<Record<string, string>>
}

/** A message of saxes begins with line and column. */
const POSITION = /^(?:[^:]*:)?\d+:\d+: /

/** Whether an error is a report of saxes about the document. */
export function isMalformed({ message }: Error): boolean {
  return POSITION.test(message)
}

/** Refuses a document that saxes does not accept, with what it reports. */
export function refuseMalformed({ message }: Error, { text, offset, open, namespaces }: Stopped): never {
  const reason = message.replace(POSITION, '').replace(/\.$/, '')
  const prefix = /^unbound namespace prefix: "?([^".]+)/.exec(reason)?.[1]
  const at = spanAt(text, offset)
  if (text.trim() === '') refuse('xml-malformed', { problem: { is: 'empty' } })
  if (prefix === undefined) {
    const endTag = endTagBefore(text, offset, open)
    const problem = {
      is: 'syntax',
      reason: /^unmatched closing tag/.test(reason) ? 'unmatched closing tag' : brief(reason),
      ...(endTag !== undefined && { endTag }),
      ...(open !== undefined && { inside: brief(open.name) }),
    } as const
    refuse('xml-malformed', { problem }, at)
  }
  // The tag that saxes has just read, or one of its attributes.
  const tag = text.slice(text.lastIndexOf('<', offset - 1) + 1, offset)
  const name = tag.startsWith(`${prefix}:`) ? (/^[^\s/>]*/.exec(tag)?.[0] ?? '') : `${prefix}:...`
  refuse(
    'xml-prefix-undeclared',
    { prefix: brief(prefix), name: brief(name), uri: namespaces[prefix] ?? 'URI' },
    at,
  )
}

/**
 * The name in an end tag just before the offset, if it resembles that of an open element; else it may be part
 * of a text.
 */
function endTagBefore(text: string, offset: number, open: OpenElement | undefined): string | undefined {
  const name = /<\/([^<>]{1,100})>$/.exec(text.slice(Math.max(0, offset - 103), offset))?.[1]?.trim()
  if (name === undefined) return undefined
  const names = new Set<string>()
  for (let each = open; each !== undefined; each = each.parent) {
    names.add(each.name)
    for (const child of each.children) names.add(child.name)
  }
  return names.has(name) || nearest(name, [...names]) !== undefined ? name : undefined
}

const brief = (words: string): string => (words.length > 100 ? `${words.slice(0, 97)}...` : words)

/** The character before `offset`, where the parser stopped. */
export function spanAt(text: string, offset: number): Span {
  const end = Math.max(1, Math.min(offset, text.length))
  return { start: end - 1, end }
}
