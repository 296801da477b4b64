// Where a guest's cells come from: new ones (plan.ts), those that it has (rebind.ts), or those of its
// recorded shape (shape/).

import type { DomainView } from '../model/domain.ts'
import type { PlanInput, Planned } from '../model/placement.ts'
import type { Existing, Request } from '../model/request.ts'
import { plan } from './plan.ts'
import { type Move, rebind } from './rebind.ts'
import { bindGiven, bindStated } from './shape/recorded.ts'
import { isLocked, type Standing, standingOf } from './shape/standing.ts'
import { hasCells } from './situation.ts'

/** What was decided. */
export interface Decision {
  /** With the guest that the placement is of. */
  readonly input: PlanInput
  readonly planned: Planned
  /** Whether the shape is locked, and then whether a record of it is there already or is to be made. */
  readonly shape: 'unlocked' | 'recorded' | 'to-record'
}

/**
 * The placement of a guest. With `move` every guest keeps what it has, and no record counts.
 * @throws Refusal of plan, rebind and standingOf
 */
export function decide(input: PlanInput, move: Move | undefined): Decision {
  if (move !== undefined) return { input, planned: rebind(input, move), shape: 'unlocked' }
  const standing = standingOf(input)
  if (standing.is !== 'free') {
    const { planned, view } = bindRecorded[standing.is](input, standing.recorded)
    return { input: { ...input, view }, planned, shape: 'recorded' }
  }
  const free = withoutRecord(input)
  const planned = keepsItsCells(free) ? rebind(free, 'if-broken') : plan(free)
  return {
    input: free,
    planned: { ...planned, notes: [...standing.notes, ...planned.notes] },
    shape: isLocked(input.request) ? 'to-record' : 'unlocked',
  }
}

/** A record that does not count is none. */
function withoutRecord(input: PlanInput): PlanInput {
  const { recorded, ...request } = input.request
  return recorded === undefined ? input : { ...input, request }
}

const bindRecorded: Record<Exclude<Standing['is'], 'free'>, typeof bindGiven> = {
  stated: bindStated,
  given: bindGiven,
}

/** Whether the cells are known before anything is decided: those that the guest has, or has recorded. */
export function keepsCells(input: PlanInput, move: Move | undefined): boolean {
  return move !== undefined || standingOf(input).is !== 'free' || keepsItsCells(input)
}

const keepsItsCells = ({ view, request }: PlanInput): boolean =>
  view.cells.length > 0 && keepsExisting[request.existing](view, request)

/** Whether a guest keeps the cells that it has. Where it could get no new ones it keeps them. */
const keepsExisting: Record<Existing, (view: DomainView, request: Request) => boolean> = {
  keep: () => true,
  replace: (view, request) => !hasCells(view, request),
}
