// Emulator and I/O threads as KubeVirt pins them, and its pins for a guest that gets no cells.
//
// CPUs that the vCPUs left over are handed out one by one: first to the I/O threads of the supplemental pool, then to the
// emulator. Other I/O threads share: with the emulator where that is isolated, else the first CPUs of the pod, as many as
// there are vCPUs, whoever runs on them: in turn where there are at least as many threads as vCPUs, else in even slices.

import { refuse } from '../../base/diagnostic.ts'
import { type CpuSet, formatSet, range, setOf, subtract, union } from '../../base/idset.ts'
import type { DomainView, KubevirtThreads, Request, Resources } from '../../model.ts'
import { guestCores, guestThreads } from '../cells/guest-cores.ts'
import { type NodeOffer, type Offer, offerOf } from '../cpus/available.ts'
import { type Pins, threadPins } from '../cpus/pins.ts'
import type { Plan } from '../planned.ts'
import { type Pool, poolOf } from './cpu-order.ts'

type Seats = ReadonlyMap<number, CpuSet>

/**
 * @param seats the CPU of each online vCPU
 * @throws Refusal `iothreads-missing`, `iothread-no-cpu`, `emulator-no-cpu`, `emulator-no-second-cpu`, the first that KubeVirt meets
 */
export function kubevirtThreads(
  view: DomainView,
  request: Request,
  offer: Offer,
  seats: Seats,
): Omit<Pins, 'vcpupin'> {
  const wish = request.threads ?? withoutVmi(view)
  return pinsOf(view, wish, offer, leftOver(view, offer, seats))
}

/** Without a VMI only the I/O threads that are there are known. */
function withoutVmi({ iothreads }: DomainView): KubevirtThreads {
  return { isolateEmulator: false, evenParity: false, writtenVcpus: 0, wanted: iothreads.length > 0, pool: 0 }
}

function pinsOf(
  view: DomainView,
  wish: KubevirtThreads,
  offer: Offer,
  next: Pool['thread'],
): Omit<Pins, 'vcpupin'> {
  const { iothreads } = view
  if (wish.pool > 0 && iothreads.length === 0) refuse('iothreads-missing', {})
  const pool = poolPins(view, wish, offer, next)
  const emulator = wish.isolateEmulator ? emulatorPin(view, wish, offer, next) : undefined
  if (wish.wanted && iothreads.length === 0) refuse('iothreads-missing', {})
  const shared = wish.wanted && wish.pool === 0 ? sharedPins(view, wish, offer, emulator) : []
  const none = setOf<CpuSet>([])
  return {
    ...(emulator !== undefined && { emulatorpin: emulator }),
    iothreadpin: iothreads.map((_, index) => pool[index] ?? shared[index] ?? none),
  }
}

function poolPins(
  { online }: DomainView,
  { pool }: KubevirtThreads,
  offer: Offer,
  next: Pool['thread'],
): CpuSet[] {
  return range(pool).map((got) => {
    const cpu = next()
    if (cpu === undefined)
      refuse('iothread-no-cpu', { vcpus: online.length, pool, got, cpuset: formatSet(offer.cpus) })
    return setOf<CpuSet>([cpu])
  })
}

function emulatorPin(
  { online }: DomainView,
  wish: KubevirtThreads,
  offer: Offer,
  next: Pool['thread'],
): CpuSet {
  const facts = { vcpus: online.length, pool: wish.pool, cpuset: formatSet(offer.cpus) }
  const first = next() ?? refuse('emulator-no-cpu', facts)
  if (!wish.evenParity || (wish.writtenVcpus + wish.pool) % 2 !== 0) return setOf<CpuSet>([first])
  return setOf<CpuSet>([first, next() ?? refuse('emulator-no-second-cpu', facts)])
}

/** In the order of I/O threads. With an isolated emulator only the first one is pinned. */
function sharedPins(
  { iothreads, online }: DomainView,
  wish: KubevirtThreads,
  { cpus }: Offer,
  emulator: CpuSet | undefined,
): CpuSet[] {
  if (emulator !== undefined) return [emulator]
  const vcpus = Math.min(wish.writtenVcpus || online.length, cpus.length)
  const threads = iothreads.length
  if (threads >= vcpus)
    return iothreads.map((_, index) => setOf<CpuSet>([cpus[(index + 1) % vcpus] as number]))
  const from = (thread: number): number =>
    thread * Math.floor(vcpus / threads) + Math.min(thread, vcpus % threads)
  return iothreads.map((_, index) => setOf<CpuSet>(cpus.slice(from(index), from(index + 1))))
}

/** Where vCPUs sit in KubeVirt's order, what follows in that order; else what they left, in host order. */
function leftOver(view: DomainView, offer: Offer, seats: Seats): Pool['thread'] {
  const threads = guestThreads(view)
  const used = union(...seats.values())
  const pool = poolOf(offer.nodes, threads)
  const handed = setOf<CpuSet>(pool.cores(wholeCores(view)).flatMap(({ cpus }) => cpus))
  return formatSet(handed) === formatSet(used)
    ? pool.thread
    : poolOf(without(offer.nodes, used), threads).thread
}

function wholeCores(view: DomainView): number {
  return guestCores(view).filter(({ online }) => online.length > 0).length
}

function without(nodes: readonly NodeOffer[], used: CpuSet): NodeOffer[] {
  return nodes.map(({ id, cpus, cores }) => ({
    id,
    cpus: subtract(cpus, used),
    cores: cores.map((core) => ({ cpus: subtract(core.cpus, used), whole: false })),
  }))
}

// ---- A guest that gets no cells ----

/**
 * Dedicated CPUs without passthrough: each online vCPU has a CPU of its own in KubeVirt's order. The last guest cores may be
 * made of what is left on several nodes. Cells and memory stay as they are.
 * @throws Refusal `not-enough-threads`, and those of kubevirtThreads
 */
export function kubevirtPins(view: DomainView, resources: Resources, request: Request): Plan {
  const offer = offerOrRefusal(view, resources, request)
  const pool = poolOf(offer.nodes, guestThreads(view))
  const whole = pool.cores(wholeCores(view)).flatMap(({ cpus }) => cpus)
  const cpus = view.online.map((_, index) => whole[index] ?? (pool.thread() as number))
  const seats = new Map(view.online.map((vcpu, index) => [vcpu, setOf<CpuSet>([cpus[index] as number])]))
  const vcpupin = range(view.vcpus).map((vcpu) => seats.get(vcpu) ?? setOf<CpuSet>([]))
  const placed = (pins: Omit<Pins, 'vcpupin'>): Plan['placement'] => ({
    cells: [],
    binding: { memnodes: [], vcpupin, ...pins },
  })
  if (request.threadsLikeKubevirt) {
    return {
      placement: placed(pinsOf(view, request.threads ?? withoutVmi(view), offer, pool.thread)),
      notes: [],
    }
  }
  const inUse = offer.nodes
    .filter((node) => subtract(node.cpus, setOf(cpus)).length < node.cpus.length)
    .map(({ id }) => id)
  const { pins, notes } = threadPins(view, request, vcpupin, inUse, false, offer, () => 0)
  return { placement: placed(pins), notes }
}

/** KubeVirt has one answer to a pod without enough CPUs of this host, none included. */
function offerOrRefusal(view: DomainView, resources: Resources, request: Request): Offer {
  const few = (offer: CpuSet): never =>
    refuse('not-enough-threads', {
      vcpus: view.online.length,
      cpus: offer.length,
      cpuset: formatSet(offer) || '(none)',
    })
  if (!resources.nodes.some(({ cpus }) => cpus.length > 0)) return few(setOf<CpuSet>([]))
  const offer = offerOf(resources, { ...request, like: 'kubevirt' }, view.online.length)
  return offer.cpus.length < view.online.length ? few(offer.cpus) : offer
}
