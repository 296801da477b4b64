// CPUs of one node for so many vCPUs, so that as few cores as possible are split.
//
// A core is split when the guest runs on some of its online threads and not on all. For every core, from the
// last to the first, the least cost is worked out of taking each possible number of CPUs from there on; then,
// from the first core on, as many CPUs are taken as that least cost allows, so that of equally good answers
// the lowest ids win.
//
// Only numbers are looked at that the cores before and behind leave possible, and of each only the choice is
// kept, in a byte or two: on a node with thousands of CPUs the table is large all the same. Where all cores
// are alike and whole no table is needed: at most one core is split, so they are taken whole one after the
// other, and the rest comes from the next.

import { type CpuSet, setOf } from '../../base/idset.ts'
import type { AvailableNode, Core } from './available.ts'

/** Split cores count first; then CPUs on which the threads of a guest core would be torn apart. */
const SPLIT = 100_000

/** @returns the CPUs. `count` is at most the node's CPUs. */
export function packedCpus({ cores }: AvailableNode, count: number, threads: number): CpuSet {
  const size = areAlike(cores) ? (cores[0]?.cpus.length ?? 0) : undefined
  const takes =
    size === undefined
      ? leastTakes(cores, count, threads)
      : cores.map((_, index) => clamp(count - index * size, 0, size))
  return setOf<CpuSet>(cores.flatMap(({ cpus }, index) => cpus.slice(0, takes[index])))
}

/**
 * How many cores are split when so many CPUs are packed on a node; its table is made once, for every number
 * up to `most`, which is
 * what the guest needs: a host may have a thousand times as many CPUs.
 */
export function packedSplitCores(
  { cores, cpus }: AvailableNode,
  threads: number,
  most: number,
): (count: number) => number {
  if (areAlike(cores)) {
    const size = cores[0]?.cpus.length ?? 1
    return (count) => (count % size === 0 ? 0 : 1)
  }
  const to = Math.min(cpus.length, most)
  const least = nothingTaken(to)
  for (const core of [...cores].reverse()) addCore(least, core, threads, { from: 0, to })
  // A CPU on which a guest core is torn costs 1, and there are less of them than a split core costs.
  return (count) => Math.floor((least[count] as number) / SPLIT)
}

function areAlike(cores: readonly Core[]): boolean {
  return cores.every(({ cpus, whole }) => whole && cpus.length === cores[0]?.cpus.length)
}

/** How many CPUs each core gives. */
function leastTakes(cores: readonly Core[], count: number, threads: number): number[] {
  /** CPUs of the cores before each. */
  const before: number[] = []
  let all = 0
  for (const { cpus } of cores) {
    before.push(all)
    all += cpus.length
  }
  const least = nothingTaken(count)
  const rows: { readonly takes: Uint8Array | Uint16Array; readonly from: number }[] = new Array(cores.length)
  for (let index = cores.length - 1; index >= 0; index--) {
    const from = Math.max(0, count - (before[index] as number))
    const to = Math.min(count, all - (before[index] as number))
    rows[index] = { takes: addCore(least, cores[index] as Core, threads, { from, to }), from }
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
 * Makes of the least costs of the cores behind those of this core and them, for `from` to `to` CPUs; others
 * are not looked at again.
 * @returns for each of these numbers the most that this core gives at the least cost
 */
function addCore(
  least: Float64Array,
  core: Core,
  threads: number,
  { from, to }: { readonly from: number; readonly to: number },
): Uint8Array | Uint16Array {
  const size = core.cpus.length
  const costs = Float64Array.from({ length: size + 1 }, (_, take) => cost(core, take, threads))
  const takes = size < 256 ? new Uint8Array(to - from + 1) : new Uint16Array(to - from + 1)
  // From the most down, so that what is read is still of the cores behind.
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

function cost(core: Core, take: number, threads: number): number {
  const isSplit = take < core.cpus.length || !core.whole
  return take === 0 ? 0 : (isSplit ? SPLIT : 0) + (take % threads)
}
