// Cells on sites one by one, and what an assignment costs so far (cost.ts).

import type { NodeSupply } from '../backing/supply.ts'
import { compareCosts, type SiteCost } from './cost.ts'
import { NOWHERE, type Site } from './sites.ts'
import { emptyPool, type SizePool } from './size-pool.ts'

/** What one cell needs, and where it may go. */
export interface CellNeed {
  /** Guest cores that need a CPU, and the vCPUs that are their threads. */
  readonly cores: number
  readonly vcpus: number
  /** 0 is ordinary memory. */
  readonly pagesizeKiB: number
  readonly memoryKiB: number
  /** Indices of the sites that it may go to, ascending. */
  readonly sites: readonly number[]
  /** Of these, the sites on which it stays where it is. */
  readonly current: readonly number[]
}

/** A node that runs vCPUs: how many guest cores fit, and how many of its CPUs are no other guest's. */
export interface RunNode {
  readonly cores: number
  readonly untaken: number
}

/** Cells that need a site each, sites that may have them, and what decides between these. */
export interface AssignmentProblem {
  readonly cells: readonly CellNeed[]
  /** Lowest ids first. */
  readonly sites: readonly Site[]
  readonly runNodes: readonly RunNode[]
  /** By page size; a size that is absent is not counted. */
  readonly supply: ReadonlyMap<number, NodeSupply>
  /** Whether a cell may take memory of every node that the guest uses (mode=preferred). */
  readonly overflows: boolean
  /** The distances that the guest was given between cells (indices of `cells`); 0: as near as can be. */
  readonly guestDistance: (a: number, b: number) => number
  /** The distances between cells on two sites (indices of `sites`). */
  readonly hostDistance: (a: number, b: number) => number
}

/** An assignment that grows and shrinks by one cell at a time, and what it costs now. */
export interface PartialAssignment {
  readonly problem: AssignmentProblem
  /** Per cell the index of its site, or NOWHERE. */
  readonly siteOfCell: Int32Array
  /**
   * Distances, both ways together: firmware may state unlike ones, and a cost must not depend on which cell
   * came first.
   */
  readonly guestDistance: readonly Float64Array[]
  readonly hostDistance: readonly Float64Array[]
  readonly put: (cell: number, site: number) => void
  readonly take: (cell: number) => void
  readonly cost: () => SiteCost
  /** The cost with one more cell on a site, or undefined as soon as it is not less than `least`. */
  readonly costWith: (cell: number, site: number, least: SiteCost | undefined) => SiteCost | undefined
  /** Swaps the sites of two cells where that costs less. */
  readonly swapIfLess: (a: number, b: number) => void
  /** What each node has left in guest cores; less than 0 where cells ask for more than there is. */
  readonly freeCores: Float64Array
  /** The same in CPUs that are no other guest's. */
  readonly untaken: Float64Array
  readonly pools: readonly SizePool[]
  /** Per cell the index of its pool, or NOWHERE. */
  readonly poolOf: Int32Array
  /** The memory that is missing when so much more, per pool, is asked than the nodes have. */
  readonly missingWith: (moreKiB: Float64Array | undefined) => number
}

/** No cell is on a site yet. Cells come and go one by one, each at the cost of one row of distances. */
export function emptyAssignment(problem: AssignmentProblem): PartialAssignment {
  const { cells, sites, supply, runNodes } = problem
  const guestDistance = cells.map((_, a) =>
    Float64Array.from(cells, (__, b) => problem.guestDistance(a, b) + problem.guestDistance(b, a)),
  )
  const hostDistance = sites.map((_, a) =>
    Float64Array.from(sites, (__, b) => problem.hostDistance(a, b) + problem.hostDistance(b, a)),
  )
  const isCurrent = cells.map(({ current }) => {
    const marks = new Uint8Array(sites.length)
    for (const site of current) marks[site] = 1
    return marks
  })
  const siteOfCell = new Int32Array(cells.length).fill(NOWHERE)
  const freeCores = Float64Array.from(runNodes, ({ cores }) => cores)
  const untaken = Float64Array.from(runNodes, (node) => node.untaken)
  const sizes = [...supply.keys()]
  const pools = [...supply.values()].map((each) => emptyPool(each, problem.overflows))
  const poolOf = Int32Array.from(cells, ({ pagesizeKiB }) => sizes.indexOf(pagesizeKiB))
  let cpus = 0
  let taken = 0
  let distance = 0
  let moved = 0

  const missingWith = (moreKiB: Float64Array | undefined): number => {
    let missing = 0
    for (let at = 0; at < pools.length; at++)
      missing += (pools[at] as SizePool).missingKiB(moreKiB?.[at] ?? 0)
    return missing
  }
  /** All but the distances. */
  const count = (cell: number, at: number, sign: 1 | -1): void => {
    const need = cells[cell] as CellNeed
    const { run, memory } = sites[at] as Site
    if (run !== NOWHERE) {
      const cores = freeCores[run] as number
      freeCores[run] = cores - sign * need.cores
      cpus += beyond(cores, sign * need.cores)
      const free = untaken[run] as number
      untaken[run] = free - sign * need.vcpus
      taken += beyond(free, sign * need.vcpus)
    }
    moved += isCurrent[cell]?.[at] === 1 ? 0 : sign
    pools[poolOf[cell] as number]?.count(memory, sign * need.memoryKiB, sign)
  }
  /** How far the distances of a cell on a site to all others differ; it may stop beyond `most`. */
  const differing = (cell: number, at: number, most = Number.POSITIVE_INFINITY): number => {
    const guestRow = guestDistance[cell] as Float64Array
    const hostRow = hostDistance[at] as Float64Array
    let all = (sites[at] as Site).remote
    for (let other = 0; other < siteOfCell.length && all <= most; other++) {
      const there = siteOfCell[other] as number
      if (there !== NOWHERE && other !== cell)
        all += Math.abs((guestRow[other] as number) - (hostRow[there] as number))
    }
    return all
  }
  const cost = (): SiteCost => {
    let available = 0
    for (const pool of pools) available += pool.lackingKiB()
    const memory = missingWith(undefined)
    return { memory, cpus, taken, nodes: 0, available, distance, moved, caches: 0, split: 0 }
  }

  return {
    problem,
    siteOfCell,
    guestDistance,
    hostDistance,
    cost,
    put: (cell, at) => {
      count(cell, at, 1)
      distance += differing(cell, at)
      siteOfCell[cell] = at
    },
    take: (cell) => {
      const at = siteOfCell[cell] as number
      count(cell, at, -1)
      distance -= differing(cell, at)
      siteOfCell[cell] = NOWHERE
    },
    costWith: (cell, at, least) => {
      count(cell, at, 1)
      const counted = cost()
      count(cell, at, -1)
      if (least !== undefined && compareCosts({ ...counted, moved: Number.NEGATIVE_INFINITY }, least) >= 0)
        return undefined
      const most =
        least !== undefined && isTieUpToDistance(counted, least) ? least.distance - distance : undefined
      const whole = { ...counted, distance: distance + differing(cell, at, most) }
      return least === undefined || compareCosts(whole, least) < 0 ? whole : undefined
    },
    swapIfLess: (a, b) => {
      const [siteA, siteB] = [siteOfCell[a] as number, siteOfCell[b] as number]
      if (siteA === siteB || !mayBeOn(cells[a], siteB) || !mayBeOn(cells[b], siteA)) return
      const before = cost()
      count(a, siteA, -1)
      count(b, siteB, -1)
      count(a, siteB, 1)
      count(b, siteA, 1)
      const counted = cost()
      if (compareCosts({ ...counted, distance: Number.NEGATIVE_INFINITY }, before) < 0) {
        const farBefore = differing(a, siteA) + differing(b, siteB)
        siteOfCell[a] = siteB
        siteOfCell[b] = siteA
        // What lies between the two themselves is the same both ways.
        const far = distance + differing(a, siteB) + differing(b, siteA) - farBefore
        if (compareCosts({ ...counted, distance: far }, before) < 0) {
          distance = far
          return
        }
        siteOfCell[a] = siteA
        siteOfCell[b] = siteB
      }
      count(a, siteB, -1)
      count(b, siteA, -1)
      count(a, siteA, 1)
      count(b, siteB, 1)
    },
    freeCores,
    untaken,
    pools,
    poolOf,
    missingWith,
  }
}

/** By how much more is asked beyond what there is, when so much is taken of it. */
const beyond = (free: number, taken: number): number => Math.max(0, taken - free) - Math.max(0, -free)

function isTieUpToDistance(a: SiteCost, b: SiteCost): boolean {
  return a.memory === b.memory && a.cpus === b.cpus && a.taken === b.taken && a.available === b.available
}

const mayBeOn = (cell: CellNeed | undefined, site: number): boolean => cell?.sites.includes(site) === true
