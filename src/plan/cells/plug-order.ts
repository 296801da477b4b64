// Which cells the guest cores belong to that may be plugged in later: `virsh setvcpus` plugs them in by
// their ids, and whatever number it stops at, the cells shall have about as many as each other.

import { range } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { CpuTopology } from '../../model/domain.ts'
import type { TopologyChoice } from '../../model/request.ts'

/** Guest cores by cell: how many each has at boot, and how many of those that are offline it gets. */
interface CoresOfCells {
  readonly present: readonly number[]
  readonly shares: readonly number[]
  readonly topology?: CpuTopology
}

/** @returns the cell of each guest core that is offline, in the order of their ids */
type PlugOrder = (cores: CoresOfCells) => number[]

/** The next core, or the next socket where cells have whole ones, goes to the cell that has the fewest. */
function balanced({ present, shares, topology }: CoresOfCells): number[] {
  const unit = unitOf(topology, [...present, ...shares])
  const left = shares.map((share) => share / unit)
  const has = present.map((cores) => cores / unit)
  return range(sum(left)).flatMap(() => {
    const open = range(left.length).filter((cell) => (left[cell] as number) > 0)
    const fewest = Math.min(...open.map((cell) => has[cell] as number))
    const next = open.find((cell) => has[cell] === fewest) as number
    left[next] = (left[next] as number) - 1
    has[next] = (has[next] as number) + 1
    return range(unit).map(() => next)
  })
}

/** The cores of a socket, if every count of cores is a multiple of it; else 1. */
function unitOf(topology: CpuTopology | undefined, counts: readonly number[]): number {
  if (topology === undefined) return 1
  const cores = topology.dies * topology.clusters * topology.cores
  return counts.every((count) => count % cores === 0) ? cores : 1
}

/** Those of one cell follow each other, so that they make sockets as large as can be. */
const together: PlugOrder = ({ shares }) => shares.flatMap((share, cell) => range(share).map(() => cell))

/** By the request. */
export const plugOrder: Readonly<Record<TopologyChoice, PlugOrder>> = {
  keep: balanced,
  align: together,
  lock: together,
}
