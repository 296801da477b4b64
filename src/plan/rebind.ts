// New nodes for the cells that a guest already has. What the guest sees (cells, their memory, vCPUs and
// distances) is not looked at with a view to change it, so it cannot change: only memnodes and pins come out.
//
// A binding that holds stays, or, when asked for better, moves only for less missing memory. Otherwise every
// cell is given a node (sites/assign-nodes.ts), or the nearest nodes together where none holds it
// (sites/across-nodes.ts); a cell that stays keeps its pins.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, type NodeSet, range, setOf, union } from '../base/idset.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import type { DomainView, Memnode, Placement, Planned, Request, Resources } from '../model.ts'
import { backingsOf } from './backing/backings.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { missingKiB } from './backing/shortages.ts'
import { pageSupply } from './backing/supply.ts'
import { cellDistance, LOCAL, REMOTE } from './cells/distances.ts'
import { type GuestCore, guestThreads } from './cells/guest-cores.ts'
import { pagesizeKiBOf } from './cells/pagesize.ts'
import { nodeByCpu, refuseFewCpus } from './cpus/available.ts'
import { type CoresOnNode, movedCpus, movedThreadPins } from './cpus/moved-pins.ts'
import { vcpuPins } from './cpus/pins.ts'
import { cpuPolicy } from './cpus/policies.ts'
import { bindingHolds } from './holds.ts'
import { spreadOverNodes } from './sites/across-nodes.ts'
import { assignNodes } from './sites/assign-nodes.ts'
import type { AssignmentProblem, CellNeed } from './sites/partial-assignment.ts'
import { type PlanInput, type Situation, situationOf } from './situation.ts'
import { boundMemory, writtenCells, writtenNodes, writtenPlacement } from './written.ts'

/** When a binding that holds is moved: never, or for strictly better pages. */
export type Move = 'if-broken' | 'if-better'

/**
 * The cells that a guest has on nodes of this host.
 * @throws Refusal `node-missing`, `node-outside`, `not-enough-threads`, `no-memory-node` and those of
 * situationOf: what this host lacks
 */
export function rebind(input: PlanInput, move: Move): Planned {
  const { view, resources, request } = input
  refuseAll(devicesAway(view, resources))
  const situation = situationOf(input)
  const before = writtenPlacement(view, resources, request)
  const isSound = bindingHolds(situation)
  const notes = keptNotes(view, request, move)
  const kept: Planned = { keeps: 'everything', placement: before, notes }
  if (isSound && move === 'if-broken') return kept
  if (!situation.sharesCpus) refuseFewCpus(view, situation.available)
  const moved = newBinding(situation, before)
  return isSound && lacksKiB(situation, before) <= lacksKiB(situation, moved.placement)
    ? kept
    : { ...moved, notes: [...notes, ...moved.notes] }
}

function lacksKiB({ resources, view }: Situation, placement: Placement): number {
  return missingKiB(resources, backingsOf(placement, view, resources))
}

/** What is requested and would need new cells. */
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
    // Where cells can be built, existing=replace does not come here.
    ...(existing === 'replace' && move === 'if-broken' ? [diagnostic('cells-impossible', { arch })] : []),
  ]
}

// ---- A new binding ----

function newBinding(situation: Situation, before: Placement): Planned {
  const { view, resources, request } = situation
  const cells = writtenCells(view)
  const placed = placedCores(situation, coresOfCells(situation.guestCores, cells))
  const nodesOf = cells.map((_, cell) =>
    [...new Set(placed.filter((each) => each.cell === cell).map(({ node }) => node))].sort((a, b) => a - b),
  )
  const memory = nodesOf.map((nodes) => union(...nodes.map(situation.memoryNodeOf)))
  const cpuOf = situation.sharesCpus ? new Map<number, CpuSet>() : movedCpus(situation, placed)
  const onNodes = cells.map(({ vcpus }, cell) => ({ vcpus, nodes: nodesOf[cell] as readonly number[] }))
  const vcpupin = vcpuPins(situation, onNodes, cpuOf)
  const memnodes = view.cells.map(
    ({ id }, index): Memnode => ({
      ...(before.binding.memnodes[index] as Memnode),
      nodes: memory[id] as NodeSet,
    }),
  )
  const inUse = [...new Set(nodesOf.flat())]
  const threads = movedThreadPins(situation, vcpupin, inUse, memnodes)
  const bound =
    view.cells.length === 0
      ? boundMemory(view, request, memory[0] as NodeSet)
      : withDevices(view, resources, memnodes)
  return {
    keeps: 'cells',
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

/**
 * Every cell's guest cores on nodes: all on one, or on several where no way to give each cell one node holds
 * them all.
 */
function placedCores(situation: Situation, coresOf: readonly (readonly GuestCore[])[]): CoresOnNode[] {
  const { view, available, request } = situation
  const threads = guestThreads(view)
  const overcommitted = situation.sharesCpus && view.online.length > available.cpus.length
  const policy = cpuPolicy(request.cpus, available, view.online.length)
  const rooms = available.nodes.map((node) =>
    overcommitted ? Number.POSITIVE_INFINITY : policy.capacity(node, threads),
  )
  const search = searchOf(situation, coresOf, rooms)
  const { nodeOfCell, cost } = assignNodes(search)
  if (cost.missingCores === 0)
    return nodeOfCell.flatMap((node, cell) =>
      onNodes(situation, cell, coresOf[cell] ?? [], [{ node, cores: Number.POSITIVE_INFINITY }]),
    )
  // No assignment holds them all, so where cells are now does not count: a second run then comes to the same
  // nodes.
  const anew = assignNodes({
    ...search,
    cells: search.cells.map((cell) => ({ ...cell, currentNode: undefined })),
  })
  return acrossNodes(situation, coresOf, rooms, anew.nodeOfCell)
}

/** Where whole guest cores do not all find room, their threads are placed one by one. */
function acrossNodes(
  situation: Situation,
  coresOf: readonly (readonly GuestCore[])[],
  rooms: readonly number[],
  nearest: readonly number[],
): CoresOnNode[] {
  const { available, distance } = situation
  const between = (a: number, b: number): number =>
    distance(available.nodes[a]?.id as number, available.nodes[b]?.id as number)
  const toNearest = (cell: number, node: number): number => between(nearest[cell] as number, node)
  const whole = spreadOverNodes(
    coresOf.map((cores) => cores.length),
    rooms,
    between,
    toNearest,
  )
  if (whole !== undefined)
    return whole.flatMap((shares, cell) => onNodes(situation, cell, coresOf[cell] ?? [], shares))
  const single = coresOf.map((cores) =>
    cores.flatMap(({ online }) =>
      online.map((vcpu): GuestCore => ({ online: setOf([vcpu]), offline: setOf([]) })),
    ),
  )
  const torn = spreadOverNodes(
    single.map((cores) => cores.length),
    available.nodes.map(({ cpus }) => cpus.length),
    between,
    toNearest,
  )
  if (torn === undefined)
    refuse('not-enough-threads', {
      vcpus: single.flat().length,
      cpus: available.cpus.length,
      cpuset: formatSet(available.cpus),
    })
  return torn.flatMap((shares, cell) => onNodes(situation, cell, single[cell] ?? [], shares))
}

/**
 * A cell's guest cores, so many to each node. A cell without online vCPUs has a node all the same.
 * @param shares by index of the available node
 */
function onNodes(
  { available }: Situation,
  cell: number,
  cores: readonly GuestCore[],
  shares: readonly { readonly node: number; readonly cores: number }[],
): CoresOnNode[] {
  let next = 0
  return shares.map(({ node, cores: count }) => {
    const from = next
    next += count
    return { cell, node: available.nodes[node]?.id as number, cores: cores.slice(from, next) }
  })
}

function searchOf(
  { view, resources, available, memoryNodeOf }: Situation,
  coresOf: readonly (readonly GuestCore[])[],
  rooms: readonly number[],
): AssignmentProblem {
  const cells = writtenCells(view)
  const indexOf = new Map(resources.nodes.map(({ id }, index) => [id, index]))
  const nodes = available.nodes.map(({ id }, index) => ({
    id,
    cores: rooms[index] as number,
    memoryNode: indexOf.get(memoryNodeOf(id)[0] as number) as number,
  }))
  const nodeOfCpu = nodeByCpu(available.nodes)
  const backing = nodes.map(({ memoryNode }) => resources.nodes[memoryNode]?.id as number)
  const needs = cells.map(
    ({ id, vcpus, memoryKiB }, index): CellNeed => ({
      cores: coresOf[index]?.length ?? 0,
      pagesizeKiB: pagesizeKiBOf(view.cellPages[id], resources) ?? 0,
      memoryKiB,
      currentNode: nodeNow(view, { id, vcpus }, nodeOfCpu, backing),
    }),
  )
  const guestDistance = (a: number, b: number): number => cells[a]?.distances[b] ?? (a === b ? LOCAL : REMOTE)
  const between = cellDistance(resources)
  const hostDistance = (a: number, b: number): number =>
    between(nodes[a]?.id as number, nodes[b]?.id as number)
  return { cells: needs, nodes, supply: supplyOf(resources, needs), guestDistance, hostDistance }
}

/**
 * Of the nodes that the cell's memory is bound to, the one that most of its pins are on.
 * @param backing per available node the id of the node that backs it
 */
function nodeNow(
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

function supplyOf(resources: Resources, needs: readonly CellNeed[]): AssignmentProblem['supply'] {
  const sizes = [...new Set(needs.map(({ pagesizeKiB }) => pagesizeKiB))]
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
      const room = pageSupply(resources, size)
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
