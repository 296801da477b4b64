// Threads of a running guest and their expected pins -> actual placement and findings.

import type { Diagnostic } from '../base/diagnostic.ts'
import { groupBy } from '../base/group.ts'
import { type CpuSet, formatSet, setOf, subtract } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { GuestThread, ThreadPlace, ThreadVerdict } from '../model.ts'
import type { Expected } from './expected.ts'

/** vCPUs, then the emulator, then I/O threads. Emulator threads with the same affinity share one entry. */
export function threadPlaces(threads: readonly GuestThread[], expected: Expected): ThreadPlace[] {
  return [
    ...vcpuPlaces(threads, expected),
    ...emulatorPlaces(threads, expected),
    ...iothreadPlaces(threads, expected),
  ]
}

function vcpuPlaces(
  threads: readonly GuestThread[],
  { online, vcpupin, others, cells }: Expected,
): ThreadPlace[] {
  const own = new Map(
    threads.flatMap((thread) =>
      thread.role === 'vcpu' && thread.id !== undefined ? [[thread.id, thread] as const] : [],
    ),
  )
  const shared = threads.find(({ role }) => role === 'all-vcpus')
  const ids = [...new Set([...(online ?? []), ...own.keys()])].sort((a, b) => a - b)
  const cellOf = new Map(
    [...cells].reverse().flatMap(({ id, vcpus }) => vcpus.map((vcpu) => [vcpu as number, id] as const)),
  )
  return ids.map((id) => {
    const thread = own.get(id)
    const cell = cellOf.get(id)
    const pin = vcpupin.get(id) ?? others
    return {
      ...{ role: 'vcpu' as const, id, ...(cell !== undefined && { cell }) },
      // One thread that runs every vCPU cannot be on the CPU of each.
      ...(thread === undefined ? missing(pin, shared) : placed([thread], pin)),
    }
  })
}

function emulatorPlaces(threads: readonly GuestThread[], { emulatorpin, others }: Expected): ThreadPlace[] {
  const emulators = threads.filter(({ role }) => role === 'emulator')
  const groups = groupBy(emulators, ({ cpus }) => (cpus === undefined ? '' : formatSet(cpus)))
  return [...groups.values()].map((group) => ({ role: 'emulator', ...placed(group, emulatorpin ?? others) }))
}

function iothreadPlaces(
  threads: readonly GuestThread[],
  { iothreads, iothreadpin, others }: Expected,
): ThreadPlace[] {
  const own = new Map(
    threads.flatMap((thread) =>
      thread.role === 'iothread' && thread.id !== undefined ? [[thread.id, thread] as const] : [],
    ),
  )
  const ids = [...new Set([...iothreads, ...own.keys()])].sort((a, b) => a - b)
  return ids.map((id) => {
    const [thread, pin] = [own.get(id), iothreadpin.get(id) ?? others]
    return {
      role: 'iothread',
      id,
      ...(thread === undefined ? missing(pin, undefined) : placed([thread], pin)),
    }
  })
}

type Placed = Pick<ThreadPlace, 'tids' | 'cpus' | 'expected' | 'verdict'>

function missing(expected: CpuSet | undefined, shared: GuestThread | undefined): Placed {
  return {
    tids: shared === undefined ? [] : [shared.tid],
    ...(shared?.cpus && { cpus: shared.cpus }),
    ...(expected && { expected }),
    verdict: 'unknown',
  }
}

function placed(threads: readonly GuestThread[], expected: CpuSet | undefined): Placed {
  const cpus = threads[0]?.cpus
  return {
    tids: threads.map(({ tid }) => tid),
    ...(cpus && { cpus }),
    ...(expected && { expected }),
    verdict: verdictOf(cpus, expected),
  }
}

/** A subset of the expected CPUs is correct: the kernel leaves out offline CPUs. */
function verdictOf(cpus: CpuSet | undefined, expected: CpuSet | undefined): ThreadVerdict {
  if (cpus === undefined) return 'unknown'
  if (expected === undefined) return 'free'
  if (subtract(cpus, expected).length === 0) return 'placed'
  return subtract(expected, cpus).length === 0 ? 'wider' : 'elsewhere'
}

// ---- Findings ----

/**
 * One finding for all threads of one kind that have the same fault on the same CPUs.
 * @param guest the name for virsh; absent when libvirt does not manage the guest
 */
export function threadFindings(places: readonly ThreadPlace[], guest: string | undefined): Diagnostic[] {
  const reported = places.filter(
    ({ verdict }) => verdict === 'wider' || verdict === 'elsewhere' || verdict === 'unknown',
  )
  const groups = groupBy(reported, ({ role, verdict, cpus, tids }) =>
    [role, verdict, cpus === undefined ? '' : formatSet(cpus), tids.length === 0].join(' '),
  )
  return [...groups.values()].map((group) => findingOf(group, guest))
}

function findingOf(group: readonly ThreadPlace[], guest: string | undefined): Diagnostic {
  const [{ verdict, cpus, tids }] = group as [ThreadPlace]
  const threads = threadWords(group)
  if (verdict === 'unknown') {
    const why =
      tids.length > 0
        ? 'one thread runs all of them (TCG without multi-threading), so no pin can hold'
        : 'QEMU names its threads only with debug-threads=on'
    return diagnostic('threads-unknown', { threads, why })
  }
  const facts = {
    threads,
    cpus: formatSet(cpus ?? []),
    wanted: expectedWords(group),
    fix: fixOf(group, guest),
  }
  return diagnostic(verdict === 'wider' ? 'threads-wider' : 'threads-elsewhere', facts)
}

const NAMES = { vcpu: 'vCPU', iothread: 'I/O thread', emulator: 'emulator thread' } as const

function threadWords(group: readonly ThreadPlace[]): string {
  const [{ role, tids }] = group as [ThreadPlace]
  if (role === 'emulator')
    return tids.length === 1 ? `the ${NAMES[role]} ${tids[0]}` : `${tids.length} ${NAMES[role]}s`
  return `${NAMES[role]}${group.length === 1 ? '' : 's'} ${formatSet(setOf(group.map(({ id = 0 }) => id)))}`
}

/** Pins that one message lists. */
const MOST = 8

function expectedWords(group: readonly ThreadPlace[]): string {
  const each = group.map(({ id, expected }) => ({ id, cpus: formatSet(expected ?? []) }))
  const [first] = each
  if (each.every(({ cpus }) => cpus === first?.cpus)) return `${first?.cpus}`
  return `${each
    .slice(0, MOST)
    .map(({ id, cpus }) => `${id}:${cpus}`)
    .join(' ')}${each.length > MOST ? ' ...' : ''}`
}

function fixOf(group: readonly ThreadPlace[], guest: string | undefined): string {
  const [{ role, id, tids, expected }] = group as [ThreadPlace]
  const cpus = formatSet(expected ?? [])
  const others = group.length > 1 ? ', and likewise for the others' : ''
  if (guest === undefined) {
    const more = tids.length > 1 ? `, and likewise for ${tids.slice(1).join(', ')}` : others
    return `taskset -pc ${cpus} ${tids[0]}${more}`
  }
  if (role === 'emulator') return `virsh emulatorpin ${guest} ${cpus} --live`
  return `virsh ${role === 'vcpu' ? 'vcpupin' : 'iothreadpin'} ${guest} ${id} ${cpus} --live${others}`
}
