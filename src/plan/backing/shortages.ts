// Whether the host can back a placement now: huge pages per node, the pools, the cgroup's limit, and memory
// at all. A guest that could start has no finding: surplus pages count, and so does whatever is not known.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { formatSet, has, type NodeSet, union } from '../../base/idset.ts'
import { formatKiB, formatPagesize } from '../../base/memory.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { HostNode, Resources } from '../../model.ts'
import type { Backing } from './backings.ts'
import { allocate } from './max-flow.ts'
import { hasPool, type PageSupply, pageSupply } from './supply.ts'

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
  return sizes.reduce((sum, size) => {
    const groups = groupsOf(backings.filter(({ pagesizeKiB }) => pagesizeKiB === size)).map((group) => ({
      ...group,
      pages: Math.ceil(group.memoryKiB / size),
    }))
    return (
      sum +
      unmet(resources, pageSupply(resources, size), groups).reduce((pages, each) => pages + each, 0) * size
    )
  }, ordinary)
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
  return demands.reduce((sum, { amount }, at) => sum + amount - (allocated[at] as number), 0)
}

const indexOf = (nodes: readonly HostNode[]): ReadonlyMap<number, number> =>
  new Map(nodes.map(({ id }, position) => [id, position]))

function pageShortages(
  resources: Resources,
  pagesizeKiB: number,
  backings: readonly Backing[],
): Diagnostic[] {
  const page = formatKiB(pagesizeKiB)
  // A node that is not there has a finding of its own.
  const index = indexOf(resources.nodes)
  const isThere = ({ nodes }: Group): boolean => nodes.some((id) => index.has(id))
  const groups = groupsOf(backings)
    .filter(isThere)
    .map((group) => ({ ...group, pages: Math.ceil(group.memoryKiB / pagesizeKiB) }))
  const need = groups.reduce((sum, { pages }) => sum + pages, 0)
  if (!resources.nodes.some(({ pages }) => pages.length > 0) && resources.pools === undefined) return []
  if (!hasPool(resources, pagesizeKiB))
    return [
      diagnostic('pool-missing', {
        page,
        size: formatPagesize(pagesizeKiB),
        need,
        has: poolSizes(resources),
      }),
    ]
  const supply = pageSupply(resources, pagesizeKiB)
  const short = unmet(resources, supply, groups)
  const found = groups.flatMap((group, index) => {
    const missing = short[index] as number
    return missing === 0 ? [] : [pagesShort(resources, supply, group, missing)]
  })
  if (supply.limit !== undefined && need > supply.limit)
    found.push(diagnostic('pages-limit', { page, limit: supply.limit, need, size: sysfsSize(pagesizeKiB) }))
  const free = supply.free.reduce((sum, pages) => sum + pages, supply.extra)
  const pool = resources.pools?.find((each) => each.pagesizeKiB === pagesizeKiB)
  const promised = pool?.reserved ?? 0
  if (found.length === 0 && need > free - promised) {
    found.push(diagnostic('pages-promised', { page, free, promised, need, kib: pagesizeKiB }))
  }
  if (pool?.mounted === false)
    found.push(diagnostic('hugetlbfs-missing', { page, size: formatPagesize(pagesizeKiB) }))
  return found
}

interface Group {
  readonly nodes: NodeSet
  readonly cells: readonly number[]
  readonly memoryKiB: number
  readonly bound: boolean
}

/** Cells that may use the same nodes ask for memory together. */
function groupsOf(backings: readonly Backing[]): Group[] {
  const groups = new Map<string, { nodes: NodeSet; cells: Set<number>; memoryKiB: number; bound: boolean }>()
  for (const { cell, nodes, memoryKiB, bound } of backings) {
    const key = formatSet(nodes)
    const group = groups.get(key) ?? { nodes, cells: new Set(), memoryKiB: 0, bound: true }
    groups.set(key, group)
    group.cells.add(cell)
    group.memoryKiB += memoryKiB
    group.bound &&= bound
  }
  return [...groups.values()].map((group) => ({ ...group, cells: [...group.cells] }))
}

/** Per group the pages that neither its nodes nor surplus pages made on them give. */
function unmet(
  resources: Resources,
  supply: PageSupply,
  groups: readonly (Group & { readonly pages: number })[],
): number[] {
  const index = indexOf(resources.nodes)
  const demands = groups.map(({ pages, nodes }) => ({
    amount: pages,
    from: nodes.flatMap((id) => index.get(id) ?? []),
  }))
  const allocated = allocate(demands, supply.free)
  let extra = supply.extra
  return demands.map(({ amount, from }, group) => {
    const missing = amount - (allocated[group] as number)
    const made = Math.min(
      missing,
      extra,
      from.reduce((sum, node) => sum + (supply.makeable[node] as number), 0),
    )
    extra -= made
    return missing - made
  })
}

function pagesShort(
  resources: Resources,
  supply: PageSupply,
  { nodes, cells, pages, bound }: Group & { readonly pages: number },
  missing: number,
): Diagnostic {
  const ids = nodes as readonly number[]
  const free = resources.nodes.reduce(
    (sum, { id }, index) => sum + (has(ids, id) ? (supply.free[index] as number) : 0),
    0,
  )
  const first = resources.nodes.find(({ id }) => has(ids, id)) as HostNode
  const total = first.pages.find((each) => each.pagesizeKiB === supply.pagesizeKiB)?.total ?? 0
  const pool = `node${first.id}/hugepages/hugepages-${supply.pagesizeKiB}kB`
  return diagnostic('pages-short', {
    nodes: formatSet(ids),
    count: ids.length,
    free,
    page: formatKiB(supply.pagesizeKiB),
    cells,
    need: pages,
    bound,
    fix: `echo ${total + missing} > /sys/devices/system/node/${pool}/nr_hugepages`,
  })
}

const sysfsSize = (pagesizeKiB: number): string => `${formatPagesize(pagesizeKiB)}B`

function poolSizes({ nodes, pools }: Resources): string {
  const sizes = new Set(
    [...(pools ?? []), ...nodes.flatMap(({ pages }) => pages)].map(({ pagesizeKiB }) => pagesizeKiB),
  )
  return [...sizes]
    .sort((a, b) => a - b)
    .map(formatPagesize)
    .join(', ')
}

/**
 * Free memory proves nothing, since the kernel drops its caches for a guest; a node can never give more than
 * it has.
 */
function memoryShortages({ nodes }: Resources, backings: readonly Backing[]): Diagnostic[] {
  const ordinary = backings.filter(({ pagesizeKiB }) => pagesizeKiB === undefined)
  const needKiB = ordinary.reduce((sum, { memoryKiB }) => sum + memoryKiB, 0)
  const haveEnough = (ids: readonly number[]): boolean =>
    nodes
      .filter(({ id }) => has(ids, id))
      .reduce((sum, { memoryKiB }) => sum + (memoryKiB ?? Number.POSITIVE_INFINITY), 0) >= needKiB
  const guestHas = haveEnough(union(...ordinary.map((each) => each.nodes)))
  const hostHas = haveEnough(nodes.map(({ id }) => id))
  const enough = guestHas ? 'own nodes' : hostHas ? 'host' : 'nowhere'
  return groupsOf(ordinary).flatMap((group) => {
    const sizes = nodes.filter(({ id }) => has(group.nodes, id)).map(({ memoryKiB }) => memoryKiB)
    if (sizes.includes(undefined)) return []
    const hasKiB = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
    // A node that is not there or has no memory has a finding of its own.
    if (group.memoryKiB <= hasKiB || hasKiB === 0) return []
    const facts = {
      nodes: formatSet(group.nodes),
      count: group.nodes.length,
      has: formatKiB(hasKiB),
      cells: group.cells,
      need: formatKiB(group.memoryKiB),
      enough,
    } as const
    return [diagnostic('memory-short', facts)]
  })
}
