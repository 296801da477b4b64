// The best of all assignments of cells to nodes, starting from a good one.
//
// Cells are placed in order, each on every node in order, and a partial assignment is given up as soon as
// what it costs so far, and what the open cells cost at least, is no better than the best. Of equally good
// ones the first is taken, so the lowest nodes.

import {
  type AssignmentCost,
  type CellNeed,
  NOWHERE,
  type PartialAssignment,
  type SizePool,
} from './partial-assignment.ts'

/** @returns what was best after at most so many partial assignments */
export function bestAssignment(
  board: PartialAssignment,
  mostStates: number,
): { nodeOfCell: readonly number[]; cost: AssignmentCost; states: number } {
  const { nodeOfCell, search } = board
  const { cells, nodes } = search
  let best = { nodeOfCell: [...nodeOfCell], cost: board.cost() }
  for (const cell of cells.keys()) board.take(cell)
  const open = openCells(board)
  let isOwn = false
  let states = 0
  // Until the search itself has come to the start's cost, equally good is let through: its nodes may be
  // lower.
  const isHopeless = (bound: AssignmentCost, distortion = bound.distortion): boolean => {
    const { cost } = best
    if (bound.missingKiB !== cost.missingKiB) return bound.missingKiB > cost.missingKiB
    if (bound.missingCores !== cost.missingCores) return bound.missingCores > cost.missingCores
    if (distortion !== cost.distortion) return distortion > cost.distortion
    return isOwn ? bound.moved >= cost.moved : bound.moved > cost.moved
  }
  const extend = (cell: number): void => {
    const bound = cell === cells.length ? board.cost() : open.bound(cell, best.cost)
    if (bound === undefined || isHopeless(bound)) return
    if (cell === cells.length) {
      best = { nodeOfCell: [...nodeOfCell], cost: bound }
      isOwn = true
      return
    }
    if (states >= mostStates) return
    states += 1
    const bending = open.bendingOn[cell] as Float64Array
    for (let node = 0; node < nodes.length; node++) {
      if (isHopeless(bound, bending[node])) continue
      board.put(cell, node)
      open.put(cell, node, 1)
      extend(cell + 1)
      open.put(cell, node, -1)
      board.take(cell)
    }
  }
  extend(0)
  return { ...best, states }
}

interface OpenCells {
  readonly put: (cell: number, node: number, sign: 1 | -1) => void
  /**
   * What the whole costs at least when the cells from this one on are open; undefined: more than the best.
   */
  readonly bound: (cell: number, best: AssignmentCost) => AssignmentCost | undefined
  /**
   * Per cell and node: what `bound` of that cell last found that all distances are bent at least with it on
   * that node.
   */
  readonly bendingOn: readonly Float64Array[]
}

/**
 * An open cell lacks at least what it would lack now on the node where that is least, since nodes
 * only fill
 * up; and all together what the nodes have left is too little for. Its distances are bent at least as on the
 * node that suits it best, among those where what is missing does not exceed the best already: those to
 * placed cells as they are there, those to open cells half, since the other half is the other cell's, and as
 * by the way from that node that suits them best.
 */
function openCells(board: PartialAssignment): OpenCells {
  const { guestDistance, hostDistance } = board
  const { cells, nodes } = board.search
  /** Per first open cell, cell and node: what its distances to open cells are bent at least, halved. */
  const toOpen = cells.map((_, first) =>
    cells.map((__, cell) =>
      hostDistance.map((row) => halfBent(guestDistance[cell] as Float64Array, row, cell, first)),
    ),
  )
  /** What each cell's distances to the placed ones are bent on each node. */
  const bent = cells.map(() => new Float64Array(nodes.length))
  const bendingOn = cells.map(() => new Float64Array(nodes.length))

  const { freeCores, pools, poolOf } = board
  const backing = [...new Set(nodes.map(({ memoryNode }) => memoryNode))]
  /** Per pool: what is asked in all, what the cells lack at least by themselves, and one cell's lack. */
  const [asked, over, one] = [
    new Float64Array(pools.length),
    new Float64Array(pools.length),
    new Float64Array(pools.length),
  ]

  const freeIn = (pool: SizePool): number =>
    backing.reduce((sum, at) => sum + Math.max(0, pool.freeKiB[at] as number), 0)
  const missingWithOne = (pool: number, kib: number): number => {
    one[pool] = kib
    const missing = board.missingWith(one)
    one[pool] = 0
    return missing
  }
  return {
    bendingOn,
    put: (cell, node, sign) => {
      const realRow = hostDistance[node] as Float64Array
      for (let other = cell + 1; other < cells.length; other++) {
        const way = guestDistance[other]?.[cell] as number
        const row = bent[other] as Float64Array
        for (let there = 0; there < row.length; there++)
          row[there] = (row[there] as number) + sign * Math.abs(way - (realRow[there] as number))
      }
    },
    bound: (first, best) => {
      const cost = board.cost()
      asked.fill(0)
      over.fill(0)
      let [cores, coresOver, bending] = [0, 0, cost.distortion]
      let lowestOfFirst = 0
      for (let cell = first; cell < cells.length; cell++) {
        const need = cells[cell] as CellNeed
        const at = poolOf[cell] as number
        const freeKiB = pools[at]?.freeKiB
        const half = toOpen[first]?.[cell] as readonly number[]
        const bentOn = bent[cell] as Float64Array
        let [lowest, leastKiB, leastCores] = [
          Number.POSITIVE_INFINITY,
          Number.POSITIVE_INFINITY,
          Number.POSITIVE_INFINITY,
        ]
        for (let node = 0; node < nodes.length; node++) {
          const free =
            freeKiB === undefined ? need.memoryKiB : (freeKiB[nodes[node]?.memoryNode as number] as number)
          const kib = Math.max(0, need.memoryKiB - Math.max(0, free))
          const lacking = Math.max(0, need.cores - Math.max(0, freeCores[node] as number))
          if (kib < leastKiB) leastKiB = kib
          if (lacking < leastCores) leastCores = lacking
          let there = (bentOn[node] as number) + (half[node] as number)
          if (cell === first || there < lowest) {
            const missingKiB = kib === 0 ? cost.missingKiB : missingWithOne(at, kib)
            const isTie = missingKiB === best.missingKiB
            if (missingKiB > best.missingKiB || (isTie && cost.missingCores + lacking > best.missingCores))
              there = Number.POSITIVE_INFINITY
          }
          if (cell === first) (bendingOn[first] as Float64Array)[node] = there
          if (there < lowest) lowest = there
        }
        if (lowest === Number.POSITIVE_INFINITY) return undefined
        if (cell === first) lowestOfFirst = lowest
        bending += lowest
        cores += need.cores
        coresOver += leastCores
        if (at === NOWHERE) continue
        asked[at] = (asked[at] as number) + need.memoryKiB
        over[at] = (over[at] as number) + leastKiB
      }
      pools.forEach((pool, at) => {
        if ((asked[at] as number) > 0)
          over[at] = Math.max(over[at] as number, (asked[at] as number) - freeIn(pool))
      })
      for (const free of freeCores) cores -= Math.max(0, free)
      const onFirst = bendingOn[first] as Float64Array
      for (let node = 0; node < onFirst.length; node++)
        onFirst[node] = (onFirst[node] as number) + bending - lowestOfFirst
      return {
        missingKiB: board.missingWith(over),
        missingCores: cost.missingCores + Math.max(coresOver, cores),
        distortion: bending,
        moved: cost.moved,
      }
    },
  }
}

function halfBent(guestDistance: Float64Array, ways: Float64Array, cell: number, first: number): number {
  let sum = 0
  for (let other = first; other < guestDistance.length; other++) {
    if (other === cell) continue
    let least = Number.POSITIVE_INFINITY
    for (const way of ways) least = Math.min(least, Math.abs((guestDistance[other] as number) - way))
    sum += least
  }
  return sum / 2
}
