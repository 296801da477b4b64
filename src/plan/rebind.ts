// New homes for the cells that a guest already has. What the guest sees (cells, their memory, vCPUs and distances) is not
// looked at with a view to change it, so it cannot change: only memnodes and pins come out.
//
// A binding that holds stays, or, when asked for better, moves only for less missing memory. Otherwise every cell is given a
// node (homes.ts), or the nearest nodes together where none holds it (span.ts); a cell that stays keeps its pins.

import { type Diagnostic, diagnostic, refuse, refuseAll } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, type NodeSet, range, setOf, union } from '../base/idset.ts'
import type { DomainView, Memnode, Placement, Request, Resources } from '../model.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { memoryNodes } from './backing/memory-nodes.ts'
import { backingsOf, missingKiB } from './backing/shortages.ts'
import { pageRoom } from './backing/supply.ts'
import { guestWays, separation } from './cells/distances.ts'
import { type GuestCore, guestCores, guestThreads } from './cells/guest-cores.ts'
import { refuseFewCpus } from './cpus/assign.ts'
import { nodeByCpu, offerOf } from './cpus/available.ts'
import { type Moving, rebindThreads, type Settled, seatsOf, type Ways } from './cpus/moved-pins.ts'
import { pinOf, vcpuPins } from './cpus/pins.ts'
import { fillingOf } from './cpus/policies.ts'
import type { Plan } from './planned.ts'
import { spanNodes } from './sites/across-nodes.ts'
import { assignHomes } from './sites/assign-nodes.ts'
import type { CellNeed, HomeSearch } from './sites/partial-assignment.ts'
import {
  boundMemory,
  holds,
  writtenCells,
  writtenNodes,
  writtenPagesize,
  writtenPlacement,
} from './written.ts'

/** When a binding that holds is moved: never, or for strictly better pages. */
export type Move = 'if-broken' | 'if-better'

/** @throws Refusal `not-enough-threads`, `no-cpus`, `cpus-offline`, `no-memory-node`: what this host lacks */
export function rebind(view: DomainView, resources: Resources, request: Request, move: Move): Plan {
  refuseAll(devicesAway(view, resources))
  const ways = separation(resources)
  const offer = offerOf(resources, request, view.online.length)
  const shared = pinOf(request, resources) === 'cell'
  const before = writtenPlacement(view, resources, request)
  const isSound = holds(view, resources, request, offer, ways, shared)
  const kept: Plan = { placement: before, notes: keptNotes(view, request, move), kept: true }
  if (isSound && move === 'if-broken') return kept
  if (!shared) refuseFewCpus(view, offer)
  const moved = newBinding({ view, resources, request, offer, shared, ways }, before)
  return isSound && lacks(resources, view, before) <= lacks(resources, view, moved.placement)
    ? kept
    : { ...moved, notes: [...keptNotes(view, request, move), ...moved.notes] }
}

/** Whether rebind would keep the binding that the domain has, unless for better pages. */
export function bindingHolds(view: DomainView, resources: Resources, request: Request): boolean {
  const offer = offerOf(resources, request, view.online.length)
  return holds(view, resources, request, offer, separation(resources), pinOf(request, resources) === 'cell')
}

function lacks(resources: Resources, view: DomainView, placement: Placement): number {
  return missingKiB(resources, backingsOf(placement, view, resources))
}

/** Wishes that only new cells could fulfil. */
function keptNotes(
  { cells, arch = '' }: DomainView,
  { pagesizeKiB, cells: wanted, existing }: Request,
  move: Move,
): Diagnostic[] {
  const ignored = [
    ...(pagesizeKiB === undefined ? [] : ['pagesize']),
    ...(wanted === 'per-node' || wanted === cells.length ? [] : ['cells']),
  ]
  return [
    ...(ignored.length === 0 ? [] : [diagnostic('cells-kept', { keys: ignored.join(' and ') })]),
    // Where cells can be built, a wish for new ones does not come here.
    ...(existing === 'replace' && move === 'if-broken' ? [diagnostic('cells-impossible', { arch })] : []),
  ]
}

// ---- A new binding ----

function newBinding(moving: Moving, before: Placement): Plan {
  const { view, resources, request, offer, shared, ways } = moving
  const cells = writtenCells(view)
  const coresOf = coresOfCells(guestCores(view), cells)
  const settled = settle(moving, coresOf)
  const nodesOf = cells.map((_, cell) =>
    [...new Set(settled.filter((each) => each.cell === cell).map(({ node }) => node))].sort((a, b) => a - b),
  )
  const memoryOf = memoryNodes(resources, ways)
  const memory = nodesOf.map((nodes) => union(...nodes.map(memoryOf)))
  const seats = shared ? new Map<number, CpuSet>() : seatsOf(moving, settled)
  const vcpupin = vcpuPins(view, cells, nodesOf, seats, offer)
  const memnodes = view.cells.map(
    ({ id }, index): Memnode => ({
      ...(before.binding.memnodes[index] as Memnode),
      nodes: memory[id] as NodeSet,
    }),
  )
  const threads = rebindThreads(moving, vcpupin, nodesOf.flat(), memnodes)
  const bound =
    view.cells.length === 0
      ? boundMemory(view, request, memory[0] as NodeSet)
      : withDevices(view, resources, memnodes)
  return {
    placement: {
      cells: before.cells,
      binding: { memnodes: evenModes(memnodes), ...bound, vcpupin, ...threads.pins },
    },
    notes: [...spanNotes(nodesOf, view), ...threads.notes],
  }
}

/** restrictive needs `<memory>` and every memnode to be so. */
function evenModes(memnodes: readonly Memnode[]): Memnode[] {
  const all = memnodes.every(({ mode }) => mode === 'restrictive')
  return memnodes.map((each) => (all || each.mode !== 'restrictive' ? each : { ...each, mode: 'strict' }))
}

/** Online guest cores of each cell. A core that the domain itself tears over cells comes in pieces. */
function coresOfCells(
  cores: readonly GuestCore[],
  cells: readonly { readonly vcpus: readonly number[] }[],
): GuestCore[][] {
  const cellOf = new Map(cells.flatMap(({ vcpus }, cell) => vcpus.map((vcpu) => [vcpu, cell] as const)))
  const found: GuestCore[][] = cells.map(() => [])
  for (const core of cores) {
    for (const cell of new Set(core.online.map((vcpu) => cellOf.get(vcpu)))) {
      if (cell === undefined) continue
      const online = core.online.filter((vcpu) => cellOf.get(vcpu) === cell)
      const isWhole = online.length === core.online.length
      found[cell]?.push(
        isWhole ? core : { online: setOf<GuestCore['online']>(online), offline: core.offline },
      )
    }
  }
  return found
}

function settle(moving: Moving, coresOf: readonly (readonly GuestCore[])[]): Settled[] {
  const { view, offer, request, shared } = moving
  const threads = guestThreads(view)
  const crowded = shared && view.online.length > offer.cpus.length
  const filling = fillingOf(request.cpus, offer, view.online.length)
  const rooms = offer.nodes.map((node) => (crowded ? Number.POSITIVE_INFINITY : filling.room(node, threads)))
  const search = searchOf(moving, coresOf, rooms)
  const { homes, cost } = assignHomes(search)
  if (cost.missingCores === 0)
    return homes.flatMap((home, cell) =>
      toNodes(moving, cell, coresOf[cell] ?? [], [{ node: home, cores: Number.POSITIVE_INFINITY }]),
    )
  // No home holds them all, so where cells are now does not count: a second run then comes to the same nodes.
  const anew = assignHomes({ ...search, cells: search.cells.map((cell) => ({ ...cell, now: undefined })) })
  return spanned(moving, coresOf, rooms, anew.homes)
}

/** Where whole guest cores do not all find a place, their threads are seated one by one. */
function spanned(
  moving: Moving,
  coresOf: readonly (readonly GuestCore[])[],
  rooms: readonly number[],
  homes: readonly number[],
): Settled[] {
  const { offer, ways } = moving
  const apart: Ways = (a, b) => ways(offer.nodes[a]?.id as number, offer.nodes[b]?.id as number)
  const prefer = (cell: number, node: number): number => apart(homes[cell] as number, node)
  const whole = spanNodes(
    coresOf.map((cores) => cores.length),
    rooms,
    apart,
    prefer,
  )
  if (whole !== undefined)
    return whole.flatMap((shares, cell) => toNodes(moving, cell, coresOf[cell] ?? [], shares))
  const single = coresOf.map((cores) =>
    cores.flatMap(({ online }) =>
      online.map((vcpu): GuestCore => ({ online: setOf([vcpu]), offline: setOf([]) })),
    ),
  )
  const torn = spanNodes(
    single.map((cores) => cores.length),
    offer.nodes.map(({ cpus }) => cpus.length),
    apart,
    prefer,
  )
  if (torn === undefined)
    refuse('not-enough-threads', {
      vcpus: single.flat().length,
      cpus: offer.cpus.length,
      cpuset: formatSet(offer.cpus),
    })
  return torn.flatMap((shares, cell) => toNodes(moving, cell, single[cell] ?? [], shares))
}

/** A cell without online vCPUs has a node all the same. */
function toNodes(
  { offer }: Moving,
  cell: number,
  cores: readonly GuestCore[],
  shares: readonly { node: number; cores: number }[],
): Settled[] {
  let next = 0
  return shares.map(({ node, cores: count }) => {
    const from = next
    next += count
    return { cell, node: offer.nodes[node]?.id as number, cores: cores.slice(from, next) }
  })
}

function searchOf(
  { view, resources, offer, ways }: Moving,
  coresOf: readonly (readonly GuestCore[])[],
  rooms: readonly number[],
): HomeSearch {
  const cells = writtenCells(view)
  const indexOf = new Map(resources.nodes.map(({ id }, index) => [id, index]))
  const memoryOf = memoryNodes(resources, ways)
  const nodes = offer.nodes.map(({ id }, index) => ({
    id,
    cores: rooms[index] as number,
    memory: indexOf.get(memoryOf(id)[0] as number) as number,
  }))
  const nodeOfCpu = nodeByCpu(offer.nodes)
  const backing = nodes.map(({ memory }) => resources.nodes[memory]?.id as number)
  const needs = cells.map(
    ({ id, vcpus, memoryKiB }, index): CellNeed => ({
      cores: coresOf[index]?.length ?? 0,
      sizeKiB: writtenPagesize(view, id, resources.defaultPagesizeKiB) ?? 0,
      memoryKiB,
      now: homeNow(view, { id, vcpus }, nodeOfCpu, backing),
    }),
  )
  const told = (a: number, b: number): number =>
    a === b ? 10 : (cells[a]?.distances.get(b) ?? cells[b]?.distances.get(a) ?? 20)
  const way = guestWays(resources)
  const real = (a: number, b: number): number => way(nodes[a]?.id as number, nodes[b]?.id as number)
  return { cells: needs, nodes, supply: supplyOf(resources, needs), told, real }
}

/**
 * Of the nodes that the cell's memory is bound to, the one that most of its pins are on.
 * @param backing per node on offer the node that backs it
 */
function homeNow(
  view: DomainView,
  { id, vcpus }: { readonly id: number; readonly vcpus: readonly number[] },
  nodeOfCpu: ReadonlyMap<number, number>,
  backing: readonly number[],
): number | undefined {
  const nodes = new Set<number>(writtenNodes(view, id))
  const bound = range(backing.length).filter((node) => nodes.has(backing[node] as number))
  if (bound.length < 2) return bound[0]
  const pinned = backing.map(() => 0)
  for (const cpu of union(...vcpus.map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([])))) {
    const node = nodeOfCpu.get(cpu)
    if (node !== undefined) pinned[node] = (pinned[node] as number) + 1
  }
  return bound.sort((a, b) => (pinned[b] as number) - (pinned[a] as number) || a - b)[0]
}

function supplyOf(resources: Resources, needs: readonly CellNeed[]): HomeSearch['supply'] {
  const sizes = [...new Set(needs.map(({ sizeKiB }) => sizeKiB))]
  return new Map(
    sizes.map((size) => {
      if (size === 0)
        return [
          0,
          {
            nodes: resources.nodes.map(({ memoryKiB }) => memoryKiB ?? Number.POSITIVE_INFINITY),
            extraKiB: 0,
          },
        ]
      const room = pageRoom(resources, size)
      return [size, { nodes: room.free.map((pages) => pages * size), extraKiB: room.extra * size }]
    }),
  )
}

function spanNotes(nodesOf: readonly (readonly number[])[], { cells }: DomainView): Diagnostic[] {
  return cells.flatMap(({ id }) => {
    const nodes = nodesOf[id] ?? []
    return nodes.length < 2 ? [] : [diagnostic('cell-spans-nodes', { cell: id, nodes: nodes.join(', ') })]
  })
}
