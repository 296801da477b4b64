// The guest's vCPUs in groups that stay together on a node: the threads of one guest core.

import { range, setOf, type VcpuSet } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { DomainView } from '../../model/domain.ts'

/** `online` are there at boot and need a CPU; `offline` may be plugged in later. */
export interface GuestCore {
  readonly online: VcpuSet
  readonly offline: VcpuSet
}

/**
 * Threads per guest core; 1 where the domain states no topology, since libvirt then makes every vCPU a
 * socket.
 */
export function guestThreads({ topology, vcpus }: Pick<DomainView, 'topology' | 'vcpus'>): number {
  const threads = topology?.threads ?? 1
  return vcpus % threads === 0 ? threads : 1
}

/** Ascending by vCPU: threads of one core have consecutive numbers. */
export function guestCores(
  view: Pick<DomainView, 'topology' | 'vcpus' | 'online'>,
  threads = guestThreads(view),
): GuestCore[] {
  const isOnline: boolean[] = new Array(view.vcpus).fill(false)
  for (const vcpu of view.online) isOnline[vcpu] = true
  const cores: GuestCore[] = []
  for (let first = 0; first < view.vcpus; first += threads) {
    const vcpus = range(Math.min(threads, view.vcpus - first)).map((thread) => first + thread)
    cores.push({
      online: setOf<VcpuSet>(vcpus.filter((vcpu) => isOnline[vcpu])),
      offline: setOf<VcpuSet>(vcpus.filter((vcpu) => !isOnline[vcpu])),
    })
  }
  return cores
}

/** Those with a vCPU that is online at boot: each needs CPUs. */
export function onlineCores(cores: readonly GuestCore[]): GuestCore[] {
  return cores.filter(({ online }) => online.length > 0)
}

/** How many vCPUs of these guest cores are online at boot. */
export function onlineVcpus(cores: readonly GuestCore[]): number {
  return sum(cores.map(({ online }) => online.length))
}

/** The guest cores in their order, so many to each. */
export function inShares(cores: readonly GuestCore[], shares: readonly number[]): (readonly GuestCore[])[] {
  let next = 0
  return shares.map((share) => {
    const from = next
    next += share
    return cores.slice(from, next)
  })
}
