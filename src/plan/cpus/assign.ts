// Which vCPUs go to which node, and there onto which CPUs: the request's `cells` and `cpus` on the available
// CPUs.
//
// The nodes are chosen first, then guest cores are shared over the cells as evenly as available CPUs allow,
// the odd ones to the lowest cells, then each node gives its guest cores their CPUs. Guest cores go to the
// cells in order, so a cell's vCPUs are consecutive. KubeVirt's order is different: it hands out CPUs and the
// cells follow (inHostOrder).

import { Refusal } from '../../base/diagnostic.ts'
import { type CpuSet, type NodeSet, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic, refuse } from '../../codes/codes.ts'
import type { Resources } from '../../model/host.ts'
import type { NodesReason } from '../../model/placement.ts'
import type { CpuChoice } from '../../model/request.ts'
import { type GuestCore, guestThreads, inShares, onlineCores, onlineVcpus } from '../cells/guest-cores.ts'
import { coresInHostOrder } from '../kubevirt/host-order.ts'
import { type ChosenNodes, chooseNodes } from '../sites/choose-nodes.ts'
import { decidedBy } from '../sites/cost.ts'
import { memoryBehind, nodeProblem } from '../sites/new-cells.ts'
import type { CandidateNode, NodeChoice, NodeProblem } from '../sites/node-problem.ts'
import type { Site } from '../sites/sites.ts'
import type { Situation } from '../situation.ts'
import { type CoresOfNode, coresAsPinned } from './as-pinned.ts'
import type { Assignment, CpuOfVcpu, PlannedCell } from './assigned.ts'
import { availableNode, offlineFinding, untakenFirst } from './available.ts'
import { refuseFewCpus } from './few-cpus.ts'
import { assignCpus, type CpuPolicy, isOvercommitted, policyFor } from './policies.ts'

/**
 * @throws Refusal `not-enough-threads`, `cell-crossing`, `cells-too-many`, `cells-too-few`,
 * `nodes-too-small`, and with cpus=as-pinned `pin-missing`, `pin-outside`, `pin-spans-nodes`,
 * `guest-core-torn`
 */
export function assignVcpus(situation: Situation): Assignment {
  refuseFewCpus(situation)
  return assign[situation.request.cpus](situation)
}

const assign: Record<CpuChoice, (situation: Situation) => Assignment> = {
  pack: overChosenNodes,
  spread: overChosenNodes,
  'in-order': (situation) =>
    situation.request.cells === 'per-node' && !isOvercommitted(situation)
      ? withBacking(situation, coresInHostOrder(situation))
      : overChosenNodes(situation),
  'as-pinned': (situation) => withBacking(situation, coresAsPinned(situation)),
}

function withBacking(
  situation: Situation,
  { cells, cpuOf }: { readonly cells: readonly CoresOfNode[]; readonly cpuOf: CpuOfVcpu },
): Assignment {
  const memory = memoryBehind(situation, cells)
  // As pinned, a vCPU has the pin that it has.
  const isShared = situation.sharesCpus && situation.request.cpus !== 'as-pinned'
  return {
    cells: cells.map((cell, index) => ({ ...cell, memory: memory[index] as NodeSet })),
    cpuOf: isShared ? new Map() : cpuOf,
  }
}

// ---- Guest cores shared over chosen nodes ----

function overChosenNodes(situation: Situation): Assignment {
  const policy = policyFor(situation)
  const cores = onlineCores(situation.guestCores)
  const problem = nodeProblem(situation, cores, policy)
  const { nodes } = problem
  checkCapacity(situation, problem)
  const chosen = chooseNodes(problem)
  if (chosen === undefined) refuseSmall(problem)
  const { best } = chosen
  const shared = inShares(cores, best.cores)
  const cells = best.nodeOfCell.map((node, cell) => ({
    node: (nodes[node] as CandidateNode).id,
    memory: setOf<NodeSet>(idsOf(situation.resources, best.sites[cell])),
    cores: shared[cell] as readonly GuestCore[],
  }))
  return {
    cells,
    cpuOf: situation.sharesCpus ? new Map() : cpusOfVcpus(situation, cells, policy),
    reason: reasonFor(problem, chosen),
  }
}

/** The set that was chosen, and the second best with what decided against it. */
function reasonFor({ nodes }: NodeProblem, { best, next, isExact }: ChosenNodes): NodesReason {
  const idsIn = ({ set }: NodeChoice): NodeSet => setOf<NodeSet>(set.map((node) => nodes[node]?.id as number))
  const reason = { nodes: idsIn(best), cost: best.cost, isExact }
  if (next === undefined) return reason
  const criterion = decidedBy(best.cost, next.cost)
  const costs =
    criterion === 'ids' ? { best: 0, next: 0 } : { best: best.cost[criterion], next: next.cost[criterion] }
  return { ...reason, next: { nodes: idsIn(next), criterion, ...costs } }
}

const idsOf = ({ nodes }: Resources, site: Site | undefined): number[] =>
  site === undefined ? [] : [nodes[site.memory]?.id as number]

/** @throws Refusal `cell-crossing`, `cells-too-many` */
function checkCapacity(situation: Situation, { nodes, cores, cells, threads }: NodeProblem): void {
  const capacity = sum(nodes.map((node) => node.capacity))
  if (capacity < cores) refuseCrossing(situation, cores, capacity)
  if (cells !== 'per-node' && cells > cores) refuse('cells-too-many', { cells, cores, threads })
}

function refuseSmall({ nodes, cores, cells, threads }: NodeProblem): never {
  const count = cells === 'per-node' ? nodes.length : Math.min(cells, nodes.length, cores)
  const largest = [...nodes].sort((a, b) => b.capacity - a.capacity || a.id - b.id).slice(0, count)
  refuse('nodes-too-small', {
    cells: count,
    cores,
    threads,
    capacity: sum(largest.map(({ capacity }) => capacity)),
    nodes: setOf<NodeSet>(largest.map(({ id }) => id)),
  })
}

function refuseCrossing({ view, available }: Situation, units: number, fit: number): never {
  const crossing = diagnostic('cell-crossing', {
    cores: units,
    threads: guestThreads(view),
    fit,
    cpuset: available.cpus,
  })
  throw new Refusal(
    available.offline.length === 0
      ? [crossing]
      : [crossing, offlineFinding(available.offline, available.cpus)],
  )
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
    const vcpus = onlineVcpus(cores)
    const node = untakenFirst(availableNode(available, id), available.taken, vcpus)
    assignCpus(cores, policy.cpus(node, vcpus, threads), threads, cpuOf)
  }
  return cpuOf
}
