// A node for each cell that the guest already has.
//
// The best assignment is the one that lacks the least memory on its nodes, then the least CPUs, then bends the distances
// between cells, both ways together, least from what the guest was told, then moves the fewest cells, then has the lowest nodes in cell order.
// Up to 8 cells and 8 nodes every assignment is looked at, in that order, and given up as soon as what it costs so far, and
// what the pairs still open cost at least, is no better than the best; so the answer is exact. It starts from a good one:
// cells are placed one by one where they cost least, then moved and swapped as long as that helps. Beyond 8 that is the answer.

/** What one cell needs: guest cores, and memory by page size (`sizeKiB` 0 is ordinary memory). */
export interface CellNeed {
  readonly cores: number
  readonly sizeKiB: number
  readonly memoryKiB: number
  /** The node that it is bound to now, if that is one of the nodes. */
  readonly now: number | undefined
}

/** One node with CPUs on offer. `memory` is the index of the node that backs it. */
export interface NodeRoom {
  readonly id: number
  readonly cores: number
  readonly memory: number
}

export interface HomeSearch {
  readonly cells: readonly CellNeed[]
  readonly nodes: readonly NodeRoom[]
  /** Per page size: what each backing node gives (KiB), and what any node may give in addition. */
  readonly supply: ReadonlyMap<number, { readonly nodes: readonly number[]; readonly extraKiB: number }>
  /** What the guest was told between cells, and what the host states between nodes (indices of `nodes`). */
  readonly told: (a: number, b: number) => number
  readonly real: (a: number, b: number) => number
}

/** Compared from left to right; less is better. */
export interface HomeCost {
  readonly missingKiB: number
  readonly missingCores: number
  readonly distortion: number
  readonly moved: number
}

const EXACT_UP_TO = 8

/** @returns per cell the index of its node */
export function assignHomes(search: HomeSearch): { readonly homes: readonly number[]; readonly cost: HomeCost } {
  const board = boardOf(search)
  improve(board, greedy(board))
  const { cells, nodes } = search
  if (cells.length <= EXACT_UP_TO && nodes.length <= EXACT_UP_TO) return exact(board)
  return { homes: board.homes as number[], cost: board.cost() }
}

/** What an assignment costs that was not searched for. */
export function costOf(search: HomeSearch, homes: readonly number[]): HomeCost {
  const board = boardOf(search)
  homes.forEach((home, cell) => {
    board.put(cell, home)
  })
  return board.cost()
}

export function isLess(a: HomeCost, b: HomeCost): boolean {
  if (a.missingKiB !== b.missingKiB) return a.missingKiB < b.missingKiB
  if (a.missingCores !== b.missingCores) return a.missingCores < b.missingCores
  if (a.distortion !== b.distortion) return a.distortion < b.distortion
  return a.moved < b.moved
}

// ---- Cells on nodes, and what that costs so far ----

interface Board {
  readonly search: HomeSearch
  readonly homes: (number | undefined)[]
  readonly told: readonly (readonly number[])[]
  readonly real: readonly (readonly number[])[]
  readonly put: (cell: number, node: number) => void
  readonly take: (cell: number) => void
  readonly cost: () => HomeCost
}

/** Cells come and go one by one, each at the cost of one row of distances. */
function boardOf(search: HomeSearch): Board {
  const { cells, nodes, supply } = search
  // Both ways together: firmware may state unlike ones, and a cost must not depend on which cell came first.
  const told = cells.map((_, a) => cells.map((__, b) => search.told(a, b) + search.told(b, a)))
  const real = nodes.map((_, a) => nodes.map((__, b) => search.real(a, b) + search.real(b, a)))
  const homes: (number | undefined)[] = cells.map(() => undefined)
  const used = nodes.map(() => 0)
  const pools = new Map([...supply].map(([size, { nodes: has, extraKiB }]) => [size, { has, extraKiB, asked: has.map(() => 0), over: 0 }]))
  let missingCores = 0
  let distortion = 0
  let moved = 0
  const change = (cell: number, node: number, sign: 1 | -1): void => {
    const need = cells[cell] as CellNeed
    const room = nodes[node] as NodeRoom
    const before = used[node] as number
    used[node] = before + sign * need.cores
    missingCores += Math.max(0, before + sign * need.cores - room.cores) - Math.max(0, before - room.cores)
    moved += need.now === node ? 0 : sign
    const pool = pools.get(need.sizeKiB)
    if (pool !== undefined) {
      const has = pool.has[room.memory] as number
      const asked = pool.asked[room.memory] as number
      pool.asked[room.memory] = asked + sign * need.memoryKiB
      pool.over += Math.max(0, asked + sign * need.memoryKiB - has) - Math.max(0, asked - has)
    }
    const toldRow = told[cell] as readonly number[]
    const realRow = real[node] as readonly number[]
    for (let other = 0; other < homes.length; other++) {
      const there = homes[other]
      if (there !== undefined && other !== cell) distortion += sign * Math.abs((toldRow[other] as number) - (realRow[there] as number))
    }
  }
  return {
    search,
    homes,
    told,
    real,
    put: (cell, node) => {
      change(cell, node, 1)
      homes[cell] = node
    },
    take: (cell) => {
      change(cell, homes[cell] as number, -1)
      homes[cell] = undefined
    },
    cost: () => {
      let missingKiB = 0
      for (const { over, extraKiB } of pools.values()) missingKiB += Math.max(0, over - extraKiB)
      return { missingKiB, missingCores, distortion, moved }
    },
  }
}

// ---- A good assignment ----

/** The largest cells first, each where it costs least; of equal nodes the lowest. */
function greedy(board: Board): Board {
  const { cells } = board.search
  const size = (cell: number): number => cells[cell]?.cores ?? 0
  const order = cells.map((_, cell) => cell).sort((a, b) => size(b) - size(a) || a - b)
  for (const cell of order) board.put(cell, cheapest(board, cell))
  return board
}

/** For a cell that is on no node. */
function cheapest(board: Board, cell: number): number {
  let best = 0
  let least: HomeCost | undefined
  for (let node = 0; node < board.search.nodes.length; node++) {
    board.put(cell, node)
    const cost = board.cost()
    board.take(cell)
    if (least !== undefined && !isLess(cost, least)) continue
    best = node
    least = cost
  }
  return best
}

const MOST_ROUNDS = 16

/** Moves and swaps as long as a round makes it better. */
function improve(board: Board, { homes, search }: Board): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = board.cost()
    for (let cell = 0; cell < homes.length; cell++) {
      board.take(cell)
      board.put(cell, cheapest(board, cell))
    }
    for (let a = 0; a < homes.length; a++) for (let b = a + 1; b < homes.length; b++) swapIfBetter(board, a, b)
    if (!isLess(board.cost(), before) || search.cells.length === 1) return
  }
}

function swapIfBetter(board: Board, a: number, b: number): void {
  const [homeA, homeB] = [board.homes[a] as number, board.homes[b] as number]
  if (homeA === homeB) return
  const before = board.cost()
  const swap = (toA: number, toB: number): void => {
    board.take(a)
    board.take(b)
    board.put(a, toA)
    board.put(b, toB)
  }
  swap(homeB, homeA)
  if (!isLess(board.cost(), before)) swap(homeA, homeB)
}

// ---- The best one ----

function exact(board: Board): { homes: readonly number[]; cost: HomeCost } {
  const { homes, search } = board
  const { cells, nodes } = search
  const open = openDistortion(board)
  let best = { homes: [...(homes as number[])], cost: board.cost() }
  for (const cell of cells.keys()) board.take(cell)
  let isOwn = false
  const extend = (cell: number): void => {
    const cost = board.cost()
    const bound = { ...cost, distortion: cost.distortion + (open[cell] as number) }
    // Until the search itself has come to the start's cost, equally good is let through: its nodes may be lower.
    if (isOwn ? !isLess(bound, best.cost) : isLess(best.cost, bound)) return
    if (cell === cells.length) {
      best = { homes: [...(homes as number[])], cost }
      isOwn = true
      return
    }
    for (let node = 0; node < nodes.length; node++) {
      board.put(cell, node)
      extend(cell + 1)
      board.take(cell)
    }
  }
  extend(0)
  return best
}

/** Per number of cells placed: the least that all pairs with a cell still open can add. */
function openDistortion({ search, told, real }: Board): number[] {
  const values = [...new Set(real.flat())]
  const least = search.cells.map((_, cell) => {
    const row = (told[cell] as readonly number[]).slice(0, cell)
    return row.reduce((sum, way) => sum + Math.min(...values.map((value) => Math.abs(way - value))), 0)
  })
  return [...search.cells, undefined].map((_, placed) => least.slice(placed).reduce((sum, each) => sum + each, 0))
}
