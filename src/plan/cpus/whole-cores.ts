// cores=whole: a host core for each guest core.

import { type CpuSet, setOf, union } from '../../base/idset.ts'
import type { AvailableCpus, Core } from './available.ts'

/**
 * Of every host core that is wholly available as many threads as a guest core has; its other threads stay
 * idle. Cores with fewer threads are left out, since a guest core would need several of them.
 * @param threads of a guest core
 */
export function wholeCores(available: AvailableCpus, threads: number): AvailableCpus {
  const nodes = available.nodes.map((node) => {
    const cores = node.cores
      .filter(({ whole, cpus }) => whole && cpus.length >= threads)
      .map((core): Core => ({ ...core, cpus: setOf<CpuSet>(core.cpus.slice(0, threads)) }))
    return { id: node.id, cores, cpus: union(...cores.map(({ cpus }) => cpus)) }
  })
  const used = nodes.filter(({ cpus }) => cpus.length > 0)
  return { ...available, nodes: used, cpus: union(...used.map(({ cpus }) => cpus)) }
}
