// How a policy fills a node: how many guest cores it has room for, and on which of its CPUs they sit.

import { type CpuSet, setOf } from '../../base/idset.ts'
import type { CpuChoice } from '../../model.ts'
import type { GuestCore } from '../cells/guest-cores.ts'
import { cpuPool } from '../kubevirt/cpu-order.ts'
import type { AvailableCpus, AvailableNode } from './available.ts'
import { packedCpus, packedSplitCores } from './pack.ts'
import { spreadCpus } from './spread.ts'

/** How one policy fills a node. `capacity` is in guest cores; `count` is in CPUs. */
export interface CpuPolicy {
  readonly capacity: (node: AvailableNode, threads: number) => number
  /** Whether every node is used, instead of the fewest. */
  readonly usesEveryNode: boolean
  /** How many cores so many CPUs split, which are `most` at most. */
  readonly splitCores: (node: AvailableNode, threads: number, most: number) => (count: number) => number
  readonly cpus: (node: AvailableNode, count: number, threads: number) => AvailableNode
}

const inOrder: CpuPolicy = {
  capacity: (node, threads) => Math.floor(node.cpus.length / threads),
  usesEveryNode: false,
  splitCores: () => () => 0,
  cpus: (node) => node,
}

const packed: CpuPolicy = {
  ...inOrder,
  splitCores: packedSplitCores,
  cpus: (node, count, threads) => onlyCpus(node, packedCpus(node, count, threads)),
}

/** As long as there are as many cores as vCPUs, a node has only as much room as it has cores. */
function oneThreadPerCore(offer: AvailableCpus, vcpus: number): CpuPolicy {
  const cores = offer.nodes.reduce((sum, each) => sum + each.cores.length, 0)
  const enough = cores >= vcpus
  return {
    ...inOrder,
    capacity: (node, threads) => Math.floor((enough ? node.cores.length : node.cpus.length) / threads),
    usesEveryNode: !enough,
    cpus: (node, count) => spreadCpus(node, count),
  }
}

/** More vCPUs than CPUs: no node is full, and every node takes part. */
export const overcommitted: CpuPolicy = {
  ...inOrder,
  capacity: () => Number.POSITIVE_INFINITY,
  usesEveryNode: true,
}

function onlyCpus(node: AvailableNode, cpus: CpuSet): AvailableNode {
  const kept = new Set<number>(cpus)
  const cores = node.cores.map((core) => ({
    ...core,
    cpus: setOf<CpuSet>(core.cpus.filter((cpu) => kept.has(cpu))),
  }))
  return { id: node.id, cpus, cores: cores.filter((core) => core.cpus.length > 0) }
}

/** as-pinned chooses no CPUs; where a pin no longer holds, its vCPU is packed. */
export function cpuPolicy(cpus: CpuChoice, offer: AvailableCpus, vcpus: number): CpuPolicy {
  const policies: Record<CpuChoice, CpuPolicy> = {
    pack: packed,
    'as-pinned': packed,
    'in-order': inOrder,
    spread: oneThreadPerCore(offer, vcpus),
  }
  return policies[cpus]
}

/** Whole guest cores first, so that those with vCPUs still to come leave the siblings to them. */
export function assignCpus(
  cores: readonly GuestCore[],
  node: AvailableNode,
  threads: number,
  seats: Map<number, CpuSet>,
): void {
  const whole = cores.filter(({ online }) => online.length === threads)
  const pool = cpuPool([node], threads)
  const taken = pool.takeCores(whole.length).map(({ cpus }) => cpus)
  const rest = [...whole.slice(taken.length), ...cores.filter(({ online }) => online.length < threads)]
  const given = [...taken, ...rest.map(({ online }) => online.map(() => pool.takeThread() as number))]
  for (const [index, { online }] of [...whole.slice(0, taken.length), ...rest].entries()) {
    online.forEach((vcpu, thread) => {
      seats.set(vcpu, setOf<CpuSet>([given[index]?.[thread] as number]))
    })
  }
}
