// A guest with a recorded shape on the nodes of this host. Its cells are bound by the same search as those of
// a guest that moves (plan/rebind.ts). Where the domain does not state them yet they are written, and what
// backs them then follows the request, as it does for new cells.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic, refuseAll } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { PlanInput, Planned } from '../../model/placement.ts'
import type { Request } from '../../model/request.ts'
import type { RecordedShape } from '../../model/shape.ts'
import { devicesAway } from '../backing/devices.ts'
import { checkMode } from '../backing/memory-nodes.ts'
import { notWholePages } from '../cells/memory.ts'
import { planWithSizes } from '../cells/page-choice.ts'
import { pagesizeOf } from '../cells/pagesize.ts'
import { rebind } from '../rebind.ts'
import { lostWithCells, modeNotes } from '../replaced.ts'
import { sameTopology, shapeOf } from './differences.ts'

/** The placement, and the guest that it is of: one with the recorded cells. */
export interface Bound {
  readonly planned: Planned
  readonly view: DomainView
}

/**
 * The recorded cells, which the domain states, on nodes.
 * @throws Refusal as rebind does
 */
export function bindStated({ view, resources, request }: PlanInput, recorded: RecordedShape): Bound {
  const planned = rebind({ view, resources, request: withoutCells(request) }, 'if-broken')
  return { planned: withNotes(planned, request, recorded), view }
}

/**
 * The recorded cells on nodes, for a domain that does not state them.
 * @throws Refusal as rebind and plan do
 */
export function bindGiven(input: PlanInput, recorded: RecordedShape): Bound {
  const { view, resources, request } = input
  const { pagesizeKiB, otherPagesizesKiB = [] } = request
  refuseAll([...lostWithCells(view), ...devicesAway(view, resources)])
  const planned =
    pagesizeKiB === undefined || otherPagesizesKiB.length === 0
      ? bindWithOneSize(input, recorded)
      : planWithSizes(input, [pagesizeKiB, ...otherPagesizesKiB], (each) => bindWithOneSize(each, recorded))
  return { planned: withNotes(planned, request, recorded), view: withCellsOf(recorded, view, undefined) }
}

function bindWithOneSize({ view, resources, request }: PlanInput, recorded: RecordedShape): Planned {
  const pagesizeKiB = pagesizeOf(view, resources, request)
  checkMode(request, view, pagesizeKiB)
  if (pagesizeKiB !== undefined)
    refuseAll(recorded.cells.flatMap((cell) => notWholePages(cell, pagesizeKiB, view, { isRecorded: true })))
  const given = withCellsOf(recorded, view, pagesizeKiB)
  const { pagesizeKiB: _, ...others } = withoutCells(request)
  const { placement, notes } = rebind({ view: given, resources, request: others }, 'if-broken')
  const isNew = !sameTopology(shapeOf(view).topology, recorded.topology)
  return {
    keeps: 'nothing',
    placement: { ...placement, ...(isNew && { topology: recorded.topology }) },
    notes: [...modeNotes(view, request), ...notes],
  }
}

/** What would build other cells has no effect. */
const withoutCells = (request: Request): Request => ({
  ...request,
  cells: 'per-node',
  existing: 'keep',
  topology: 'keep',
  tiers: 'ignore',
})

/** The guest as it will be; where its memory lies is not known yet. */
function withCellsOf(
  { cells, topology }: RecordedShape,
  view: DomainView,
  pagesizeKiB: number | undefined,
): DomainView {
  return {
    ...view,
    cells,
    topology,
    cellPages: cells.map(() => (pagesizeKiB === undefined ? 'ordinary' : { pagesizeKiB })),
    tune: { memnodes: [] },
  }
}

// ---- Notes ----

function withNotes(planned: Planned, request: Request, recorded: RecordedShape): Planned {
  return {
    ...planned,
    notes: [...keptNotes(request, recorded), ...foldedNotes(planned, recorded), ...planned.notes],
  }
}

/** What is requested and would need another shape. */
function keptNotes({ cells: wanted, tiers }: Request, { cells, source }: RecordedShape): Diagnostic[] {
  const keys = [
    ...(wanted === 'per-node' || wanted === cells.length ? [] : ['cells']),
    ...(tiers === 'expose' && cells.every(({ vcpus }) => vcpus.length > 0) ? ['tiers'] : []),
  ]
  return keys.length === 0 ? [] : [diagnostic('shape-kept', { source, keys })]
}

/** The distance between two cells that were on one node when the shape was recorded. */
const SAME_NODE = 11

/** Cells on one node that the guest takes for several nodes. */
function foldedNotes({ placement }: Planned, { cells, source }: RecordedShape): Diagnostic[] {
  const cellsOn = new Map<number, number[]>()
  for (const { id, vcpus } of cells) {
    const [node, ...others] = placement.binding.memnodes[id]?.nodes ?? []
    if (vcpus.length > 0 && node !== undefined && others.length === 0)
      cellsOn.set(node, [...(cellsOn.get(node) ?? []), id])
  }
  return [...cellsOn]
    .filter(([, ids]) => ids.some((a) => ids.some((b) => a < b && isFarther(cells[a]?.distances[b]))))
    .sort(([a], [b]) => a - b)
    .map(([node, ids]) => diagnostic('shape-folded', { source, node, cells: ids }))
}

const isFarther = (distance: number | undefined): boolean => (distance ?? SAME_NODE + 1) > SAME_NODE
