// A guest without cells (or one whose cells are to be built anew) to its placement: shape, what the guest sees, then bind,
// where it sits.

import { type Diagnostic, diagnostic, refuse, refuseAll } from '../base/diagnostic.ts'
import { MAX_CELLS, type NodeSet, union } from '../base/idset.ts'
import type { Cell, DomainView, Request, Resources } from '../model.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { checkMode, memnodesOf, memoryNodes } from './backing/memory-nodes.ts'
import { separation } from './cells/distances.ts'
import { pagesizeOf } from './cells/pagesize.ts'
import { shapeOf } from './cells/shape.ts'
import { type Seating, seatingOf } from './cpus/assign.ts'
import { offerOf } from './cpus/available.ts'
import { pinOf, reachMemory, threadPins, vcpuPins } from './cpus/pins.ts'
import { kubevirtPins, kubevirtThreads } from './kubevirt/threads.ts'
import type { Plan } from './planned.ts'
import { boundMemory } from './written.ts'

/** @throws Refusal with the classes of conformance/FORMAT.md and those of offer, seating, memory and bind */
export function plan(view: DomainView, resources: Resources, request: Request): Plan {
  const isKubevirts = request.pinsOnly && request.cpus === 'in-order' && request.pin === 'cpu'
  if (isKubevirts) return kubevirtPins(view, resources, request)
  if (!request.pinsOnly) refuseAll([...notReplaceable(view), ...devicesAway(view, resources)])
  const ways = separation(resources)
  const offer = offerOf(resources, request, view.online.length)
  const shared = pinOf(request, resources) === 'cell'
  const seating = seatingOf({ view, offer, request, shared, separation: ways })
  // KubeVirt looks for the CPUs of threads before it looks at pages, so its refusals come in this order too.
  const own =
    request.threadsLikeKubevirt && !shared ? kubevirtThreads(view, request, offer, seating.seats) : undefined
  if (request.pinsOnly || !hasCells(view, request))
    return pinsOnly(view, resources, request, seating, shared, offer, ways, own)
  const { length } = seating.homes
  if (length > MAX_CELLS) refuse('cells-beyond', { cells: length, max: MAX_CELLS })
  const pagesizeKiB = pagesizeOf(view, resources, request)
  checkMode(request, view, pagesizeKiB)
  const memoryOf = memoryNodes(resources, ways)
  const memory = seating.homes.map(({ node }) => memoryOf(node))
  const cells = shapeOf(view, resources, request, seating.homes, memory, pagesizeKiB)
  checkDeviceCells(view, cells)
  const nodes = seating.homes.map(({ node }) => [node])
  const vcpupin = vcpuPins(view, cells, nodes, seating.seats, offer)
  const memnodes = memnodesOf(memory, request, pagesizeKiB)
  const spare = threadPins(view, request, vcpupin, nodes.flat(), shared, offer, ways)
  const threads = own
    ? { pins: own, notes: [] }
    : reachMemory({ view, request, vcpupin, memnodes, offer }, spare)
  return {
    placement: {
      cells,
      binding: { memnodes, ...withDevices(view, resources, memnodes), vcpupin, ...threads.pins },
    },
    notes: [...elsewhere(seating, memory), ...socketNotes(view, cells), ...threads.notes],
  }
}

/** QEMU has no NUMA on s390x. KubeVirt writes cells all the same, and like=kubevirt is KubeVirt's own answer. */
export function hasCells({ arch }: DomainView, { like }: Request): boolean {
  return like === 'kubevirt' || !(arch ?? '').startsWith('s390')
}

function pinsOnly(
  view: DomainView,
  resources: Resources,
  request: Request,
  seating: Seating,
  shared: boolean,
  offer: ReturnType<typeof offerOf>,
  ways: ReturnType<typeof separation>,
  own: ReturnType<typeof kubevirtThreads> | undefined,
): Plan {
  const whole: Cell[] = seating.homes.map(({ cores }, id) => ({
    id,
    vcpus: cores.flatMap(({ online }) => online) as unknown as Cell['vcpus'],
    memoryKiB: 0,
    distances: [],
  }))
  const nodes = seating.homes.map(({ node }) => [node])
  const vcpupin = vcpuPins(view, whole, nodes, seating.seats, offer)
  const threads = own
    ? { pins: own, notes: [] }
    : threadPins(view, request, vcpupin, nodes.flat(), shared, offer, ways)
  // KubeVirt binds no memory of a guest without passthrough.
  const memoryOf = memoryNodes(resources, ways)
  const memory = request.pinsOnly
    ? {}
    : boundMemory(view, request, union(...seating.homes.map(({ node }) => memoryOf(node))))
  return {
    placement: { cells: [], binding: { memnodes: [], ...memory, vcpupin, ...threads.pins } },
    notes: threads.notes,
  }
}

/** What would be lost if cells were built anew. memAccess and discard are carried over where all cells have the same. */
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

function elsewhere({ homes }: Seating, memory: readonly NodeSet[]): Diagnostic[] {
  return homes.flatMap(({ node }, cell) => {
    const backing = memory[cell]?.[0]
    return backing === undefined || backing === node
      ? []
      : [diagnostic('memory-elsewhere', { cell, node, backing })]
  })
}

/** A guest's Linux takes the caches of a socket for shared; where a socket spans cells it drops the domains. */
function socketNotes({ topology, vcpus }: DomainView, cells: readonly Cell[]): Diagnostic[] {
  if (topology === undefined || cells.length < 2) return []
  const perSocket = vcpus / topology.sockets
  const torn = cells.flatMap((cell) =>
    cell.vcpus.map((vcpu) => [Math.floor(vcpu / perSocket), cell.id] as const),
  )
  const cellsOf = new Map<number, Set<number>>()
  for (const [socket, cell] of torn) cellsOf.set(socket, (cellsOf.get(socket) ?? new Set()).add(cell))
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
