// Where a cell can be: the node that runs its vCPUs, and the node that backs its memory.

import type { Resources } from '../../model/host.ts'
import type { Allocation } from '../backing/allocation.ts'
import type { Situation } from '../situation.ts'

/** Of a cell that is on no site, of a site that runs no vCPUs, and of memory that nobody counts. */
export const NOWHERE = -1

/**
 * One pair of nodes. `run` is an index of the available nodes, NOWHERE where the site holds memory alone;
 * `memory` is an index of `Host.nodes`; `node` is the id of the node that counts for distances: where the
 * vCPUs run, else where the memory is. `remote` is how much farther than local its memory is, both ways.
 */
export interface Site {
  readonly run: number
  readonly memory: number
  readonly node: number
  readonly remote: number
}

/**
 * Sites for cells with vCPUs, by available node: each node with each of the nearest nodes that may back
 * memory which QEMU allocates at these times.
 */
export function sitesByNode(situation: Situation, allocations: readonly Allocation[]): Site[][] {
  const { available, resources, nodesBehind, distance } = situation
  const indexOf = indexById(resources)
  return available.nodes.map(({ id: node }, run) =>
    ascending(allocations.map((each) => nodesBehind[each](node))).map((memory) => ({
      run,
      memory: indexOf.get(memory) as number,
      node,
      remote: distance(node, memory) - distance(node, node),
    })),
  )
}

/** Sites for cells without vCPUs: every node that may back their memory. */
export function memorySites(
  { resources, backingNodes }: Situation,
  allocations: readonly Allocation[],
): Site[] {
  const indexOf = indexById(resources)
  return ascending(allocations.map((each) => backingNodes[each])).map((node) => ({
    run: NOWHERE,
    memory: indexOf.get(node) as number,
    node,
    remote: 0,
  }))
}

const ascending = (lists: readonly (readonly number[])[]): number[] =>
  [...new Set(lists.flat())].sort((a, b) => a - b)

function indexById({ nodes }: Resources): ReadonlyMap<number, number> {
  return new Map(nodes.map(({ id }, index) => [id, index]))
}
