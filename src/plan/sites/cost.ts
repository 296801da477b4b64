// The one cost that decides where a guest is placed. plan (which nodes hold cells that are still to be
// made) and rebind (where each cell that the guest has goes) compare the same criteria, the first that
// differs decides, and less is better:
//
//  1. cpus       guest cores without a CPU: no memory makes up for one, since the cells then cannot be placed
//                like this
//  2. memory     KiB that can never be there: huge pages beyond those free and those that overcommit allows,
//                ordinary memory beyond what a node has
//  3. taken      vCPUs on CPUs that other running guests have pinned one to one
//  4. nodes      (plan) nodes in use beyond the fewest, or below the number of cells that was requested
//  5. available  KiB of ordinary memory that a node has, but not available now
//  6. distance   (plan) distances among the nodes, and from CPUs to the memory behind them, summed up;
//                (rebind) how far the distances differ from those that the guest was given
//  7. moved      (rebind) cells that leave the node where they are
//  8. caches     (plan) level-3 caches that the vCPUs are on
//  9. split      (plan) host cores of which the guest gets some threads, but not all
//
// Of what is equally good in all of them the lowest ids are taken.

import { CRITERIA, type Criterion, type NodesReason } from '../../model/placement.ts'

/** What a choice of nodes costs. A criterion that does not apply is 0. */
export type SiteCost = NodesReason['cost']

/** Below 0 where the first cost is less, above 0 where it is more. */
export function compareCosts(a: SiteCost, b: SiteCost): number {
  return (
    a.cpus - b.cpus ||
    a.memory - b.memory ||
    a.taken - b.taken ||
    a.nodes - b.nodes ||
    a.available - b.available ||
    a.distance - b.distance ||
    a.moved - b.moved ||
    a.caches - b.caches ||
    a.split - b.split
  )
}

/** The first criterion in which two costs differ. */
export function decidedBy(a: SiteCost, b: SiteCost): Criterion {
  return CRITERIA.find((criterion) => a[criterion] !== b[criterion]) ?? 'ids'
}

/** The cost of what costs nothing. */
export const NOTHING: SiteCost = {
  cpus: 0,
  memory: 0,
  taken: 0,
  nodes: 0,
  available: 0,
  distance: 0,
  moved: 0,
  caches: 0,
  split: 0,
}
