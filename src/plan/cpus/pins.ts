// Which CPUs each thread of the guest may run on.

import { type Diagnostic, diagnostic } from '../../base/diagnostic.ts'
import {
  type CpuSet,
  formatSet,
  intersect,
  type NodeSet,
  range,
  setOf,
  subtract,
  union,
} from '../../base/idset.ts'
import type { Binding, Cell, DomainView, Memnode, Request, Resources } from '../../model.ts'
import type { Seating } from './assign.ts'
import type { Offer } from './available.ts'

export type Pins = Pick<Binding, 'vcpupin' | 'emulatorpin' | 'iothreadpin'>

export interface Threads {
  readonly pins: Omit<Pins, 'vcpupin'>
  readonly notes: readonly Diagnostic[]
}

/**
 * `cpu` where the CPUs are this guest's own; on an open host `cell`, so that two guests never sit on one CPU by our doing.
 */
export function pinOf({ pin, cpuset, cpus }: Request, { allowed, nodes }: Resources): 'cpu' | 'cell' {
  if (pin !== 'auto') return pin
  const online = setOf<CpuSet>(nodes.flatMap((node) => node.cpus))
  return cpuset !== undefined || cpus === 'as-pinned' || subtract(online, allowed.cpus).length > 0
    ? 'cpu'
    : 'cell'
}

/**
 * One set per possible vCPU. A vCPU that is offline at boot gets its cell's CPUs: unpinned, it would float over the host once
 * it is plugged in. A vCPU in no cell (KubeVirt's offline ones) stays unpinned.
 */
export function vcpuPins(
  view: DomainView,
  cells: readonly Pick<Cell, 'vcpus'>[],
  nodesOfCell: readonly (readonly number[])[],
  seats: Seating['seats'],
  offer: Offer,
): CpuSet[] {
  const cpusOf = new Map(offer.nodes.map(({ id, cpus }) => [id, cpus]))
  const cpusOfCell = cells.map(({ vcpus }, cell) => {
    const seated = union(...vcpus.map((vcpu) => seats.get(vcpu) ?? setOf<CpuSet>([])))
    return seated.length > 0 ? seated : cpusOn(cpusOf, nodesOfCell[cell] ?? [])
  })
  const cellOf = new Map(cells.flatMap(({ vcpus }, index) => vcpus.map((vcpu) => [vcpu, index] as const)))
  return range(view.vcpus).map(
    (vcpu) => seats.get(vcpu) ?? cpusOfCell[cellOf.get(vcpu) ?? -1] ?? setOf<CpuSet>([]),
  )
}

/**
 * `spare`: the CPUs left over on the nodes in use, or else on the nearest other node; where vCPUs share the CPUs of their cells,
 * those. None left: no pin, and a note. I/O threads go where the emulator goes.
 */
export function threadPins(
  view: DomainView,
  request: Request,
  vcpupin: readonly CpuSet[],
  inUse: readonly number[],
  shared: boolean,
  offer: Offer,
  separation: (a: number, b: number) => number,
): Threads {
  const used = union(...vcpupin)
  const { emulator, cpus } = request
  if (emulator === 'none') return { pins: { iothreadpin: [] }, notes: [] }
  const kept = cpus === 'as-pinned' && emulator === 'spare' ? keptPins(view, offer) : undefined
  if (kept !== undefined) return { pins: kept, notes: [] }
  if (emulator !== 'spare') return { pins: allOn(view, emulator === 'shared' ? used : emulator), notes: [] }
  const spare = shared ? used : spareCpus(offer, used, inUse, separation)
  if (spare.length > 0) return { pins: allOn(view, spare), notes: [] }
  const threads = view.iothreads.length === 0 ? 'the emulator is' : 'the emulator and the I/O threads are'
  return { pins: { iothreadpin: [] }, notes: [diagnostic('emulator-unpinned', { threads })] }
}

interface Reach {
  readonly view: DomainView
  readonly request: Request
  readonly vcpupin: readonly CpuSet[]
  readonly memnodes: readonly Memnode[]
  readonly offer: Offer
}

/**
 * QEMU allocates the huge pages of a node from a thread on that node's CPUs (thread-context, QEMU 7.2 and libvirt 9.0), and libvirt
 * has it in the emulator's cpuset by then: without a CPU in common the start fails, "Setting CPU affinity failed". So an emulator
 * that has what is spare gets CPUs of such a node too, and where none is spare those of its vCPUs.
 */
export function reachMemory(
  { view, request: { emulator, cpus }, vcpupin, memnodes, offer }: Reach,
  threads: Threads,
): Threads {
  const { emulatorpin } = threads.pins
  const isWanted = emulator !== 'spare' || (cpus === 'as-pinned' && view.emulatorpin !== undefined)
  if (emulatorpin === undefined || isWanted) return threads
  const used = union(...vcpupin)
  const more = reaching(emulatorpin, backedByPages(memnodes), offer, used)
  const among = intersect(union(...more), used)
  const notes = among.length === 0 ? [] : [diagnostic('emulator-among-vcpus', { cpus: formatSet(among) })]
  return {
    pins: { ...threads.pins, emulatorpin: union(emulatorpin, ...more) },
    notes: [...threads.notes, ...notes],
  }
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
  const apart = backing.filter((ids) => !ids.some((id) => own.has(id)))
  return apart.map((ids) => cpusOn(cpusOf, ids)).filter((cpus) => cpus.length > 0)
}

/** The CPUs of these nodes together. */
function cpusOn(cpusOf: ReadonlyMap<number, CpuSet>, ids: readonly number[]): CpuSet {
  return union(...ids.map((id) => cpusOf.get(id) ?? setOf<CpuSet>([])))
}

const allOn = ({ iothreads }: DomainView, cpus: CpuSet): Omit<Pins, 'vcpupin'> => ({
  emulatorpin: cpus,
  iothreadpin: iothreads.map(() => cpus),
})

/** What of the pins is there. One that nothing is left of is that of the emulator; where nothing is left of that, none is kept. */
function keptPins(
  { iothreads, iothreadpin, emulatorpin }: DomainView,
  { given }: Offer,
): Omit<Pins, 'vcpupin'> | undefined {
  const left = (pin: CpuSet | undefined): CpuSet => intersect(pin ?? setOf<CpuSet>([]), given)
  const emulator = left(emulatorpin)
  if (emulator.length === 0) return undefined
  const kept = (pin: CpuSet): CpuSet => (pin.length > 0 ? pin : emulator)
  return { emulatorpin: emulator, iothreadpin: iothreads.map((id) => kept(left(iothreadpin.get(id)))) }
}

function spareCpus(
  offer: Offer,
  used: CpuSet,
  inUse: readonly number[],
  separation: (a: number, b: number) => number,
): CpuSet {
  const left = (nodes: Offer['nodes']): CpuSet => subtract(union(...nodes.map(({ cpus }) => cpus)), used)
  const isInUse = new Set(inUse)
  const near = left(offer.nodes.filter(({ id }) => isInUse.has(id)))
  if (near.length > 0) return near
  const others = offer.nodes.filter(({ id }) => !isInUse.has(id))
  const ways = new Map(
    others.map(({ id }) => [id, inUse.reduce((sum, each) => sum + separation(id, each), 0)]),
  )
  const way = ({ id }: { readonly id: number }): number => ways.get(id) as number
  return left(others.sort((a, b) => way(a) - way(b) || a.id - b.id).slice(0, 1))
}
