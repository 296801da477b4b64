// A document -> its values: of attributes, texts, comments and instructions, each with its span.
//
// Documents that are not well-formed are read too, up to the first position where a value could be taken for
// markup, such as behind a missing quote: everything that follows is the rest.

import type { Span } from '../base/diagnostic.ts'
import { defaultLimits } from './parse.ts'

/**
 * `name` is an attribute's. An `aside` is a comment or an instruction; `of` is what the caller knows of the
 * element around.
 */
export interface WrittenValue<Known> extends Span {
  readonly kind: 'attribute' | 'text' | 'aside' | 'rest'
  readonly name: string
  readonly of: Known
}

/**
 * `enter` gets the name of each element as written and returns what is known of it; `visit` gets every
 * value in order.
 */
interface Reader<Known> {
  readonly outside: Known
  readonly enter: (around: Known, name: string) => Known
  readonly visit: (value: WrittenValue<Known>) => void
}

const START = /<([^\s<>/="'!?&]+)/y
const ATTRIBUTE = /[ \t\r\n]+([^\s<>/="'&]+)[ \t\r\n]*=[ \t\r\n]*(?:"([^"<]*)"|'([^'<]*)')/y
const START_END = /[ \t\r\n]*(\/?)>/y
const END = /<\/([^\s<>/="'&]+)[ \t\r\n]*>/y

/** Markup that is not an element: how it begins, how it ends, and what it is. */
const OTHERS = [
  { start: '<!--', end: '-->', kind: 'aside' },
  { start: '<![CDATA[', end: ']]>', kind: 'text' },
  { start: '<?', end: '?>', kind: 'aside' },
] as const

/**
 * Reads every value in the order of the document.
 * @see Reader
 */
export function readValues<Known>(text: string, { outside, enter, visit }: Reader<Known>): void {
  const open: { readonly name: string; readonly known: Known }[] = []
  const around = (): Known => open.at(-1)?.known ?? outside
  const give = (kind: WrittenValue<Known>['kind'], start: number, end: number, name = ''): void => {
    if (end > start) visit({ kind, name, of: around(), start, end })
  }
  let at = 0
  while (at < text.length) {
    const tag = text.indexOf('<', at)
    const upTo = tag < 0 ? text.length : tag
    give('text', at, upTo)
    at = upTo
    if (tag < 0) return
    const other = OTHERS.find(({ start }) => text.startsWith(start, at))
    const next = other === undefined ? readTag() : readOther(other)
    if (next === undefined) {
      give('rest', at, text.length)
      return
    }
    at = next
  }

  function readOther({ start, end, kind }: (typeof OTHERS)[number]): number | undefined {
    const stop = text.indexOf(end, at + start.length)
    if (stop < 0) return undefined
    give(kind, at + start.length, stop)
    return stop + end.length
  }

  function readTag(): number | undefined {
    const end = matchAt(END, text, at)
    if (end !== undefined) {
      if (open.at(-1)?.name !== end[1]) return undefined
      open.pop()
      return at + end[0].length
    }
    const start = matchAt(START, text, at)
    if (start === undefined || open.length >= defaultLimits.depth) return undefined
    const name = start[1] as string
    const before = at
    open.push({ name, known: enter(around(), name) })
    at += start[0].length
    for (
      let found = matchAt(ATTRIBUTE, text, at);
      found !== undefined;
      found = matchAt(ATTRIBUTE, text, at)
    ) {
      at += found[0].length
      const value = found[2] ?? found[3] ?? ''
      give('attribute', at - 1 - value.length, at - 1, found[1])
    }
    const close = matchAt(START_END, text, at)
    if (close?.[1] === '/') open.pop()
    if (close !== undefined) return at + close[0].length
    // Text behind a bare < looks like a name.
    if (at === before + start[0].length) at = before
    return undefined
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at
  return pattern.exec(text) ?? undefined
}
