// Which vCPUs go to which node, and there onto which CPUs: the request's `cells` and `cpus` on what the host offers.
//
// The nodes are chosen first (nodes.ts), then guest cores are dealt over the cells as evenly as free CPUs allow, the odd
// ones to the lowest cells, then each node seats its guest cores on its CPUs. Guest cores go to the cells in order, so a
// cell's vCPUs are consecutive. KubeVirt's order is different: it hands out CPUs and the cells follow (inHostOrder).

import { diagnostic, Refusal, refuse, refuseAll } from '../../base/diagnostic.ts'
import { type CpuSet, formatSet, range, setOf, subtract, union } from '../../base/idset.ts'
import type { CpuChoice, DomainView, Request } from '../../model.ts'
import { type GuestCore, guestCores, guestThreads } from '../cells/guest-cores.ts'
import { deal } from '../cells/share-evenly.ts'
import { poolOf } from '../kubevirt/cpu-order.ts'
import { chooseNodes } from '../sites/choose-nodes.ts'
import { type NodeOffer, nodeByCpu, type Offer, offlineFinding } from './available.ts'
import { crowded, type Filling, fillingOf, seatCores } from './policies.ts'

/** One guest cell to be: its node and its online guest cores. Several cells may share a node. */
export interface Home {
  readonly node: number
  readonly cores: readonly GuestCore[]
}

/** Homes in the order of cells. `seats` gives each online vCPU its CPU; it is empty where CPUs are shared (`pin=cell`). */
export interface Seating {
  readonly homes: readonly Home[]
  readonly seats: ReadonlyMap<number, CpuSet>
}

/** What seating needs to know. `shared`: vCPUs float over the CPUs of their cell and may be more than these. */
export interface Seated {
  readonly view: DomainView
  readonly offer: Offer
  readonly request: Pick<Request, 'cells' | 'cpus'>
  readonly shared: boolean
  readonly separation: (a: number, b: number) => number
}

/** @throws Refusal `not-enough-threads`, `cell-crossing`, `cells-too-many`, `nodes-too-small`, `pin-missing`, `pin-spans-nodes` */
export function seatingOf(seated: Seated): Seating {
  const { view, offer, request } = seated
  if (!seated.shared) refuseFewCpus(view, offer)
  return seat[request.cpus](seated)
}

export function refuseFewCpus({ online }: DomainView, { cpus, offline }: Offer): void {
  if (online.length <= cpus.length + offline.length) return
  refuse('not-enough-threads', { vcpus: online.length, cpus: cpus.length, cpuset: formatSet(cpus) })
}

const seat: Record<CpuChoice, (seated: Seated) => Seating> = {
  pack: dealt,
  spread: dealt,
  'in-order': (seated) =>
    seated.request.cells === 'per-node' && !isCrowded(seated) ? inHostOrder(seated) : dealt(seated),
  'as-pinned': asPinned,
}

const isCrowded = ({ view, offer, shared }: Seated): boolean =>
  shared && view.online.length > offer.cpus.length

/** A node and how many guest cores it has room for. */
interface Room {
  readonly id: number
  readonly room: number
}

// ---- Dealing guest cores over chosen nodes ----

function dealt(seated: Seated): Seating {
  const { view, offer, request, shared } = seated
  const filling = isCrowded(seated) ? crowded : fillingOf(request.cpus, offer, view.online.length)
  const threads = guestThreads(view)
  const units = guestCores(view).filter(({ online }) => online.length > 0)
  const rooms = offer.nodes
    .map((node) => ({ id: node.id, room: filling.room(node, threads) }))
    .filter(({ room }) => room > 0)
  const ids = nodesFor(seated, units.length, rooms, filling)
  const { cells } = request
  const nodeOfCell = cells === 'per-node' || cells <= ids.length ? ids : inTurn(cells, ids, rooms)
  const shares = share(units.length, nodeOfCell, rooms)
  if (shares === undefined) refuseCrossing(seated, units.length, roomIn(rooms))
  const homes = homesOf(nodeOfCell, shares, units)
  return { homes, seats: shared ? new Map() : seatsOf(homes, offer, threads, filling) }
}

function nodesFor(seated: Seated, units: number, rooms: readonly Room[], filling: Filling): number[] {
  const { view, request, offer, separation } = seated
  const threads = guestThreads(view)
  if (roomIn(rooms) < units) refuseCrossing(seated, units, roomIn(rooms))
  if (request.cells !== 'per-node' && request.cells > units)
    refuse('cells-too-many', { cells: request.cells, cores: units, threads })
  const most = Math.min(rooms.length, units)
  const count =
    request.cells === 'per-node' ? (filling.everyNode ? most : undefined) : Math.min(request.cells, most)
  const splitsOf = splitsOn(offer, threads, filling, units)
  const splits = (ids: readonly number[]): number => splitsOf(ids, share(units, ids, rooms) ?? [])
  const chosen = chooseNodes(rooms, units, count, separation, splits)
  if (chosen !== undefined) return chosen
  const roomiest = [...rooms].sort((a, b) => b.room - a.room || a.id - b.id).slice(0, count)
  refuse('nodes-too-small', {
    cells: count ?? 1,
    cores: units,
    threads,
    room: roomIn(roomiest),
    nodes: roomiest.map(({ id }) => id).join(', '),
  })
}

const roomIn = (rooms: readonly Room[]): number => rooms.reduce((sum, { room }) => sum + room, 0)

/** Cells to nodes in the order of ids, round by round; a node takes part as long as it has a guest core for one more cell. */
function inTurn(cells: number, ids: readonly number[], rooms: readonly Room[]): number[] {
  const cellsOn = share(cells, ids, rooms) ?? []
  return range(cells).flatMap((round) => ids.filter((_, index) => (cellsOn[index] as number) > round))
}

function share(units: number, nodeOfCell: readonly number[], rooms: readonly Room[]): number[] | undefined {
  const room = new Map(rooms.map((each) => [each.id, each.room]))
  return deal(
    units,
    nodeOfCell.map(() => 0),
    room,
    nodeOfCell,
  )
}

function refuseCrossing({ view, offer }: Seated, units: number, fit: number): never {
  const crossing = diagnostic('cell-crossing', {
    cores: units,
    threads: guestThreads(view),
    fit,
    cpuset: formatSet(offer.cpus),
  })
  throw new Refusal(
    offer.offline.length === 0 ? [crossing] : [crossing, offlineFinding(offer.offline, offer.cpus)],
  )
}

/** How many cores a set of nodes would split; each node is looked at once. */
function splitsOn(
  offer: Offer,
  threads: number,
  filling: Filling,
  units: number,
): (ids: readonly number[], shares: readonly number[]) => number {
  const known = new Map<number, (count: number) => number>()
  return (ids, shares) =>
    ids.reduce((sum, id, index) => {
      const node = nodeOf(offer, id)
      const splits = known.get(id) ?? filling.splits(node, threads, units * threads)
      known.set(id, splits)
      return sum + splits(Math.min(node.cpus.length, (shares[index] ?? 0) * threads))
    }, 0)
}

function homesOf(cells: readonly number[], shares: readonly number[], units: readonly GuestCore[]): Home[] {
  let next = 0
  return cells.map((node, cell) => {
    const from = next
    next += shares[cell] as number
    return { node, cores: units.slice(from, next) }
  })
}

function seatsOf(
  homes: readonly Home[],
  offer: Offer,
  threads: number,
  filling: Filling,
): Map<number, CpuSet> {
  const seats = new Map<number, CpuSet>()
  const coresOn = new Map<number, GuestCore[]>()
  for (const { node, cores } of homes) coresOn.set(node, (coresOn.get(node) ?? []).concat(cores))
  for (const [id, cores] of coresOn) {
    const vcpus = cores.reduce((sum, { online }) => sum + online.length, 0)
    seatCores(cores, filling.cpus(nodeOf(offer, id), vcpus, threads), threads, seats)
  }
  return seats
}

export function nodeOf(offer: Offer, id: number): NodeOffer {
  const node = offer.nodes.find((each) => each.id === id)
  if (node === undefined) throw new Error(`node ${id} is not on offer`)
  return node
}

// ---- KubeVirt's order ----

/** CPUs are handed out in host order; a cell is what fell on one node. */
function inHostOrder(seated: Seated): Seating {
  const { view, offer } = seated
  const threads = guestThreads(view)
  const pool = poolOf(offer.nodes, threads)
  const units = guestCores(view).filter(({ online }) => online.length > 0)
  const whole = units.filter(({ online }) => online.length === threads)
  const parts = units.filter(({ online }) => online.length < threads)
  const taken = [
    ...pool.cores(whole.length),
    ...parts.flatMap(({ online }) => pool.loose(online.length) ?? []),
  ]
  if (taken.length < units.length)
    refuse('cell-crossing', {
      cores: units.length,
      threads,
      fit: taken.length,
      cpuset: formatSet(offer.cpus),
    })
  const ordered = [...whole, ...parts]
  const seats = new Map<number, CpuSet>()
  ordered.forEach(({ online }, index) => {
    for (const [thread, vcpu] of online.entries())
      seats.set(vcpu, setOf<CpuSet>([taken[index]?.cpus[thread] as number]))
  })
  const homes = offer.nodes.map(({ id }) => ({
    node: id,
    cores: ordered.filter((_, index) => taken[index]?.node === id),
  }))
  return { homes: homes.filter(({ cores }) => cores.length > 0), seats: seated.shared ? new Map() : seats }
}

// ---- The pins that the domain has ----

/** The domain's own pins decide: a cell is what is pinned to one node. */
function asPinned({ view, offer, request }: Seated): Seating {
  const indexOf = nodeByCpu(offer.nodes)
  const nodeOfCpu = (cpu: number): number | undefined => offer.nodes[indexOf.get(cpu) ?? -1]?.id
  const cpuset = formatSet(offer.cpus)
  const found = view.online.flatMap((vcpu) => {
    const pin = view.vcpupin.get(vcpu)
    if (pin === undefined || pin.length === 0) return [diagnostic('pin-missing', { vcpu })]
    const outside = subtract(pin, offer.cpus)
    if (outside.length > 0) return [diagnostic('pin-outside', { vcpu, cpus: formatSet(outside), cpuset })]
    const nodes = setOf(pin.map((cpu) => nodeOfCpu(cpu) as number))
    return nodes.length === 1
      ? []
      : [diagnostic('pin-spans-nodes', { vcpu, cpus: formatSet(pin), nodes: nodes.join(' and ') })]
  })
  refuseAll(found)
  const seats = new Map(view.online.map((vcpu) => [vcpu, view.vcpupin.get(vcpu) as CpuSet]))
  const nodeOfVcpu = (vcpu: number | undefined): number | undefined =>
    nodeOfCpu(seats.get(vcpu as number)?.[0] as number)
  const units = guestCores(view).filter(({ online }) => online.length > 0)
  const torn = units.find(({ online }) => online.some((vcpu) => nodeOfVcpu(vcpu) !== nodeOfVcpu(online[0])))
  if (torn !== undefined) {
    refuse('guest-core-torn', {
      vcpus: formatSet(torn.online),
      cpus: formatSet(union(...torn.online.map((vcpu) => seats.get(vcpu) as CpuSet))),
    })
  }
  const homes = offer.nodes
    .map(({ id }) => ({ node: id, cores: units.filter(({ online }) => nodeOfVcpu(online[0]) === id) }))
    .filter(({ cores }) => cores.length > 0)
  return {
    homes: request.cells === 'per-node' ? homes : splitHomes(homes, request.cells, guestThreads(view)),
    seats,
  }
}

/** More cells than nodes: cells are dealt to the nodes in turn, and each node's guest cores to its cells. */
function splitHomes(homes: readonly Home[], cells: number, threads: number): Home[] {
  const units = homes.reduce((sum, { cores }) => sum + cores.length, 0)
  if (cells > units) refuse('cells-too-many', { cells, cores: units, threads })
  if (cells < homes.length)
    refuse('cells-too-few', { cells, nodes: homes.map(({ node }) => node).join(', '), count: homes.length })
  const turn = range(cells).map((cell) => cell % homes.length)
  const split: Home[] = []
  for (const [index, { node, cores }] of homes.entries()) {
    const mine = turn.flatMap((home, cell) => (home === index ? [cell] : []))
    if (mine.length > cores.length) refuse('cells-too-many', { cells, cores: units, threads })
    const shares = deal(
      cores.length,
      mine.map(() => 0),
      new Map(mine.map((_, bin) => [bin, cores.length])),
    ) as number[]
    homesOf(
      mine.map(() => node),
      shares,
      cores,
    ).forEach((home, bin) => {
      split[mine[bin] as number] = home
    })
  }
  return split
}
