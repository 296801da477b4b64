// A guest without cells (or one whose cells are built anew) to its placement: which vCPUs run where, what the
// guest sees, and where its memory lies.

import type { Diagnostic } from '../base/diagnostic.ts'
import { MAX_CELLS, setOf, union, type VcpuSet } from '../base/idset.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import type { Cell, PlanInput, Planned } from '../model/placement.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { checkMode, memnodesOf } from './backing/memory-nodes.ts'
import { planWithSizes } from './cells/page-choice.ts'
import { pagesizeOf } from './cells/pagesize.ts'
import { shapeOf } from './cells/shape.ts'
import { type Tiers, tiersOf } from './cells/tiers.ts'
import { topologyFor } from './cells/topology.ts'
import { assignVcpus } from './cpus/assign.ts'
import type { Assignment, PlannedCell } from './cpus/assigned.ts'
import { sharedCoreNotes, takenNotes } from './cpus/cpu-notes.ts'
import { reachMemory, type ThreadPins, threadPins } from './cpus/emulator.ts'
import { vcpuPins } from './cpus/pins.ts'
import { kubevirtPins } from './kubevirt/pins.ts'
import { kubevirtThreads } from './kubevirt/threads.ts'
import { lostWithCells, modeNotes } from './replaced.ts'
import { type Situation, situationOf } from './situation.ts'
import { boundMemory } from './written.ts'

/**
 * A placement with new cells, or of pins alone where the guest gets no cells.
 * @throws Refusal with the classes of conformance/FORMAT.md and those of the steps
 */
export function plan(input: PlanInput): Planned {
  const { pagesizeKiB, otherPagesizesKiB = [] } = input.request
  return pagesizeKiB === undefined || otherPagesizesKiB.length === 0
    ? planWithOneSize(input)
    : planWithSizes(input, [pagesizeKiB, ...otherPagesizesKiB], planWithOneSize)
}

function planWithOneSize(input: PlanInput): Planned {
  const { view, resources, request } = input
  if (request.rules.pins === 'kubevirt') return kubevirtPins(situationOf(input))
  // What stands against the guest itself is reported before what the host lacks.
  if (!request.pinsOnly) refuseAll([...lostWithCells(view), ...devicesAway(view, resources)])
  const tiers = request.tiers === 'expose' ? exposedTiers(input) : { cells: [], input, notes: [] }
  const situation = situationOf(tiers.input)
  const assignment = assignVcpus(situation)
  // KubeVirt looks for the CPUs of threads before it looks at pages, so its refusals come in this order too.
  const threads =
    request.rules.threads === 'kubevirt' && !situation.sharesCpus
      ? kubevirtThreads(situation, assignment.cpuOf)
      : undefined
  const planned = situation.getsCells
    ? withCells(situation, { ...assignment, cells: [...assignment.cells, ...tiers.cells] }, threads)
    : pinsOnly(situation, assignment, threads)
  const { reason } = assignment
  return { ...planned, ...(reason && { reason }), notes: [...planned.notes, ...tiers.notes] }
}

/** How much a tier gets depends on the nodes of the other cells, so these are placed without tiers first. */
function exposedTiers(input: PlanInput): Tiers {
  const situation = situationOf(input)
  if (!situation.getsCells) return { cells: [], input, notes: [] }
  return tiersOf(input, assignVcpus(situation).cells)
}

/** @param own the pins of emulator and I/O threads, where KubeVirt's rules give them */
function withCells(
  situation: Situation,
  { cells: planned, cpuOf }: Assignment,
  own: ThreadPins | undefined,
): Planned {
  const { view, resources, request, nodesBehind } = situation
  const { length } = planned
  if (length > MAX_CELLS) refuse('cells-beyond', { cells: length, max: MAX_CELLS })
  const pagesizeKiB = pagesizeOf(view, resources, request)
  checkMode(request, view, pagesizeKiB)
  // No node with memory is refused here.
  for (const { node } of planned) nodesBehind[situation.allocation](node)
  const memory = planned.map((cell) => cell.memory)
  const cells = shapeOf(situation, planned, memory, pagesizeKiB)
  checkDeviceCells(view, cells)
  const nodes = planned.map(({ node }) => node)
  const running = planned.filter(({ cores }) => cores.length > 0).map(({ node }) => node)
  const onNodes = cells.map(({ vcpus }, index) => ({ vcpus, nodes: [nodes[index] as number] }))
  const vcpupin = vcpuPins(situation, onNodes, cpuOf)
  const memnodes = memnodesOf(memory, request, pagesizeKiB)
  const threads =
    own === undefined
      ? reachMemory(situation, threadPins(situation, vcpupin, running), { vcpupin, memnodes })
      : { pins: own, notes: [] }
  const topology = topologyFor(situation, cells, vcpupin)
  const cpuNotes = [...takenNotes(vcpupin, resources), ...sharedCoreNotes(situation, vcpupin)]
  return {
    keeps: 'nothing',
    placement: {
      cells,
      binding: { memnodes, ...withDevices(view, resources, memnodes), vcpupin, ...threads.pins },
      ...(topology && { topology }),
    },
    notes: [
      ...memoryElsewhere(situation, planned),
      ...modeNotes(view, request),
      ...cpuNotes,
      ...threads.notes,
    ],
  }
}

/** @param own as in withCells */
function pinsOnly(
  situation: Situation,
  { cells: planned, cpuOf }: Assignment,
  own: ThreadPins | undefined,
): Planned {
  const { view, request, resources } = situation
  const onNodes = planned.map(({ node, cores }) => ({
    vcpus: setOf<VcpuSet>(cores.flatMap(({ online }) => online)),
    nodes: [node],
  }))
  const nodes = planned.map(({ node }) => node)
  const vcpupin = vcpuPins(situation, onNodes, cpuOf)
  const threads = own === undefined ? threadPins(situation, vcpupin, nodes) : { pins: own, notes: [] }
  // KubeVirt binds no memory of a guest without passthrough.
  const memory = request.pinsOnly
    ? {}
    : boundMemory(view, request, union(...planned.map(({ memory }) => memory)))
  return {
    keeps: 'nothing',
    placement: { cells: [], binding: { memnodes: [], ...memory, vcpupin, ...threads.pins } },
    notes: [...takenNotes(vcpupin, resources), ...sharedCoreNotes(situation, vcpupin), ...threads.notes],
  }
}

function checkDeviceCells({ memoryDevices }: DomainView, cells: readonly Cell[]): void {
  const lost = memoryDevices.find(({ cell }) => cell !== undefined && cell >= cells.length)
  if (lost?.cell !== undefined)
    refuse('device-cell-missing', { model: lost.model, cell: lost.cell, cells: cells.length })
}

function memoryElsewhere(
  { resources, allocation, nodesBehind }: Situation,
  planned: readonly PlannedCell[],
): Diagnostic[] {
  return planned.flatMap(({ node, memory: [backing] }, cell) => {
    if (backing === undefined || backing === node) return []
    const memoryKiB = resources.nodes.find(({ id }) => id === node)?.memoryKiB
    const needsCpus = allocation === 'at-start' && !nodesBehind.later(node).includes(backing)
    const facts = { cell, node, backing, needsCpus, ...(memoryKiB !== undefined && { memoryKiB }) }
    return [diagnostic('memory-elsewhere', facts)]
  })
}
