// Whether the binding that a domain states still holds on this host.

import { type CpuSet, has, intersect, type NodeSet, range, setOf, subtract, union } from '../base/idset.ts'
import type { DomainView } from '../model/domain.ts'
import type { Resources } from '../model/host.ts'
import {
  allocationOfCell,
  emulatorAsWritten,
  emulatorToBe,
  nodesWithCpus,
  startsWithoutCpus,
} from './backing/allocation.ts'
import { canAllocate } from './backing/max-flow.ts'
import { nodesWithMemory } from './backing/memory-nodes.ts'
import { nodeByCpu } from './cpus/available.ts'
import type { Situation } from './situation.ts'
import { writtenCells, writtenNodes } from './written.ts'

/** Whether libvirt would take the binding as it is and every vCPU would run where its memory lies. */
export function bindingHolds(situation: Situation): boolean {
  return (
    tuneHolds(situation.view, situation.resources) &&
    threadsHold(situation) &&
    isLocal(situation) &&
    canAllocateAtStart(situation)
  )
}

function tuneHolds({ tune, cells, vcpuAuto, memoryDevices }: DomainView, resources: Resources): boolean {
  const { memory, memnodes } = tune
  const usable = setOf<NodeSet>(nodesWithMemory(resources))
  if (vcpuAuto || memory?.auto === true) return false
  if (memory?.nodes !== undefined && subtract(memory.nodes, usable).length > 0) return false
  if (
    memnodes.some(
      ({ nodes, cell }) => nodes.length === 0 || cell >= cells.length || subtract(nodes, usable).length > 0,
    )
  )
    return false
  if (new Set(memnodes.map(({ cell }) => cell)).size !== cells.length || memnodes.length !== cells.length)
    return false
  const bound = union(...memnodes.map(({ nodes }) => nodes))
  if (memory?.nodes !== undefined && memory.mode === 'strict' && subtract(bound, memory.nodes).length > 0)
    return false
  const isNarrow = (named: NodeSet): boolean =>
    memory?.nodes !== undefined && intersect(named, memory.nodes).length === 0
  if (memory?.mode === 'strict' && memoryDevices.some(({ nodes }) => nodes !== undefined && isNarrow(nodes)))
    return false
  const restrictive = memory?.mode === 'restrictive'
  return memory === undefined || memnodes.every(({ mode }) => (mode === 'restrictive') === restrictive)
}

function threadsHold({ view, resources, request, available, sharesCpus }: Situation): boolean {
  const { allowed } = resources
  const { rules, emulator } = request
  // CPUs that are named for the emulator are its own, and no vCPU's.
  const threads = typeof emulator === 'object' ? union(allowed.cpus, emulator) : allowed.cpus
  const within = (cpus: CpuSet, given = available.cpus): boolean =>
    cpus.length > 0 && subtract(cpus, given).length === 0
  const pinned = rules.offlineInCells ? range(view.vcpus) : view.online
  const pins = pinned.map((vcpu) => view.vcpupin.get(vcpu))
  if (!pins.every((pin) => pin !== undefined && within(pin))) return false
  const others = [
    ...view.iothreadpin.values(),
    ...(view.emulatorpin ? [view.emulatorpin] : []),
    ...(view.vcpuCpuset ? [view.vcpuCpuset] : []),
  ]
  if (
    ![...view.vcpupin.values()].every((pin) => within(pin)) ||
    !others.every((cpus) => within(cpus, threads))
  )
    return false
  const iothreads = new Set(view.iothreads)
  if (
    [...view.vcpupin.keys()].some((vcpu) => vcpu >= view.vcpus) ||
    [...view.iothreadpin.keys()].some((id) => !iothreads.has(id))
  )
    return false
  return sharesCpus || canSpread(view.online.map((vcpu) => view.vcpupin.get(vcpu) as CpuSet))
}

/** Whether every vCPU can have a CPU of its own within its pin. */
export function canSpread(pins: readonly CpuSet[]): boolean {
  const cpus = union(...pins)
  if (cpus.length < pins.length || pins.every((pin) => pin.length === 1)) return cpus.length >= pins.length
  const index = new Uint32Array((cpus.at(-1) ?? 0) + 1)
  cpus.forEach((cpu, at) => {
    index[cpu] = at
  })
  const groups = new Map<CpuSet, number>()
  for (const pin of pins) groups.set(pin, (groups.get(pin) ?? 0) + 1)
  const demands = [...groups].map(([pin, amount]) => ({
    amount,
    from: pin.map((cpu) => index[cpu] as number),
  }))
  return canAllocate(
    demands,
    cpus.map(() => 1),
  )
}

/** Every CPU that a cell's vCPUs may run on is backed by one of the cell's nodes. */
function isLocal({ view, resources, available, nodesBehind }: Situation): boolean {
  const backing = {
    later: available.nodes.map(({ id }) => nodesBehind.later(id)),
    'at-start': available.nodes.map(({ id }) => nodesBehind['at-start'](id)),
  }
  const nodeOfCpu = nodeByCpu(available.nodes)
  return writtenCells(view).every(({ id, vcpus }) => {
    const nodes = writtenNodes(view, id)
    if (nodes === undefined) return view.cells.length === 0
    const cpus = union(...vcpus.map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([])))
    const under = new Set(cpus.flatMap((cpu) => nodeOfCpu.get(cpu) ?? []))
    const near = backing[allocationOfCell(view.cellPages[id], resources, view)]
    return [...under].every((node) => near[node]?.some((each) => has(nodes, each)))
  })
}

/** Every cell has a node on which QEMU can allocate its memory, or none of this host is better. */
function canAllocateAtStart({ view, resources, request, backingNodes }: Situation): boolean {
  if (startsWithoutCpus(resources, emulatorAsWritten(view))) return true
  const usable = startsWithoutCpus(resources, emulatorToBe(view, request))
    ? nodesWithCpus(resources)
    : backingNodes['at-start']
  return writtenCells(view).every(({ id }) => {
    const nodes = writtenNodes(view, id)
    const isLater = allocationOfCell(view.cellPages[id], resources, view) === 'later'
    return isLater || nodes === undefined || usable.some((each) => has(nodes, each))
  })
}
