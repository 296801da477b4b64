// The cells that a guest has as a question: which site for each.

import { type CpuSet, has, setOf, union } from '../../base/idset.ts'
import type { DomainView } from '../../model/domain.ts'
import { type Allocation, allocationOfCell } from '../backing/allocation.ts'
import { dimmsAlikeKiB } from '../backing/backings.ts'
import { nodeSupply } from '../backing/supply.ts'
import { cellDistance, FARTHEST, LOCAL, REMOTE } from '../cells/distances.ts'
import { type GuestCore, onlineVcpus } from '../cells/guest-cores.ts'
import { pagesizeKiBOf } from '../cells/pagesize.ts'
import { nodeByCpu, untakenCpus } from '../cpus/available.ts'
import type { Situation } from '../situation.ts'
import { writtenCells, writtenNodes } from '../written.ts'
import type { AssignmentProblem, CellNeed } from './partial-assignment.ts'
import { memorySites, NOWHERE, type Site, sitesByNode } from './sites.ts'

type Cell = ReturnType<typeof writtenCells>[number]

/**
 * @param coresOf the guest cores of each cell
 * @param capacities the capacity of each available node, in guest cores
 */
export function assignmentProblem(
  situation: Situation,
  coresOf: readonly (readonly GuestCore[])[],
  capacities: readonly number[],
): AssignmentProblem {
  const { view, resources, request, available } = situation
  const cells = writtenCells(view)
  const allocations = cells.map(({ id }) => allocationOfCell(view.cellPages[id], resources, view))
  const sites = sitesOf(situation, cells, [...new Set(allocations)])
  const pinned = pinnedNodes(situation)
  const needs = cells.map((cell, index): CellNeed => {
    const cores = coresOf[index] ?? []
    const mayBack = backingFor(situation, allocations[index] as Allocation)
    const own = sites.flatMap((site, at) =>
      (site.run === NOWHERE) === (cell.vcpus.length === 0) && mayBack(site) ? [at] : [],
    )
    return {
      cores: cores.length,
      vcpus: onlineVcpus(cores),
      pagesizeKiB: pagesizeKiBOf(view.cellPages[cell.id], resources) ?? 0,
      // Without cells, <memory> includes the memory devices.
      memoryKiB: cell.memoryKiB + (view.cells.length === 0 ? 0 : dimmsAlikeKiB(cell.id, view.memoryDevices)),
      sites: own,
      current: currentSites(
        situation,
        cell,
        own.map((site) => [site, sites[site] as Site] as const),
        pinned(cell),
      ),
    }
  })
  const sizes = [...new Set(needs.map(({ pagesizeKiB }) => pagesizeKiB))]
  return {
    cells: needs,
    sites,
    runNodes: available.nodes.map((node, index) => ({
      cores: capacities[index] as number,
      untaken: untakenCpus(node, available.taken),
    })),
    supply: new Map(sizes.map((size) => [size, nodeSupply(resources, request, size)])),
    overflows: overflows(view),
    ...distancesOf(situation, cells, sites),
  }
}

function sitesOf(situation: Situation, cells: readonly Cell[], allocations: readonly Allocation[]): Site[] {
  const running = sitesByNode(situation, allocations).flat()
  const hasBareCell = cells.some(({ vcpus }) => vcpus.length === 0)
  return hasBareCell ? [...running, ...memorySites(situation, allocations)] : running
}

/** Whether the memory of a site may back a cell, by when QEMU allocates the cell's memory. */
function backingFor(
  { resources, available, backingNodes, nodesBehind }: Situation,
  allocation: Allocation,
): (site: Site) => boolean {
  return ({ run, memory }) => {
    const behind = available.nodes[run]?.id
    const nodes = behind === undefined ? backingNodes[allocation] : nodesBehind[allocation](behind)
    return nodes.includes(resources.nodes[memory]?.id as number)
  }
}

/** Memory that is only preferred on its node may come from the others that the guest uses. */
function overflows({ cells, tune: { memory, memnodes } }: DomainView): boolean {
  const modes = memnodes.length > 0 ? memnodes.map(({ mode }) => mode) : [memory?.mode ?? 'strict']
  return cells.length > 1 && modes.every((mode) => mode === 'preferred')
}

/** How many of its CPUs a cell is pinned to on each available node, by index. */
function pinnedNodes({ view, available }: Situation): (cell: Cell) => readonly number[] {
  const nodeOfCpu = nodeByCpu(available.nodes)
  return ({ vcpus }) => {
    const counts = available.nodes.map(() => 0)
    for (const cpu of union(...vcpus.map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([])))) {
      const node = nodeOfCpu.get(cpu)
      if (node !== undefined) counts[node] = (counts[node] as number) + 1
    }
    return counts
  }
}

/**
 * Where a cell is now: on the nodes that its memory is bound to, and of those on the one that most of its
 * pins are on. A cell without a memnode is where its pins are, as far as `<memory>` allows it.
 */
function currentSites(
  { view, resources }: Situation,
  cell: Cell,
  sites: readonly (readonly [number, Site])[],
  pinned: readonly number[],
): number[] {
  const written = writtenNodes(view, cell.id)
  const bound = written ?? view.tune.memory?.nodes
  const isBound = ({ memory }: Site): boolean =>
    bound === undefined || has(bound, resources.nodes[memory]?.id ?? -1)
  const allowed = sites.filter(([, site]) => isBound(site))
  const pinsOn = ({ run }: Site): number => (run === NOWHERE ? 1 : (pinned[run] ?? 0))
  const most = Math.max(0, ...allowed.map(([, site]) => pinsOn(site)))
  if (written === undefined && (most === 0 || cell.vcpus.length === 0)) return []
  const here = allowed.filter(([, site]) => pinsOn(site) === most)
  const [first] = here
  return here.filter(([, { run }]) => run === NOWHERE || run === first?.[1].run).map(([index]) => index)
}

/**
 * A guest that states no distances takes its cells for nodes of their own: they are as near as can be, and
 * two on one node are as far apart as can be.
 */
function distancesOf(
  { resources }: Situation,
  cells: readonly Cell[],
  sites: readonly Site[],
): Pick<AssignmentProblem, 'guestDistance' | 'hostDistance'> {
  const between = cellDistance(resources)
  const nodeAt = (site: number): number => sites[site]?.node as number
  if (!cells.some(({ distances }) => distances.length > 0)) {
    return {
      guestDistance: () => 0,
      hostDistance: (a, b) => (nodeAt(a) === nodeAt(b) ? FARTHEST : between(nodeAt(a), nodeAt(b))),
    }
  }
  return {
    guestDistance: (a, b) => cells[a]?.distances[b] ?? (a === b ? LOCAL : REMOTE),
    hostDistance: (a, b) => between(nodeAt(a), nodeAt(b)),
  }
}
