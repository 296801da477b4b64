// New nodes for the cells that a guest already has. What the guest sees (cells, their memory, vCPUs and
// distances) is not looked at with a view to change it, so it cannot change: only memnodes and pins come out.
//
// A binding that holds stays, or, when asked for better, moves only for less missing memory. Otherwise every
// cell is given a node (sites/assign-nodes.ts), or the nearest nodes together where none holds it
// (sites/across-nodes.ts); a cell that stays keeps its pins.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, intersect, type NodeSet, setOf, subtract, union } from '../base/idset.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import type { Memnode, Placement, PlanInput, Planned } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { backingsOf } from './backing/backings.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { missingKiB } from './backing/shortages.ts'
import { spansCells } from './cells/topology.ts'
import { takenNotes } from './cpus/cpu-notes.ts'
import { refuseFewCpus } from './cpus/few-cpus.ts'
import { movedCpus, movedThreadPins } from './cpus/moved-pins.ts'
import { type CellOnNodes, vcpuPins } from './cpus/pins.ts'
import { bindingHolds } from './holds.ts'
import { placeExistingCells } from './sites/existing-cells.ts'
import { type Situation, situationOf } from './situation.ts'
import { boundMemory, writtenCells, writtenPlacement } from './written.ts'

/** When a binding that holds is moved: never, or for strictly better pages. */
export type Move = 'if-broken' | 'if-better'

/**
 * The cells that a guest has on nodes of this host.
 * @throws Refusal `node-missing`, `node-outside`, `not-enough-threads`, `no-memory-node` and those of
 * situationOf: what this host lacks
 */
export function rebind(input: PlanInput, move: Move): Planned {
  const { view, resources, request } = input
  refuseAll(devicesAway(view, resources))
  const situation = situationOf(input)
  const before = writtenPlacement(view, resources, request)
  const isSound = bindingHolds(situation)
  const notes = keptNotes(view, request, move)
  const kept: Planned = {
    keeps: 'everything',
    placement: before,
    notes: [...notes, ...takenNotes(before.binding.vcpupin, resources)],
  }
  if (isSound && move === 'if-broken') return kept
  refuseFewCpus(situation)
  const now = lackOf(situation, before)
  if (isSound && now.missingKiB === 0 && now.taken === 0) return kept
  const moved = newBinding(situation, before)
  return isSound && !isBetter(lackOf(situation, moved.placement), now)
    ? kept
    : { ...moved, notes: [...notes, ...moved.notes] }
}

/** What a placement lacks: memory, and CPUs of its own for so many vCPUs. */
interface Lack {
  readonly missingKiB: number
  readonly taken: number
}

function lackOf(situation: Situation, placement: Placement): Lack {
  const { resources, view, available } = situation
  const { vcpupin } = placement.binding
  return {
    missingKiB: missingKiB(resources, backingsOf(placement, situation)),
    taken: view.online.filter((vcpu) => intersect(vcpupin[vcpu] ?? NONE, available.taken).length > 0).length,
  }
}

/** Whether less memory is missing, or as much as before and fewer CPUs of other guests are used. */
function isBetter(then: Lack, now: Lack): boolean {
  return then.missingKiB === now.missingKiB ? then.taken < now.taken : then.missingKiB < now.missingKiB
}

const NONE = setOf<CpuSet>([])

/** What is requested and would need new cells. */
function keptNotes(
  view: DomainView,
  { pagesizeKiB, cells: wanted, existing, topology, tiers }: Request,
  move: Move,
): Diagnostic[] {
  const { cells, arch = '' } = view
  // A guest that moves does not lock its shape.
  const alignsHere = topology === 'align' || (topology === 'lock' && move === 'if-broken')
  const ignored = [
    ...(pagesizeKiB === undefined ? [] : ['pagesize']),
    ...(wanted === 'per-node' || wanted === cells.length ? [] : ['cells']),
    ...(alignsHere && spansCells(view, cells) ? ['topology'] : []),
    ...(tiers === 'expose' && cells.every(({ vcpus }) => vcpus.length > 0) ? ['tiers'] : []),
  ]
  return [
    ...(ignored.length === 0 ? [] : [diagnostic('cells-kept', { keys: ignored })]),
    // Where cells can be built, existing=replace does not come here.
    ...(existing === 'replace' && move === 'if-broken' ? [diagnostic('cells-impossible', { arch })] : []),
  ]
}

// ---- A new binding ----

function newBinding(situation: Situation, before: Placement): Planned {
  const { view, resources, request } = situation
  const cells = writtenCells(view)
  const { cores: placed, memory } = placeExistingCells(situation)
  const nodesOf = cells.map((_, cell) =>
    [...new Set(placed.filter((each) => each.cell === cell).map(({ node }) => node))].sort((a, b) => a - b),
  )
  const cpuOf = situation.sharesCpus ? new Map<number, CpuSet>() : movedCpus(situation, placed)
  const onNodes = cells.map(({ vcpus }, cell) => ({ vcpus, nodes: nodesOf[cell] as readonly number[] }))
  const vcpupin = withWrittenPins(situation, onNodes, vcpuPins(situation, onNodes, cpuOf))
  const memnodes = view.cells.map(
    ({ id }, index): Memnode => ({
      ...(before.binding.memnodes[index] as Memnode),
      nodes: memory[id] as NodeSet,
    }),
  )
  const inUse = [...new Set(nodesOf.flat())]
  const threads = movedThreadPins(situation, vcpupin, inUse, memnodes)
  const bound =
    view.cells.length === 0
      ? boundMemory(view, request, memory[0] as NodeSet)
      : withDevices(view, resources, memnodes)
  return {
    keeps: 'cells',
    placement: {
      cells: before.cells,
      binding: { memnodes: evenModes(memnodes), ...bound, vcpupin, ...threads.pins },
    },
    notes: [
      ...spanNotes(nodesOf, view),
      ...modeNotes(memnodes),
      ...takenNotes(vcpupin, resources),
      ...threads.notes,
    ],
  }
}

/** vCPUs that share CPUs keep the pins that they have, as far as these are on the nodes of their cell. */
function withWrittenPins(
  { view, available, sharesCpus }: Situation,
  cells: readonly CellOnNodes[],
  vcpupin: readonly CpuSet[],
): readonly CpuSet[] {
  if (!sharesCpus) return vcpupin
  const pins = [...vcpupin]
  for (const { vcpus, nodes } of cells) {
    const here = union(...available.nodes.filter(({ id }) => nodes.includes(id)).map(({ cpus }) => cpus))
    const free = subtract(here, available.taken)
    for (const vcpu of vcpus) {
      const written = view.vcpupin.get(vcpu) ?? NONE
      if (written.length > 0 && subtract(written, free).length === 0) pins[vcpu] = written
    }
  }
  return pins
}

/** restrictive needs `<memory>` and every memnode to be so. */
function evenModes(memnodes: readonly Memnode[]): Memnode[] {
  const all = memnodes.every(({ mode }) => mode === 'restrictive')
  return memnodes.map((each) => (all || each.mode !== 'restrictive' ? each : { ...each, mode: 'strict' }))
}

function modeNotes(memnodes: readonly Memnode[]): Diagnostic[] {
  const even = evenModes(memnodes)
  const cells = memnodes.flatMap(({ mode }, cell) => (mode === even[cell]?.mode ? [] : [cell]))
  if (cells.length === 0) return []
  return [diagnostic('mode-changed', { cells, from: 'restrictive', to: 'strict', because: 'mixed' })]
}

function spanNotes(nodesOf: readonly (readonly number[])[], { cells }: DomainView): Diagnostic[] {
  return cells.flatMap(({ id }) => {
    const nodes = setOf<NodeSet>(nodesOf[id] ?? [])
    return nodes.length < 2 ? [] : [diagnostic('cell-spans-nodes', { cell: id, nodes })]
  })
}
