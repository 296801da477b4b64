// What the nodes can still give: huge pages now, and those that the kernel may make in addition; ordinary
// memory at all, and now.

import { sum } from '../../base/lists.ts'
import { leftOf } from '../../base/memory.ts'
import type { PagePool } from '../../codes/guest/memory.ts'
import type { Host, HostNode, Resources } from '../../model/host.ts'
import type { Request } from '../../model/request.ts'
import { leftBy, type PromisedPages, promisedOrdinary, promisedPages } from './promises.ts'

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
  /** To guests that are starting: these pages are still free. */
  readonly promised: readonly PromisedPages[]
  /** What they leave: `free` per node, and `extra`. */
  readonly left: { readonly free: readonly number[]; readonly extra: number }
  /** How many pages the kernel keeps for mappings of other processes. */
  readonly reserved: number
  /**
   * No more than this in all: free and surplus pages less those promised or reserved to others, and the
   * cgroup's limit.
   */
  readonly total: number
  /** What the cgroup's limit alone leaves, where there is one. */
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
  const limited = resources.allowed.pages?.find((each) => each.pagesizeKiB === pagesizeKiB)
  const limit = limited && leftOf(limited)
  const promised = promisedPages(resources, pagesizeKiB)
  const { left, unmet } = leftBy(promised, free)
  const leftExtra = Math.max(0, extra - unmet)
  // A QEMU that has mapped its pages but not touched them has reserved what it was promised.
  const mapped = sum(promised.map(({ promise, amount }) => (promise.isAllocating ? amount : 0)))
  const reserved = Math.max(0, (pool?.reserved ?? 0) - mapped)
  const inPool = sum(left) + leftExtra - reserved
  return {
    pagesizeKiB,
    free,
    makeable,
    extra,
    promised,
    left: { free: left, extra: leftExtra },
    reserved,
    total: Math.max(0, Math.min(inPool, limit ?? Number.POSITIVE_INFINITY)),
    ...(limit !== undefined && { limit }),
  }
}

function freePages({ pages }: HostNode, pagesizeKiB: number): number {
  const pool = pages.find((each) => each.pagesizeKiB === pagesizeKiB)
  return pool?.free ?? pool?.total ?? 0
}

/** The pages of one size that a node has. */
export function poolOf({ nodes }: Host, node: number, pagesizeKiB: number): PagePool {
  const pages = nodes.find(({ id }) => id === node)?.pages ?? []
  return { node, total: pages.find((each) => each.pagesizeKiB === pagesizeKiB)?.total ?? 0 }
}

/** Whether any node has a pool of this page size. */
export function hasPool({ nodes, pools }: Host, pagesizeKiB: number): boolean {
  const found = (each: { readonly pagesizeKiB: number }): boolean => each.pagesizeKiB === pagesizeKiB
  return pools?.some(found) === true || nodes.some(({ pages }) => pages.some(found))
}

/** Pages of one size that are left to the host on every node. */
export function reservedPages({ reserve }: Pick<Request, 'reserve'>, pagesizeKiB: number): number {
  const kept = reserve.find((each) => each.pagesizeKiB === pagesizeKiB)
  return kept === undefined ? 0 : Math.ceil(kept.kib / pagesizeKiB)
}

/**
 * Memory of one kind, in KiB per node in the order of `Host.nodes`; Infinity where a fact is not known.
 * Huge pages: those free, and those that may be made on a node, `extraKiB` of them in all. Ordinary memory:
 * all that a node has, and what of it is available now.
 */
export interface NodeSupply {
  readonly nodesKiB: readonly number[]
  readonly makeableKiB: readonly number[]
  readonly extraKiB: number
  readonly availableKiB: readonly number[]
}

/**
 * What nodes are chosen by: less what starting guests were promised, and what the configuration reserves.
 * @param pagesizeKiB 0 is ordinary memory
 */
export function nodeSupply(
  resources: Resources,
  request: Pick<Request, 'reserve' | 'reserveKiB'>,
  pagesizeKiB: number,
): NodeSupply {
  const { nodes } = resources
  if (pagesizeKiB === 0) {
    const left = (kib: number): number => Math.max(0, kib - (request.reserveKiB ?? 0))
    const all = nodes.map(({ memoryKiB }) => memoryKiB ?? Number.POSITIVE_INFINITY)
    const now = nodes.map(
      ({ availableKiB, freeKiB }, node) => availableKiB ?? freeKiB ?? (all[node] as number),
    )
    return {
      nodesKiB: all.map(left),
      makeableKiB: nodes.map(() => 0),
      extraKiB: 0,
      availableKiB: leftBy(promisedOrdinary(resources), now).left.map(left),
    }
  }
  const { left, makeable } = pageSupply(resources, pagesizeKiB)
  const reserved = reservedPages(request, pagesizeKiB)
  return {
    nodesKiB: left.free.map((pages) => Math.max(0, pages - reserved) * pagesizeKiB),
    makeableKiB: makeable.map((pages) => pages * pagesizeKiB),
    extraKiB: left.extra * pagesizeKiB,
    availableKiB: nodes.map(() => Number.POSITIVE_INFINITY),
  }
}
