// Preflight: what would keep a placed domain from starting on this host, or from running where its memory is.
//
// invalid: libvirt or QEMU refuses it, whatever is free. capacity: it lacks pages or memory now. Both are
// reported only when facts of the host prove them; an unknown fact is taken in favour of the guest.

import { type Bound, boundsLeft, boundWords } from './base/bounds.ts'
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
import { formatKiB } from './base/memory.ts'
import { diagnostic } from './codes/codes.ts'
import type { DomainView, Resources } from './model.ts'
import { type Backing, withDimms } from './plan/backing/backings.ts'
import { devicesAway, nodesAway } from './plan/backing/devices.ts'
import { memoryNodes, nodesWithMemory } from './plan/backing/memory-nodes.ts'
import { shortages } from './plan/backing/shortages.ts'
import { nodeDistance } from './plan/cells/distances.ts'
import { pagesizeKiBOf } from './plan/cells/pagesize.ts'
import { nodeByCpu } from './plan/cpus/available.ts'
import { reaching } from './plan/cpus/emulator.ts'
import { pinnedThreads, threadWords } from './plan/cpus/pinned-threads.ts'
import { refusedByLibvirt } from './plan/refused.ts'
import { writtenCells } from './plan/written.ts'

/** Findings in the order invalid, capacity, notes; empty where nothing known is wrong. */
export function preflight(view: DomainView, resources: Resources): Diagnostic[] {
  const invalid = [...refusedByLibvirt(view), ...checkNodes(view, resources), ...checkCpus(view, resources)]
  const backings = writtenBackings(view, resources)
  return [...invalid, ...shortages(resources, backings), ...notesOn(view, resources, backings)]
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
  const facts = {
    threads: threadWords(beyond),
    pinned: formatSet(pinned),
    bounds: boundWords(pinned, bounds),
  }
  return [diagnostic('pins-beyond', facts)]
}

// ---- Against the host ----

function checkNodes(view: DomainView, resources: Resources): Diagnostic[] {
  const { memory, memnodes } = view.tune
  return [
    ...(memory?.nodes === undefined ? [] : nodesAway('<memory nodeset>', memory.nodes, resources)),
    ...memnodes
      .filter(({ cell }) => cell < view.cells.length)
      .flatMap(({ cell, nodes }) => nodesAway(`the memnode of cell ${cell}`, nodes, resources)),
    ...devicesAway(view, resources),
  ]
}

function checkCpus(view: DomainView, { allowed }: Resources): Diagnostic[] {
  const vcpus = new Map(
    [...view.vcpupin]
      .filter(([vcpu]) => vcpu < view.vcpus)
      .map(([vcpu, cpus]) => [`the pin of vCPU ${vcpu}`, cpus]),
  )
  const named: [string, CpuSet][] = [
    ...vcpus,
    ...(view.emulatorpin === undefined ? [] : [['the emulatorpin', view.emulatorpin] as [string, CpuSet]]),
    ...[...view.iothreadpin].map(([id, cpus]): [string, CpuSet] => [`the pin of I/O thread ${id}`, cpus]),
    ...(view.vcpuCpuset === undefined || view.vcpuAuto
      ? []
      : [['<vcpu cpuset>', view.vcpuCpuset] as [string, CpuSet]]),
  ]
  const text = formatSet(allowed.cpus)
  return named.flatMap(([element, cpus]) => {
    const outside = subtract(cpus, allowed.cpus)
    // The kernel reduces an affinity to the allowed CPUs, and refuses it only when none is left.
    return outside.length < cpus.length
      ? []
      : [diagnostic('cpus-outside', { element, cpus: formatSet(outside), allowed: text })]
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
    const backing = { cell: id, memoryKiB, nodes, bound: isStrict, ...(pagesizeKiB > 0 && { pagesizeKiB }) }
    // Without cells, <memory> includes the memory devices.
    return view.cells.length === 0 ? [backing] : withDimms(backing, view.memoryDevices, resources)
  })
}

// ---- Worth knowing ----

function notesOn(view: DomainView, resources: Resources, backings: readonly Backing[]): Diagnostic[] {
  const { cells, memoryDevices, memoryKiB, currentMemoryKiB, hugepages } = view
  const sumKiB = [
    ...cells.map((cell) => cell.memoryKiB),
    ...memoryDevices.map(({ sizeKiB }) => sizeKiB),
  ].reduce((sum, each) => sum + each, 0)
  return [
    ...(cells.length > 0 && sumKiB !== memoryKiB
      ? [diagnostic('memory-sum', { memory: formatKiB(memoryKiB), sum: formatKiB(sumKiB) })]
      : []),
    ...(hugepages !== undefined && currentMemoryKiB !== undefined && currentMemoryKiB < memoryKiB
      ? [
          diagnostic('balloon-without-effect', {
            current: formatKiB(currentMemoryKiB),
            memory: formatKiB(memoryKiB),
          }),
        ]
      : []),
    ...emulatorApart(view, resources, backings),
    ...remotePins(view, resources),
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
  const element = emulatorpin === undefined ? '<vcpu cpuset>' : 'the emulatorpin'
  const ids = nodes.filter((node) => intersect(more, node.cpus).length > 0).map(({ id }) => id)
  const facts = { nodes: formatSet(ids), count: ids.length, reaching: formatSet(union(cpus, more)) }
  return [diagnostic('emulator-apart', { element, ...facts })]
}

function remotePins(view: DomainView, resources: Resources): Diagnostic[] {
  if (nodesWithMemory(resources).length === 0) return []
  const memoryOf = memoryNodes(resources, nodeDistance(resources))
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
      if (pinned === undefined || has(bound, node) || has(bound, memoryOf(node)[0] as number)) return []
      return [
        diagnostic('pin-remote', {
          vcpus: formatSet(setOf<VcpuSet>(pinned)),
          cell: id,
          pinned: `${node}`,
          nodes: formatSet(bound),
        }),
      ]
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
