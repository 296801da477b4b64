// What the guest sees: planned cells with the vCPUs that may be plugged in later, their memory and their
// distances.

import { type NodeSet, setOf, type VcpuSet } from '../../base/idset.ts'
import type { Host } from '../../model/host.ts'
import type { Cell } from '../../model/placement.ts'
import type { DistanceSource, Rules } from '../../model/request.ts'
import type { PlannedCell } from '../cpus/assigned.ts'
import type { Situation } from '../situation.ts'
import { guestDistances, hostDistances } from './distances.ts'
import { splitMemory } from './memory.ts'
import { plugOrder } from './plug-order.ts'
import { shareEvenly } from './share-evenly.ts'

/**
 * The planned cells with all of their vCPUs, their memory and their distances.
 * @param memory the nodes that back each cell
 * @param pagesizeKiB undefined is ordinary memory
 * @throws Refusal as splitMemory does
 */
export function shapeOf(
  situation: Situation,
  cells: readonly PlannedCell[],
  memory: readonly NodeSet[],
  pagesizeKiB: number | undefined,
): Cell[] {
  // Cells without vCPUs come last, and have their memory.
  const shared = cells.filter((cell) => cell.memoryKiB === undefined)
  const vcpusOfCell = vcpusOf(situation, shared)
  const backed = vcpusOfCell.map((vcpus, id) => ({ node: memory[id]?.[0] as number, vcpus: vcpus.length }))
  const memoryKiB = splitMemory(situation, backed, pagesizeKiB)
  const distances = distancesOf(situation, cells)
  return cells.map((cell, id) => ({
    id,
    vcpus: vcpusOfCell[id] ?? setOf<VcpuSet>([]),
    memoryKiB: cell.memoryKiB ?? (memoryKiB[id] as number),
    distances: distances[id] as readonly number[],
  }))
}

function vcpusOf({ view, request, guestCores }: Situation, cells: readonly PlannedCell[]): VcpuSet[] {
  const online = cells.map(({ cores }) => cores.flatMap((core) => core.online))
  if (!request.rules.offlineInCells) return online.map((vcpus) => setOf<VcpuSet>(vcpus))
  const later = guestCores.filter((core) => core.online.length === 0)
  const present = cells.map(({ cores }) => cores.length)
  const shares = offlineShares(later.length, present)
  const cellsOfLater = plugOrder[request.topology]({
    present,
    shares,
    ...(view.topology && { topology: view.topology }),
  })
  return cells.map(({ cores }, cell) => {
    const added = later.filter((_, index) => cellsOfLater[index] === cell)
    return setOf<VcpuSet>([...cores, ...added].flatMap((core) => [...core.online, ...core.offline]))
  })
}

/**
 * Guest cores that are wholly offline go to the cells so that their sizes are as even as can be; those in
 * part online stay together. KubeVirt leaves offline vCPUs out of every cell.
 * @param offline how many guest cores are offline
 * @param online how many each cell has that are not
 * @returns how many of the offline ones each cell gets
 */
export function offlineShares(offline: number, online: readonly number[]): number[] {
  if (offline === 0) return online.map(() => 0)
  return shareEvenly(offline, online, new Map(online.map((_, cell) => [cell, offline]))) as number[]
}

function distancesOf({ resources, request }: Situation, cells: readonly PlannedCell[]): number[][] {
  const nodes = cells.map(({ node }) => node)
  return distancesFrom[request.distances](resources, nodes, request.rules)
}

const distancesFrom: Record<
  DistanceSource,
  (host: Host, nodeOfCell: readonly number[], rules: Rules) => number[][]
> = {
  host: (host, nodeOfCell, { hostDistances }) => matrixOf[hostDistances](host, nodeOfCell),
  none: (_, nodeOfCell) => nodeOfCell.map(() => []),
}

const matrixOf: Record<Rules['hostDistances'], (host: Host, nodeOfCell: readonly number[]) => number[][]> = {
  completed: guestDistances,
  'as-stated': hostDistances,
}
