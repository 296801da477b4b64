// A guest's `<topology>` against its cells: which sockets, dies, clusters and cores have vCPUs in several
// cells, and a topology in which none has.

import { range } from '../../base/idset.ts'
import type { CpuTopology } from '../../model/domain.ts'
import type { Cell } from '../../model/placement.ts'

/** Ids of those that span cells, counted over the whole guest from 0. */
export interface Spanning {
  readonly sockets: readonly number[]
  readonly dies: readonly number[]
  readonly clusters: readonly number[]
  readonly cores: readonly number[]
}

/**
 * Which parts of the guest have vCPUs in several cells. QEMU numbers vCPUs thread first, so each part is a
 * run of consecutive vCPUs. Dies and clusters are listed only where a socket has several.
 */
export function spanningParts(topology: CpuTopology, cells: readonly Pick<Cell, 'vcpus'>[]): Spanning {
  const { threads, cores, clusters, dies, sockets } = topology
  const inCluster = threads * cores
  const inDie = inCluster * clusters
  const inCell = cellByVcpu(cells, inDie * dies * sockets)
  return {
    sockets: spanning(inDie * dies, inCell),
    dies: dies === 1 ? [] : spanning(inDie, inCell),
    clusters: clusters === 1 ? [] : spanning(inCluster, inCell),
    cores: threads === 1 ? [] : spanning(threads, inCell),
  }
}

/** Whether the threads of a guest core may stay together when a core has so many. */
export type ThreadsHold = (threads: number) => boolean

/**
 * A topology of as many vCPUs in which no socket spans cells. As many threads a core as now, else the most
 * that fit; sockets as large as now where these fit, else as large as can be; in them dies and clusters as
 * large as now, where whole ones fill a socket.
 */
export function fittingTopology(
  { topology, vcpus }: { readonly topology: CpuTopology; readonly vcpus: number },
  cells: readonly Pick<Cell, 'vcpus'>[],
  threadsHold: ThreadsHold = () => true,
): CpuTopology {
  const inCell = cellByVcpu(cells, vcpus)
  const fits = (size: number): boolean => vcpus % size === 0 && spanning(size, inCell).length === 0
  const threads = downFrom(topology.threads).find(
    (each) => topology.threads % each === 0 && fits(each) && threadsHold(each),
  )
  const inCore = threads ?? 1
  const { threads: written, cores, clusters, dies } = topology
  const inCluster = written * cores
  const inDie = inCluster * clusters
  const sizes = [inDie * dies, ...downFrom(vcpus)]
  const inSocket = sizes.find((size) => size % inCore === 0 && fits(size)) ?? inCore
  const parts = { sockets: vcpus / inSocket, threads: inCore }
  const whole = inCluster / inCore
  if (dies > 1 && inSocket % inDie === 0) return { ...parts, dies: inSocket / inDie, clusters, cores: whole }
  if (clusters > 1 && inSocket % inCluster === 0)
    return { ...parts, dies: 1, clusters: inSocket / inCluster, cores: whole }
  return { ...parts, dies: 1, clusters: 1, cores: inSocket / inCore }
}

const downFrom = (most: number): number[] => range(most).map((less) => most - less)

/** The index of the cell of each vCPU. libvirt puts vCPUs that no cell lists into cell 0. */
export function cellByVcpu(cells: readonly Pick<Cell, 'vcpus'>[], count: number): readonly number[] {
  const inCell: number[] = new Array(count).fill(0)
  cells.forEach(({ vcpus }, cell) => {
    for (const vcpu of vcpus) inCell[vcpu] = cell
  })
  return inCell
}

/** The runs of so many vCPUs that are in several cells, by index. */
function spanning(size: number, inCell: readonly number[]): number[] {
  const found = new Set<number>()
  inCell.forEach((cell, vcpu) => {
    const run = Math.floor(vcpu / size)
    if (cell !== inCell[run * size]) found.add(run)
  })
  return [...found]
}
