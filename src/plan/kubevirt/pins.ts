// Dedicated CPUs without passthrough: KubeVirt's pins for a guest that gets no cells from us.

import { type CpuSet, range, setOf, subtract } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import type { Planned } from '../../model/placement.ts'
import { guestThreads, onlineCores } from '../cells/guest-cores.ts'
import { threadPins } from '../cpus/emulator.ts'
import type { Situation } from '../situation.ts'
import { cpuPool } from './cpu-order.ts'
import { pinsFrom } from './threads.ts'

/**
 * Each online vCPU has a CPU of its own in KubeVirt's order. The last guest cores may be made of what is left
 * on several nodes. Cells and memory stay as they are.
 * @throws Refusal `not-enough-threads`, and those of kubevirtThreads
 */
export function kubevirtPins(situation: Situation): Planned {
  const { view, available } = situation
  if (available.cpus.length < view.online.length)
    refuse('not-enough-threads', { vcpus: view.online.length, cpuset: available.cpus })
  const pool = cpuPool(available.nodes, guestThreads(view))
  const whole = pool.takeCores(onlineCores(situation.guestCores).length).flatMap(({ cpus }) => cpus)
  const cpus = view.online.map((_, index) => whole[index] ?? (pool.takeThread() as number))
  const cpuOf = new Map(view.online.map((vcpu, index) => [vcpu, setOf<CpuSet>([cpus[index] as number])]))
  const vcpupin = range(view.vcpus).map((vcpu) => cpuOf.get(vcpu) ?? setOf<CpuSet>([]))
  const inUse = available.nodes
    .filter((node) => subtract(node.cpus, setOf(cpus)).length < node.cpus.length)
    .map(({ id }) => id)
  const threads =
    situation.request.rules.threads === 'kubevirt'
      ? { pins: pinsFrom(situation, pool.takeThread), notes: [] }
      : threadPins({ ...situation, distance: () => 0 }, vcpupin, inUse)
  return {
    keeps: 'nothing',
    placement: { cells: [], binding: { memnodes: [], vcpupin, ...threads.pins } },
    notes: threads.notes,
  }
}
