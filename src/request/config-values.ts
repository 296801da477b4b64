// The values of the configuration's own settings, by kind: words, numbers, paths and lists.

import { collectRefusals, type Diagnostic, type Span } from '../base/diagnostic.ts'
import { formatPagesize, parseSize } from '../base/memory.ts'
import { nearest } from '../base/nearest.ts'
import { diagnostic, type FactsOf, refuse } from '../codes/codes.ts'
import type { Request } from '../model/request.ts'
import { asKey, type Key, keyNames, readOnePagesize } from './keys.ts'
import type { Setting, Value } from './qemu-conf.ts'

/** The file while it is read; `found` collects the problems. */
export interface Reading {
  readonly text: string
  readonly source: string
  readonly found: Diagnostic[]
}

/** Guests that are acted on unasked: none, those with a memnode, all, or those with these names. */
export type GuestsCovered = 'opted-in' | 'bound' | 'all' | readonly string[]

/** "opted-in", "bound", "all" or a list of guests. */
export function guests(setting: Setting, source: string): GuestsCovered {
  const { items, text } = setting.value
  if (items !== undefined) return items.map((item) => item.text)
  const words = ['opted-in', 'bound', 'all'] as const
  const known = [...words, 'a list of names']
  return (
    words.find((each) => each === text) ??
    refuseValue(setting, source, { known, close: nearest(text, words), example: `[ "${text}" ]` })
  )
}

/** A list of keys, in the order of the table of keys. */
export function keyList(setting: Setting, { source, found }: Reading): readonly Key[] {
  const listed: Key[] = []
  for (const item of itemsOf(setting, source, 'a list of keys', '[ "memory", "cpus" ]')) {
    const { text } = item
    const key = asKey(text)
    if (key !== undefined) listed.push(key)
    else {
      const facts = { source, key: text, known: keyNames, close: nearest(text, keyNames, found.length) }
      found.push(diagnostic('unknown-key', facts, spanOf(item)))
    }
  }
  return keyNames.filter((key) => listed.includes(key))
}

/** What the host keeps of every node. */
type Kept = Partial<Pick<Request, 'reserve' | 'reserveKiB'>>

/** A list of page sizes and memory with what is kept of each, or the size of ordinary memory alone. */
export function reserved({ value }: Setting, { text, source, found }: Reading): Kept {
  const { items } = value
  if (items === undefined) {
    const isSize = value.text !== '' && !value.text.includes('=')
    if (!isSize) unknownReserve(value.text, source, '[ "2M=1048576" ]')
    return { reserveKiB: parseSize(value.text, source).kib }
  }
  const lines = new Map<string, number>()
  const line = lineCounter(text)
  const kept: Reserved[] = []
  for (const item of items) {
    const one = collectRefusals(found, () => readReserved(item.text, source), spanOf(item))
    if (one === undefined) continue
    const name = one.of === 'memory' ? 'memory' : formatPagesize(one.of)
    const first = lines.get(name)
    if (first === undefined) lines.set(name, line(item.start))
    else found.push(diagnostic('config-repeated', { source, key: `reserve ${name}`, first }, spanOf(item)))
    kept.push(one)
  }
  const memory = kept.find(({ of }) => of === 'memory')
  const reserve = kept.flatMap(({ of, kib }) => (of === 'memory' ? [] : [{ pagesizeKiB: of, kib }]))
  return {
    reserve: reserve.sort((a, b) => a.pagesizeKiB - b.pagesizeKiB),
    ...(memory !== undefined && { reserveKiB: memory.kib }),
  }
}

/** What is kept of every node's ordinary memory, or of its pages of a size in KiB. */
interface Reserved {
  readonly of: 'memory' | number
  readonly kib: number
}

/** "2M=1048576" (KiB), "2M=1G" or "memory=2G". */
function readReserved(text: string, source: string): Reserved {
  const [name = '', size, ...more] = text.split('=')
  if (size === undefined || more.length > 0) unknownReserve(text, source, '"2M=1048576"')
  if (name.trim() === 'memory') return { of: 'memory', kib: parseSize(size, source).kib }
  const pagesizeKiB = readOnePagesize(name.trim(), source)
  if (pagesizeKiB === 'none') unknownReserve(text, source, '"2M=1048576"')
  return { of: pagesizeKiB, kib: parseSize(size, source).kib }
}

function unknownReserve(value: string, source: string, example: string): never {
  const known = ['a size of memory', 'a list of page sizes, = and KiB']
  refuse('unknown-value', { source, key: 'reserve', value, known, example })
}

function itemsOf(setting: Setting, source: string, says: string, example: string): readonly Value[] {
  return setting.value.items ?? refuseValue(setting, source, { known: [says], example })
}

/** One of some words. */
export function word<Word extends string>(setting: Setting, source: string, words: readonly Word[]): Word {
  const { text } = setting.value
  return (
    words.find((each) => each === text) ??
    refuseValue(setting, source, { known: words, close: nearest(text, words) })
  )
}

/** A whole number from 1 to `max`. */
export function wholeNumber(setting: Setting, source: string, max: number): number {
  const number = /^\d{1,9}$/.test(setting.value.text) ? Number(setting.value.text) : 0
  return number >= 1 && number <= max
    ? number
    : refuseValue(setting, source, { known: [`a whole number from 1 to ${max}`], example: '10' })
}

/** A path. */
export function path(setting: Setting, source: string): string {
  const { items, text } = setting.value
  return items === undefined && text.trim() !== ''
    ? text
    : refuseValue(setting, source, { known: ['a path'], example: '"/path/to/it"' })
}

/**
 * The path of a file that is written to, and not of a stream: on stdout, a line of the log would become part
 * of the guest's XML.
 */
export function filePath(setting: Setting, source: string, example: string): string {
  const file = path(setting, source)
  const isStream = /^\/dev\/(std(in|out|err)$|fd\/)|^\/proc\/[^/]+\/fd\//.test(file)
  return isStream
    ? refuseValue(setting, source, {
        known: ['the path of a regular file'],
        example: `"${example}"`,
      })
    : file
}

/** The values that a setting takes: in words, the one that is meant, and one as it is written. */
type Values = Pick<FactsOf<'unknown-value'>, 'known' | 'close' | 'example'>

function refuseValue({ key, value }: Setting, source: string, values: Values): never {
  refuse('unknown-value', { source, key: key.text, value: value.text, ...values })
}

/** The span of a value, without the value. */
export const spanOf = ({ start, end }: Span): Span => ({ start, end })

/** Counts lines. It is called in the order of the file, so that the file is walked once. */
export function lineCounter(text: string): (at: number) => number {
  let line = 1
  let next = text.indexOf('\n')
  return (at) => {
    for (; next >= 0 && next < at; next = text.indexOf('\n', next + 1)) line += 1
    return line
  }
}
