// What the guest sees: homes to cells, with the vCPUs that may be plugged in later, their memory and their distances.

import { type NodeSet, range, setOf, type VcpuSet } from '../../base/idset.ts'
import type { Cell, DomainView, Host, Request, Resources } from '../../model.ts'
import type { Home } from '../cpus/assign.ts'
import { guestDistances, hostDistances } from './distances.ts'
import { guestCores } from './guest-cores.ts'
import { splitMemory } from './memory.ts'
import { deal } from './share-evenly.ts'

/**
 * @param memnodes the nodes that back each home
 * @throws Refusal as splitMemory does
 */
export function shapeOf(
  view: DomainView,
  resources: Resources,
  request: Request,
  homes: readonly Home[],
  memnodes: readonly NodeSet[],
  pagesizeKiB: number | undefined,
): Cell[] {
  const vcpus = vcpusOf(view, request, homes)
  const backed = vcpus.map((cell, id) => ({ node: memnodes[id]?.[0] as number, vcpus: cell.length }))
  const memory = splitMemory(view, resources, request, backed, pagesizeKiB)
  const distances = distancesOf(resources, request, homes)
  return vcpus.map((cell, id) => ({
    id,
    vcpus: cell,
    memoryKiB: memory[id] as number,
    distances: distances[id] as readonly number[],
  }))
}

/**
 * Guest cores that are wholly offline go to the cells so that their sizes are as even as can be; those in part online stay together.
 * KubeVirt leaves offline vCPUs out of every cell.
 */
function vcpusOf(view: DomainView, { offlineInCells }: Request, homes: readonly Home[]): VcpuSet[] {
  const online = homes.map(({ cores }) => cores.flatMap((core) => core.online))
  if (!offlineInCells) return online.map((cell) => setOf<VcpuSet>(cell))
  const later = guestCores(view).filter((core) => core.online.length === 0)
  const shares = deal(
    later.length,
    homes.map(({ cores }) => cores.length),
    new Map(homes.map((_, cell) => [cell, later.length])),
  ) as number[]
  let next = 0
  return homes.map(({ cores }, cell) => {
    const from = next
    next += shares[cell] as number
    return setOf<VcpuSet>(
      [...cores, ...later.slice(from, next)].flatMap((core) => [...core.online, ...core.offline]),
    )
  })
}

function distancesOf(host: Host, { distances, like }: Request, homes: readonly Home[]): number[][] {
  const nodes = homes.map(({ node }) => node)
  if (distances === 'none') return range(homes.length).map(() => [])
  return like === 'kubevirt' ? hostDistances(host, nodes) : guestDistances(host, nodes)
}
