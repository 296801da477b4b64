// What is worth knowing of the CPUs that vCPUs are pinned to: those of other guests, and host cores that two
// guest cores share.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { type CpuSet, has, intersect, type NodeSet, setOf, union } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { Resources } from '../../model/host.ts'
import { guestThreads, onlineCores } from '../cells/guest-cores.ts'
import type { Situation } from '../situation.ts'
import { wholeCores } from './whole-cores.ts'

/** A note for each running guest that has pinned some of these CPUs one to one. */
export function takenNotes(pins: readonly CpuSet[], { taken = [], allowed }: Resources): Diagnostic[] {
  if (taken.length === 0) return []
  const cpus = intersect(union(...new Set(pins)), allowed.cpus)
  return taken.flatMap(({ guest, cpus: own }) => {
    const both = intersect(cpus, own)
    return both.length === 0
      ? []
      : [diagnostic('cpus-taken', { cpus: both, ...(guest !== undefined && { guest }) })]
  })
}

/**
 * A note where two guest cores share a host core although other host cores stay idle. It is about single
 * CPUs:
 * vCPUs that share the CPUs of their cell have no core of their own in any case.
 */
export function sharedCoreNotes(situation: Situation, vcpupin: readonly CpuSet[]): Diagnostic[] {
  const { view, available, guestCores, sharesCpus, request } = situation
  if (sharesCpus || request.cpus !== 'pack') return []
  const guestCoreOf = new Map(
    guestCores.flatMap(({ online }, index) =>
      online.flatMap((vcpu) => (vcpupin[vcpu] ?? []).map((cpu) => [cpu as number, index] as const)),
    ),
  )
  const cores = available.nodes.flatMap(({ id, cores }) =>
    cores.map(({ cpus, whole }) => {
      const users = new Set(cpus.flatMap((cpu) => guestCoreOf.get(cpu) ?? []))
      const isFree = whole && !cpus.some((cpu) => has(available.taken, cpu))
      return { node: id, users, isIdle: users.size === 0 && isFree }
    }),
  )
  const shared = cores.filter(({ users }) => users.size > 1)
  const idle = cores.filter(({ isIdle }) => isIdle)
  if (shared.length === 0 || idle.length === 0) return []
  const whole = wholeCores(available, guestThreads(view)).nodes
  const facts = {
    guestCores: new Set(shared.flatMap(({ users }) => [...users])).size,
    hostCores: shared.length,
    idle: idle.length,
    idleNodes: setOf<NodeSet>(idle.map(({ node }) => node)),
    wholeFits: onlineCores(guestCores).length <= sum(whole.map((node) => node.cores.length)),
  }
  return [diagnostic('cores-shared', facts)]
}
