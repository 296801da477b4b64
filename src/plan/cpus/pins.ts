// The pins of vCPUs: on the CPU that each was given, else on the CPUs of its cell.

import { type CpuSet, range, setOf, union } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Binding, Cell } from '../../model/placement.ts'
import type { Situation } from '../situation.ts'
import type { CpuOfVcpu } from './assigned.ts'
import { type AvailableCpus, untakenFirst } from './available.ts'

/** Pins of every thread of a guest. */
export type Pins = Pick<Binding, 'vcpupin' | 'emulatorpin' | 'iothreadpin'>

/** The vCPUs of a cell, and the nodes that they run on. */
export interface CellOnNodes extends Pick<Cell, 'vcpus'> {
  readonly nodes: readonly number[]
}

/**
 * One set per possible vCPU. A vCPU that is offline at boot gets its cell's CPUs: unpinned, it would float
 * over the host once it is plugged in. A vCPU in no cell (KubeVirt's offline ones) stays unpinned.
 */
export function vcpuPins(
  { view, available }: Situation,
  cells: readonly CellOnNodes[],
  cpuOf: CpuOfVcpu,
): CpuSet[] {
  const pins = range(view.vcpus).map((vcpu) => cpuOf.get(vcpu))
  if (!pins.includes(undefined)) return pins as CpuSet[]
  const cpusOfNode = sharedCpus(view, available, cells)
  const none = setOf<CpuSet>([])
  const cpusOfCell = cells.map(({ vcpus, nodes }) => {
    const own = union(...vcpus.map((vcpu) => cpuOf.get(vcpu) ?? none))
    return own.length > 0 ? own : union(...nodes.map((id) => cpusOfNode.get(id) ?? none))
  })
  const cellOf = new Map(cells.flatMap(({ vcpus }, index) => vcpus.map((vcpu) => [vcpu, index] as const)))
  return pins.map((cpus, vcpu) => cpus ?? cpusOfCell[cellOf.get(vcpu) ?? -1] ?? none)
}

/** The CPUs of each node for vCPUs that share them: those of other guests only where there are too few. */
function sharedCpus(
  { online }: DomainView,
  { nodes, taken }: AvailableCpus,
  cells: readonly CellOnNodes[],
): ReadonlyMap<number, CpuSet> {
  if (taken.length === 0) return new Map(nodes.map(({ id, cpus }) => [id, cpus]))
  const isOnline = new Set<number>(online)
  return new Map(
    nodes.map((node) => {
      const onNode = cells.filter((cell) => cell.nodes.includes(node.id))
      const vcpus = sum(onNode.map((cell) => cell.vcpus.filter((vcpu) => isOnline.has(vcpu)).length))
      return [node.id, untakenFirst(node, taken, vcpus).cpus]
    }),
  )
}
