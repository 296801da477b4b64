// Which nodes back a cell's memory: the node of its vCPUs, or, where that node has no memory or may not be
// used, the nearest ones that have and may.

import { has, type NodeSet } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import type { Memnode } from '../../model/placement.ts'
import type { Request } from '../../model/request.ts'

/** The nodes (ids, ascending) that may back a cell whose vCPUs run on a given node; all are equally near. */
export type NodesBehind = (node: number) => readonly number[]

/**
 * The nearest usable nodes of any node. Each node is looked up once.
 * @param usable nodes that may back the memory
 * @throws Refusal `no-memory-node`, when it is asked for one and there is none
 */
export function nodesBehind(
  resources: Resources,
  distance: (a: number, b: number) => number,
  usable: readonly number[] = nodesWithMemory(resources),
): NodesBehind {
  const known = new Map<number, readonly number[]>()
  return (node) => {
    const before = known.get(node)
    if (before !== undefined) return before
    let nearest: number[] = []
    let least = Number.POSITIVE_INFINITY
    for (const each of usable) {
      const here = each === node ? 0 : distance(node, each)
      if (here < least) [nearest, least] = [[each], here]
      else if (here === least) nearest.push(each)
    }
    if (nearest.length === 0) refuse('no-memory-node', { allowed: resources.allowed.nodes })
    known.set(node, nearest)
    return nearest
  }
}

/** Allowed nodes that have memory, as far as is known. */
export function nodesWithMemory({ nodes, allowed }: Resources): number[] {
  return nodes.filter(({ id, memoryKiB }) => memoryKiB !== 0 && has(allowed.nodes, id)).map(({ id }) => id)
}

/**
 * With mode=preferred `<memory>` stays strict over the union: the guest may overflow, but only within its own
 * nodes.
 */
export function memnodesOf(
  nodes: readonly NodeSet[],
  { mode }: Pick<Request, 'mode'>,
  pagesizeKiB: number | undefined,
): Memnode[] {
  return nodes.map((set) => ({ nodes: set, mode, ...(pagesizeKiB !== undefined && { pagesizeKiB }) }))
}

/**
 * restrictive leaves binding to the cgroup alone: QEMU gets no host-nodes, so it cannot prealloc where it
 * should.
 * @throws Refusal `restrictive-with-pages`
 */
export function checkMode(
  { mode }: Pick<Request, 'mode'>,
  view: DomainView,
  pagesizeKiB: number | undefined,
): void {
  if (mode !== 'restrictive') return
  if (pagesizeKiB !== undefined) refuse('restrictive-with-pages', { because: 'hugepages' })
  if (view.allocation === 'immediate') refuse('restrictive-with-pages', { because: 'allocation-immediate' })
}
