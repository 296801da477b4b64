// What a guest's topology promises and its placement does not keep: sockets and cores within one cell, and
// the threads of a guest core on one host core. New cells and cells that the guest has are judged alike.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { type CpuSet, setOf, union, type VcpuSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { CpuTopology, DomainView } from '../model/domain.ts'
import type { Host } from '../model/host.ts'
import type { Placement, PlanInput } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { fittingTopology, spanningParts, type ThreadsHold } from './cells/fitting-topology.ts'
import { guestCores } from './cells/guest-cores.ts'
import { coreByCpu } from './cpus/available.ts'

/** A placement, and how it is decided, so that a fix is proposed only where it works. */
export interface Judged {
  readonly input: PlanInput
  readonly placement: Placement
  /** The placement of a changed guest or request. */
  readonly decide: (input: PlanInput) => Placement
}

/** Notes of the guest's sockets and cores. There are none without a topology: every vCPU is a socket. */
export function topologyNotes(judged: Judged): Diagnostic[] {
  const { view, resources } = judged.input
  const topology = topologyIn(judged.placement, view)
  if (topology === undefined || places(topology) !== view.vcpus) return []
  const found = misfitsOf(view, topology, judged.placement, resources)
  const notes: Diagnostic[] = []
  if (found.spanning.sockets.length > 0)
    notes.push(
      diagnostic('socket-spans-cells', {
        ...found.spanning,
        ...fixesFor(
          { ...judged, before: found },
          ({ spanning }) => spanning.sockets.length === 0,
          () => true,
        ),
      }),
    )
  if (found.apart.length > 0)
    notes.push(
      diagnostic('guest-threads-apart', {
        guestCores: found.apart,
        ...fixesFor(
          { ...judged, before: found },
          ({ apart }) => apart.length === 0,
          threadsHold(view, judged.placement, resources),
        ),
      }),
    )
  return notes
}

const topologyIn = ({ topology }: Placement, view: DomainView): CpuTopology | undefined =>
  topology ?? view.topology

const places = (topology: CpuTopology): number => Object.values(topology).reduce((all, each) => all * each, 1)

interface Misfits {
  readonly spanning: ReturnType<typeof spanningParts>
  readonly apart: readonly Apart[]
}

function misfitsOf(view: DomainView, topology: CpuTopology, placement: Placement, host: Host): Misfits {
  return {
    spanning: spanningParts(topology, placement.cells),
    apart: threadsApart(view, topology.threads, placement, host),
  }
}

// ---- Threads of a guest core ----

/** Threads of one guest core that have no host core in common, and the CPUs that they are pinned to. */
interface Apart {
  readonly vcpus: VcpuSet
  readonly cpus: CpuSet
}

/** Of the vCPUs that are online at boot. On a host without SMT nothing better is possible. */
function threadsApart(view: DomainView, threads: number, { binding }: Placement, host: Host): Apart[] {
  if (threads === 1 || !host.siblings.some(({ length }) => length > 1)) return []
  const coresOf = hostCores(host)
  return guestCores(view, threads).flatMap(({ online }) => {
    const pins = online.map((vcpu) => binding.vcpupin[vcpu] ?? NONE)
    const [first = new Set<CpuSet | number>(), ...others] = pins.map(coresOf)
    const isTogether = [...first].some((core) => others.every((cores) => cores.has(core)))
    if (others.length === 0 || isTogether || pins.some(({ length }) => length === 0)) return []
    return [{ vcpus: online, cpus: union(...pins) }]
  })
}

const NONE = setOf<CpuSet>([])

/** The host cores that a pin is on. Thousands of vCPUs may have the same pin. */
function hostCores(host: Host): (pin: CpuSet) => ReadonlySet<CpuSet | number> {
  const coreOf = coreByCpu(host)
  const known = new Map<CpuSet, ReadonlySet<CpuSet | number>>()
  return (pin) => {
    const found = known.get(pin) ?? new Set(pin.map((cpu) => coreOf.get(cpu) ?? cpu))
    known.set(pin, found)
    return found
  }
}

const threadsHold =
  (view: DomainView, placement: Placement, host: Host): ThreadsHold =>
  (threads) =>
    threadsApart(view, threads, placement, host).length === 0

// ---- Fixes ----

/** What ends a note: a topology, and what can be requested instead. */
interface Fixes {
  readonly fits?: CpuTopology
  readonly request?: keyof typeof requests
  readonly isLocked?: true
}

/** Each is tried: a fix that does not end the note, or brings another one, is not proposed. */
function fixesFor(
  judged: Judged & { readonly before: Misfits },
  ends: (misfits: Misfits) => boolean,
  holds: ThreadsHold,
): Fixes {
  const { input, placement, before } = judged
  const { view } = input
  if (input.request.recorded !== undefined) return { isLocked: true }
  const topology = topologyIn(placement, view) as CpuTopology
  const works = (changed: PlanInput, then = decided(judged, changed)): boolean => {
    if (then === undefined) return false
    const now = topologyIn(then, changed.view) as CpuTopology
    const misfits = misfitsOf(changed.view, now, then, input.resources)
    return ends(misfits) && isNotWorse(misfits, before)
  }
  const fitting = fittingTopology({ topology, vcpus: view.vcpus }, placement.cells, holds)
  const request = (Object.keys(requests) as (keyof typeof requests)[]).find((each) => {
    const asked: Request = { ...input.request, ...requests[each] }
    return works({ ...input, request: asked })
  })
  // Only the number of threads has an effect on which CPUs are chosen.
  const then = fitting.threads === topology.threads ? { ...placement, topology: fitting } : undefined
  return {
    ...(works({ ...input, view: { ...view, topology: fitting } }, then) && { fits: fitting }),
    ...(request && { request }),
  }
}

const requests = {
  align: { topology: 'align' },
  replace: { existing: 'replace' },
  'replace-and-align': { existing: 'replace', topology: 'align' },
  pack: { cpus: 'pack' },
} as const

const isNotWorse = (now: Misfits, before: Misfits): boolean =>
  (now.spanning.sockets.length === 0 || before.spanning.sockets.length > 0) &&
  (now.apart.length === 0 || before.apart.length > 0)

function decided({ decide }: Judged, input: PlanInput): Placement | undefined {
  try {
    return decide(input)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
