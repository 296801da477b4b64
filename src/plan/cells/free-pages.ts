// memory=by-free-pages: cells as large as their nodes can back now, and as near to by-vcpu as that allows.
//
// Every cell starts with its by-vcpu share. What a cell's node cannot give goes to the cells whose nodes
// have more, in proportion to their vCPUs, until everything is given. Surplus pages count only for a cell
// that would have none otherwise, and if the pools together have too few.

import { type NodeSet, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { refuse } from '../../codes/codes.ts'
import type { Resources } from '../../model/host.ts'
import type { PlanInput } from '../../model/placement.ts'
import { type PageSupply, pageSupply, poolOf, reservedPages } from '../backing/supply.ts'

/** What is divided: this many units, of which each cell gets a whole number. */
export interface MemoryUnits {
  readonly units: number
  readonly unitKiB: number
}

/** One cell: the node that backs it and its vCPUs. */
export interface Backed {
  readonly node: number
  readonly vcpus: number
}

/**
 * Cells of one node share its capacity evenly.
 * @param memory what is to be divided, in units of a whole number of pages
 * @returns units per cell
 * @throws Refusal `pages-short-in-all`: the sum of what the nodes can give is too small; `node-without-pages`
 */
export function byFreePages(
  { resources, request }: PlanInput,
  { units, unitKiB }: MemoryUnits,
  cells: readonly Backed[],
  pagesizeKiB: number,
): number[] {
  const supply = pageSupply(resources, pagesizeKiB)
  const perUnit = unitKiB / pagesizeKiB
  const kept = reservedPages(request, pagesizeKiB)
  const onNodes: CellsOnNodes = { cells, resources, supply, perUnit }
  const free = capacitiesOf(cells, (node) => {
    const index = resources.nodes.findIndex(({ id }) => id === node)
    return Math.floor(Math.max(0, (supply.left.free[index] ?? 0) - kept) / perUnit)
  })
  const inAll = sum(free)
  const short = Math.max(0, units - inAll)
  const surplus = surplusOf(onNodes, short, free)
  const granted = sum(surplus)
  if (granted < short || units * perUnit > supply.total) {
    const isLimited = supply.limit !== undefined && supply.limit < units * perUnit
    refuse('pages-short-in-all', {
      need: units * perUnit,
      pagesizeKiB,
      nodes: setOf<NodeSet>(cells.map(({ node }) => node)),
      ...(!isLimited && { pool: poolOf(resources, cells[0]?.node ?? 0, pagesizeKiB) }),
      available: Math.min(supply.total, (inAll + granted) * perUnit),
      kept,
    })
  }
  const capacities = free.map((each, cell) => each + (surplus[cell] as number))
  const bare = capacities.indexOf(0)
  if (bare >= 0) refuseBare(onNodes, bare, kept)
  return fill(
    units,
    cells.map(({ vcpus }) => vcpus),
    capacities,
  )
}

function refuseBare({ cells, resources, supply, perUnit }: CellsOnNodes, cell: number, kept: number): never {
  const { pagesizeKiB } = supply
  const node = cells[cell]?.node ?? 0
  const free = supply.left.free[resources.nodes.findIndex(({ id }) => id === node)] ?? 0
  const needed = kept + perUnit * cells.filter((each) => each.node === node).length
  const pool = poolOf(resources, node, pagesizeKiB)
  refuse('node-without-pages', { cell, pagesizeKiB, missing: needed - free, pool })
}

interface CellsOnNodes {
  readonly cells: readonly Backed[]
  readonly resources: Resources
  readonly supply: PageSupply
  /** Pages of one unit. */
  readonly perUnit: number
}

function capacitiesOf(cells: readonly Backed[], ofNode: (node: number) => number): number[] {
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
function surplusOf(
  { cells, resources, supply: { makeable, extra }, perUnit }: CellsOnNodes,
  short: number,
  free: readonly number[],
): number[] {
  const most = (short + cells.length) * cells.length
  const capacity = capacitiesOf(cells, (node) => {
    const units = Math.floor((makeable[resources.nodes.findIndex(({ id }) => id === node)] ?? 0) / perUnit)
    return Math.min(units, most)
  })
  let left = Math.floor(extra / perUnit)
  const first = free.map((each, cell): number => {
    const one = each === 0 && capacity[cell] !== 0 && left > 0 ? 1 : 0
    left -= one
    return one
  })
  const rest = capacity.map((each, cell) => each - (first[cell] as number))
  const open = short - sum(first)
  const more = fill(
    Math.max(0, Math.min(open, left, sum(rest))),
    cells.map(({ vcpus }) => vcpus),
    rest,
  )
  return first.map((each, cell) => each + (more[cell] as number))
}

/**
 * Gives units in rounds: every cell that is not full gets its proportion, at most its capacity. A rest too
 * small for that is given one by one, from the lowest cell.
 */
export function fill(units: number, weights: readonly number[], capacity: readonly number[]): number[] {
  const got = weights.map(() => 0)
  for (let left = units; left > 0; ) {
    const open = got.flatMap((each, cell) => (each < (capacity[cell] as number) ? [cell] : []))
    const all = sum(open.map((cell) => weights[cell] as number))
    const before = left
    for (const cell of open) {
      const share = Math.min(
        Math.floor((before * (weights[cell] as number)) / all),
        (capacity[cell] as number) - (got[cell] as number),
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
