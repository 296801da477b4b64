// The cells that a guest has on the nodes of this host: each cell on the site of the best assignment, or on
// several nodes where no assignment holds them all.

import { type NodeSet, range, setOf } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import { allocationOfCell } from '../backing/allocation.ts'
import { nodeSupply } from '../backing/supply.ts'
import { type GuestCore, guestThreads } from '../cells/guest-cores.ts'
import type { CoresOnNode } from '../cpus/moved-pins.ts'
import { policyFor } from '../cpus/policies.ts'
import type { Situation } from '../situation.ts'
import { writtenCells } from '../written.ts'
import { type Share, spreadOverNodes } from './across-nodes.ts'
import { type AssignedCells, assignCells } from './assign-cells.ts'
import { assignmentProblem } from './assignment-problem.ts'
import type { AssignmentProblem } from './partial-assignment.ts'
import type { Site } from './sites.ts'
import { type SpreadMemory, spreadMemory } from './spread-memory.ts'

/** The guest cores of every cell on nodes, and by cell the nodes that back its memory. */
export interface PlacedCells {
  readonly cores: readonly CoresOnNode[]
  readonly memory: readonly NodeSet[]
}

/** Every cell on one site, or on several nodes where no way to give each cell one node holds them all. */
export function placeExistingCells(situation: Situation): PlacedCells {
  const coresOf = coresOfCells(situation)
  const capacities = capacitiesOf(situation)
  const problem = assignmentProblem(situation, coresOf, capacities)
  const assigned = assignCells(problem)
  if (assigned.cost.cpus === 0) return onSites(situation, problem, assigned, coresOf)
  // No assignment holds them all, so where cells are now does not count: a second run then comes to the same
  // nodes.
  const anew = { ...problem, cells: problem.cells.map((cell) => ({ ...cell, current: [] })) }
  const nearest = { problem, assigned: assignCells(anew) }
  return acrossNodes(situation, coresOf, capacities, nearest)
}

/** The capacity of each available node, in guest cores. */
function capacitiesOf(situation: Situation): number[] {
  const { capacity } = policyFor(situation)
  const threads = guestThreads(situation.view)
  return situation.available.nodes.map((node) => capacity(node, threads))
}

/** Online guest cores of each cell. A core whose threads are in several cells comes in parts. */
function coresOfCells({ view, guestCores }: Situation): GuestCore[][] {
  const cells = writtenCells(view)
  const cellOf: (number | undefined)[] = range(view.vcpus).map(() => undefined)
  for (const [cell, { vcpus }] of cells.entries()) for (const vcpu of vcpus) cellOf[vcpu] = cell
  const found: GuestCore[][] = cells.map(() => [])
  for (const core of guestCores) {
    const [first, ...others] = core.online.map((vcpu) => cellOf[vcpu])
    if (others.every((cell) => cell === first)) {
      if (first !== undefined) found[first]?.push(core)
      continue
    }
    for (const cell of new Set([first, ...others])) {
      if (cell === undefined) continue
      const online = core.online.filter((vcpu) => cellOf[vcpu] === cell)
      found[cell]?.push({ online: setOf<GuestCore['online']>(online), offline: core.offline })
    }
  }
  return found
}

function onSites(
  { available, resources }: Situation,
  { sites }: AssignmentProblem,
  { siteOfCell }: AssignedCells,
  coresOf: readonly (readonly GuestCore[])[],
): PlacedCells {
  const siteOf = (cell: number): Site => sites[siteOfCell[cell] as number] as Site
  return {
    cores: coresOf.flatMap((cores, cell) => {
      const node = available.nodes[siteOf(cell).run]
      return node === undefined ? [] : [{ cell, node: node.id, cores }]
    }),
    memory: coresOf.map((_, cell) => setOf<NodeSet>([resources.nodes[siteOf(cell).memory]?.id as number])),
  }
}

// ---- On several nodes ----

interface Nearest {
  readonly problem: AssignmentProblem
  readonly assigned: AssignedCells
}

/** Where whole guest cores do not all fit, their threads are placed one by one. */
function acrossNodes(
  situation: Situation,
  coresOf: readonly (readonly GuestCore[])[],
  capacities: readonly number[],
  nearest: Nearest,
): PlacedCells {
  const { available, distance } = situation
  const between = (a: number, b: number): number =>
    distance(available.nodes[a]?.id as number, available.nodes[b]?.id as number)
  const toNearest = (cell: number, node: number): number => {
    const { run } = siteIn(nearest, cell)
    return run < 0 ? 0 : between(run, node)
  }
  const spread = (
    cores: readonly (readonly GuestCore[])[],
    capacities: readonly number[],
  ): Share[][] | undefined =>
    spreadOverNodes({
      cores: cores.map(({ length }) => length),
      capacities,
      distance: between,
      prefer: toNearest,
      memory: memoryOf(situation, nearest),
    })
  const whole = spread(coresOf, capacities)
  if (whole !== undefined) return onNodes(situation, coresOf, whole, nearest)
  const single = coresOf.map((cores) =>
    cores.flatMap(({ online }) =>
      online.map((vcpu): GuestCore => ({ online: setOf([vcpu]), offline: setOf([]) })),
    ),
  )
  const singly = spread(
    single,
    available.nodes.map(({ cpus }) => cpus.length),
  )
  if (singly === undefined)
    refuse('not-enough-threads', { vcpus: single.flat().length, cpuset: available.cpus })
  return onNodes(situation, single, singly, nearest)
}

/** Of cells without vCPUs nothing is counted: they are on no node of vCPUs. */
function memoryOf(situation: Situation, nearest: Nearest): SpreadMemory {
  const { available, resources } = situation
  const { cells, supply } = nearest.problem
  const indexOf = new Map(resources.nodes.map(({ id }, index) => [id, index]))
  const needs = cells.map((need, cell) => (siteIn(nearest, cell).run < 0 ? { ...need, memoryKiB: 0 } : need))
  const known = new Map<number, number>()
  return spreadMemory(needs, supply, (cell, node) => {
    const key = cell * available.nodes.length + node
    const backing =
      known.get(key) ??
      indexOf.get(backingOf(situation, cell, available.nodes[node]?.id as number, nearest)) ??
      -1
    known.set(key, backing)
    return backing
  })
}

const siteIn = ({ problem, assigned }: Nearest, cell: number): Site =>
  problem.sites[assigned.siteOfCell[cell] as number] as Site

/**
 * Each cell's guest cores, so many to each node. A cell without online vCPUs has a node all the same, and one
 * without vCPUs has its memory alone.
 * @param sharesOf by cell, and by index of the available node
 */
function onNodes(
  situation: Situation,
  coresOf: readonly (readonly GuestCore[])[],
  sharesOf: readonly (readonly Share[])[],
  nearest: Nearest,
): PlacedCells {
  const { available, resources } = situation
  const idOf = (node: number): number => available.nodes[node]?.id as number
  const placed = coresOf.map((cores, cell): CoresOnNode[] => {
    if (siteIn(nearest, cell).run < 0) return []
    let next = 0
    return (sharesOf[cell] ?? []).map(({ node, cores: count }) => {
      const from = next
      next += count
      return { cell, node: idOf(node), cores: cores.slice(from, next) }
    })
  })
  const memory = placed.map((parts, cell) => {
    if (parts.length === 0)
      return setOf<NodeSet>([resources.nodes[siteIn(nearest, cell).memory]?.id as number])
    return setOf<NodeSet>(parts.map(({ node }) => backingOf(situation, cell, node, nearest)))
  })
  return { cores: placed.flat(), memory }
}

/** Of the nodes that may back a part of a cell: one that backs it now, else the one with the most memory. */
function backingOf(
  { view, resources, request, nodesBehind }: Situation,
  cell: number,
  node: number,
  { problem }: Nearest,
): number {
  const behind = nodesBehind[allocationOfCell(view.cellPages[cell], resources, view)](node)
  if (behind.length === 1) return behind[0] as number
  const need = problem.cells[cell]
  const now = new Set(need?.current.map((site) => resources.nodes[problem.sites[site]?.memory ?? -1]?.id))
  const supply = nodeSupply(resources, request, need?.pagesizeKiB ?? 0)
  const has = (id: number): number =>
    supply.nodesKiB[resources.nodes.findIndex((each) => each.id === id)] ?? 0
  const rank = (id: number): number => (now.has(id) ? Number.POSITIVE_INFINITY : has(id))
  return behind.reduce((best, each) => (rank(each) > rank(best) ? each : best))
}
