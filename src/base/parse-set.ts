// Sets of ids as the kernel, libvirt and people write them ("0-3,8", "0-31:2/4", "^2", cpumasks) -> ascending
// arrays.

import { refuseText } from './diagnostic.ts'
import { type IdSet, MAX_ID, setOf } from './idset.ts'

/** How many ids a text may name, repeats included: "0-65535" repeated many times would take too long. */
const MOST_MARKS = 16 * (MAX_ID + 1)
/** The length of a text, UTF-16 units: enough for every second id up to the highest, with blanks. */
const MOST_LETTERS = 512 * 1024

const ITEM = /^(\^?)(\d{1,10})(?:-(\d{1,10})(?::(\d{1,10})\/(\d{1,10}))?)?$/

/**
 * Reads "0-3,8", "0-7,^2" (items apply from left to right, as in libvirt) and "0-31:2/4" (the first 2 of
 * every 4). An empty or blank text is the empty set.
 * @param source what the text is, e.g. "--cpuset", for messages
 * @throws Refusal `set-malformed`, `set-too-large`, `set-too-long`
 * @see cpuset(7), List format; libvirt formatdomain, cpuset
 */
export function parseSet<Set extends IdSet<string>>(text: string, source: string): Set {
  if (text.length > MOST_LETTERS) refuseText('set-too-long', { source, max: MOST_MARKS })
  const trimmed = text.trim()
  if (trimmed === '') return [] as unknown as Set
  const plain = plainList(trimmed)
  if (plain !== undefined) return plain as unknown as Set
  const items = trimmed.replace(/,\s*$/, '').split(',')
  const ids = new globalThis.Set<number>()
  let marks = 0
  for (const item of items) {
    marks += markItem(ids, item.trim(), text, source)
    if (marks > MOST_MARKS) refuseText('set-too-long', { source, max: MOST_MARKS })
  }
  return setOf<Set>(ids)
}

const [ZERO, NINE, COMMA, DASH] = [48, 57, 44, 45]

/**
 * Reads ids and ranges in ascending order, which is how the kernel, libvirt and we write a set. A guest may
 * have thousands of sets with thousands of ids each, so this takes one pass. Returns undefined for every
 * other text, valid or not: the caller then reads it item by item.
 */
function plainList(text: string): number[] | undefined {
  const ids: number[] = []
  let previous = -1
  let rangeStart = -1
  let value = -1
  for (let at = 0; at <= text.length; at++) {
    const character = at === text.length ? COMMA : text.charCodeAt(at)
    if (character >= ZERO && character <= NINE) {
      value = Math.max(value, 0) * 10 + character - ZERO
      if (value > MAX_ID) return undefined
    } else if (character === DASH && value >= 0 && rangeStart < 0) {
      rangeStart = value
      value = -1
    } else if (character === COMMA && value >= 0) {
      const first = rangeStart < 0 ? value : rangeStart
      if (first <= previous || value < first) return undefined
      for (let id = first; id <= value; id++) ids.push(id)
      previous = value
      rangeStart = -1
      value = -1
    } else return undefined
  }
  return ids
}

/** Adds the ids of an item, or removes those of "^2". @returns how many ids the item names */
function markItem(ids: Set<number>, item: string, text: string, source: string): number {
  const match = ITEM.exec(item)
  if (match === null) refuseText('set-malformed', { source, text, item })
  const first = Number(match[2])
  const last = match[3] === undefined ? first : Number(match[3])
  const used = match[4] === undefined ? 1 : Number(match[4])
  const group = match[5] === undefined ? 1 : Number(match[5])
  if (last < first || group < 1 || used < 1 || used > group)
    refuseText('set-malformed', { source, text, item })
  if (last > MAX_ID) refuseText('set-too-large', { source, text, max: MAX_ID })
  for (let id = first; id <= last; id++) {
    if ((id - first) % group >= used) continue
    if (match[1] === '') ids.add(id)
    else ids.delete(id)
  }
  return last - first + 1
}

/** The size of libvirt's bitmaps. @see libvirt VIR_DOMAIN_CPUMASK_LEN */
const LIBVIRT_BITS = 16_384

/**
 * White space is allowed around ids, hyphens and commas, and a plus before the end of a range; ^ applies to a
 * single id.
 */
const LIBVIRT_ITEM = /^[\t-\r ]*(?:\^(\d+)|(\d+)[\t-\r ]*(?:-[\t-\r ]*\+?(\d+))?)[\t-\r ]*$/

/**
 * Reads a set as libvirt reads one in a domain: "0-3,8", "0-7,^2", " 0 - 3, ". Items apply from left to
 * right; the last one may end with a comma. Refuses an empty text, but "^2" is a valid empty set.
 * @param source what the text is, for messages
 * @throws Refusal `set-malformed`, `set-too-large`, `set-too-long`
 * @see libvirt virBitmapParse
 */
export function parseLibvirtSet<Set extends IdSet<string>>(text: string, source: string): Set {
  // Nearly every set is one id, or ids and ranges in ascending order.
  if (/^\d{1,4}$/.test(text)) return [Number(text)] as unknown as Set
  if (text.length > MOST_LETTERS) refuseText('set-too-long', { source, max: MOST_MARKS })
  const plain = plainList(text)
  if (plain !== undefined && (plain.at(-1) ?? 0) < LIBVIRT_BITS) return plain as unknown as Set
  const items = text.replace(/,[\t-\r ]*$/, '').split(',')
  const ids = new globalThis.Set<number>()
  let marks = 0
  for (const item of items) {
    marks += markLibvirtItem(ids, item, text, source)
    if (marks > MOST_MARKS) refuseText('set-too-long', { source, max: MOST_MARKS })
  }
  return setOf<Set>(ids)
}

/** Adds the ids of an item, or removes those of "^2". @returns how many ids the item names */
function markLibvirtItem(ids: Set<number>, item: string, text: string, source: string): number {
  const match = LIBVIRT_ITEM.exec(item)
  if (match === null) refuseText('set-malformed', { source, text, item: item.trim(), by: 'libvirt' })
  const first = Number(match[1] ?? match[2])
  const last = match[3] === undefined ? first : Number(match[3])
  if (last < first) refuseText('set-malformed', { source, text, item: item.trim(), by: 'libvirt' })
  if (last >= LIBVIRT_BITS) refuseText('set-too-large', { source, text, max: LIBVIRT_BITS - 1 })
  if (match[1] !== undefined) ids.delete(first)
  else for (let id = first; id <= last; id++) ids.add(id)
  return last - first + 1
}

/**
 * Reads a kernel bitmap such as "00000000,0000ff0f": 32-bit hexadecimal words, the highest first.
 * @param source what the text is, for messages
 * @throws Refusal `set-malformed`, `set-too-large`
 * @see cpuset(7), Mask format
 */
export function parseMask<Set extends IdSet<string>>(text: string, source: string): Set {
  const words = text.trim().split(',')
  if (!words.every((word) => /^[0-9a-f]{1,8}$/i.test(word)))
    refuseText('set-malformed', { source, text, item: text.trim() })
  if (words.length * 32 > MAX_ID + 1) refuseText('set-too-large', { source, text, max: MAX_ID })
  const ids: number[] = []
  words.reverse().forEach((word, index) => {
    const bits = Number.parseInt(word, 16)
    for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) ids.push(index * 32 + bit)
  })
  return ids as unknown as Set
}
