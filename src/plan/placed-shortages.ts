// What a placement lacks on its host now, and whether another split of memory over the cells would fit.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import type { Placement, PlanInput, Planned } from '../model/placement.ts'
import { backingsOf } from './backing/backings.ts'
import { shortages } from './backing/shortages.ts'
import { plan } from './plan.ts'

/**
 * Findings of class capacity. A shortage of pages that cells as large as the free pages would not have
 * carries the memory of these cells, where the cells are new.
 */
export function shortagesOf({ placement, keeps }: Planned, input: PlanInput): readonly Diagnostic[] {
  const found = lackedBy(placement, input)
  const canSplitAnew = keeps === 'nothing' && input.request.memory !== 'by-free-pages'
  if (!canSplitAnew || !found.some(({ code }) => code === 'pages-short')) return found
  const fitting = splitByFreePages(input)
  if (fitting === undefined || lackedBy(fitting, input).length > 0) return found
  const fitsSplit = fitting.cells.map(({ id, memoryKiB }) => ({ cell: id, memoryKiB }))
  return found.map((each) =>
    each.code === 'pages-short' ? { ...each, facts: { ...each.facts, fitsSplit } } : each,
  )
}

function lackedBy(placement: Placement, input: PlanInput): readonly Diagnostic[] {
  return shortages(input.resources, backingsOf(placement, input))
}

/** The placement with memory=by-free-pages; undefined where it is refused. */
function splitByFreePages(input: PlanInput): Placement | undefined {
  try {
    return plan({ ...input, request: { ...input.request, memory: 'by-free-pages' } }).placement
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
