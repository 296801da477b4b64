// How a policy fills a node: how many guest cores fit, and which of its CPUs they get.

import { type CpuSet, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { CpuChoice } from '../../model/request.ts'
import type { GuestCore } from '../cells/guest-cores.ts'
import { cpuPool } from '../kubevirt/cpu-order.ts'
import type { Situation } from '../situation.ts'
import type { AvailableCpus, AvailableNode } from './available.ts'
import { type PackedCost, packedCost, packedCpus } from './pack.ts'
import { spreadCpus } from './spread.ts'

/** How one policy fills a node. `capacity` is in guest cores; `count` is in CPUs. */
export interface CpuPolicy {
  readonly capacity: (node: AvailableNode, threads: number) => number
  /** Whether every node is used, instead of the fewest. */
  readonly usesEveryNode: boolean
  /** What so many CPUs of a node cost, which are `most` at most. */
  readonly cost: (node: AvailableNode, threads: number, most: number) => (count: number) => PackedCost
  readonly cpus: (node: AvailableNode, count: number, threads: number) => AvailableNode
}

const inOrder: CpuPolicy = {
  capacity: (node, threads) => Math.floor(node.cpus.length / threads),
  usesEveryNode: false,
  cost: () => () => ({ caches: 0, split: 0 }),
  cpus: (node) => node,
}

const packed: CpuPolicy = {
  ...inOrder,
  cost: packedCost,
  cpus: (node, count, threads) => onlyCpus(node, packedCpus(node, count, threads)),
}

/** If there are at least as many cores as vCPUs, a node takes no more vCPUs than it has cores. */
function oneThreadPerCore(available: AvailableCpus, vcpus: number): CpuPolicy {
  const cores = sum(available.nodes.map((each) => each.cores.length))
  const enough = cores >= vcpus
  return {
    ...inOrder,
    capacity: (node, threads) => Math.floor((enough ? node.cores.length : node.cpus.length) / threads),
    usesEveryNode: !enough,
    cpus: (node, count) => spreadCpus(node, count),
  }
}

/** More vCPUs than CPUs: no node is full, and every node takes part. */
const overcommitted: CpuPolicy = {
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

/** Whether vCPUs share CPUs and are more than these. */
export function isOvercommitted({ view, available, sharesCpus }: Situation): boolean {
  return sharesCpus && view.online.length > available.cpus.length
}

/** How the nodes are filled. as-pinned chooses no CPUs; where a pin no longer holds, its vCPU is packed. */
export function policyFor(situation: Situation): CpuPolicy {
  return isOvercommitted(situation) ? overcommitted : policies[situation.request.cpus](situation)
}

const policies: Record<CpuChoice, (situation: Situation) => CpuPolicy> = {
  pack: () => packed,
  'as-pinned': () => packed,
  'in-order': () => inOrder,
  spread: ({ available, view }) => oneThreadPerCore(available, view.online.length),
}

/** Whole guest cores first, so that those with vCPUs still to come leave the siblings to them. */
export function assignCpus(
  cores: readonly GuestCore[],
  node: AvailableNode,
  threads: number,
  cpuOf: Map<number, CpuSet>,
): void {
  const whole = cores.filter(({ online }) => online.length === threads)
  const pool = cpuPool([node], threads)
  const taken = pool.takeCores(whole.length).map(({ cpus }) => cpus)
  const rest = [...whole.slice(taken.length), ...cores.filter(({ online }) => online.length < threads)]
  const given = [...taken, ...rest.map(({ online }) => online.map(() => pool.takeThread() as number))]
  for (const [index, { online }] of [...whole.slice(0, taken.length), ...rest].entries()) {
    online.forEach((vcpu, thread) => {
      cpuOf.set(vcpu, setOf<CpuSet>([given[index]?.[thread] as number]))
    })
  }
}
