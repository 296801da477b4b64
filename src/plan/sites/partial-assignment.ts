// Cells on nodes one by one, and what an assignment costs so far.

/** What one cell needs: guest cores, and memory by page size (`pagesizeKiB` 0 is ordinary memory). */
export interface CellNeed {
  readonly cores: number
  readonly pagesizeKiB: number
  readonly memoryKiB: number
  /** The node that it is bound to now, if that is one of the nodes. */
  readonly currentNode: number | undefined
}

/** One node with CPUs on offer. `memoryNode` is the index of the node that backs it. */
export interface CandidateNode {
  readonly id: number
  readonly cores: number
  readonly memoryNode: number
}

/** Cells that want a node each, nodes that may have them, and what decides between these. */
export interface AssignmentProblem {
  readonly cells: readonly CellNeed[]
  readonly nodes: readonly CandidateNode[]
  /** Per page size: what each backing node gives (KiB), and what any node may give in addition. */
  readonly supply: ReadonlyMap<number, { readonly nodes: readonly number[]; readonly extraKiB: number }>
  /** The distances that the guest was given between cells (indices of `cells`). */
  readonly guestDistance: (a: number, b: number) => number
  /** The distances that the host states between nodes (indices of `nodes`). */
  readonly hostDistance: (a: number, b: number) => number
}

/** Compared from left to right; less is better. */
export interface AssignmentCost {
  readonly missingKiB: number
  readonly missingCores: number
  readonly distortion: number
  readonly moved: number
}

/** Whether the first cost is the better one. */
export function isLess(a: AssignmentCost, b: AssignmentCost): boolean {
  if (a.missingKiB !== b.missingKiB) return a.missingKiB < b.missingKiB
  if (a.missingCores !== b.missingCores) return a.missingCores < b.missingCores
  if (a.distortion !== b.distortion) return a.distortion < b.distortion
  return a.moved < b.moved
}

/** Of a cell that is on no node, and of one whose pages nobody counts. */
export const NOWHERE = -1

/** An assignment that grows and shrinks by one cell at a time, and what it costs now. */
export interface PartialAssignment {
  readonly search: AssignmentProblem
  /** Per cell the index of its node, or NOWHERE. */
  readonly nodeOfCell: Int32Array
  /**
   * Distances, both ways together: firmware may state unlike ones, and a cost must not depend on which cell
   * came first.
   */
  readonly guestDistance: readonly Float64Array[]
  readonly hostDistance: readonly Float64Array[]
  readonly put: (cell: number, node: number) => void
  readonly take: (cell: number) => void
  readonly cost: () => AssignmentCost
  /** The cost with one more cell on a node, or undefined as soon as it is not less than `least`. */
  readonly costWith: (
    cell: number,
    node: number,
    least: AssignmentCost | undefined,
  ) => AssignmentCost | undefined
  /** Swaps the nodes of two cells where that costs less. */
  readonly swapIfLess: (a: number, b: number) => void
  /**
   * What each node has left: guest cores, and of each page size KiB. Cells may ask for more than there is.
   */
  readonly freeCores: Float64Array
  readonly pools: readonly SizePool[]
  /** Per cell the index of its pool, or NOWHERE. */
  readonly poolOf: Int32Array
  /** What is missing when so much more, per pool, is asked than the nodes have. */
  readonly missingWith: (overKiB: Float64Array | undefined) => number
}

/** Memory of one page size. */
export interface SizePool {
  /** Per backing node. */
  readonly freeKiB: Float64Array
  readonly extraKiB: number
  /** What is asked beyond that of each node, in all. */
  overKiB: number
}

/** Cells come and go one by one, each at the cost of one row of distances. */
export function emptyAssignment(search: AssignmentProblem): PartialAssignment {
  const { cells, nodes, supply } = search
  const guestDistance = cells.map((_, a) =>
    Float64Array.from(cells, (__, b) => search.guestDistance(a, b) + search.guestDistance(b, a)),
  )
  const hostDistance = nodes.map((_, a) =>
    Float64Array.from(nodes, (__, b) => search.hostDistance(a, b) + search.hostDistance(b, a)),
  )
  const nodeOfCell = new Int32Array(cells.length).fill(NOWHERE)
  const freeCores = Float64Array.from(nodes, ({ cores }) => cores)
  const sizes = [...supply.keys()]
  const pools = [...supply.values()].map(
    ({ nodes: has, extraKiB }): SizePool => ({ freeKiB: Float64Array.from(has), extraKiB, overKiB: 0 }),
  )
  const poolOf = Int32Array.from(cells, ({ pagesizeKiB }) => sizes.indexOf(pagesizeKiB))
  let missingCores = 0
  let distortion = 0
  let moved = 0

  const missingWith = (overKiB: Float64Array | undefined): number => {
    let missing = 0
    for (let at = 0; at < pools.length; at++) {
      const pool = pools[at] as SizePool
      missing += Math.max(0, pool.overKiB + (overKiB?.[at] ?? 0) - pool.extraKiB)
    }
    return missing
  }
  /** All but the distances. */
  const count = (cell: number, node: number, sign: 1 | -1): void => {
    const need = cells[cell] as CellNeed
    const cores = freeCores[node] as number
    freeCores[node] = cores - sign * need.cores
    missingCores += Math.max(0, sign * need.cores - cores) - Math.max(0, -cores)
    moved += need.currentNode === node ? 0 : sign
    const pool = pools[poolOf[cell] as number]
    if (pool === undefined) return
    const { memoryNode } = nodes[node] as CandidateNode
    const kib = pool.freeKiB[memoryNode] as number
    pool.freeKiB[memoryNode] = kib - sign * need.memoryKiB
    pool.overKiB += Math.max(0, sign * need.memoryKiB - kib) - Math.max(0, -kib)
  }
  /** What the distances of a cell on a node to all others are bent; it may stop beyond `most`. */
  const bent = (cell: number, node: number, most = Number.POSITIVE_INFINITY): number => {
    const toldRow = guestDistance[cell] as Float64Array
    const realRow = hostDistance[node] as Float64Array
    let sum = 0
    for (let other = 0; other < nodeOfCell.length && sum <= most; other++) {
      const there = nodeOfCell[other] as number
      if (there !== NOWHERE && other !== cell)
        sum += Math.abs((toldRow[other] as number) - (realRow[there] as number))
    }
    return sum
  }
  const cost = (): AssignmentCost => ({ missingKiB: missingWith(undefined), missingCores, distortion, moved })

  return {
    search,
    nodeOfCell,
    guestDistance,
    hostDistance,
    cost,
    put: (cell, node) => {
      count(cell, node, 1)
      distortion += bent(cell, node)
      nodeOfCell[cell] = node
    },
    take: (cell) => {
      const node = nodeOfCell[cell] as number
      count(cell, node, -1)
      distortion -= bent(cell, node)
      nodeOfCell[cell] = NOWHERE
    },
    costWith: (cell, node, least) => {
      count(cell, node, 1)
      const counted = cost()
      count(cell, node, -1)
      const mayBeLess = least === undefined || isLess({ ...counted, moved: Number.NEGATIVE_INFINITY }, least)
      if (!mayBeLess) return undefined
      const isTie =
        least !== undefined &&
        counted.missingKiB === least.missingKiB &&
        counted.missingCores === least.missingCores
      const whole = {
        ...counted,
        distortion: distortion + bent(cell, node, isTie ? least.distortion - distortion : undefined),
      }
      return least === undefined || isLess(whole, least) ? whole : undefined
    },
    swapIfLess: (a, b) => {
      const [homeA, homeB] = [nodeOfCell[a] as number, nodeOfCell[b] as number]
      if (homeA === homeB) return
      const before = cost()
      count(a, homeA, -1)
      count(b, homeB, -1)
      count(a, homeB, 1)
      count(b, homeA, 1)
      const counted = cost()
      if (isLess({ ...counted, distortion: Number.NEGATIVE_INFINITY }, before)) {
        const bentBefore = bent(a, homeA) + bent(b, homeB)
        nodeOfCell[a] = homeB
        nodeOfCell[b] = homeA
        // What lies between the two themselves is the same both ways.
        const after = { ...counted, distortion: distortion + bent(a, homeB) + bent(b, homeA) - bentBefore }
        if (isLess(after, before)) {
          distortion = after.distortion
          return
        }
        nodeOfCell[a] = homeA
        nodeOfCell[b] = homeB
      }
      count(a, homeB, -1)
      count(b, homeA, -1)
      count(a, homeA, 1)
      count(b, homeB, 1)
    },
    freeCores,
    pools,
    poolOf,
    missingWith,
  }
}
