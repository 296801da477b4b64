// Whether the host can back a placement now: huge pages per node, the pools, the cgroup's limit, and memory
// at all. A guest that could start has no finding: surplus pages count, and so does whatever is not known.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { formatSet, has, type NodeSet, setOf, union } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { PagePool } from '../../codes/guest/memory.ts'
import type { HostNode, Resources } from '../../model/host.ts'
import type { Backing } from './backings.ts'
import { allocate, allocateWithSurplus, type Demand } from './max-flow.ts'
import { missingPool } from './missing-pool.ts'
import { holdersOn } from './promises.ts'
import { hasPool, type PageSupply, pageSupply, poolOf } from './supply.ts'

/**
 * What the host lacks for these backings.
 * @returns findings of class capacity; none when the guest can start as far as is known
 */
export function shortages(resources: Resources, backings: readonly Backing[]): Diagnostic[] {
  const sizes = [...new Set(backings.flatMap(({ pagesizeKiB }) => pagesizeKiB ?? []))].sort((a, b) => a - b)
  return [
    ...sizes.flatMap((size) =>
      pageShortages(
        resources,
        size,
        backings.filter((each) => each.pagesizeKiB === size),
      ),
    ),
    ...memoryShortages(resources, backings),
  ]
}

/** How much memory the nodes lack in all for these cells, in KiB: huge pages now, ordinary memory at all. */
export function missingKiB(resources: Resources, backings: readonly Backing[]): number {
  const sizes = [...new Set(backings.flatMap(({ pagesizeKiB }) => pagesizeKiB ?? []))]
  const ordinary = ordinaryKiB(
    resources,
    backings.filter(({ pagesizeKiB }) => pagesizeKiB === undefined),
  )
  const inPages = sizes.map((size) => {
    const groups = groupsOf(backings.filter(({ pagesizeKiB }) => pagesizeKiB === size)).map((group) => ({
      ...group,
      pages: Math.ceil(group.memoryKiB / size),
    }))
    return sum(unmet(resources, pageSupply(resources, size), groups)) * size
  })
  return ordinary + sum(inPages)
}

function ordinaryKiB({ nodes }: Resources, backings: readonly Backing[]): number {
  const index = indexOf(nodes)
  const demands = groupsOf(backings).map((group) => ({
    amount: group.memoryKiB,
    from: group.nodes.flatMap((id) => index.get(id) ?? []),
  }))
  const allocated = allocate(
    demands,
    nodes.map(({ memoryKiB }) => memoryKiB ?? Number.POSITIVE_INFINITY),
  )
  return sum(demands.map(({ amount }, at) => amount - (allocated[at] as number)))
}

const indexOf = (nodes: readonly HostNode[]): ReadonlyMap<number, number> =>
  new Map(nodes.map(({ id }, position) => [id, position]))

function pageShortages(
  resources: Resources,
  pagesizeKiB: number,
  backings: readonly Backing[],
): Diagnostic[] {
  // A node that is not there has a finding of its own.
  const index = indexOf(resources.nodes)
  const isThere = ({ nodes }: Group): boolean => nodes.some((id) => index.has(id))
  const groups = groupsOf(backings)
    .filter(isThere)
    .map((group) => ({ ...group, pages: Math.ceil(group.memoryKiB / pagesizeKiB) }))
  const need = sum(groups.map(({ pages }) => pages))
  if (!resources.nodes.some(({ pages }) => pages.length > 0) && resources.pools === undefined) return []
  if (!hasPool(resources, pagesizeKiB))
    return [diagnostic('pool-missing', { need, ...missingPool(resources, pagesizeKiB, backings) })]
  const supply = pageSupply(resources, pagesizeKiB)
  const found = [...nodeShortages(resources, supply, groups), ...limitShortages(resources, supply, need)]
  if (found.length === 0) found.push(...hostShortages(resources, supply, groups))
  const pool = resources.pools?.find((each) => each.pagesizeKiB === pagesizeKiB)
  if (pool?.mounted === false && backings.some(({ memfd }) => memfd !== true))
    found.push(diagnostic('hugetlbfs-missing', { pagesizeKiB }))
  return found
}

/** What nodes lack; where they lack it because of guests that are starting, their names. */
function nodeShortages(resources: Resources, supply: PageSupply, groups: readonly PageGroup[]): Diagnostic[] {
  const short = unmet(resources, supply, groups)
  const otherwise =
    supply.promised.length === 0 ? short : unmet(resources, { ...supply, promised: [] }, groups)
  const lackedOn = new Map<number, number>()
  for (const [index, { nodes }] of groups.entries()) {
    const { id } = firstOf(resources, nodes)
    lackedOn.set(id, (lackedOn.get(id) ?? 0) + (short[index] as number))
  }
  return groups.flatMap((group, index) => {
    const missing = short[index] as number
    if (missing === 0) return []
    const { id } = firstOf(resources, group.nodes)
    const alsoMissing = (lackedOn.get(id) as number) - missing
    const pool = { ...poolOf(resources, id, supply.pagesizeKiB), ...(alsoMissing > 0 && { alsoMissing }) }
    return missing > (otherwise[index] as number)
      ? [pagesHeld(resources, supply, group, { missing, pool })]
      : [pagesShort(resources, supply, group, { missing, pool })]
  })
}

/** The node of a group that gets the pages which are missing. */
const firstOf = ({ nodes: all }: Resources, nodes: NodeSet): HostNode =>
  all.find(({ id }) => has(nodes, id)) as HostNode

/** What a group lacks, and the pool that is to give it. */
interface Lack {
  readonly missing: number
  readonly pool: PagePool
}

function limitShortages({ allowed }: Resources, supply: PageSupply, need: number): Diagnostic[] {
  const { pagesizeKiB } = supply
  const limit = allowed.pages?.find((each) => each.pagesizeKiB === pagesizeKiB)
  if (limit === undefined || supply.limit === undefined || need <= supply.limit) return []
  return [diagnostic('pages-limit', { pagesizeKiB, limit: limit.max, used: limit.used ?? 0, need })]
}

/** The kernel counts reserved pages for all nodes together. */
function hostShortages(resources: Resources, supply: PageSupply, groups: readonly PageGroup[]): Diagnostic[] {
  const { pagesizeKiB, reserved, promised } = supply
  const need = sum(groups.map(({ pages }) => pages))
  const free = sum(supply.free) + supply.extra
  if (need > free - reserved) {
    return [diagnostic('pages-promised', { pagesizeKiB, free, promised: reserved, need })]
  }
  const missing = need - (free - reserved - sum(promised.map(({ amount }) => amount)))
  const [first] = groups
  if (missing <= 0 || first === undefined) return []
  const all = { ...first, nodes: setOf<NodeSet>(resources.nodes.map(({ id }) => id)), pages: need }
  const pool = poolOf(resources, firstOf(resources, all.nodes).id, pagesizeKiB)
  return [
    pagesHeld(resources, supply, { ...all, cells: groups.flatMap(({ cells }) => cells) }, { missing, pool }),
  ]
}

interface Group {
  readonly nodes: NodeSet
  readonly cells: readonly number[]
  readonly memoryKiB: number
  readonly bound: boolean
}

interface PageGroup extends Group {
  readonly pages: number
}

/** Cells that may use the same nodes ask for memory together. */
function groupsOf(backings: readonly Backing[]): Group[] {
  const groups = new Map<string, { nodes: NodeSet; cells: Set<number>; memoryKiB: number; bound: boolean }>()
  for (const { cell, nodes, memoryKiB, bound } of backings) {
    const key = formatSet(nodes)
    const group = groups.get(key) ?? { nodes, cells: new Set(), memoryKiB: 0, bound: true }
    groups.set(key, group)
    if (cell !== undefined) group.cells.add(cell)
    group.memoryKiB += memoryKiB
    group.bound &&= bound
  }
  return [...groups.values()].map((group) => ({ ...group, cells: [...group.cells] }))
}

/**
 * Per group the pages that neither its nodes nor surplus pages made on them give, once every promise is kept
 * as far as it can be.
 */
function unmet(
  resources: Resources,
  { free, makeable, extra, promised }: PageSupply,
  groups: readonly PageGroup[],
): number[] {
  const index = indexOf(resources.nodes)
  const demands = groups.map(({ pages, nodes }) => ({
    amount: pages,
    from: nodes.flatMap((id) => index.get(id) ?? []),
  }))
  const surplus = { ofPlace: makeable, most: extra }
  const met = allocateWithSurplus([...promised, ...demands], free, surplus)
  const short = demands.map(({ amount }, group) => amount - (met[promised.length + group] as number))
  if (promised.length === 0) return short
  const kept = sum(allocateWithSurplus(promised, free, surplus))
  return withLost(short, demands, kept - sum(met.slice(0, promised.length)))
}

/** What promises lose to this guest is lacking to it: to its first cells. */
function withLost(short: readonly number[], demands: readonly Demand[], lost: number): number[] {
  let open = lost
  return short.map((pages, group) => {
    const more = Math.min(open, (demands[group] as Demand).amount - pages)
    open -= more
    return pages + more
  })
}

/** `need` more pages than the promises to guests that are starting leave. */
function pagesHeld(
  resources: Resources,
  supply: PageSupply,
  { nodes, cells, pages, bound }: PageGroup,
  { missing, pool }: Lack,
): Diagnostic {
  const isOn = (place: number): boolean => has(nodes, resources.nodes[place]?.id ?? -1)
  const near = holdersOn(supply.promised, isOn)
  return diagnostic('pages-held', {
    nodes,
    free: sum(supply.free.filter((_, place) => isOn(place))),
    pagesizeKiB: supply.pagesizeKiB,
    cells,
    need: pages,
    missing,
    bound,
    holders: near.length > 0 ? near : holdersOn(supply.promised, () => true),
    pool,
  })
}

function pagesShort(
  resources: Resources,
  supply: PageSupply,
  { nodes, cells, pages, bound }: PageGroup,
  { missing, pool }: Lack,
): Diagnostic {
  const free = sum(resources.nodes.map(({ id }, index) => (has(nodes, id) ? (supply.free[index] ?? 0) : 0)))
  return diagnostic('pages-short', {
    nodes,
    free,
    pagesizeKiB: supply.pagesizeKiB,
    cells,
    need: pages,
    missing,
    bound,
    pool,
  })
}

/**
 * Free memory proves nothing, since the kernel drops its caches for a guest; a node can never give more than
 * it has. Memory that the guest uses later does not keep it from starting.
 */
function memoryShortages({ nodes }: Resources, backings: readonly Backing[]): Diagnostic[] {
  const ordinary = backings.filter(({ pagesizeKiB }) => pagesizeKiB === undefined)
  const needKiB = sum(ordinary.map(({ memoryKiB }) => memoryKiB))
  const haveEnough = (ids: readonly number[]): boolean =>
    sum(
      nodes.filter(({ id }) => has(ids, id)).map(({ memoryKiB }) => memoryKiB ?? Number.POSITIVE_INFINITY),
    ) >= needKiB
  const guestHas = haveEnough(union(...ordinary.map((each) => each.nodes)))
  const hostHas = haveEnough(nodes.map(({ id }) => id))
  const enough = guestHas ? 'own nodes' : hostHas ? 'host' : 'nowhere'
  return groupsOf(ordinary).flatMap((group) => {
    const sizes = nodes.filter(({ id }) => has(group.nodes, id)).map(({ memoryKiB }) => memoryKiB)
    if (sizes.includes(undefined)) return []
    const hasKiB = sum(sizes.map((size) => size ?? 0))
    // A node that is not there or has no memory has a finding of its own.
    if (group.memoryKiB <= hasKiB || hasKiB === 0) return []
    const facts = { nodes: group.nodes, hasKiB, cells: group.cells, needKiB: group.memoryKiB }
    const code = ordinary.some(({ atStart }) => atStart === true) ? 'memory-short' : 'memory-over-node'
    return [diagnostic(code, { ...facts, enough })]
  })
}
