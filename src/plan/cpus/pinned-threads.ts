// The threads of a guest that the domain pins.

import { type CpuSet, setOf, type VcpuSet } from '../../base/idset.ts'
import type { PinnedThreadIds } from '../../codes/guest/cpus.ts'
import type { DomainView } from '../../model/domain.ts'

/** `id` is that of the vCPU or the I/O thread. */
export interface PinnedThread {
  readonly role: 'vcpu' | 'emulator' | 'iothread'
  readonly id: number
  readonly pin: CpuSet
}

/** Those with a pin that names a CPU: vCPUs that the guest has, the emulator, I/O threads. */
export function pinnedThreads({
  vcpus,
  vcpupin,
  emulatorpin,
  iothreadpin,
}: DomainView): readonly PinnedThread[] {
  const all: PinnedThread[] = [
    ...[...vcpupin].filter(([id]) => id < vcpus).map(([id, pin]) => ({ role: 'vcpu', id, pin }) as const),
    ...(emulatorpin === undefined ? [] : [{ role: 'emulator', id: 0, pin: emulatorpin } as const]),
    ...[...iothreadpin].map(([id, pin]) => ({ role: 'iothread', id, pin }) as const),
  ]
  return all.filter(({ pin }) => pin.length > 0)
}

/** Which threads these are, for diagnostics. */
export function threadIds(threads: readonly PinnedThread[]): PinnedThreadIds {
  const ids = (of: PinnedThread['role']): number[] =>
    threads
      .filter(({ role }) => role === of)
      .map(({ id }) => id)
      .sort((a, b) => a - b)
  return {
    vcpus: setOf<VcpuSet>(ids('vcpu')),
    emulator: ids('emulator').length > 0,
    iothreads: ids('iothread'),
  }
}
