// Guest cores in KubeVirt's order: CPUs are handed out in host order, and a cell is what fell on one node.

import { type CpuSet, setOf } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import { guestThreads, onlineCores } from '../cells/guest-cores.ts'
import type { CoresOfNode } from '../cpus/as-pinned.ts'
import type { CpuOfVcpu } from '../cpus/assigned.ts'
import type { AvailableCpus } from '../cpus/available.ts'
import type { Situation } from '../situation.ts'
import { cpuPool } from './cpu-order.ts'

/**
 * The cells that KubeVirt's order makes, and the CPU of each vCPU.
 * @throws Refusal `cell-crossing`
 */
export function coresInHostOrder(situation: Situation): {
  readonly cells: readonly CoresOfNode[]
  readonly cpuOf: CpuOfVcpu
} {
  const { view, available } = situation
  const threads = guestThreads(view)
  const pool = cpuPool(available.nodes, threads)
  const cores = onlineCores(situation.guestCores)
  const whole = cores.filter(({ online }) => online.length === threads)
  const parts = cores.filter(({ online }) => online.length < threads)
  const taken = [
    ...pool.takeCores(whole.length),
    ...parts.flatMap(({ online }) => pool.takeFromNode(online.length) ?? []),
  ]
  if (taken.length < cores.length) refuseOrder(available, threads, cores.length, taken.length)
  const ordered = [...whole, ...parts]
  const cpuOf = new Map<number, CpuSet>()
  ordered.forEach(({ online }, index) => {
    for (const [thread, vcpu] of online.entries())
      cpuOf.set(vcpu, setOf<CpuSet>([taken[index]?.cpus[thread] as number]))
  })
  const cells = available.nodes
    .map(({ id }) => ({ node: id, cores: ordered.filter((_, index) => taken[index]?.node === id) }))
    .filter((cell) => cell.cores.length > 0)
  return { cells, cpuOf }
}

function refuseOrder({ cpus }: AvailableCpus, threads: number, cores: number, fit: number): never {
  refuse('cell-crossing', { cores, threads, fit, cpuset: cpus })
}
