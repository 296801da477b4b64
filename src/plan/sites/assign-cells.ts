// A site for each cell: its place on the host by the one cost (cost.ts).
//
// It starts from a good assignment: cells are placed one by one where they cost least, then moved and swapped
// as long as that helps. Up to 8 cells and 8 nodes every assignment is then looked at, in the order of sites,
// and given up as soon as what it costs so far, and what the cells still open cost at least, is no better
// than the best; so the answer is exact. Should that take more than MOST_STATES partial assignments, the best
// so far is the answer. Beyond 8 it is the good one.

import { compareCosts, type SiteCost } from './cost.ts'
import { bestAssignment } from './exact-assignment.ts'
import {
  type AssignmentProblem,
  type CellNeed,
  emptyAssignment,
  type PartialAssignment,
} from './partial-assignment.ts'

const EXACT_UP_TO = 8

/**
 * Partial assignments that are looked at. It is a count and no time, so that the answer is the same on every
 * machine.
 */
export const MOST_STATES = 60_000

/** Per cell the index of its site; `states` is how many partial assignments were looked at. */
export interface AssignedCells {
  readonly siteOfCell: readonly number[]
  readonly cost: SiteCost
  readonly states: number
}

/** The best assignment, or a good one where there are too many to look at them all. */
export function assignCells(problem: AssignmentProblem, mostStates = MOST_STATES): AssignedCells {
  const assignment = emptyAssignment(problem)
  placeAll(assignment)
  improve(assignment)
  if (isExact(problem)) return bestAssignment(assignment, mostStates)
  return { siteOfCell: [...assignment.siteOfCell], cost: assignment.cost(), states: 0 }
}

/** Whether every assignment is looked at. */
export function isExact({ cells, sites }: AssignmentProblem): boolean {
  return cells.length <= EXACT_UP_TO && new Set(sites.map(({ node }) => node)).size <= EXACT_UP_TO
}

// ---- A good assignment ----

/** Cells with the most guest cores first, then the most memory, each where it costs least. */
function placeAll(assignment: PartialAssignment): void {
  const { cells } = assignment.problem
  const order = [...cells.keys()].sort((a, b) => {
    const [one, other] = [cells[a] as CellNeed, cells[b] as CellNeed]
    return other.cores - one.cores || other.memoryKiB - one.memoryKiB || a - b
  })
  for (const cell of order) assignment.put(cell, cheapest(assignment, cell))
}

/** For a cell that is on no site; of equal sites the lowest. */
function cheapest(assignment: PartialAssignment, cell: number): number {
  const { sites } = assignment.problem.cells[cell] as CellNeed
  let best = sites[0] as number
  let least: SiteCost | undefined
  for (const site of sites) {
    const cost = assignment.costWith(cell, site, least)
    if (cost === undefined) continue
    best = site
    least = cost
  }
  return best
}

const MOST_ROUNDS = 16

/** Moves and swaps as long as a round makes it better. */
function improve(assignment: PartialAssignment): void {
  const { length } = assignment.siteOfCell
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = assignment.cost()
    for (let cell = 0; cell < length; cell++) {
      assignment.take(cell)
      assignment.put(cell, cheapest(assignment, cell))
    }
    for (let a = 0; a < length; a++) for (let b = a + 1; b < length; b++) assignment.swapIfLess(a, b)
    if (compareCosts(assignment.cost(), before) >= 0 || length === 1) return
  }
}
