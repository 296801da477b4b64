// CPUs of one node for so many vCPUs, so that as few cores as possible are split.
//
// A core is split when the guest runs on some of its online threads and not on all. For every core, from the last to the
// first, the least cost is worked out of taking each possible number of CPUs from there on; then, from the first core on,
// as many CPUs are taken as that least cost allows, so that of equally good answers the lowest ids win.

import { type CpuSet, range, setOf } from '../base/idset.ts'
import type { Core, NodeOffer } from './offer.ts'

/** Split cores count first; then CPUs on which the threads of a guest core would be torn apart. */
const SPLIT = 100_000

/** @returns the CPUs, and how many cores they split. `count` is at most the node's CPUs. */
export function packedCpus({ cores }: NodeOffer, count: number, threads: number): { cpus: CpuSet; splits: number } {
  const least = leastCosts(cores, count, threads)
  const cpus: number[] = []
  let splits = 0
  cores.forEach((core, index) => {
    const open = count - cpus.length
    const takes = range(Math.min(core.cpus.length, open) + 1).reverse()
    const best = least[index]?.[open] as number
    const take = takes.find((each) => cost(core, each, threads) + (least[index + 1]?.[open - each] as number) === best) ?? 0
    splits += take > 0 && isSplit(core, take) ? 1 : 0
    cpus.push(...core.cpus.slice(0, take))
  })
  return { cpus: setOf<CpuSet>(cpus), splits }
}

/** `least[i][n]`: the least cost of taking n CPUs from core i and those behind it. */
function leastCosts(cores: readonly Core[], count: number, threads: number): number[][] {
  const least: number[][] = new Array(cores.length + 1)
  let behind: number[] = new Array(count + 1).fill(Number.POSITIVE_INFINITY)
  behind[0] = 0
  least[cores.length] = behind
  for (let index = cores.length - 1; index >= 0; index--) {
    const core = cores[index] as Core
    const costs = Array.from({ length: core.cpus.length + 1 }, (_, take) => cost(core, take, threads))
    const here: number[] = new Array(count + 1)
    for (let open = 0; open <= count; open++) {
      let best = behind[open] as number
      for (let take = 1; take < costs.length && take <= open; take++) {
        const all = (costs[take] as number) + (behind[open - take] as number)
        if (all < best) best = all
      }
      here[open] = best
    }
    least[index] = here
    behind = here
  }
  return least
}

const isSplit = (core: Core, take: number): boolean => take < core.cpus.length || !core.whole

function cost(core: Core, take: number, threads: number): number {
  return take === 0 ? 0 : (isSplit(core, take) ? SPLIT : 0) + (take % threads)
}
