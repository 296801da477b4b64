// A running guest -> one line about it: where its memory is, how much of it is local, and how many of its
// threads may run on unexpected CPUs.

import { type NodeSet, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { classOf } from '../../codes/codes.ts'
import type { ActualPlacement, CellPlace, GuestSurvey } from '../../model/actual-placement.ts'
import type { HostNode } from '../../model/host.ts'
import { isMisplaced } from '../actual-placement.ts'

/** Cells whose memory is on the same nodes; `nodes` absent: not known. */
export interface CellsOnNodes {
  readonly cells: readonly number[]
  readonly nodes?: NodeSet
}

/** One guest in short. `localRatio` absent: not known, or nothing is allocated. */
interface GuestSummary {
  readonly vcpus: number
  readonly memoryKiB: number
  readonly cells: readonly CellsOnNodes[]
  readonly localRatio?: number
  /** Threads of which the expected CPUs are known. */
  readonly threads: number
  readonly misplacedThreads: number
}

/** @param nodes the host's, with their CPUs */
export function summaryOf(actual: ActualPlacement, nodes: readonly HostNode[] | undefined): GuestSummary {
  const { cells, threads } = actual
  const known = threads.filter(({ verdict }) => verdict !== 'unknown')
  const tids = (of: typeof threads): number => sum(of.map((thread) => thread.tids.length))
  const localRatio = localRatioOf(actual, nodes ?? [])
  return {
    vcpus: threads.filter(({ role }) => role === 'vcpu').length,
    memoryKiB: sum(cells.map(({ memoryKiB }) => memoryKiB)),
    cells: cells.map((place) => {
      const held = [...place.nodesKiB].filter(([, kib]) => kib > 0).map(([node]) => node)
      const isKnown = place.policies.length > 0
      return { cells: place.cells, ...(isKnown && { nodes: setOf<NodeSet>(held) }) }
    }),
    ...(localRatio !== undefined && { localRatio }),
    threads: tids(known),
    misplacedThreads: tids(known.filter(isMisplaced)),
  }
}

/** Findings; notes are not findings. */
export const findingsOf = ({ found }: Pick<GuestSurvey, 'found'>): number =>
  found.filter(({ code }) => classOf(code) !== 'note').length

/**
 * The share of the allocated memory that is local: on the expected nodes of its cell, or, where none are
 * expected, on nodes of the CPUs that the cell's vCPUs may run on.
 */
function localRatioOf(actual: ActualPlacement, nodes: readonly HostNode[]): number | undefined {
  const local = actual.cells.map((place) => localKiB(place, actual, nodes))
  const allocatedKiB = sum(actual.cells.map((place) => place.allocatedKiB))
  if (allocatedKiB === 0 || local.some((kib) => kib === undefined)) return undefined
  return sum(local.map((kib) => kib ?? 0)) / allocatedKiB
}

function localKiB(
  place: CellPlace,
  { threads }: ActualPlacement,
  nodes: readonly HostNode[],
): number | undefined {
  const { allocatedKiB, elsewhereKiB, nodesKiB, policies } = place
  if (policies.length === 0) return undefined
  if (place.nodes !== undefined) return elsewhereKiB === undefined ? undefined : allocatedKiB - elsewhereKiB
  const own = threads.filter(
    ({ role, cell }) => role === 'vcpu' && cell !== undefined && place.cells.includes(cell),
  )
  if (own.length === 0 || own.some(({ cpus }) => cpus === undefined) || nodes.length === 0) return undefined
  const reached = new Set(own.flatMap(({ cpus = [] }) => cpus as readonly number[]))
  const near = nodes.filter(({ cpus }) => cpus.some((cpu) => reached.has(cpu))).map(({ id }) => id)
  return sum([...nodesKiB].filter(([node]) => near.includes(node)).map(([, kib]) => kib))
}
