// memory=by-free-pages: cells as large as their nodes can back now, and as near to by-vcpu as that allows.
//
// Every cell starts with its by-vcpu share. What a cell's node cannot give goes to the cells that still have
// room, in proportion to their vCPUs, until it is all dealt. Surplus pages are counted in only where a cell
// would have none at all, and when the pools have not enough together.

import { formatKiB } from '../../base/memory.ts'
import { refuse } from '../../codes/codes.ts'
import type { Request, Resources } from '../../model.ts'
import { type PageSupply, pageSupply, reservedPages } from '../backing/supply.ts'

/** One cell: the node that backs it and its vCPUs. */
export interface Backed {
  readonly node: number
  readonly vcpus: number
}

/**
 * Cells of one node share its room evenly.
 * @param units what is to be dealt, each of `unitKiB`, a whole number of pages
 * @throws Refusal `pages-short-in-all`: the sum of what the nodes can give is too small; `node-without-pages`
 */
export function byFreePages(
  units: number,
  unitKiB: number,
  cells: readonly Backed[],
  resources: Resources,
  request: Request,
  pagesizeKiB: number,
): number[] {
  const room = pageSupply(resources, pagesizeKiB)
  const perUnit = unitKiB / pagesizeKiB
  const kept = reservedPages(request, pagesizeKiB)
  const free = cellRoom(cells, (node) => {
    const index = resources.nodes.findIndex(({ id }) => id === node)
    return Math.floor(Math.max(0, (room.free[index] ?? 0) - kept) / perUnit)
  })
  const inAll = free.reduce((sum, each) => sum + each, 0)
  const short = Math.max(0, units - inAll)
  const surplus = surplusRoom(short, free, cells, resources, room, perUnit)
  const granted = surplus.reduce((sum, each) => sum + each, 0)
  if (granted < short || units * perUnit > room.total) {
    refuse('pages-short-in-all', {
      need: units * perUnit,
      page: formatKiB(pagesizeKiB),
      nodes: [...new Set(cells.map(({ node }) => node))].join(', '),
      room: Math.min(room.total, (inAll + granted) * perUnit),
      kept,
    })
  }
  const rooms = free.map((each, cell) => each + (surplus[cell] as number))
  const bare = rooms.indexOf(0)
  if (bare >= 0)
    refuse('node-without-pages', {
      cell: bare,
      node: cells[bare]?.node ?? 0,
      page: formatKiB(pagesizeKiB),
      cells: cells.length,
    })
  return fill(
    units,
    cells.map(({ vcpus }) => vcpus),
    rooms,
  )
}

function cellRoom(cells: readonly Backed[], ofNode: (node: number) => number): number[] {
  return cells.map(({ node }, cell) => {
    const sharing = cells.flatMap((other, index) => (other.node === node ? [index] : []))
    const units = ofNode(node)
    return Math.floor(units / sharing.length) + (sharing.indexOf(cell) < units % sharing.length ? 1 : 0)
  })
}

/**
 * One unit for each cell that has none, then what is short by vCPUs: no more than overcommit and the nodes'
 * free memory allow.
 */
function surplusRoom(
  short: number,
  free: readonly number[],
  cells: readonly Backed[],
  resources: Resources,
  { makeable, extra }: PageSupply,
  perUnit: number,
): number[] {
  const most = (short + cells.length) * cells.length
  const room = cellRoom(cells, (node) => {
    const units = Math.floor((makeable[resources.nodes.findIndex(({ id }) => id === node)] ?? 0) / perUnit)
    return Math.min(units, most)
  })
  let left = Math.floor(extra / perUnit)
  const first = free.map((each, cell) => {
    const one = each === 0 && room[cell] !== 0 && left > 0 ? 1 : 0
    left -= one
    return one
  })
  const rest = room.map((each, cell) => each - (first[cell] as number))
  const open = short - first.reduce<number>((sum, each) => sum + each, 0)
  const more = fill(
    Math.max(
      0,
      Math.min(
        open,
        left,
        rest.reduce((sum, each) => sum + each, 0),
      ),
    ),
    cells.map(({ vcpus }) => vcpus),
    rest,
  )
  return first.map((each, cell) => each + (more[cell] as number))
}

/**
 * Deals in rounds: every cell with room its proportion, at most its room; a rest too small for that one by
 * one from the lowest.
 */
export function fill(units: number, weights: readonly number[], room: readonly number[]): number[] {
  const got = weights.map(() => 0)
  for (let left = units; left > 0; ) {
    const open = got.flatMap((each, cell) => (each < (room[cell] as number) ? [cell] : []))
    const sum = open.reduce((total, cell) => total + (weights[cell] as number), 0)
    const before = left
    for (const cell of open) {
      const share = Math.min(
        Math.floor((before * (weights[cell] as number)) / sum),
        (room[cell] as number) - (got[cell] as number),
      )
      got[cell] = (got[cell] as number) + share
      left -= share
    }
    if (left < before) continue
    for (const cell of open.slice(0, left)) got[cell] = (got[cell] as number) + 1
    left -= Math.min(left, open.length)
  }
  return got
}
