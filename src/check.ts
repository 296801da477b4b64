// Preflight: what would keep a placed domain from starting on this host, or from running where its memory is.
//
// invalid: libvirt or QEMU refuses it, whatever is free. capacity: it lacks pages or memory now. Both are
// reported only when facts of the host prove them; an unknown fact is taken in favour of the guest.

import { type Bound, boundsLeft } from './base/bounds.ts'
import type { Diagnostic } from './base/diagnostic.ts'
import {
  type CpuSet,
  formatSet,
  has,
  intersect,
  type NodeSet,
  setOf,
  subtract,
  union,
  type VcpuSet,
} from './base/idset.ts'
import { sum } from './base/lists.ts'
import { diagnostic, divideRefused } from './codes/codes.ts'
import type { NamesCpus } from './codes/guest/cpus.ts'
import type { DomainView } from './model/domain.ts'
import type { Resources, StartMemory } from './model/host.ts'
import type { Placement, PlanInput } from './model/placement.ts'
import { allocationOfCell, backingNodes, emulatorAsWritten } from './plan/backing/allocation.ts'
import { type Backing, sourceOf, withDimms } from './plan/backing/backings.ts'
import { devicesAway, nodesAway } from './plan/backing/devices.ts'
import { nodesBehind, nodesWithMemory } from './plan/backing/memory-nodes.ts'
import { shortages } from './plan/backing/shortages.ts'
import { nodeDistance } from './plan/cells/distances.ts'
import { pagesizeKiBOf } from './plan/cells/pagesize.ts'
import { nodeByCpu } from './plan/cpus/available.ts'
import { takenNotes } from './plan/cpus/cpu-notes.ts'
import { reaching } from './plan/cpus/emulator.ts'
import { pinnedThreads, threadIds } from './plan/cpus/pinned-threads.ts'
import { windowNotes } from './plan/devices/window.ts'
import { plan } from './plan/plan.ts'
import { refusedBySome } from './plan/refused/by-version.ts'
import { allocatedWithoutCpus } from './plan/refused/without-cpus.ts'
import { refusedByLibvirt } from './plan/refused.ts'
import { checkResctrlIds } from './plan/resctrl-ids.ts'
import { topologyNotes } from './plan/topology-notes.ts'
import { writtenCells, writtenPlacement } from './plan/written.ts'

/** Findings in the order invalid, capacity, notes; empty where nothing known is wrong. */
export function preflight(view: DomainView, resources: Resources): Diagnostic[] {
  const [missingIds, resctrlNotes] = divideRefused(checkResctrlIds(view, resources))
  const [allocated, allocatedFar] = divideRefused(
    allocatedWithoutCpus(view, writtenPlacement(view, resources), resources, emulatorAsWritten(view)),
  )
  const invalid = [
    ...refusedByLibvirt(view),
    ...checkNodes(view, resources),
    ...checkCpus(view, resources),
    ...allocated,
    ...missingIds,
  ]
  const backings = writtenBackings(view, resources)
  return [
    ...invalid,
    ...shortages(resources, backings),
    ...windowNotes({ view, resources }),
    ...notesOn(view, resources, backings),
    ...allocatedFar,
    ...resctrlNotes,
  ]
}

/**
 * Pins that leave bounds which the kernel does not enforce: a note, since the guest starts all the same. A
 * pin that is outside of the allowed CPUs as a whole is a finding of preflight.
 */
export function pinsBeyond(view: DomainView, bounds: readonly Bound[], { allowed }: Resources): Diagnostic[] {
  const beyond = pinnedThreads(view).filter(
    ({ pin }) => boundsLeft(pin, bounds).length > 0 && intersect(pin, allowed.cpus).length > 0,
  )
  const pinned = union(...beyond.map(({ pin }) => pin))
  if (beyond.length === 0) return []
  const facts = { threads: threadIds(beyond), pinned, bounds: boundsLeft(pinned, bounds) }
  return [diagnostic('pins-beyond', facts)]
}

/** Notes where the cells and pins of a domain do not follow its topology. */
export function topologyKept(input: PlanInput): Diagnostic[] {
  const placementOf = ({ view, resources, request }: PlanInput): Placement =>
    writtenPlacement(view, resources, request)
  const decide = (changed: PlanInput): Placement =>
    changed.request.existing === 'replace' ? plan(changed).placement : placementOf(changed)
  return topologyNotes({ input, placement: placementOf(input), decide })
}

/**
 * What QEMU allocates when it starts the guest: huge pages always, ordinary memory only if the domain says
 * so. The same nodes and page size are there once.
 */
export function startMemory(view: DomainView, resources: Resources): StartMemory[] {
  const found = new Map<string, StartMemory>()
  for (const { nodes, memoryKiB, pagesizeKiB, atStart } of writtenBackings(view, resources)) {
    if (pagesizeKiB === undefined && atStart !== true) continue
    const key = `${formatSet(nodes)} ${pagesizeKiB}`
    const wholeKiB = pagesizeKiB === undefined ? memoryKiB : Math.ceil(memoryKiB / pagesizeKiB) * pagesizeKiB
    const before = found.get(key)?.memoryKiB ?? 0
    found.set(key, { nodes, memoryKiB: before + wholeKiB, ...(pagesizeKiB && { pagesizeKiB }) })
  }
  return [...found.values()].filter(({ nodes }) => nodes.length > 0)
}

/** Whether QEMU may allocate any memory of the guest when it starts it; on what host does not matter. */
export function allocatesAtStart(view: DomainView): boolean {
  const hasPages =
    view.cellPages.some((pages) => pages !== 'ordinary') ||
    view.memoryDevices.some(({ pagesizeKiB }) => pagesizeKiB !== undefined)
  return hasPages || sourceOf(view).atStart
}

// ---- Against the host ----

function checkNodes(view: DomainView, resources: Resources): Diagnostic[] {
  const { memory, memnodes } = view.tune
  return [
    ...(memory?.nodes === undefined ? [] : nodesAway({ is: 'memory' }, memory.nodes, resources)),
    ...memnodes
      .filter(({ cell }) => cell < view.cells.length)
      .flatMap(({ cell, nodes }) => nodesAway({ is: 'memnode', cell }, nodes, resources)),
    ...devicesAway(view, resources),
  ]
}

function checkCpus(view: DomainView, { allowed }: Resources): Diagnostic[] {
  const { emulatorpin, vcpuCpuset } = view
  const named: readonly (readonly [NamesCpus, CpuSet])[] = [
    ...[...view.vcpupin]
      .filter(([vcpu]) => vcpu < view.vcpus)
      .map(([id, cpus]) => [{ is: 'vcpupin', id }, cpus] as const),
    ...(emulatorpin === undefined ? [] : [[{ is: 'emulatorpin' }, emulatorpin] as const]),
    ...[...view.iothreadpin].map(([id, cpus]) => [{ is: 'iothreadpin', id }, cpus] as const),
    ...(vcpuCpuset === undefined || view.vcpuAuto ? [] : [[{ is: 'vcpu-cpuset' }, vcpuCpuset] as const]),
  ]
  return named.flatMap(([of, cpus]) => {
    const outside = subtract(cpus, allowed.cpus)
    // The kernel reduces an affinity to the allowed CPUs, and refuses it only when none is left.
    return outside.length < cpus.length
      ? []
      : [diagnostic('cpus-outside', { of, cpus: outside, allowed: allowed.cpus })]
  })
}

/** What every cell needs of which nodes. An unbound cell may use every node that the guest may use. */
function writtenBackings(view: DomainView, resources: Resources): Backing[] {
  const { memory, memnodes } = view.tune
  const everywhere = setOf<NodeSet>(nodesWithMemory(resources))
  const confined = memory?.mode === 'strict' && memory.nodes !== undefined ? memory.nodes : everywhere
  return writtenCells(view).flatMap(({ id, memoryKiB }) => {
    const memnode = memnodes.find(({ cell }) => cell === id)
    const pagesizeKiB = pagesizeKiBOf(view.cellPages[id], resources)
    if (pagesizeKiB === undefined) return []
    const isStrict = memnode?.mode === 'strict'
    const nodes = isStrict ? memnode.nodes : confined
    const backing = {
      memoryKiB,
      nodes,
      bound: isStrict,
      ...sourceOf(view),
      ...(pagesizeKiB > 0 && { pagesizeKiB }),
    }
    // Without cells, <memory> includes the memory devices.
    if (view.cells.length === 0) return [backing]
    return withDimms({ ...backing, cell: id }, view.memoryDevices, resources)
  })
}

// ---- Worth knowing ----

function notesOn(view: DomainView, resources: Resources, backings: readonly Backing[]): Diagnostic[] {
  const { cells, memoryDevices, memoryKiB, currentMemoryKiB, hugepages } = view
  const sumKiB = sum(cells.map((cell) => cell.memoryKiB)) + sum(memoryDevices.map(({ sizeKiB }) => sizeKiB))
  return [
    ...(cells.length > 0 && sumKiB !== memoryKiB ? [diagnostic('memory-sum', { memoryKiB, sumKiB })] : []),
    ...(hugepages !== undefined && currentMemoryKiB !== undefined && currentMemoryKiB < memoryKiB
      ? [diagnostic('balloon-without-effect', { currentKiB: currentMemoryKiB, memoryKiB })]
      : []),
    ...refusedBySome(view),
    ...emulatorApart(view, resources, backings),
    ...remotePins(view, resources),
    ...takenNotes([...view.vcpupin.values()], resources),
  ]
}

/** Without a pin the emulator may use `<vcpu cpuset>`, and without that every CPU. */
function emulatorApart(view: DomainView, resources: Resources, backings: readonly Backing[]): Diagnostic[] {
  const { emulatorpin, vcpuAuto, vcpuCpuset } = view
  const cpus = emulatorpin ?? (vcpuAuto ? undefined : vcpuCpuset)
  if (cpus === undefined) return []
  const backing = backings
    .filter(({ bound, pagesizeKiB }) => bound && pagesizeKiB !== undefined)
    .map((each) => each.nodes)
  const nodes = resources.nodes.map(({ id, ...node }) => ({
    id,
    cpus: intersect(node.cpus, resources.allowed.cpus),
  }))
  const more = union(...reaching(cpus, backing, { nodes }, union(...view.vcpupin.values())))
  if (more.length === 0) return []
  const of = emulatorpin === undefined ? 'vcpu-cpuset' : 'emulatorpin'
  const ids = nodes.filter((node) => intersect(more, node.cpus).length > 0).map(({ id }) => id)
  return [diagnostic('emulator-apart', { of, nodes: setOf<NodeSet>(ids), reaching: union(cpus, more) })]
}

function remotePins(view: DomainView, resources: Resources): Diagnostic[] {
  if (nodesWithMemory(resources).length === 0) return []
  const distance = nodeDistance(resources)
  const usable = backingNodes(resources, emulatorAsWritten(view))
  const behind = {
    later: nodesBehind(resources, distance),
    'at-start': nodesBehind(resources, distance, usable['at-start']),
  }
  const pinnedOn = nodesOfPins(view, resources)
  return view.cells.flatMap(({ id, vcpus }) => {
    const bound = view.tune.memnodes.find(({ cell }) => cell === id)?.nodes
    if (bound === undefined) return []
    const there = new Map<number, number[]>()
    for (const vcpu of vcpus) {
      for (const node of pinnedOn(vcpu)) {
        const found = there.get(node)
        if (found === undefined) there.set(node, [vcpu])
        else found.push(vcpu)
      }
    }
    return resources.nodes.flatMap(({ id: node }, index) => {
      const pinned = there.get(index)
      const near = behind[allocationOfCell(view.cellPages[id], resources, view)](node)
      const isNear = has(bound, node) || near.some((each) => has(bound, each))
      if (pinned === undefined || isNear) return []
      return [diagnostic('pin-remote', { vcpus: setOf<VcpuSet>(pinned), cell: id, node, nodes: bound })]
    })
  })
}

/**
 * The nodes (by index) that each vCPU is pinned to. Thousands of pins may be one and the same set, which is
 * looked at once.
 */
function nodesOfPins({ vcpupin }: DomainView, { nodes }: Resources): (vcpu: number) => ReadonlySet<number> {
  const nodeOfCpu = nodeByCpu(nodes)
  const known = new Map<CpuSet | undefined, ReadonlySet<number>>([[undefined, new Set()]])
  return (vcpu) => {
    const pin = vcpupin.get(vcpu)
    const found = known.get(pin) ?? new Set((pin ?? []).flatMap((cpu) => nodeOfCpu.get(cpu) ?? []))
    known.set(pin, found)
    return found
  }
}
