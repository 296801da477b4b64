// What the nodes can still give: huge pages now, and those that the kernel may make in addition.

import type { Host, HostNode, Request, Resources } from '../../model.ts'

/**
 * Pages of one size. `free` is per node, in the order of `Host.nodes`; `extra` are surplus pages that any
 * node may get.
 */
export interface PageSupply {
  readonly pagesizeKiB: number
  readonly free: readonly number[]
  /** How many surplus pages a node's free memory would hold; Infinity where that is not known. */
  readonly makeable: readonly number[]
  readonly extra: number
  /**
   * No more than this in all: free and surplus pages less those promised to others, and the cgroup's limit.
   */
  readonly total: number
  /** The cgroup's limit alone, where there is one. */
  readonly limit?: number
}

/**
 * A host that states no free pages (`virsh capabilities`) is taken to have them all free.
 * @see linux Documentation/admin-guide/mm/hugetlbpage
 */
export function pageSupply(resources: Resources, pagesizeKiB: number): PageSupply {
  const pool = resources.pools?.find((each) => each.pagesizeKiB === pagesizeKiB)
  const free = resources.nodes.map((node) => freePages(node, pagesizeKiB))
  const makeable = resources.nodes.map(({ freeKiB }) =>
    freeKiB === undefined ? Number.POSITIVE_INFINITY : Math.floor(freeKiB / pagesizeKiB),
  )
  const extra = Math.max(0, (pool?.overcommit ?? 0) - (pool?.surplus ?? 0))
  const limit = resources.allowed.pages?.find((each) => each.pagesizeKiB === pagesizeKiB)?.max
  const inPool = free.reduce((sum, pages) => sum + pages, 0) + extra - (pool?.reserved ?? 0)
  return {
    pagesizeKiB,
    free,
    makeable,
    extra,
    total: Math.max(0, Math.min(inPool, limit ?? Number.POSITIVE_INFINITY)),
    ...(limit !== undefined && { limit }),
  }
}

function freePages({ pages }: HostNode, pagesizeKiB: number): number {
  const pool = pages.find((each) => each.pagesizeKiB === pagesizeKiB)
  return pool?.free ?? pool?.total ?? 0
}

/** Whether any node has a pool of this page size. */
export function hasPool({ nodes, pools }: Host, pagesizeKiB: number): boolean {
  const found = (each: { readonly pagesizeKiB: number }): boolean => each.pagesizeKiB === pagesizeKiB
  return pools?.some(found) === true || nodes.some(({ pages }) => pages.some(found))
}

/** Pages of one size that by-free-pages leaves alone on every node. */
export function reservedPages({ reserve }: Pick<Request, 'reserve'>, pagesizeKiB: number): number {
  const kept = reserve.find((each) => each.pagesizeKiB === pagesizeKiB)
  return kept === undefined ? 0 : Math.ceil(kept.kib / pagesizeKiB)
}
