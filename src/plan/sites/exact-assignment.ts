// The best of all assignments of cells to sites, starting from a good one.
//
// Cells are placed in order, each on every site in order, and a partial assignment is given up as soon as
// what it costs so far, and what the open cells cost at least, is no better than the best. Of equally good
// ones the first is taken, so the lowest sites.

import { compareCosts, type SiteCost } from './cost.ts'
import type { CellNeed, PartialAssignment } from './partial-assignment.ts'
import { NOWHERE, type Site } from './sites.ts'
import { leftOf, type SizePool } from './size-pool.ts'

/** @returns what was best after at most so many partial assignments */
export function bestAssignment(
  assignment: PartialAssignment,
  mostStates: number,
): { siteOfCell: readonly number[]; cost: SiteCost; states: number } {
  const { siteOfCell, problem } = assignment
  const { cells } = problem
  let best = { siteOfCell: [...siteOfCell], cost: assignment.cost() }
  for (const cell of cells.keys()) assignment.take(cell)
  const open = openCells(assignment)
  let isOwn = false
  let states = 0
  // Until the search itself has come to the start's cost, equally good is let through: its sites may be
  // lower.
  const isHopeless = (bound: SiteCost, distance = bound.distance): boolean => {
    const more = compareCosts(distance === bound.distance ? bound : { ...bound, distance }, best.cost)
    return isOwn ? more >= 0 : more > 0
  }
  const extend = (cell: number): void => {
    const bound = cell === cells.length ? assignment.cost() : open.bound(cell, best.cost)
    if (bound === undefined || isHopeless(bound)) return
    if (cell === cells.length) {
      best = { siteOfCell: [...siteOfCell], cost: bound }
      isOwn = true
      return
    }
    if (states >= mostStates) return
    states += 1
    const leastOn = open.leastDistanceOn[cell] as Float64Array
    for (const site of (cells[cell] as CellNeed).sites) {
      if (isHopeless(bound, leastOn[site])) continue
      assignment.put(cell, site)
      open.put(cell, site, 1)
      extend(cell + 1)
      open.put(cell, site, -1)
      assignment.take(cell)
    }
  }
  extend(0)
  return { ...best, states }
}

interface OpenCells {
  readonly put: (cell: number, site: number, sign: 1 | -1) => void
  /**
   * What the whole costs at least when the cells from this one on are open; undefined: more than the best.
   */
  readonly bound: (cell: number, best: SiteCost) => SiteCost | undefined
  /**
   * Per cell and site: what `bound` of that cell last found that all distances differ at least with it on
   * that site.
   */
  readonly leastDistanceOn: readonly Float64Array[]
}

/**
 * An open cell lacks at least what it would lack now on the site where that is least, since nodes only fill
 * up; and all together what the nodes have left is too little for. Its distances differ at least as on the
 * site that suits it best, among those where what is missing does not exceed the best already: those to
 * placed cells as they are there, those to open cells half, since the other half is the other cell's, and as
 * by the distance from that site that suits them best.
 */
function openCells(assignment: PartialAssignment): OpenCells {
  const { guestDistance, hostDistance, problem, freeCores, untaken, pools, poolOf } = assignment
  const { cells, sites } = problem
  const toOpen = halvesToOpen(assignment)
  /** How much each cell's distances to the placed ones differ on each site, and that of its own memory. */
  const toPlaced = cells.map(() => Float64Array.from(sites, ({ remote }) => remote))
  const leastDistanceOn = cells.map(() => new Float64Array(sites.length).fill(Number.POSITIVE_INFINITY))
  /**
   * Per pool: what is asked in all, what the cells lack at least by themselves, of what can be there and of
   * what is there now, and one cell's lack.
   */
  const perPool = (): Float64Array => new Float64Array(pools.length)
  const [asked, alone, aloneNow, one] = [perPool(), perPool(), perPool(), perPool()]

  const missingWithOne = (pool: number, kib: number): number => {
    one[pool] = kib
    const missing = assignment.missingWith(one)
    one[pool] = 0
    return missing
  }
  const lacked = (need: number, left: Float64Array, at: number): number =>
    at === NOWHERE ? 0 : Math.max(0, need - Math.max(0, left[at] as number))
  const exceeds = (cost: SiteCost, best: SiteCost, memory: number, cores: number): boolean =>
    cost.cpus + cores > best.cpus || (cost.cpus + cores === best.cpus && memory > best.memory)

  /** What one open cell costs at least, and where its distances may be least. */
  const leastOf = (cell: number, first: number, cost: SiteCost, best: SiteCost): LeastOfCell => {
    const need = cells[cell] as CellNeed
    const at = poolOf[cell] as number
    const pool = pools[at] as SizePool | undefined
    const half = toOpen[first]?.[cell] as Float64Array
    const placed = toPlaced[cell] as Float64Array
    const onSites = leastDistanceOn[cell] as Float64Array
    const least: { -readonly [Key in keyof LeastOfCell]: LeastOfCell[Key] } = { ...NOT_FOUND }
    for (const index of need.sites) {
      const site = sites[index] as Site
      const kib = pool === undefined || pool.overflows ? 0 : lacked(need.memoryKiB, pool.freeKiB, site.memory)
      const now = pool === undefined ? 0 : lacked(need.memoryKiB, pool.nowKiB, site.memory)
      const cores = lacked(need.cores, freeCores, site.run)
      const taken = lacked(need.vcpus, untaken, site.run)
      if (kib < least.kib) least.kib = kib
      if (now < least.now) least.now = now
      if (cores < least.cores) least.cores = cores
      if (taken < least.taken) least.taken = taken
      let there = (placed[index] as number) + (half[index] as number)
      if (cell === first || there < least.distance) {
        const memory = kib === 0 ? cost.memory : missingWithOne(at, kib)
        if (pool?.overflows !== true && exceeds(cost, best, memory, cores)) there = Number.POSITIVE_INFINITY
      }
      if (cell === first) onSites[index] = there
      if (there < least.distance) least.distance = there
    }
    return least
  }
  return {
    leastDistanceOn,
    put: (cell, site, sign) => {
      const hostRow = hostDistance[site] as Float64Array
      for (let other = cell + 1; other < cells.length; other++) {
        const wanted = guestDistance[other]?.[cell] as number
        const row = toPlaced[other] as Float64Array
        for (let there = 0; there < row.length; there++)
          row[there] = (row[there] as number) + sign * Math.abs(wanted - (hostRow[there] as number))
      }
    },
    bound: (first, best) => {
      const cost = assignment.cost()
      for (const sums of [asked, alone, aloneNow]) sums.fill(0)
      let [cores, coresAlone, vcpus, takenAlone] = [0, 0, 0, 0]
      let [distance, ofFirst] = [cost.distance, 0]
      for (let cell = first; cell < cells.length; cell++) {
        const need = cells[cell] as CellNeed
        const least = leastOf(cell, first, cost, best)
        if (least.distance === Number.POSITIVE_INFINITY) return undefined
        if (cell === first) ofFirst = least.distance
        distance += least.distance
        cores += need.cores
        coresAlone += least.cores
        vcpus += need.vcpus
        takenAlone += least.taken
        const at = poolOf[cell] as number
        if (at === NOWHERE) continue
        asked[at] = (asked[at] as number) + need.memoryKiB
        alone[at] = (alone[at] as number) + least.kib
        aloneNow[at] = (aloneNow[at] as number) + least.now
      }
      const onFirst = leastDistanceOn[first] as Float64Array
      for (let site = 0; site < onFirst.length; site++)
        onFirst[site] = (onFirst[site] as number) + distance - ofFirst
      let [memory, available] = [0, 0]
      for (const [at, pool] of pools.entries()) {
        memory += pool.leastMissingKiB(asked[at] as number, alone[at] as number)
        available += pool.leastLackingKiB(asked[at] as number, aloneNow[at] as number)
      }
      return {
        ...cost,
        memory,
        cpus: cost.cpus + Math.max(0, coresAlone, cores - leftOf(freeCores)),
        taken: cost.taken + Math.max(0, takenAlone, vcpus - leftOf(untaken)),
        available,
        distance,
      }
    },
  }
}

/** KiB that a cell lacks at least: of what can be there, and of what is there now. */
interface LeastOfCell {
  readonly distance: number
  readonly kib: number
  readonly now: number
  readonly cores: number
  readonly taken: number
}

const NOT_FOUND: LeastOfCell = {
  distance: Number.POSITIVE_INFINITY,
  kib: Number.POSITIVE_INFINITY,
  now: Number.POSITIVE_INFINITY,
  cores: Number.POSITIVE_INFINITY,
  taken: Number.POSITIVE_INFINITY,
}

/**
 * Per first open cell, cell and site: what its distances to open cells differ at least, halved. What is open
 * from one cell on is what is open from the next one on, and that cell.
 */
function halvesToOpen({ problem, guestDistance, hostDistance }: PartialAssignment): Float64Array[][] {
  const { cells, sites } = problem
  const halves = cells.map(() => cells.map(() => new Float64Array(sites.length)))
  for (const [cell, wanted] of guestDistance.entries())
    for (const [site, row] of hostDistance.entries()) {
      let half = 0
      for (let first = cells.length - 1; first >= 0; first--) {
        if (first !== cell) half += leastDifference(wanted[first] as number, row) / 2
        const ofCell = halves[first]?.[cell] as Float64Array
        ofCell[site] = half
      }
    }
  return halves
}

function leastDifference(wanted: number, row: Float64Array): number {
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at < row.length && least > 0; at++)
    least = Math.min(least, Math.abs(wanted - (row[at] as number)))
  return least
}
