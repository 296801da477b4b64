// Where the cells' memory lies: each cell on the node of its vCPUs, or, where that node has no memory or may not be used, on
// the nearest one that has and may.

import { refuse } from '../base/diagnostic.ts'
import { formatSet, type NodeSet, setOf } from '../base/idset.ts'
import type { DomainView, Memnode, Request, Resources } from '../model.ts'

/**
 * The node for the memory of a cell whose vCPUs run on `node`; of equally near ones the lowest.
 * @throws Refusal `no-memory-node`
 */
export function memoryNode(resources: Resources, node: number, separation: (a: number, b: number) => number): NodeSet {
  const usable = nodesWithMemory(resources)
  const best = usable.reduce<number | undefined>(
    (nearest, each) => (nearest === undefined || separation(node, each) < separation(node, nearest) ? each : nearest),
    undefined,
  )
  if (best === undefined) refuse('no-memory-node', { allowed: formatSet(resources.allowed.nodes) })
  return setOf<NodeSet>([best])
}

/** Allowed nodes that have memory, as far as is known. */
export function nodesWithMemory({ nodes, allowed }: Resources): number[] {
  return nodes.filter(({ id, memoryKiB }) => memoryKiB !== 0 && allowed.nodes.includes(id)).map(({ id }) => id)
}

/** With mode=preferred `<memory>` stays strict over the union: the guest may overflow, but only within its own nodes. */
export function memnodesOf(nodes: readonly NodeSet[], { mode }: Pick<Request, 'mode'>, pagesizeKiB: number | undefined): Memnode[] {
  return nodes.map((set) => ({ nodes: set, mode, ...(pagesizeKiB !== undefined && { pagesizeKiB }) }))
}

/**
 * restrictive leaves binding to the cgroup alone: QEMU gets no host-nodes, so it cannot prealloc where it should.
 * @throws Refusal `restrictive-with-pages`
 */
export function checkMode({ mode }: Pick<Request, 'mode'>, view: DomainView, pagesizeKiB: number | undefined): void {
  if (mode !== 'restrictive') return
  if (pagesizeKiB !== undefined) refuse('restrictive-with-pages', { what: 'hugepages' })
  if (view.allocation === 'immediate') refuse('restrictive-with-pages', { what: "<allocation mode='immediate'/>" })
}
