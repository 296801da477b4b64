// Threads of a running guest and their expected pins -> actual placement and findings.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, intersect, sameSet, setOf, subtract } from '../base/idset.ts'
import { groupBy } from '../base/lists.ts'
import { diagnostic } from '../codes/codes.ts'
import type { ThreadPlace, ThreadVerdict } from '../model/actual-placement.ts'
import type { GuestThread } from '../model/running-guest.ts'
import { canSpread } from '../plan/holds.ts'
import type { Expected } from './expected.ts'

/**
 * vCPUs, then the emulator, then I/O threads. Emulator threads with the same affinity share one entry.
 * @param online the host's CPUs; where they are not known, fewer CPUs than expected are right
 */
export function threadPlaces(
  threads: readonly GuestThread[],
  expected: Expected,
  online: CpuSet | undefined,
): ThreadPlace[] {
  const all = [
    ...vcpuPlaces(threads, expected),
    ...emulatorPlaces(threads, expected),
    ...iothreadPlaces(threads, expected),
  ]
  return online === undefined ? all : withNarrower(all, online)
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

function verdictOf(cpus: CpuSet | undefined, expected: CpuSet | undefined): ThreadVerdict {
  if (cpus === undefined) return 'unknown'
  if (expected === undefined) return 'free'
  if (subtract(cpus, expected).length === 0) return 'placed'
  return subtract(expected, cpus).length === 0 ? 'wider' : 'elsewhere'
}

// ---- Fewer CPUs than expected ----

/** The kernel leaves out offline CPUs; what else is left out is narrower. */
function withNarrower(places: readonly ThreadPlace[], online: CpuSet): ThreadPlace[] {
  const judged = places.map((place) => (isNarrower(place, online) ? narrower(place) : place))
  const crowded = crowdedIds(judged, online)
  return judged.map((place) =>
    place.role === 'vcpu' && crowded.has(place.id) && place.verdict === 'narrower'
      ? { ...place, verdict: 'crowded' }
      : place,
  )
}

const narrower = (place: ThreadPlace): ThreadPlace => ({ ...place, verdict: 'narrower' })

const isNarrower = ({ cpus, expected, verdict }: ThreadPlace, online: CpuSet): boolean =>
  verdict === 'placed' &&
  cpus !== undefined &&
  expected !== undefined &&
  subtract(intersect(expected, online), cpus).length > 0

/**
 * The vCPUs that share the CPUs left to them although each could have its own: there are more of them within
 * one narrower set than it has CPUs, and the expected sets have enough CPUs for all.
 */
function crowdedIds(places: readonly ThreadPlace[], online: CpuSet): ReadonlySet<number | undefined> {
  const vcpus = places.flatMap(({ role, id, cpus, expected, verdict }) =>
    role === 'vcpu' && cpus !== undefined && expected !== undefined && verdict !== 'unknown'
      ? [{ id, cpus, expected: intersect(expected, online), isNarrower: verdict === 'narrower' }]
      : [],
  )
  const sets = groupBy(
    vcpus.filter((each) => each.isNarrower),
    ({ cpus }) => formatSet(cpus),
  )
  const groups = [...sets.values()].map(([first]) => {
    const left = first?.cpus ?? setOf<CpuSet>([])
    const within = vcpus.filter(({ cpus }) => subtract(cpus, left).length === 0)
    const areCrowded = within.length > left.length && canSpread(within.map(({ expected }) => expected))
    return areCrowded ? within.map(({ id }) => id) : []
  })
  return new Set(groups.flat())
}

// ---- Findings ----

/** `guest`: the name for virsh; absent when libvirt does not manage it. `live`: what its live XML says. */
interface Managed {
  readonly guest: string | undefined
  readonly live: Expected | undefined
}

/** One finding or note for all threads of one kind that have the same fault on the same CPUs. */
export function threadFindings(places: readonly ThreadPlace[], { guest, live }: Managed): Diagnostic[] {
  const reported = places
    .filter(({ verdict }) => verdict !== 'placed' && verdict !== 'free')
    .map((place) => ({ ...place, isLive: live !== undefined && isAs(place, live) }))
  const groups = groupBy(reported, ({ role, verdict, cpus, tids, isLive }) =>
    [role, verdict, cpus === undefined ? '' : formatSet(cpus), tids.length === 0, isLive].join(' '),
  )
  return [...groups.values()].map((group) => findingOf(group, guest))
}

/** Whether the thread may run where the live domain pins it. */
function isAs({ role, id = 0, cpus }: ThreadPlace, live: Expected): boolean {
  const pins = {
    vcpu: live.vcpupin.get(id),
    iothread: live.iothreadpin.get(id),
    emulator: live.emulatorpin,
  }
  const pin = pins[role] ?? live.others
  return cpus !== undefined && pin !== undefined && sameSet(cpus, pin)
}

function findingOf(
  group: readonly (ThreadPlace & { readonly isLive: boolean })[],
  guest: string | undefined,
): Diagnostic {
  const [{ role, verdict, isLive, cpus = setOf<CpuSet>([]) }] = group as [(typeof group)[0]]
  const tids = [...new Set(group.flatMap((place) => place.tids))]
  const threads = { role, ids: setOf(group.flatMap(({ id }) => id ?? [])), tids }
  const expected = group.map((place) => place.expected ?? setOf<CpuSet>([]))
  const facts = { threads, cpus, expected, ...(guest !== undefined && { guest }) }
  const live = isLive && { isLive: true as const }
  switch (verdict) {
    case 'wider':
      return diagnostic('threads-wider', { ...facts, ...live })
    case 'elsewhere':
      return diagnostic('threads-elsewhere', { ...facts, ...live })
    case 'narrower':
      return diagnostic('threads-narrower', facts)
    case 'crowded':
      return diagnostic('vcpus-crowded', facts)
    default: {
      const because = tids.length > 0 ? 'one-for-all-vcpus' : 'no-names'
      return diagnostic('threads-unknown', { threads, because })
    }
  }
}
