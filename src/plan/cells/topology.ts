// topology=align, and the first fit with topology=lock: a `<topology>` whose sockets, dies, clusters and
// cores fall on cells (fitting-topology.ts), with threads only where the threads of every guest core run on
// threads of one host core, each on one of its own. A guest would schedule two busy vCPUs apart that share
// nothing, and near each other what is far apart. What fits already stays, as does the number of vCPUs.

import { type CpuSet, setOf } from '../../base/idset.ts'
import { refuse } from '../../codes/codes.ts'
import type { CpuTopology, DomainView } from '../../model/domain.ts'
import type { Cell, PlanInput } from '../../model/placement.ts'
import { coreByCpu } from '../cpus/available.ts'
import { cellByVcpu, fittingTopology, spanningParts, type ThreadsHold } from './fitting-topology.ts'
import { guestCores } from './guest-cores.ts'

/**
 * The topology to write unless topology=keep; undefined where the guest's own stays.
 * @param vcpupin the pins of all vCPUs
 * @throws Refusal `vcpus-interleaved` where the vCPUs of a cell are not consecutive
 */
export function topologyFor(
  input: PlanInput,
  cells: readonly Cell[],
  vcpupin: readonly CpuSet[],
): CpuTopology | undefined {
  const { view, request } = input
  if (request.topology === 'keep') return undefined
  refuseInterleaved(view, cells)
  const { topology, vcpus } = view
  // Without a topology every vCPU is a socket.
  if (topology === undefined && cells.length < 2) return undefined
  const before = topology ?? { sockets: 1, dies: 1, clusters: 1, cores: vcpus, threads: 1 }
  const fitting = fittingTopology({ topology: before, vcpus }, cells, runOnSiblings(input, vcpupin))
  return topology !== undefined && LEVELS.every((level) => topology[level] === fitting[level])
    ? undefined
    : fitting
}

const LEVELS = ['sockets', 'dies', 'clusters', 'cores', 'threads'] as const

/** Whether a socket, die, cluster or core of the guest spans cells. */
export function spansCells(
  { topology }: Pick<DomainView, 'topology'>,
  cells: readonly Pick<Cell, 'vcpus'>[],
): boolean {
  return (
    topology !== undefined && Object.values(spanningParts(topology, cells)).some(({ length }) => length > 0)
  )
}

/** vCPUs that are plugged in later may come in between: they are shared over the cells. */
function refuseInterleaved({ online, vcpus }: DomainView, cells: readonly Cell[]): void {
  const inCell = cellByVcpu(cells, vcpus)
  const left = new Set<number>()
  let before: number | undefined
  for (const vcpu of online) {
    const cell = inCell[vcpu] as number
    if (cell === before) continue
    if (left.has(cell)) refuse('vcpus-interleaved', { cell, vcpus: cells[cell]?.vcpus ?? online })
    if (before !== undefined) left.add(before)
    before = cell
  }
}

/** Whether guest cores of so many threads have each vCPU on a CPU of its own, and all on one host core. */
function runOnSiblings({ view, resources }: PlanInput, vcpupin: readonly CpuSet[]): ThreadsHold {
  const coreOf = coreByCpu(resources)
  return (threads) =>
    guestCores(view, threads).every(({ online }) => {
      const pins = online.map((vcpu) => vcpupin[vcpu] ?? setOf<CpuSet>([]))
      const cores = new Set(pins.flat().map((cpu) => coreOf.get(cpu) ?? cpu))
      return online.length < 2 || (pins.every(({ length }) => length === 1) && cores.size === 1)
    })
}
