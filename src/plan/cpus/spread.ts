// CPUs of one node for a number of vCPUs, one thread per core first.

import { type CpuSet, setOf } from '../../base/idset.ts'
import type { AvailableNode } from './available.ts'

/**
 * The first thread of every core in order, then the second of every core, and so on, as many as are needed.
 * Each is returned as a separate core, so that vCPUs are assigned in this order.
 */
export function spreadCpus(node: AvailableNode, count: number): AvailableNode {
  const most = Math.max(0, ...node.cores.map(({ cpus }) => cpus.length))
  const turns = Array.from({ length: most }, (_, thread) =>
    node.cores.flatMap(({ cpus }) => cpus[thread] ?? []),
  )
  const cpus = turns.flat().slice(0, count)
  return {
    id: node.id,
    cpus: setOf<CpuSet>(cpus),
    cores: cpus.map((cpu) => ({ cpus: setOf<CpuSet>([cpu]), whole: false })),
  }
}
