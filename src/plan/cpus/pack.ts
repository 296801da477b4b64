// CPUs of one node for so many vCPUs: on as few level-3 caches as possible, and so that as few cores as
// possible are split.
//
// A core is split when the guest runs on some of its online threads and not on all. For every core, from the
// last to the first, the least cost is worked out of taking each possible number of CPUs from there on; then,
// from the first core on, as many CPUs are taken as that least cost allows, so that of equally good answers
// the lowest ids win. Where the cores of a node are on several caches, this is done for each cache by itself,
// and then in the same way for the caches.
//
// Only numbers are looked at that the cores before and behind leave possible, and of each only the choice is
// kept, in a byte or two: on a node with thousands of CPUs the table is large all the same. Where all cores
// are alike and whole no table is needed: at most one core is split, so they are taken whole one after the
// other, and the rest comes from the next.

import { type CpuSet, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { AvailableNode, Core } from './available.ts'

/** Caches count first, then split cores, then CPUs on which the threads of a guest core would be apart. */
const CACHE = 10_000_000_000
const SPLIT = 100_000

/** What packing costs: caches in use, and split cores. */
export interface PackedCost {
  readonly caches: number
  readonly split: number
}

/** @returns the CPUs. `count` is at most the node's CPUs. */
export function packedCpus({ cores }: AvailableNode, count: number, threads: number): CpuSet {
  const groups = byCache(cores)
  if (groups.length < 2) return setOf<CpuSet>(takenOf(cores, count, threads))
  const tables = groups.map((group) => withCache(leastCosts(group, count, threads)))
  const counts = leastTakes(tables, count)
  return setOf<CpuSet>(groups.flatMap((group, index) => takenOf(group, counts[index] as number, threads)))
}

/**
 * What it costs to pack so many CPUs on a node; its table is made once, for every number up to `most`, which
 * is what the guest needs: a host may have a thousand times as many CPUs.
 */
export function packedCost(
  { cores, cpus }: AvailableNode,
  threads: number,
  most: number,
): (count: number) => PackedCost {
  const groups = byCache(cores)
  if (groups.length < 2 && areAlike(cores)) {
    const size = cores[0]?.cpus.length ?? 1
    return (count) => ({ caches: count > 0 ? groups.length : 0, split: count % size === 0 ? 0 : 1 })
  }
  const to = Math.min(cpus.length, most)
  const least = nothingTaken(to)
  for (const group of groups.reverse())
    addChoice(least, withCache(leastCosts(group, to, threads)), { from: 0, to })
  return (count) => {
    const cost = least[count] as number
    // A CPU on which a guest core is apart costs 1, and there are less of them than a split core costs.
    return { caches: Math.floor(cost / CACHE), split: Math.floor((cost % CACHE) / SPLIT) }
  }
}

/** The cores of each level-3 cache, in the order of their first one; all of them where none is stated. */
function byCache(cores: readonly Core[]): (readonly Core[])[] {
  const groups = new Map<number | undefined, Core[]>()
  for (const core of cores) {
    const group = groups.get(core.cache)
    if (group === undefined) groups.set(core.cache, [core])
    else group.push(core)
  }
  return [...groups.values()]
}

/** The CPUs of these cores that packing takes. */
function takenOf(cores: readonly Core[], count: number, threads: number): number[] {
  const size = areAlike(cores) ? (cores[0]?.cpus.length ?? 0) : undefined
  const takes =
    size === undefined
      ? leastTakes(
          cores.map((core) => coreCosts(core, threads)),
          count,
        )
      : cores.map((_, index) => clamp(count - index * size, 0, size))
  return cores.flatMap(({ cpus }, index) => cpus.slice(0, takes[index]))
}

/** The least cost of taking 0, 1, 2, ... CPUs of these cores, up to all of them or `most`. */
function leastCosts(cores: readonly Core[], most: number, threads: number): Float64Array {
  const to = Math.min(most, sum(cores.map(({ cpus }) => cpus.length)))
  const least = nothingTaken(to)
  for (const core of [...cores].reverse()) addChoice(least, coreCosts(core, threads), { from: 0, to })
  return least
}

/** The same with what the cache costs. */
const withCache = (costs: Float64Array): Float64Array =>
  costs.map((cost, count) => (count === 0 ? 0 : cost + CACHE))

function areAlike(cores: readonly Core[]): boolean {
  return cores.every(({ cpus, whole }) => whole && cpus.length === cores[0]?.cpus.length)
}

/**
 * How many CPUs each core or cache gives, so that all of it costs least.
 * @param costs of each, by the number of CPUs that it gives
 */
function leastTakes(costs: readonly Float64Array[], count: number): number[] {
  /** CPUs of those before each. */
  const before: number[] = []
  let all = 0
  for (const { length } of costs) {
    before.push(all)
    all += length - 1
  }
  const least = nothingTaken(count)
  const rows: { readonly takes: Uint8Array | Uint16Array; readonly from: number }[] = new Array(costs.length)
  for (let index = costs.length - 1; index >= 0; index--) {
    const from = Math.max(0, count - (before[index] as number))
    const to = Math.min(count, all - (before[index] as number))
    rows[index] = { takes: addChoice(least, costs[index] as Float64Array, { from, to }), from }
  }
  let open = count
  return rows.map(({ takes, from }) => {
    const take = takes[open - from] ?? 0
    open -= take
    return take
  })
}

function nothingTaken(count: number): Float64Array {
  const least = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY)
  least[0] = 0
  return least
}

/**
 * Makes of the least costs of those behind it those of this one and them, for `from` to `to` CPUs; others are
 * not looked at again.
 * @param costs by the number of CPUs that this one gives
 * @returns for each of these numbers the most that this one gives at the least cost
 */
function addChoice(
  least: Float64Array,
  costs: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
): Uint8Array | Uint16Array {
  const size = costs.length - 1
  const takes = size < 256 ? new Uint8Array(to - from + 1) : new Uint16Array(to - from + 1)
  // From the most down, so that what is read is still of those behind.
  for (let open = to; open >= from; open--) {
    let [best, most] = [least[open] as number, 0]
    for (let take = 1; take <= size && take <= open; take++) {
      const all = (costs[take] as number) + (least[open - take] as number)
      if (all > best) continue
      best = all
      most = take
    }
    least[open] = best
    takes[open - from] = most
  }
  return takes
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))

/** By the number of CPUs that a core gives. */
function coreCosts({ cpus, whole }: Core, threads: number): Float64Array {
  return Float64Array.from({ length: cpus.length + 1 }, (_, take) => {
    const isSplit = take < cpus.length || !whole
    return take === 0 ? 0 : (isSplit ? SPLIT : 0) + (take % threads)
  })
}
