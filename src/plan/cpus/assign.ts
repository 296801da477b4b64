// Which vCPUs go to which node, and there onto which CPUs: the request's `cells` and `cpus` on the available
// CPUs.
//
// The nodes are chosen first, then guest cores are shared over the cells as evenly as available CPUs allow,
// the odd ones to the lowest cells, then each node gives its guest cores their CPUs. Guest cores go to the
// cells in order, so a cell's vCPUs are consecutive. KubeVirt's order is different: it hands out CPUs and the
// cells follow (inHostOrder).

import { Refusal } from '../../base/diagnostic.ts'
import { type CpuSet, formatSet, range, setOf, subtract, union } from '../../base/idset.ts'
import { diagnostic, refuse, refuseAll } from '../../codes/codes.ts'
import type { CpuChoice } from '../../model.ts'
import { type GuestCore, guestThreads } from '../cells/guest-cores.ts'
import { shareEvenly } from '../cells/share-evenly.ts'
import { cpuPool } from '../kubevirt/cpu-order.ts'
import { chooseNodes } from '../sites/choose-nodes.ts'
import type { Situation } from '../situation.ts'
import { type AvailableCpus, availableNode, nodeByCpu, offlineFinding, refuseFewCpus } from './available.ts'
import { assignCpus, type CpuPolicy, cpuPolicy, overcommitted } from './policies.ts'

/** One guest cell to be: its node and its online guest cores. Several cells may share a node. */
export interface PlannedCell {
  readonly node: number
  readonly cores: readonly GuestCore[]
}

/**
 * Each online vCPU with its CPU, or with the set of its pin; empty where vCPUs share the CPUs of their cell.
 */
export type CpuOfVcpu = ReadonlyMap<number, CpuSet>

/** `cells` in the order of their ids. */
export interface Assignment {
  readonly cells: readonly PlannedCell[]
  readonly cpuOf: CpuOfVcpu
}

/**
 * @throws Refusal `not-enough-threads`, `cell-crossing`, `cells-too-many`, `cells-too-few`,
 * `nodes-too-small`, and with cpus=as-pinned `pin-missing`, `pin-outside`, `pin-spans-nodes`,
 * `guest-core-torn`
 */
export function assignVcpus(situation: Situation): Assignment {
  const { view, available, request } = situation
  if (!situation.sharesCpus) refuseFewCpus(view, available)
  return assign[request.cpus](situation)
}

const assign: Record<CpuChoice, (situation: Situation) => Assignment> = {
  pack: overChosenNodes,
  spread: overChosenNodes,
  'in-order': (situation) =>
    situation.request.cells === 'per-node' && !isOvercommitted(situation)
      ? inHostOrder(situation)
      : overChosenNodes(situation),
  'as-pinned': asPinned,
}

const isOvercommitted = ({ view, available, sharesCpus }: Situation): boolean =>
  sharesCpus && view.online.length > available.cpus.length

/** Those with a vCPU that is online at boot: each needs CPUs. */
const onlineCores = ({ guestCores }: Situation): readonly GuestCore[] =>
  guestCores.filter(({ online }) => online.length > 0)

/** A node and how many guest cores it has room for. */
interface Room {
  readonly id: number
  readonly room: number
}

// ---- Guest cores shared over chosen nodes ----

function overChosenNodes(situation: Situation): Assignment {
  const { view, available, request } = situation
  const policy = isOvercommitted(situation)
    ? overcommitted
    : cpuPolicy(request.cpus, available, view.online.length)
  const threads = guestThreads(view)
  const cores = onlineCores(situation)
  const rooms = available.nodes
    .map((node) => ({ id: node.id, room: policy.capacity(node, threads) }))
    .filter(({ room }) => room > 0)
  const ids = nodesFor(situation, cores.length, rooms, policy)
  const nodeOfCell =
    request.cells === 'per-node' || request.cells <= ids.length ? ids : inTurn(request.cells, ids, rooms)
  const shares = share(cores.length, nodeOfCell, rooms)
  if (shares === undefined) refuseCrossing(situation, cores.length, roomIn(rooms))
  const cells = cellsOf(nodeOfCell, shares, cores)
  return { cells, cpuOf: situation.sharesCpus ? new Map() : cpusOfVcpus(situation, cells, policy) }
}

function nodesFor(situation: Situation, units: number, rooms: readonly Room[], policy: CpuPolicy): number[] {
  const { view, request, distance } = situation
  const threads = guestThreads(view)
  if (roomIn(rooms) < units) refuseCrossing(situation, units, roomIn(rooms))
  if (request.cells !== 'per-node' && request.cells > units)
    refuse('cells-too-many', { cells: request.cells, cores: units, threads })
  const most = Math.min(rooms.length, units)
  const count =
    request.cells === 'per-node' ? (policy.usesEveryNode ? most : undefined) : Math.min(request.cells, most)
  const splitsOf = splitsOn(situation, policy, units)
  const splits = (ids: readonly number[]): number => splitsOf(ids, share(units, ids, rooms) ?? [])
  const chosen = chooseNodes(rooms, units, count, distance, splits)
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

/**
 * Cells to nodes in the order of ids, round by round; a node takes part as long as it has a guest core for
 * one more cell.
 */
function inTurn(cells: number, ids: readonly number[], rooms: readonly Room[]): number[] {
  const cellsOn = share(cells, ids, rooms) ?? []
  return range(cells).flatMap((round) => ids.filter((_, index) => (cellsOn[index] as number) > round))
}

function share(units: number, nodeOfCell: readonly number[], rooms: readonly Room[]): number[] | undefined {
  const room = new Map(rooms.map((each) => [each.id, each.room]))
  return shareEvenly(
    units,
    nodeOfCell.map(() => 0),
    room,
    nodeOfCell,
  )
}

function refuseCrossing({ view, available }: Situation, units: number, fit: number): never {
  const crossing = diagnostic('cell-crossing', {
    cores: units,
    threads: guestThreads(view),
    fit,
    cpuset: formatSet(available.cpus),
  })
  throw new Refusal(
    available.offline.length === 0
      ? [crossing]
      : [crossing, offlineFinding(available.offline, available.cpus)],
  )
}

/** How many cores a set of nodes would split; each node is looked at once. */
function splitsOn(
  { view, available }: Situation,
  policy: CpuPolicy,
  units: number,
): (ids: readonly number[], shares: readonly number[]) => number {
  const threads = guestThreads(view)
  const known = new Map<number, (count: number) => number>()
  return (ids, shares) =>
    ids.reduce((sum, id, index) => {
      const node = availableNode(available, id)
      const splits = known.get(id) ?? policy.splitCores(node, threads, units * threads)
      known.set(id, splits)
      return sum + splits(Math.min(node.cpus.length, (shares[index] ?? 0) * threads))
    }, 0)
}

/** The guest cores in their order, so many to each cell. */
function cellsOf(
  nodeOfCell: readonly number[],
  shares: readonly number[],
  cores: readonly GuestCore[],
): PlannedCell[] {
  let next = 0
  return nodeOfCell.map((node, cell) => {
    const from = next
    next += shares[cell] as number
    return { node, cores: cores.slice(from, next) }
  })
}

function cpusOfVcpus(
  { view, available }: Situation,
  cells: readonly PlannedCell[],
  policy: CpuPolicy,
): CpuOfVcpu {
  const threads = guestThreads(view)
  const cpuOf = new Map<number, CpuSet>()
  const coresOn = new Map<number, GuestCore[]>()
  for (const { node, cores } of cells) coresOn.set(node, (coresOn.get(node) ?? []).concat(cores))
  for (const [id, cores] of coresOn) {
    const vcpus = cores.reduce((sum, { online }) => sum + online.length, 0)
    assignCpus(cores, policy.cpus(availableNode(available, id), vcpus, threads), threads, cpuOf)
  }
  return cpuOf
}

// ---- KubeVirt's order ----

/** CPUs are handed out in host order; a cell is what fell on one node. */
function inHostOrder(situation: Situation): Assignment {
  const { view, available } = situation
  const threads = guestThreads(view)
  const pool = cpuPool(available.nodes, threads)
  const cores = onlineCores(situation)
  const whole = cores.filter(({ online }) => online.length === threads)
  const parts = cores.filter(({ online }) => online.length < threads)
  const taken = [
    ...pool.takeCores(whole.length),
    ...parts.flatMap(({ online }) => pool.takeFromNode(online.length) ?? []),
  ]
  if (taken.length < cores.length) refuseOrder(available, threads, cores.length, taken.length)
  const ordered = [...whole, ...parts]
  const cpuOf = new Map<number, CpuSet>()
  ordered.forEach(({ online }, index) => {
    for (const [thread, vcpu] of online.entries())
      cpuOf.set(vcpu, setOf<CpuSet>([taken[index]?.cpus[thread] as number]))
  })
  const cells = available.nodes
    .map(({ id }) => ({ node: id, cores: ordered.filter((_, index) => taken[index]?.node === id) }))
    .filter((cell) => cell.cores.length > 0)
  return { cells, cpuOf: situation.sharesCpus ? new Map() : cpuOf }
}

function refuseOrder({ cpus }: AvailableCpus, threads: number, cores: number, fit: number): never {
  refuse('cell-crossing', { cores, threads, fit, cpuset: formatSet(cpus) })
}

// ---- The pins that the domain has ----

/** The domain's own pins decide: a cell is what is pinned to one node. */
function asPinned(situation: Situation): Assignment {
  const { view, available, request } = situation
  const indexOf = nodeByCpu(available.nodes)
  const nodeOfCpu = (cpu: number): number | undefined => available.nodes[indexOf.get(cpu) ?? -1]?.id
  const cpuset = formatSet(available.cpus)
  const found = view.online.flatMap((vcpu) => {
    const pin = view.vcpupin.get(vcpu)
    if (pin === undefined || pin.length === 0) return [diagnostic('pin-missing', { vcpu })]
    const outside = subtract(pin, available.cpus)
    if (outside.length > 0) return [diagnostic('pin-outside', { vcpu, cpus: formatSet(outside), cpuset })]
    const nodes = setOf(pin.map((cpu) => nodeOfCpu(cpu) as number))
    return nodes.length === 1
      ? []
      : [diagnostic('pin-spans-nodes', { vcpu, cpus: formatSet(pin), nodes: nodes.join(' and ') })]
  })
  refuseAll(found)
  const cpuOf = new Map(view.online.map((vcpu) => [vcpu, view.vcpupin.get(vcpu) as CpuSet]))
  const nodeOfVcpu = (vcpu: number | undefined): number | undefined =>
    nodeOfCpu(cpuOf.get(vcpu as number)?.[0] as number)
  const cores = onlineCores(situation)
  const torn = cores.find(({ online }) => online.some((vcpu) => nodeOfVcpu(vcpu) !== nodeOfVcpu(online[0])))
  if (torn !== undefined) {
    refuse('guest-core-torn', {
      vcpus: formatSet(torn.online),
      cpus: formatSet(union(...torn.online.map((vcpu) => cpuOf.get(vcpu) as CpuSet))),
    })
  }
  const perNode = available.nodes
    .map(({ id }) => ({ node: id, cores: cores.filter(({ online }) => nodeOfVcpu(online[0]) === id) }))
    .filter((cell) => cell.cores.length > 0)
  const cells =
    request.cells === 'per-node' ? perNode : splitCells(perNode, request.cells, guestThreads(view))
  return { cells, cpuOf }
}

/** More cells than nodes: cells go to the nodes in turn, and each node's guest cores to its cells. */
function splitCells(perNode: readonly PlannedCell[], cells: number, threads: number): PlannedCell[] {
  const units = perNode.reduce((sum, { cores }) => sum + cores.length, 0)
  if (cells > units) refuse('cells-too-many', { cells, cores: units, threads })
  if (cells < perNode.length)
    refuse('cells-too-few', {
      cells,
      nodes: perNode.map(({ node }) => node).join(', '),
      count: perNode.length,
    })
  const turn = range(cells).map((cell) => cell % perNode.length)
  const split: PlannedCell[] = []
  for (const [index, { node, cores }] of perNode.entries()) {
    const own = turn.flatMap((other, cell) => (other === index ? [cell] : []))
    if (own.length > cores.length) refuse('cells-too-many', { cells, cores: units, threads })
    const shares = shareEvenly(
      cores.length,
      own.map(() => 0),
      new Map(own.map((_, bin) => [bin, cores.length])),
    ) as number[]
    const parts = cellsOf(
      own.map(() => node),
      shares,
      cores,
    )
    for (const [bin, part] of parts.entries()) split[own[bin] as number] = part
  }
  return split
}
