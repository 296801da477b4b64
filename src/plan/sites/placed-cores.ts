// The guest cores of existing cells on nodes: each cell on the node of the best assignment, or on several
// nodes where no assignment holds them all.

import { type CpuSet, formatSet, range, setOf, union } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import type { DomainView, Resources } from '../../model.ts'
import { pageSupply } from '../backing/supply.ts'
import { cellDistance, LOCAL, REMOTE } from '../cells/distances.ts'
import { type GuestCore, guestThreads } from '../cells/guest-cores.ts'
import { pagesizeKiBOf } from '../cells/pagesize.ts'
import { nodeByCpu } from '../cpus/available.ts'
import type { CoresOnNode } from '../cpus/moved-pins.ts'
import { cpuPolicy } from '../cpus/policies.ts'
import type { Situation } from '../situation.ts'
import { writtenCells, writtenNodes } from '../written.ts'
import { spreadOverNodes } from './across-nodes.ts'
import { assignNodes } from './assign-nodes.ts'
import type { AssignmentProblem, CellNeed } from './partial-assignment.ts'

/**
 * Every cell's guest cores on nodes: all on one, or on several where no way to give each cell one node holds
 * them all.
 */
export function placedCores(situation: Situation): CoresOnNode[] {
  const { view, available, request } = situation
  const coresOf = coresOfCells(situation.guestCores, writtenCells(view))
  const threads = guestThreads(view)
  const overcommitted = situation.sharesCpus && view.online.length > available.cpus.length
  const policy = cpuPolicy(request.cpus, available, view.online.length)
  const capacities = available.nodes.map((node) =>
    overcommitted ? Number.POSITIVE_INFINITY : policy.capacity(node, threads),
  )
  const search = searchOf(situation, coresOf, capacities)
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
  return acrossNodes(situation, coresOf, capacities, anew.nodeOfCell)
}

/** Online guest cores of each cell. A core whose threads are in several cells comes in parts. */
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

/** Where whole guest cores do not all fit, their threads are placed one by one. */
function acrossNodes(
  situation: Situation,
  coresOf: readonly (readonly GuestCore[])[],
  capacities: readonly number[],
  nearest: readonly number[],
): CoresOnNode[] {
  const { available, distance } = situation
  const between = (a: number, b: number): number =>
    distance(available.nodes[a]?.id as number, available.nodes[b]?.id as number)
  const toNearest = (cell: number, node: number): number => between(nearest[cell] as number, node)
  const whole = spreadOverNodes(
    coresOf.map((cores) => cores.length),
    capacities,
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
  const singly = spreadOverNodes(
    single.map((cores) => cores.length),
    available.nodes.map(({ cpus }) => cpus.length),
    between,
    toNearest,
  )
  if (singly === undefined)
    refuse('not-enough-threads', {
      vcpus: single.flat().length,
      cpus: available.cpus.length,
      cpuset: formatSet(available.cpus),
    })
  return singly.flatMap((shares, cell) => onNodes(situation, cell, single[cell] ?? [], shares))
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
  capacities: readonly number[],
): AssignmentProblem {
  const cells = writtenCells(view)
  const indexOf = new Map(resources.nodes.map(({ id }, index) => [id, index]))
  const nodes = available.nodes.map(({ id }, index) => ({
    id,
    cores: capacities[index] as number,
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
      const supply = pageSupply(resources, size)
      return [size, { nodes: supply.free.map((pages) => pages * size), extraKiB: supply.extra * size }]
    }),
  )
}
