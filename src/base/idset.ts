// Sets of ids as ascending arrays: union, intersection, difference, and their text. parse-set.ts reads them.

declare const of: unique symbol

/** Ascending, no duplicates. The brand keeps a host's CPUs, a host's nodes and a guest's vCPUs apart. */
export type IdSet<Of extends string> = readonly number[] & { readonly [of]: Of }
/** The host's logical CPUs. */
export type CpuSet = IdSet<'cpu'>
/** The host's NUMA nodes. */
export type NodeSet = IdSet<'node'>
/** The guest's vCPUs. */
export type VcpuSet = IdSet<'vcpu'>

/** The highest valid id. Linux builds for at most 8,192 CPUs, libvirt reads at most 16,384. */
export const MAX_ID = 65_535

/** Linux has no more nodes (MAX_NUMNODES). */
export const MAX_NODES = 1024

/** QEMU has no more cells (MAX_NODES). */
export const MAX_CELLS = 128

/** 0 to count - 1. */
export function range(count: number): number[] {
  const ids: number[] = new Array(count)
  for (let id = 0; id < count; id++) ids[id] = id
  return ids
}

/** A set of the given ids: sorts them and removes duplicates. */
export function setOf<Set extends IdSet<string>>(ids: Iterable<number>): Set {
  return ascending([...ids]) as unknown as Set
}

function ascending(list: number[]): number[] {
  // Most lists are in order already, and a Set costs ten times as much.
  for (let index = 1; index < list.length; index++) {
    if ((list[index] as number) > (list[index - 1] as number)) continue
    return marked([list]) ?? [...new globalThis.Set(list)].sort((a, b) => a - b)
  }
  return list
}

/**
 * The ids of all lists in order, found with one mark per id. Returns undefined where most marks would be
 * empty or an id is out of range.
 */
function marked(lists: readonly (readonly number[])[]): number[] | undefined {
  let [count, highest] = [0, 0]
  for (const list of lists) {
    count += list.length
    for (const id of list) {
      if (id > highest) highest = id
      if (!(id >= 0 && id <= MAX_ID)) return undefined
    }
  }
  if (count * 32 < highest) return undefined
  const marks = new Uint8Array(highest + 1)
  for (const list of lists) for (const id of list) marks[id] = 1
  const ids: number[] = []
  for (let id = 0; id <= highest; id++) if (marks[id] === 1) ids.push(id)
  return ids
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

/** Formats each set. Thousands of pins may share one set, which is formatted once. */
export function formatSets(sets: readonly (readonly number[])[]): string[] {
  const texts = new Map<readonly number[], string>()
  return sets.map((set) => {
    const text = texts.get(set) ?? formatSet(set)
    texts.set(set, text)
    return text
  })
}

/** The ids that are in any of the sets. */
export function union<Set extends IdSet<string>>(...sets: readonly Set[]): Set {
  // Many of thousands of pins share one set.
  const different = sets.length < 3 ? sets : [...new globalThis.Set(sets)]
  const dense = different.length < 3 ? undefined : marked(different)
  if (dense !== undefined) return dense as unknown as Set
  const all: number[] = []
  for (const set of different) for (const id of set) all.push(id)
  return ascending(all) as unknown as Set
}

/** The ids that are in both sets. */
export function intersect<Set extends IdSet<string>>(a: Set, b: Set): Set {
  return among(a, b, 'in') as Set
}

/** The ids of `a` that are not in `b`. */
export function subtract<Set extends IdSet<string>>(a: Set, b: Set): Set {
  return among(a, b, 'out') as Set
}

/** Walks both ascending sets once. If `a` is much smaller than `b`, looks up each of its ids instead. */
function among(a: readonly number[], b: readonly number[], kept: 'in' | 'out'): readonly number[] {
  const found: number[] = []
  const isFew = a.length * 16 < b.length
  let other = 0
  for (const id of a) {
    if (isFew) other = firstFrom(b, id, other)
    else while (other < b.length && (b[other] as number) < id) other++
    if ((b[other] === id) === (kept === 'in')) found.push(id)
  }
  return found
}

/** The index of the first number that is at least `id`, from index `low` on (binary search). */
function firstFrom(ids: readonly number[], id: number, low: number): number {
  let [from, to] = [low, ids.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((ids[middle] as number) < id) from = middle + 1
    else to = middle
  }
  return from
}

/** Whether a set contains the id. */
export function has(set: readonly number[], id: number): boolean {
  return set[firstFrom(set, id, 0)] === id
}

/** Whether two sets, or two rows of distances, are equal. */
export function sameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}
