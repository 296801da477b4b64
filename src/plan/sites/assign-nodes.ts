// A node for each cell that the guest already has.
//
// The best assignment is the one that lacks the least memory on its nodes, then the least CPUs, then bends
// the distances between cells, both ways together, least from the distances that the guest was given, then
// moves the fewest cells, then has the lowest nodes in cell order. It starts from a good one: cells are
// placed one by one where they cost least, then moved and swapped as long as that helps. Up to 8 cells and 8
// nodes every assignment is then looked at, in the order of nodes, and given up as soon as what it costs so
// far, and what the cells still open cost at least, is no better than the best; so the answer is exact.
// Should that take more than MOST_STATES partial assignments, the best so far is the answer. Beyond 8 it is
// the good one.

import { bestAssignment } from './exact-assignment.ts'
import {
  type AssignmentCost,
  type AssignmentProblem,
  emptyAssignment,
  isLess,
  type PartialAssignment,
} from './partial-assignment.ts'

const EXACT_UP_TO = 8

/**
 * Partial assignments that are looked at. It is a count and no time, so that the answer is the same on every
 * machine.
 */
export const MOST_STATES = 60_000

/** @returns per cell the index of its node; `states` is how many partial assignments were looked at */
export function assignNodes(
  search: AssignmentProblem,
  mostStates = MOST_STATES,
): { readonly nodeOfCell: readonly number[]; readonly cost: AssignmentCost; readonly states: number } {
  const board = emptyAssignment(search)
  placeAll(board)
  improve(board)
  const { cells, nodes } = search
  if (cells.length <= EXACT_UP_TO && nodes.length <= EXACT_UP_TO) return bestAssignment(board, mostStates)
  return { nodeOfCell: [...board.nodeOfCell], cost: board.cost(), states: 0 }
}

// ---- A good assignment ----

/** The largest cells first, each where it costs least; of equal nodes the lowest. */
function placeAll(board: PartialAssignment): void {
  const { cells } = board.search
  const size = (cell: number): number => cells[cell]?.cores ?? 0
  const order = cells.map((_, cell) => cell).sort((a, b) => size(b) - size(a) || a - b)
  for (const cell of order) board.put(cell, cheapest(board, cell))
}

/** For a cell that is on no node. */
function cheapest(board: PartialAssignment, cell: number): number {
  let best = 0
  let least: AssignmentCost | undefined
  for (let node = 0; node < board.search.nodes.length; node++) {
    const cost = board.costWith(cell, node, least)
    if (cost === undefined) continue
    best = node
    least = cost
  }
  return best
}

const MOST_ROUNDS = 16

/** Moves and swaps as long as a round makes it better. */
function improve(board: PartialAssignment): void {
  const { length } = board.nodeOfCell
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = board.cost()
    for (let cell = 0; cell < length; cell++) {
      board.take(cell)
      board.put(cell, cheapest(board, cell))
    }
    for (let a = 0; a < length; a++) for (let b = a + 1; b < length; b++) board.swapIfLess(a, b)
    if (!isLess(board.cost(), before) || length === 1) return
  }
}
