// Pins of a guest whose cells are bound anew: a vCPU, the emulator and an I/O thread stay where they are as
// long as they may.

import { type CpuSet, formatSet, has, setOf, subtract, union } from '../../base/idset.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Memnode } from '../../model/placement.ts'
import { needsPinnedEmulator } from '../backing/allocation.ts'
import { type GuestCore, onlineVcpus } from '../cells/guest-cores.ts'
import type { Situation } from '../situation.ts'
import type { CpuOfVcpu } from './assigned.ts'
import { availableNode, untakenFirst, withoutCpus } from './available.ts'
import { backedByPages, type PinnedThreads, reachMemory, threadPins, unreached } from './emulator.ts'
import { assignCpus, policyFor } from './policies.ts'

/** The guest cores of one cell that run on one node (id). */
export interface CoresOnNode {
  readonly cell: number
  readonly node: number
  readonly cores: readonly GuestCore[]
}

/** A cell whose pins are single CPUs of its node keeps them; the others get CPUs of what is left. */
export function movedCpus(situation: Situation, placed: readonly CoresOnNode[]): CpuOfVcpu {
  const { view, available } = situation
  const cpuOf = new Map<number, CpuSet>()
  const taken = new Set<number>()
  const open = placed.filter(({ node, cores }) => {
    const { cpus: here } = availableNode(available, node)
    const own = new Set<number>()
    for (const { online } of cores)
      for (const vcpu of online) {
        const pin = view.vcpupin.get(vcpu)
        const [cpu] = pin ?? []
        if (cpu === undefined || pin?.length !== 1) return true
        if (!has(here, cpu) || taken.has(cpu) || own.has(cpu) || has(available.taken, cpu)) return true
        own.add(cpu)
      }
    for (const { online } of cores)
      for (const vcpu of online) cpuOf.set(vcpu, view.vcpupin.get(vcpu) as CpuSet)
    for (const cpu of own) taken.add(cpu)
    return false
  })
  const policy = policyFor(situation)
  for (const id of new Set(open.map(({ node }) => node))) {
    const cores = open.filter(({ node }) => node === id).flatMap((each) => each.cores)
    const vcpus = onlineVcpus(cores)
    const threads = Math.max(1, ...cores.map(({ online }) => online.length))
    const left = withoutCpus(availableNode(available, id), setOf<CpuSet>([...taken]))
    const node = untakenFirst(left, available.taken, vcpus)
    assignCpus(cores, policy.cpus(node, vcpus, threads), threads, cpuOf)
  }
  return cpuOf
}

/**
 * Emulator and I/O threads stay where they are as long as they may and keep off the CPUs of vCPUs.
 * @param vcpupin the new pins of all vCPUs
 * @param inUse ids of the nodes that these are on
 */
export function movedThreadPins(
  situation: Situation,
  vcpupin: readonly CpuSet[],
  inUse: readonly number[],
  memnodes: readonly Memnode[],
): PinnedThreads {
  const { view, request, available } = situation
  const used = union(...vcpupin)
  const fits = (cpus: CpuSet): boolean =>
    cpus.length > 0 &&
    subtract(cpus, available.cpus).length === 0 &&
    (situation.sharesCpus || subtract(cpus, used).length === cpus.length)
  const { emulatorpin, iothreadpin, iothreads } = view
  const written = [...(emulatorpin === undefined ? [] : [emulatorpin]), ...iothreadpin.values()]
  const isKubevirts = request.rules.threads === 'kubevirt'
  // virt-launcher's libvirt has no cpuset to put the emulator in.
  const backing = isKubevirts ? [] : memnodes
  const reaches =
    emulatorpin !== undefined && unreached(emulatorpin, backedByPages(backing), available).length === 0
  const stays = reaches && iothreads.every((id) => iothreadpin.has(id)) && written.every(fits)
  if (stays && request.emulator === 'spare') {
    return {
      pins: { emulatorpin, iothreadpin: iothreads.map((id) => iothreadpin.get(id) as CpuSet) },
      notes: [],
    }
  }
  const isLeft = written.length === 0 && !needsPinnedEmulator(situation, backing)
  if (request.emulator === 'spare' && isLeft && keepsPins(view, vcpupin))
    return { pins: { iothreadpin: [] }, notes: [] }
  // KubeVirt asks for a CPU of their own for threads that it pins; the pod on this side has one too.
  const emulator = isKubevirts && written.length > 0 ? 'spare' : request.emulator
  const asked = { ...situation, request: { ...request, emulator } }
  return reachMemory(asked, threadPins(asked, vcpupin, inUse), { vcpupin, memnodes: backing })
}

/**
 * Whether every vCPU keeps the pin that its owner gave it; then the other threads are left as they are too.
 */
function keepsPins(view: DomainView, vcpupin: readonly CpuSet[]): boolean {
  return vcpupin.every((pin, vcpu) => {
    const written = view.vcpupin.get(vcpu)
    return written !== undefined && formatSet(written) === formatSet(pin)
  })
}
