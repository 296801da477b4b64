// Emulator and I/O threads as KubeVirt pins them.
//
// CPUs that the vCPUs left over are handed out one by one: first to the I/O threads of the supplemental pool,
// then to the emulator. Other I/O threads share: with the emulator where that is isolated, else the first
// CPUs of the pod, as many as there are vCPUs, whoever runs on them: in turn where there are at least as many
// threads as vCPUs, else in even slices.

import { type CpuSet, range, sameSet, setOf, union } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { KubevirtThreads } from '../../model/request.ts'
import { guestThreads, onlineCores } from '../cells/guest-cores.ts'
import type { CpuOfVcpu } from '../cpus/assigned.ts'
import { type AvailableCpus, withoutCpus } from '../cpus/available.ts'
import type { ThreadPins } from '../cpus/emulator.ts'
import type { Situation } from '../situation.ts'
import { type CpuPool, cpuPool } from './cpu-order.ts'

/**
 * Pins for the threads of a guest whose vCPUs have CPUs of their own.
 * @throws Refusal `iothreads-missing`, `iothread-no-cpu`, `emulator-no-cpu`, `emulator-no-second-cpu`, the
 * first that KubeVirt meets
 */
export function kubevirtThreads(situation: Situation, cpuOf: CpuOfVcpu): ThreadPins {
  return pinsFrom(situation, leftOver(situation, cpuOf))
}

/**
 * The same, from CPUs that are handed out by `next`, one by one.
 * @throws Refusal as kubevirtThreads does
 */
export function pinsFrom({ view, request, available }: Situation, next: CpuPool['takeThread']): ThreadPins {
  const { iothreads } = view
  const wanted = request.threads ?? withoutVmi(view)
  if (wanted.pool > 0 && iothreads.length === 0) refuse('iothreads-missing', {})
  const pool = poolPins(view, wanted, available, next)
  const emulator = wanted.isolateEmulator ? emulatorPin(view, wanted, available, next) : undefined
  if (wanted.wanted && iothreads.length === 0) refuse('iothreads-missing', {})
  const shared = wanted.wanted && wanted.pool === 0 ? sharedPins(view, wanted, available, emulator) : []
  const none = setOf<CpuSet>([])
  return {
    ...(emulator !== undefined && { emulatorpin: emulator }),
    iothreadpin: iothreads.map((_, index) => pool[index] ?? shared[index] ?? none),
  }
}

/** Without a VMI only the I/O threads that are there are known. */
function withoutVmi({ iothreads }: DomainView): KubevirtThreads {
  return { isolateEmulator: false, evenParity: false, writtenVcpus: 0, wanted: iothreads.length > 0, pool: 0 }
}

function poolPins(
  { online }: DomainView,
  { pool }: KubevirtThreads,
  available: AvailableCpus,
  next: CpuPool['takeThread'],
): CpuSet[] {
  return range(pool).map((got) => {
    const cpu = next()
    if (cpu === undefined)
      refuse('iothread-no-cpu', { vcpus: online.length, pool, got, cpuset: available.cpus })
    return setOf<CpuSet>([cpu])
  })
}

function emulatorPin(
  { online }: DomainView,
  wanted: KubevirtThreads,
  available: AvailableCpus,
  next: CpuPool['takeThread'],
): CpuSet {
  const facts = { vcpus: online.length, pool: wanted.pool, cpuset: available.cpus }
  const first = next() ?? refuse('emulator-no-cpu', facts)
  if (!wanted.evenParity || (wanted.writtenVcpus + wanted.pool) % 2 !== 0) return setOf<CpuSet>([first])
  return setOf<CpuSet>([first, next() ?? refuse('emulator-no-second-cpu', facts)])
}

/** In the order of I/O threads. With an isolated emulator only the first one is pinned. */
function sharedPins(
  { iothreads, online }: DomainView,
  wanted: KubevirtThreads,
  { cpus }: AvailableCpus,
  emulator: CpuSet | undefined,
): CpuSet[] {
  if (emulator !== undefined) return [emulator]
  const vcpus = Math.min(wanted.writtenVcpus || online.length, cpus.length)
  const threads = iothreads.length
  if (threads >= vcpus)
    return iothreads.map((_, index) => setOf<CpuSet>([cpus[(index + 1) % vcpus] as number]))
  const from = (thread: number): number =>
    thread * Math.floor(vcpus / threads) + Math.min(thread, vcpus % threads)
  return iothreads.map((_, index) => setOf<CpuSet>(cpus.slice(from(index), from(index + 1))))
}

/**
 * Where vCPUs have their CPUs in KubeVirt's order, what follows in that order; else what they left, in host
 * order.
 */
function leftOver(situation: Situation, cpuOf: CpuOfVcpu): CpuPool['takeThread'] {
  const { nodes } = situation.available
  const threads = guestThreads(situation.view)
  const used = union(...cpuOf.values())
  const pool = cpuPool(nodes, threads)
  const handed = setOf<CpuSet>(
    pool.takeCores(onlineCores(situation.guestCores).length).flatMap(({ cpus }) => cpus),
  )
  return sameSet(handed, used)
    ? pool.takeThread
    : cpuPool(
        nodes.map((node) => withoutCpus(node, used)),
        threads,
      ).takeThread
}
