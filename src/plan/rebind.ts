// New nodes for the cells that a guest already has. What the guest sees (cells, their memory, vCPUs and
// distances) is not looked at with a view to change it, so it cannot change: only memnodes and pins come out.
//
// A binding that holds stays, or, when asked for better, moves only for less missing memory. Otherwise every
// cell is given a node (sites/assign-nodes.ts), or the nearest nodes together where none holds it
// (sites/across-nodes.ts); a cell that stays keeps its pins.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, type NodeSet, union } from '../base/idset.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { DomainView, Memnode, Placement, Planned, Request } from '../model.ts'
import { backingsOf } from './backing/backings.ts'
import { devicesAway, withDevices } from './backing/devices.ts'
import { missingKiB } from './backing/shortages.ts'
import { refuseFewCpus } from './cpus/available.ts'
import { movedCpus, movedThreadPins } from './cpus/moved-pins.ts'
import { vcpuPins } from './cpus/pins.ts'
import { bindingHolds } from './holds.ts'
import { placedCores } from './sites/placed-cores.ts'
import { type PlanInput, type Situation, situationOf } from './situation.ts'
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
  const kept: Planned = { keeps: 'everything', placement: before, notes }
  if (isSound && move === 'if-broken') return kept
  if (!situation.sharesCpus) refuseFewCpus(view, situation.available)
  const moved = newBinding(situation, before)
  return isSound && lacksKiB(situation, before) <= lacksKiB(situation, moved.placement)
    ? kept
    : { ...moved, notes: [...notes, ...moved.notes] }
}

function lacksKiB({ resources, view }: Situation, placement: Placement): number {
  return missingKiB(resources, backingsOf(placement, view, resources))
}

/** What is requested and would need new cells. */
function keptNotes(
  { cells, arch = '' }: DomainView,
  { pagesizeKiB, cells: wanted, existing }: Request,
  move: Move,
): Diagnostic[] {
  const ignored = [
    ...(pagesizeKiB === undefined ? [] : ['pagesize']),
    ...(wanted === 'per-node' || wanted === cells.length ? [] : ['cells']),
  ]
  return [
    ...(ignored.length === 0 ? [] : [diagnostic('cells-kept', { keys: ignored.join(' and ') })]),
    // Where cells can be built, existing=replace does not come here.
    ...(existing === 'replace' && move === 'if-broken' ? [diagnostic('cells-impossible', { arch })] : []),
  ]
}

// ---- A new binding ----

function newBinding(situation: Situation, before: Placement): Planned {
  const { view, resources, request } = situation
  const cells = writtenCells(view)
  const placed = placedCores(situation)
  const nodesOf = cells.map((_, cell) =>
    [...new Set(placed.filter((each) => each.cell === cell).map(({ node }) => node))].sort((a, b) => a - b),
  )
  const memory = nodesOf.map((nodes) => union(...nodes.map(situation.memoryNodeOf)))
  const cpuOf = situation.sharesCpus ? new Map<number, CpuSet>() : movedCpus(situation, placed)
  const onNodes = cells.map(({ vcpus }, cell) => ({ vcpus, nodes: nodesOf[cell] as readonly number[] }))
  const vcpupin = vcpuPins(situation, onNodes, cpuOf)
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
    notes: [...spanNotes(nodesOf, view), ...threads.notes],
  }
}

/** restrictive needs `<memory>` and every memnode to be so. */
function evenModes(memnodes: readonly Memnode[]): Memnode[] {
  const all = memnodes.every(({ mode }) => mode === 'restrictive')
  return memnodes.map((each) => (all || each.mode !== 'restrictive' ? each : { ...each, mode: 'strict' }))
}

function spanNotes(nodesOf: readonly (readonly number[])[], { cells }: DomainView): Diagnostic[] {
  return cells.flatMap(({ id }) => {
    const nodes = nodesOf[id] ?? []
    return nodes.length < 2 ? [] : [diagnostic('cell-spans-nodes', { cell: id, nodes: nodes.join(', ') })]
  })
}
