// Where the cells' memory lies: each cell on the node of its vCPUs, or, where that node has no memory or may
// not be used, on the nearest one that has and may.

import { formatSet, has, type NodeSet, setOf } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import type { DomainView, Memnode, Request, Resources } from '../../model.ts'

/** The node for the memory of a cell whose vCPUs run on a given node. */
export type MemoryNodeOf = (node: number) => NodeSet

/**
 * The nearest node with memory for any node; of equally near ones the lowest. Each node is looked up once.
 * @throws Refusal `no-memory-node`, when it is asked for one and there is none
 */
export function memoryNodes(resources: Resources, distance: (a: number, b: number) => number): MemoryNodeOf {
  const usable = nodesWithMemory(resources)
  const known = new Map<number, NodeSet>()
  return (node) => {
    const before = known.get(node)
    if (before !== undefined) return before
    let [best, least]: [number | undefined, number] = [undefined, Number.POSITIVE_INFINITY]
    for (const each of usable) {
      const here = distance(node, each)
      if (here < least) [best, least] = [each, here]
    }
    if (best === undefined) refuse('no-memory-node', { allowed: formatSet(resources.allowed.nodes) })
    const found = setOf<NodeSet>([best])
    known.set(node, found)
    return found
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
  if (pagesizeKiB !== undefined) refuse('restrictive-with-pages', { what: 'hugepages' })
  if (view.allocation === 'immediate')
    refuse('restrictive-with-pages', { what: "<allocation mode='immediate'/>" })
}
