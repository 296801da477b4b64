// The threads of a guest that the domain pins, and their names in messages.

import { type CpuSet, formatSet } from '../../base/idset.ts'
import type { DomainView } from '../../model.ts'

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

/** "vCPUs 0-3 and the emulator". */
export function threadWords(threads: readonly PinnedThread[]): string {
  const ids = (of: PinnedThread['role']): number[] =>
    threads
      .filter(({ role }) => role === of)
      .map(({ id }) => id)
      .sort((a, b) => a - b)
  const counted = (one: string, numbers: readonly number[]): string[] =>
    numbers.length === 0 ? [] : [`${one}${numbers.length === 1 ? '' : 's'} ${formatSet(numbers)}`]
  const emulator = ids('emulator').length === 0 ? [] : ['the emulator']
  return [...counted('vCPU', ids('vcpu')), ...emulator, ...counted('I/O thread', ids('iothread'))]
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1')
}
