// The pins of the emulator and of I/O threads.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { type CpuSet, intersect, type NodeSet, setOf, subtract, union } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Memnode } from '../../model/placement.ts'
import type { EmulatorChoice } from '../../model/request.ts'
import { needsPinnedEmulator } from '../backing/allocation.ts'
import type { Situation } from '../situation.ts'
import type { AvailableCpus, AvailableNode } from './available.ts'
import type { Pins } from './pins.ts'

/** `iothreadpin` is in the order of `DomainView.iothreads`, empty where they get no pins. */
export type ThreadPins = Omit<Pins, 'vcpupin'>

/** Pins of the emulator and of I/O threads, and what is worth knowing of them. */
export interface PinnedThreads {
  readonly pins: ThreadPins
  readonly notes: readonly Diagnostic[]
}

/**
 * The pins of the emulator; I/O threads go where it goes.
 * @param vcpupin the pins of all vCPUs
 * @param inUse ids of the nodes that these are on
 */
export function threadPins(
  situation: Situation,
  vcpupin: readonly CpuSet[],
  inUse: readonly number[],
): PinnedThreads {
  const { emulator } = situation.request
  if (typeof emulator === 'object') return { pins: allOn(situation.view, emulator), notes: [] }
  return pinsFor[emulator](situation, union(...vcpupin), inUse)
}

/** By the request, for vCPUs that use these CPUs on these nodes. */
const pinsFor: Record<
  EmulatorChoice,
  (situation: Situation, used: CpuSet, inUse: readonly number[]) => PinnedThreads
> = {
  none: () => ({ pins: { iothreadpin: [] }, notes: [] }),
  shared: ({ view }, used) => ({ pins: allOn(view, used), notes: [] }),
  spare: onSpareCpus,
}

/**
 * The CPUs left over on the nodes in use, or else on the nearest other node; where vCPUs share the CPUs of
 * their cells, those. With cpus=as-pinned the guest's own pins come first. None left: no pin, and a note.
 */
function onSpareCpus(situation: Situation, used: CpuSet, inUse: readonly number[]): PinnedThreads {
  const { view, request, available } = situation
  const kept = request.cpus === 'as-pinned' ? keptPins(view, available) : undefined
  if (kept !== undefined) return { pins: kept, notes: [] }
  const spare = situation.sharesCpus ? used : spareCpus(situation, used, inUse)
  if (spare.length > 0) return { pins: allOn(view, spare), notes: [] }
  const note = diagnostic('emulator-unpinned', { iothreads: view.iothreads.length })
  return { pins: { iothreadpin: [] }, notes: [note] }
}

/**
 * QEMU allocates the huge pages of a node from a thread on that node's CPUs (thread-context, QEMU 7.2 and
 * libvirt 9.0), and libvirt has it in the emulator's cpuset by then: without a CPU in common the start fails,
 * "Setting CPU affinity failed". So an emulator that has what is spare gets CPUs of such a node too, and
 * where none is spare those of its vCPUs.
 */
export function reachMemory(situation: Situation, threads: PinnedThreads, placed: Placed): PinnedThreads {
  const { view, request, available } = situation
  const { vcpupin, memnodes } = placed
  const { emulatorpin } = threads.pins
  const isRequested =
    request.emulator !== 'spare' || (request.cpus === 'as-pinned' && view.emulatorpin !== undefined)
  if (isRequested) return threads
  const used = union(...vcpupin)
  if (emulatorpin === undefined) {
    if (!needsPinnedEmulator(situation, memnodes)) return threads
    const note = diagnostic('emulator-among-vcpus', { cpus: used, because: 'no-cpus-there' })
    return { pins: allOn(view, used), notes: [note] }
  }
  const more = reaching(emulatorpin, backedByPages(memnodes), available, used)
  const among = intersect(union(...more), used)
  const notes =
    among.length === 0 ? [] : [diagnostic('emulator-among-vcpus', { cpus: among, because: 'pages-there' })]
  return {
    pins: { ...threads.pins, emulatorpin: union(emulatorpin, ...more) },
    notes: [...threads.notes, ...notes],
  }
}

interface Placed {
  readonly vcpupin: readonly CpuSet[]
  readonly memnodes: readonly Memnode[]
}

/** Nodes of each memnode with huge pages. */
export function backedByPages(memnodes: readonly Memnode[]): NodeSet[] {
  return memnodes.filter(({ pagesizeKiB }) => pagesizeKiB !== undefined).map(({ nodes }) => nodes)
}

/** For each backing that the emulator has no CPU of: what is spare there, else all. */
export function reaching(
  emulatorpin: CpuSet,
  backing: readonly NodeSet[],
  nodes: CpusOfNodes,
  used: CpuSet,
): CpuSet[] {
  return unreached(emulatorpin, backing, nodes).map((near) => {
    const spare = subtract(near, used)
    return spare.length > 0 ? spare : near
  })
}

interface CpusOfNodes {
  readonly nodes: readonly { readonly id: number; readonly cpus: CpuSet }[]
}

/** For each backing none of whose CPUs is the emulator's: these CPUs. */
export function unreached(
  emulatorpin: CpuSet,
  backing: readonly NodeSet[],
  { nodes }: CpusOfNodes,
): CpuSet[] {
  const cpusOf = new Map(nodes.map(({ id, cpus }) => [id, cpus]))
  const own = new Set(nodes.filter(({ cpus }) => intersect(emulatorpin, cpus).length > 0).map(({ id }) => id))
  const others = backing.filter((ids) => !ids.some((id) => own.has(id)))
  return others.map((ids) => cpusOn(cpusOf, ids)).filter((cpus) => cpus.length > 0)
}

/** The CPUs of these nodes together. */
function cpusOn(cpusOf: ReadonlyMap<number, CpuSet>, ids: readonly number[]): CpuSet {
  return union(...ids.map((id) => cpusOf.get(id) ?? setOf<CpuSet>([])))
}

const allOn = ({ iothreads }: DomainView, cpus: CpuSet): ThreadPins => ({
  emulatorpin: cpus,
  iothreadpin: iothreads.map(() => cpus),
})

/**
 * What of the pins is there. One that nothing is left of is that of the emulator; where nothing is left of
 * that, none is kept.
 */
function keptPins(
  { iothreads, iothreadpin, emulatorpin }: DomainView,
  { given }: AvailableCpus,
): ThreadPins | undefined {
  const left = (pin: CpuSet | undefined): CpuSet => intersect(pin ?? setOf<CpuSet>([]), given)
  const emulator = left(emulatorpin)
  if (emulator.length === 0) return undefined
  const kept = (pin: CpuSet): CpuSet => (pin.length > 0 ? pin : emulator)
  return { emulatorpin: emulator, iothreadpin: iothreads.map((id) => kept(left(iothreadpin.get(id)))) }
}

function spareCpus({ available, distance }: Situation, used: CpuSet, inUse: readonly number[]): CpuSet {
  const left = (nodes: AvailableCpus['nodes']): CpuSet => {
    const spare = subtract(union(...nodes.map(({ cpus }) => cpus)), used)
    const untaken = subtract(spare, available.taken)
    return untaken.length > 0 ? untaken : spare
  }
  const isInUse = new Set(inUse)
  const near = left(available.nodes.filter(({ id }) => isInUse.has(id)))
  if (near.length > 0) return near
  const others = available.nodes.filter(({ id }) => !isInUse.has(id))
  const fromInUse = ({ id }: AvailableNode): number => sum(inUse.map((each) => distance(id, each)))
  const byDistance = others.map((node) => ({ node, distance: fromInUse(node) }))
  byDistance.sort((a, b) => a.distance - b.distance || a.node.id - b.node.id)
  return left(byDistance.slice(0, 1).map(({ node }) => node))
}
