// The guest's online cores and memory as a question: which nodes hold the cells that are still to be made.

import { Refusal } from '../../base/diagnostic.ts'
import { type NodeSet, setOf } from '../../base/idset.ts'
import { sumsOf } from '../../base/lists.ts'
import { nodesWithMemory } from '../backing/memory-nodes.ts'
import { nodeSupply } from '../backing/supply.ts'
import { type GuestCore, guestThreads } from '../cells/guest-cores.ts'
import { evenSplit, memoryUnits } from '../cells/memory.ts'
import { pagesizeOf } from '../cells/pagesize.ts'
import { offlineShares } from '../cells/shape.ts'
import { type AvailableNode, untakenCpus } from '../cpus/available.ts'
import type { PackedCost } from '../cpus/pack.ts'
import type { CpuPolicy } from '../cpus/policies.ts'
import type { Situation } from '../situation.ts'
import type { CandidateNode, MemoryDemand, NodeProblem } from './node-problem.ts'
import { backCells } from './set-memory.ts'
import { sitesByNode } from './sites.ts'

/** @param cores guest cores with a vCPU that is online at boot */
export function nodeProblem(
  situation: Situation,
  cores: readonly GuestCore[],
  policy: CpuPolicy,
): NodeProblem {
  const { view, request, distance } = situation
  const memory = memoryDemand(situation, cores)
  return {
    nodes: candidates(situation, cores.length, policy),
    cores: cores.length,
    vcpusOfFirst: sumsOf(cores.map(({ online }) => online.length)),
    threads: guestThreads(view),
    cells: request.cells,
    usesEveryNode: policy.usesEveryNode,
    distance,
    ...(memory && { memory }),
  }
}

function candidates(situation: Situation, cores: number, policy: CpuPolicy): CandidateNode[] {
  const { view, resources, available } = situation
  const threads = guestThreads(view)
  const hasMemory = nodesWithMemory(resources).length > 0
  const sites = hasMemory ? sitesByNode(situation, [situation.allocation]) : []
  return available.nodes.flatMap((node, run) => {
    const capacity = policy.capacity(node, threads)
    if (capacity === 0) return []
    const most = Math.min(cores * threads, node.cpus.length)
    return [
      {
        id: node.id,
        capacity,
        untaken: untakenCpus(node, available.taken),
        sites: sites[run] ?? [],
        cpusCost: costsOf(node, () => policy.cost(node, threads, most)),
      },
    ]
  })
}

/** Costs whose table is made when they are first asked for. */
function costsOf(node: AvailableNode, make: () => (cpus: number) => PackedCost): CandidateNode['cpusCost'] {
  let made: ((cpus: number) => PackedCost) | undefined
  return (cpus) => {
    made ??= make()
    return made(Math.min(cpus, node.cpus.length))
  }
}

/**
 * By cell the node that backs it, for cells whose nodes are given; empty where no node has memory.
 * @param cells with guest cores that are online at boot
 */
export function memoryBehind(
  situation: Situation,
  cells: readonly { readonly node: number; readonly cores: readonly GuestCore[] }[],
): NodeSet[] {
  const { available, resources } = situation
  if (nodesWithMemory(resources).length === 0) return cells.map(() => setOf<NodeSet>([]))
  const memory = memoryDemand(
    situation,
    cells.flatMap(({ cores }) => cores),
  )
  const nodes = sitesByNode(situation, [situation.allocation]).map((sites) => ({ sites }))
  const nodeOfCell = cells.map(({ node }) => available.nodes.findIndex(({ id }) => id === node))
  const set = [...new Set(nodeOfCell)].sort((a, b) => a - b)
  const backed = backCells(
    { nodes, ...(memory && { memory }) },
    { set, nodeOfCell, cores: cells.map(({ cores }) => cores.length) },
  )
  return backed.sites.map((site) => setOf<NodeSet>([resources.nodes[site.memory]?.id as number]))
}

/**
 * Undefined where the guest gets no cells, or where its memory cannot be had at all, which is refused later.
 */
function memoryDemand(situation: Situation, cores: readonly GuestCore[]): MemoryDemand | undefined {
  const { view, resources, request, guestCores } = situation
  if (!situation.getsCells || nodesWithMemory(resources).length === 0) return undefined
  const pagesizeKiB = knownPagesize(situation)
  if (pagesizeKiB === 'refused') return undefined
  const memory = memoryUnits(view, request, pagesizeKiB)
  const vcpus = sumsOf(cores.map((core) => core.online.length + offlineIn(core, situation)))
  const offline = request.rules.offlineInCells ? guestCores.filter(({ online }) => online.length === 0) : []
  const threads = guestThreads(view)
  return {
    pagesizeKiB: pagesizeKiB ?? 0,
    supply: nodeSupply(resources, request, pagesizeKiB ?? 0),
    overflows: request.mode === 'preferred',
    fitsSupply: request.memory === 'by-free-pages' && pagesizeKiB !== undefined,
    totalKiB: memory.totalKiB,
    unitKiB: memory.unitKiB,
    ofCells: (shares) => {
      const later = offlineShares(offline.length, shares)
      let first = 0
      const weights = shares.map((share, cell) => {
        const last = first + share
        const own = (vcpus[last] as number) - (vcpus[first] as number)
        first = last
        return own + (later[cell] as number) * threads
      })
      return evenSplit(memory, request.memory, weights)
    },
  }
}

const offlineIn = ({ offline }: GuestCore, { request }: Situation): number =>
  request.rules.offlineInCells ? offline.length : 0

/** What pagesizeOf refuses is refused after the nodes are chosen. */
function knownPagesize({ view, resources, request }: Situation): number | undefined | 'refused' {
  try {
    return pagesizeOf(view, resources, request)
  } catch (error) {
    if (error instanceof Refusal) return 'refused'
    throw error
  }
}
