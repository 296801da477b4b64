// Pins of a guest whose cells have new homes: a vCPU, the emulator and an I/O thread stay where they are as long as they may.

import { type CpuSet, setOf, subtract, union } from '../../base/idset.ts'
import type { DomainView, Memnode, Request, Resources } from '../../model.ts'
import type { GuestCore } from '../cells/guest-cores.ts'
import { nodeOf } from './assign.ts'
import type { Offer } from './available.ts'
import { backedByPages, reachMemory, type Threads, threadPins, unreached } from './pins.ts'
import { fillingOf, seatCores } from './policies.ts'

export type Ways = (a: number, b: number) => number

export interface Moving {
  readonly view: DomainView
  readonly resources: Resources
  readonly request: Request
  readonly offer: Offer
  readonly shared: boolean
  readonly ways: Ways
}

/** One cell's guest cores on one node. */
export interface Settled {
  readonly cell: number
  readonly node: number
  readonly cores: readonly GuestCore[]
}

/** A cell that stays where it is keeps its pins; the others are seated on what is left. */
export function seatsOf({ view, offer, request }: Moving, settled: readonly Settled[]): Map<number, CpuSet> {
  const seats = new Map<number, CpuSet>()
  const taken = new Set<number>()
  const open = settled.filter(({ node, cores }) => {
    const pins = cores.flatMap(({ online }) => online.map((vcpu) => [vcpu, view.vcpupin.get(vcpu)] as const))
    const cpus = pins.flatMap(([, pin]) => pin ?? [])
    const here = new Set<number>(nodeOf(offer, node).cpus)
    const keeps =
      pins.every(([, pin]) => pin?.length === 1) &&
      cpus.every((cpu) => here.has(cpu) && !taken.has(cpu)) &&
      new Set(cpus).size === cpus.length
    if (!keeps) return true
    for (const [vcpu, pin] of pins) seats.set(vcpu, pin as CpuSet)
    for (const cpu of cpus) taken.add(cpu)
    return false
  })
  const filling = fillingOf(request.cpus, offer, view.online.length)
  for (const id of new Set(open.map(({ node }) => node))) {
    const cores = open.filter(({ node }) => node === id).flatMap((each) => each.cores)
    const vcpus = cores.reduce((sum, { online }) => sum + online.length, 0)
    const threads = Math.max(1, ...cores.map(({ online }) => online.length))
    seatCores(cores, filling.cpus(withoutCpus(offer, id, taken), vcpus, threads), threads, seats)
  }
  return seats
}

/** A core that a kept pin takes a thread of is whole no longer. */
function withoutCpus(offer: Offer, id: number, taken: ReadonlySet<number>): ReturnType<typeof nodeOf> {
  const node = nodeOf(offer, id)
  const free = (cpus: CpuSet): CpuSet => setOf(cpus.filter((cpu) => !taken.has(cpu)))
  const cores = node.cores.map(({ cpus, whole }) => ({
    cpus: free(cpus),
    whole: whole && free(cpus).length === cpus.length,
  }))
  return { id, cpus: free(node.cpus), cores: cores.filter(({ cpus }) => cpus.length > 0) }
}

/** Emulator and I/O threads stay where they are as long as they may and are in no vCPU's way. */
export function rebindThreads(
  { view, request, offer, shared, ways }: Moving,
  vcpupin: readonly CpuSet[],
  inUse: readonly number[],
  memnodes: readonly Memnode[],
): Threads {
  const used = union(...vcpupin)
  const fits = (cpus: CpuSet): boolean =>
    cpus.length > 0 &&
    subtract(cpus, offer.cpus).length === 0 &&
    (shared || subtract(cpus, used).length === cpus.length)
  const { emulatorpin, iothreadpin, iothreads } = view
  const written = [...(emulatorpin === undefined ? [] : [emulatorpin]), ...iothreadpin.values()]
  // virt-launcher's libvirt has no cpuset to put the emulator in.
  const backing = request.threadsLikeKubevirt ? [] : memnodes
  const reaches =
    emulatorpin !== undefined && unreached(emulatorpin, backedByPages(backing), offer).length === 0
  const stays = reaches && iothreads.every((id) => iothreadpin.has(id)) && written.every(fits)
  if (stays && request.emulator === 'spare') {
    return {
      pins: { emulatorpin, iothreadpin: iothreads.map((id) => iothreadpin.get(id) as CpuSet) },
      notes: [],
    }
  }
  // KubeVirt asks for a CPU of their own for threads that it pins; the pod on this side has one too.
  const emulator = request.threadsLikeKubevirt && written.length > 0 ? 'spare' : request.emulator
  const asked = { ...request, emulator }
  const threads = threadPins(view, asked, vcpupin, [...new Set(inUse)], shared, offer, ways)
  return reachMemory({ view, request: asked, vcpupin, memnodes: backing, offer }, threads)
}
