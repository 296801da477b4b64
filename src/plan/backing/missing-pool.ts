// Huge pages of a size that the host does not have -> how many have to be made at boot, and which other page
// size would do.

import { sum } from '../../base/lists.ts'
import type { MemoryFacts } from '../../codes/guest/memory.ts'
import type { Resources } from '../../model/host.ts'
import type { Backing } from './backings.ts'
import { canAllocate, type Demand } from './max-flow.ts'
import { pageSupply, poolOf } from './supply.ts'

type Facts = MemoryFacts['pool-missing']

/** What a guest needs of pages of this size, of which no node has any. */
export function missingPool(
  resources: Resources,
  pagesizeKiB: number,
  backings: readonly Backing[],
): Omit<Facts, 'need'> {
  const hasKiB = poolSizes(resources)
  return {
    pagesizeKiB,
    hasKiB,
    boot: bootPages(resources, demandsOf(resources, backings, pagesizeKiB)),
    instead: otherPages(resources, backings, hasKiB),
  }
}

function poolSizes({ nodes, pools }: Resources): number[] {
  const sizes = new Set(
    [...(pools ?? []), ...nodes.flatMap(({ pages }) => pages)].map(({ pagesizeKiB }) => pagesizeKiB),
  )
  return [...sizes].sort((a, b) => a - b)
}

function demandsOf({ nodes }: Resources, backings: readonly Backing[], pagesizeKiB: number): Demand[] {
  return backings.map((backing) => ({
    amount: Math.ceil(backing.memoryKiB / pagesizeKiB),
    from: nodes.flatMap(({ id }, place) => (backing.nodes.includes(id) ? [place] : [])),
  }))
}

/**
 * The kernel gives every node with memory the same share of the pages, lower nodes one more.
 * @see linux Documentation/admin-guide/kernel-parameters, hugepages
 */
function bootPages({ nodes }: Resources, demands: readonly Demand[]): Facts['boot'] {
  const hasMemory = nodes.map(({ memoryKiB }) => memoryKiB !== 0)
  const count = hasMemory.filter(Boolean).length
  const inAll = sum(demands.map(({ amount }) => amount))
  let place = 0
  const shares = hasMemory.map((has) => (has ? Math.floor((inAll + count - ++place) / count) : 0))
  if (canAllocate(demands, shares)) return { inAll, onNodes: [] }
  const needs = sharesOf(demands, nodes.length)
  return {
    inAll: Math.max(...needs) * count,
    onNodes: nodes.flatMap(({ id }, at) => (needs[at] === 0 ? [] : [{ node: id, pages: needs[at] ?? 0 }])),
  }
}

/** Per node what it gives if each demand is divided evenly among its nodes. */
function sharesOf(demands: readonly Demand[], count: number): number[] {
  const needs = Array.from({ length: count }, () => 0)
  for (const { amount, from } of demands)
    for (const [position, place] of from.entries())
      needs[place] =
        (needs[place] as number) + Math.floor((amount + from.length - 1 - position) / from.length)
  return needs
}

/** The smallest size that divides the cells and of which there are enough pages, else the smallest one. */
function otherPages(
  resources: Resources,
  backings: readonly Backing[],
  sizes: readonly number[],
): Facts['instead'] {
  const all = sizes
    .filter((size) => backings.every(({ memoryKiB }) => memoryKiB % size === 0))
    .map((size) => ({ pagesizeKiB: size, pools: smallPools(resources, backings, size) }))
  return all.find(({ pools }) => pools.length === 0) ?? all[0] ?? { pagesizeKiB: 0, pools: [] }
}

/** The pools that are too small, with the number of pages that they need to have. */
function smallPools(
  resources: Resources,
  backings: readonly Backing[],
  pagesizeKiB: number,
): Facts['instead']['pools'] {
  const { left, reserved } = pageSupply(resources, pagesizeKiB)
  const demands = demandsOf(resources, backings, pagesizeKiB)
  if (reserved === 0 && canAllocate(demands, left.free)) return []
  const needs = sharesOf(demands, resources.nodes.length)
  return resources.nodes.flatMap(({ id }, place) => {
    const need = needs[place] as number
    const missing = need === 0 ? 0 : need + reserved - (left.free[place] as number)
    if (missing <= 0) return []
    return [{ node: id, total: poolOf(resources, id, pagesizeKiB).total + missing }]
  })
}
