// A guest without cells (or one whose cells are built anew) to its placement: which vCPUs run where, what the
// guest sees, and where its memory lies.

import type { Diagnostic } from '../base/diagnostic.ts'
import { MAX_CELLS, type NodeSet, setOf, union, type VcpuSet } from '../base/idset.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import type { Cell, DomainView, Planned, Request } from '../model.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { checkMode, memnodesOf } from './backing/memory-nodes.ts'
import { pagesizeOf } from './cells/pagesize.ts'
import { shapeOf } from './cells/shape.ts'
import { type Assignment, assignVcpus, type PlannedCell } from './cpus/assign.ts'
import { reachMemory, type ThreadPins, threadPins } from './cpus/emulator.ts'
import { vcpuPins } from './cpus/pins.ts'
import { kubevirtPins } from './kubevirt/pins.ts'
import { kubevirtThreads } from './kubevirt/threads.ts'
import { type PlanInput, type Situation, situationOf } from './situation.ts'
import { boundMemory } from './written.ts'

/**
 * A placement with new cells, or of pins alone where the guest gets no cells.
 * @throws Refusal with the classes of conformance/FORMAT.md and those of the steps
 */
export function plan(input: PlanInput): Planned {
  const { view, resources, request } = input
  if (request.rules.pins === 'kubevirt') return kubevirtPins(situationOf(input))
  // What stands against the guest itself is reported before what the host lacks.
  if (!request.pinsOnly) refuseAll([...notReplaceable(view), ...devicesAway(view, resources)])
  const situation = situationOf(input)
  const assignment = assignVcpus(situation)
  // KubeVirt looks for the CPUs of threads before it looks at pages, so its refusals come in this order too.
  const threads =
    request.rules.threads === 'kubevirt' && !situation.sharesCpus
      ? kubevirtThreads(situation, assignment.cpuOf)
      : undefined
  return request.pinsOnly || !hasCells(view, request)
    ? pinsOnly(situation, assignment, threads)
    : withCells(situation, assignment, threads)
}

/**
 * QEMU has no NUMA on s390x. KubeVirt writes cells all the same, and like=kubevirt is KubeVirt's own answer.
 */
export function hasCells({ arch }: DomainView, { rules }: Request): boolean {
  return rules.cellsOn === 'every-machine' || !(arch ?? '').startsWith('s390')
}

/** @param own the pins of emulator and I/O threads, where KubeVirt's rules give them */
function withCells(
  situation: Situation,
  { cells: planned, cpuOf }: Assignment,
  own: ThreadPins | undefined,
): Planned {
  const { view, resources, request, memoryNodeOf } = situation
  const { length } = planned
  if (length > MAX_CELLS) refuse('cells-beyond', { cells: length, max: MAX_CELLS })
  const pagesizeKiB = pagesizeOf(view, resources, request)
  checkMode(request, view, pagesizeKiB)
  const memory = planned.map(({ node }) => memoryNodeOf(node))
  const cells = shapeOf(situation, planned, memory, pagesizeKiB)
  checkDeviceCells(view, cells)
  const nodes = planned.map(({ node }) => node)
  const onNodes = cells.map(({ vcpus }, index) => ({ vcpus, nodes: [nodes[index] as number] }))
  const vcpupin = vcpuPins(situation, onNodes, cpuOf)
  const memnodes = memnodesOf(memory, request, pagesizeKiB)
  const threads =
    own === undefined
      ? reachMemory(situation, threadPins(situation, vcpupin, nodes), { vcpupin, memnodes })
      : { pins: own, notes: [] }
  return {
    keeps: 'nothing',
    placement: {
      cells,
      binding: { memnodes, ...withDevices(view, resources, memnodes), vcpupin, ...threads.pins },
    },
    notes: [...memoryElsewhere(planned, memory), ...socketNotes(view, cells), ...threads.notes],
  }
}

/** @param own as in withCells */
function pinsOnly(
  situation: Situation,
  { cells: planned, cpuOf }: Assignment,
  own: ThreadPins | undefined,
): Planned {
  const { view, request, memoryNodeOf } = situation
  const onNodes = planned.map(({ node, cores }) => ({
    vcpus: setOf<VcpuSet>(cores.flatMap(({ online }) => online)),
    nodes: [node],
  }))
  const nodes = planned.map(({ node }) => node)
  const vcpupin = vcpuPins(situation, onNodes, cpuOf)
  const threads = own === undefined ? threadPins(situation, vcpupin, nodes) : { pins: own, notes: [] }
  // KubeVirt binds no memory of a guest without passthrough.
  const memory = request.pinsOnly ? {} : boundMemory(view, request, union(...nodes.map(memoryNodeOf)))
  return {
    keeps: 'nothing',
    placement: { cells: [], binding: { memnodes: [], ...memory, vcpupin, ...threads.pins } },
    notes: threads.notes,
  }
}

/**
 * What would be lost if cells were built anew. memAccess and discard are carried over where all cells have
 * the same.
 */
function notReplaceable({ cells, cellExtras }: DomainView): Diagnostic[] {
  const uneven = (['memAccess', 'discard'] as const).filter(
    (name) => new Set(cells.map((cell) => cell[name])).size > 1,
  )
  return [
    ...(cellExtras.length > 0 ? [diagnostic('cells-hold-more', { elements: cellExtras.join(', ') })] : []),
    ...uneven.map((name) => diagnostic('cells-uneven', { attribute: name })),
  ]
}

function checkDeviceCells({ memoryDevices }: DomainView, cells: readonly Cell[]): void {
  const lost = memoryDevices.find(({ cell }) => cell !== undefined && cell >= cells.length)
  if (lost?.cell !== undefined)
    refuse('device-cell-missing', { model: lost.model, cell: lost.cell, cells: cells.length })
}

function memoryElsewhere(planned: readonly PlannedCell[], memory: readonly NodeSet[]): Diagnostic[] {
  return planned.flatMap(({ node }, cell) => {
    const backing = memory[cell]?.[0]
    return backing === undefined || backing === node
      ? []
      : [diagnostic('memory-elsewhere', { cell, node, backing })]
  })
}

/**
 * A guest's Linux takes the caches of a socket for shared; where a socket spans cells it drops the domains.
 */
function socketNotes({ topology, vcpus }: DomainView, cells: readonly Cell[]): Diagnostic[] {
  if (topology === undefined || cells.length < 2) return []
  const perSocket = vcpus / topology.sockets
  const cellsOf = new Map<number, Set<number>>()
  for (const { id, vcpus: own } of cells) {
    for (const vcpu of own) {
      const socket = Math.floor(vcpu / perSocket)
      cellsOf.set(socket, (cellsOf.get(socket) ?? new Set()).add(id))
    }
  }
  const spanning = [...cellsOf].filter(([, ids]) => ids.size > 1).map(([socket]) => socket)
  if (spanning.length === 0) return []
  return [
    diagnostic('socket-spans-cells', {
      sockets: spanning,
      cells: cells.length,
      vcpus,
      threads: topology.threads,
    }),
  ]
}
