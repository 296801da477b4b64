// cpus=as-pinned: the domain's own pins decide; a cell is what is pinned to one node.

import { type CpuSet, type NodeSet, range, setOf, subtract, union } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic, refuse, refuseAll } from '../../codes/codes.ts'
import { type GuestCore, guestThreads, inShares, onlineCores } from '../cells/guest-cores.ts'
import { shareEvenly } from '../cells/share-evenly.ts'
import type { Situation } from '../situation.ts'
import type { CpuOfVcpu } from './assigned.ts'
import { nodeByCpu } from './available.ts'

/** Guest cores on a node. */
export interface CoresOfNode {
  readonly node: number
  readonly cores: readonly GuestCore[]
}

/**
 * The cells that the pins make, and the pins.
 * @throws Refusal `pin-missing`, `pin-outside`, `pin-spans-nodes`, `guest-core-torn`, `cells-too-many`,
 * `cells-too-few`
 */
export function coresAsPinned(situation: Situation): {
  readonly cells: readonly CoresOfNode[]
  readonly cpuOf: CpuOfVcpu
} {
  const { view, available, request } = situation
  const indexOf = nodeByCpu(available.nodes)
  const nodeOfCpu = (cpu: number): number | undefined => available.nodes[indexOf.get(cpu) ?? -1]?.id
  const cpuset = available.cpus
  const found = view.online.flatMap((vcpu) => {
    const pin = view.vcpupin.get(vcpu)
    if (pin === undefined || pin.length === 0) return [diagnostic('pin-missing', { vcpu })]
    const outside = subtract(pin, available.cpus)
    if (outside.length > 0) return [diagnostic('pin-outside', { vcpu, cpus: outside, cpuset })]
    const nodes = setOf<NodeSet>(pin.map((cpu) => nodeOfCpu(cpu) as number))
    return nodes.length === 1 ? [] : [diagnostic('pin-spans-nodes', { vcpu, cpus: pin, nodes })]
  })
  refuseAll(found)
  const cpuOf = new Map(view.online.map((vcpu) => [vcpu, view.vcpupin.get(vcpu) as CpuSet]))
  const nodeOfVcpu = (vcpu: number | undefined): number | undefined =>
    nodeOfCpu(cpuOf.get(vcpu as number)?.[0] as number)
  const cores = onlineCores(situation.guestCores)
  const split = cores.find(({ online }) => online.some((vcpu) => nodeOfVcpu(vcpu) !== nodeOfVcpu(online[0])))
  if (split !== undefined) {
    refuse('guest-core-torn', {
      vcpus: split.online,
      cpus: union(...split.online.map((vcpu) => cpuOf.get(vcpu) as CpuSet)),
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
function splitCells(perNode: readonly CoresOfNode[], cells: number, threads: number): CoresOfNode[] {
  const units = sum(perNode.map(({ cores }) => cores.length))
  if (cells > units) refuse('cells-too-many', { cells, cores: units, threads })
  if (cells < perNode.length)
    refuse('cells-too-few', { cells, nodes: setOf<NodeSet>(perNode.map(({ node }) => node)) })
  const turn = range(cells).map((cell) => cell % perNode.length)
  const split: CoresOfNode[] = []
  for (const [index, { node, cores }] of perNode.entries()) {
    const own = turn.flatMap((other, cell) => (other === index ? [cell] : []))
    if (own.length > cores.length) refuse('cells-too-many', { cells, cores: units, threads })
    const shares = shareEvenly(
      cores.length,
      own.map(() => 0),
      new Map(own.map((_, bin) => [bin, cores.length])),
    ) as number[]
    for (const [bin, part] of inShares(cores, shares).entries())
      split[own[bin] as number] = { node, cores: part }
  }
  return split
}
