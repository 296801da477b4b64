// Sets of ids as the kernel, libvirt and people write them ("0-3,8", "0-31:2/4", "^2", cpumasks)
// to ascending arrays and back.

import { refuse } from './diagnostic.ts'

declare const of: unique symbol

/** Ascending, no duplicates. The brand keeps a host's CPUs, a host's nodes and a guest's vCPUs apart. */
export type IdSet<Of extends string> = readonly number[] & { readonly [of]: Of }
/** The host's logical CPUs. */
export type CpuSet = IdSet<'cpu'>
/** The host's NUMA nodes. */
export type NodeSet = IdSet<'node'>
/** The guest's vCPUs. */
export type VcpuSet = IdSet<'vcpu'>

/** The highest id that is taken for an id. Linux builds for at most 8,192 CPUs, libvirt reads at most 16,384. */
export const MAX_ID = 65_535

const ITEM = /^(\^?)(\d{1,10})(?:-(\d{1,10})(?::(\d{1,10})\/(\d{1,10}))?)?$/

/**
 * Reads "0-3,8", "0-7,^2" (items apply from left to right, as libvirt does it) and "0-31:2/4" (the first 2 of every 4).
 * An empty or blank text is the empty set.
 * @throws Refusal `set-malformed`, with `source` (what the text is, e.g. "--cpuset") in its words
 * @see cpuset(7), List format; libvirt formatdomain, cpuset
 */
export function parseSet<Set extends IdSet<string>>(text: string, source: string): Set {
  const trimmed = text.trim()
  if (trimmed === '') return [] as unknown as Set
  const ids: boolean[] = []
  for (const item of trimmed.replace(/,\s*$/, '').split(',')) markItem(ids, item.trim(), text, source)
  return idsOf(ids) as unknown as Set
}

function markItem(ids: boolean[], item: string, text: string, source: string): void {
  const match = ITEM.exec(item)
  if (match === null) refuse('set-malformed', { source, text, item })
  const first = Number(match[2])
  const last = match[3] === undefined ? first : Number(match[3])
  const used = match[4] === undefined ? 1 : Number(match[4])
  const group = match[5] === undefined ? 1 : Number(match[5])
  if (last < first || group < 1 || used < 1 || used > group) refuse('set-malformed', { source, text, item })
  if (last > MAX_ID) refuse('set-too-large', { source, text, max: MAX_ID })
  for (let id = first; id <= last; id++) if ((id - first) % group < used) ids[id] = match[1] === ''
}

/**
 * Reads a kernel bitmap such as "00000000,0000ff0f": 32-bit hexadecimal words, the highest first.
 * @see cpuset(7), Mask format
 */
export function parseMask<Set extends IdSet<string>>(text: string, source: string): Set {
  const words = text.trim().split(',')
  if (!words.every((word) => /^[0-9a-f]{1,8}$/i.test(word))) refuse('set-malformed', { source, text, item: text.trim() })
  if (words.length * 32 > MAX_ID + 1) refuse('set-too-large', { source, text, max: MAX_ID })
  const ids: boolean[] = []
  words.reverse().forEach((word, index) => {
    const bits = Number.parseInt(word, 16)
    for (let bit = 0; bit < 32; bit++) if ((bits >>> bit) & 1) ids[index * 32 + bit] = true
  })
  return idsOf(ids) as unknown as Set
}

function idsOf(marks: readonly boolean[]): number[] {
  const ids: number[] = []
  marks.forEach((marked, id) => {
    if (marked) ids.push(id)
  })
  return ids
}

/** Any numbers to a set: sorted, duplicates gone. */
export function setOf<Set extends IdSet<string>>(ids: Iterable<number>): Set {
  return [...new globalThis.Set(ids)].sort((a, b) => a - b) as unknown as Set
}

/** "0-3,8", the shortest form of the kernel's list format; "" for the empty set. */
export function formatSet(ids: readonly number[]): string {
  const ranges: string[] = []
  for (let from = 0; from < ids.length; ) {
    let to = from
    while (to + 1 < ids.length && ids[to + 1] === (ids[to] as number) + 1) to++
    ranges.push(from === to ? `${ids[from]}` : `${ids[from]}-${ids[to]}`)
    from = to + 1
  }
  return ranges.join(',')
}

export function union<Set extends IdSet<string>>(...sets: readonly Set[]): Set {
  return setOf(sets.flat())
}

export function intersect<Set extends IdSet<string>>(a: Set, b: Set): Set {
  const inB = new globalThis.Set<number>(b)
  return a.filter((id) => inB.has(id)) as unknown as Set
}

/** The ids of `a` that are not in `b`. */
export function subtract<Set extends IdSet<string>>(a: Set, b: Set): Set {
  const inB = new globalThis.Set<number>(b)
  return a.filter((id) => !inB.has(id)) as unknown as Set
}

export function sameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}
