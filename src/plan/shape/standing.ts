// topology=lock: how a guest stands to the shape that an earlier fit recorded.
//
// A domain that states exactly the recorded cells and topology is bound to nodes as it is. One without cells,
// or with cells that existing=replace gives up, gets the cells of the record, if it has as many vCPUs and as
// much memory. Everything else is a misfit: the domain was edited, and on-misfit decides.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic, refuse } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import type { PlanInput } from '../../model/placement.ts'
import type { Request } from '../../model/request.ts'
import type { RecordedShape } from '../../model/shape.ts'
import { pagesizeKiBOf } from '../cells/pagesize.ts'
import { hasCells } from '../situation.ts'
import { cellsThatDiffer, sumsThatDiffer } from './differences.ts'

/**
 * `free`: no record counts; `notes` say why where there is one. `stated`: the domain states the recorded
 * shape. `given`: it is to get it.
 */
export type Standing =
  | { readonly is: 'free'; readonly notes: readonly Diagnostic[] }
  | { readonly is: 'stated' | 'given'; readonly recorded: RecordedShape }

/** @throws Refusal `shape-differs` with on-misfit=refuse */
export function standingOf({ view, resources, request }: PlanInput): Standing {
  const { recorded, onMisfit } = request
  if (recorded === undefined || !isLocked(request) || !hasCells(view, request))
    return { is: 'free', notes: [] }
  const keepsCells = request.existing === 'keep' && view.cells.length > 0
  const ofCells = cellsThatDiffer(view, recorded)
  const differences = keepsCells ? ofCells : sumsThatDiffer(view, recorded)
  if (differences.length > 0) {
    const isReplaceable = keepsCells && sumsThatDiffer(view, recorded).length === 0
    const facts = { source: recorded.source, differences, isReplaceable }
    return onMisfit === 'reshape'
      ? { is: 'free', notes: [diagnostic('shape-renewed', facts)] }
      : refuse('shape-differs', facts)
  }
  const isStated = ofCells.length === 0 && (keepsCells || hasRequestedPages(view, resources, request))
  return { is: isStated ? 'stated' : 'given', recorded }
}

/** Whether the shape of a guest is kept; KubeVirt's guests without cells of their own have none. */
export const isLocked = ({ topology, pinsOnly }: Request): boolean => topology === 'lock' && pinsOnly !== true

function hasRequestedPages(
  { cellPages }: DomainView,
  resources: Resources,
  { pagesizeKiB, otherPagesizesKiB = [] }: Request,
): boolean {
  if (pagesizeKiB === undefined) return true
  const sizes = [pagesizeKiB, ...otherPagesizesKiB].map((size) => (size === 'none' ? 0 : size))
  return cellPages.every((pages) => sizes.some((size) => size === pagesizeKiBOf(pages, resources)))
}
