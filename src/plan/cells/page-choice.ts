// pagesize=1G,2M: for each cell the first page size that its nodes can supply.
//
// Cells choose in order, each after those before it have taken their pages. A size counts for a cell if it
// divides the cell's memory, and if the host lacks neither pages nor a mount nor a higher limit of the cgroup
// for the cells up to this one. A cell that no size fits gets the last one that divides its memory, so that
// the shortage is reported of the pages that are easiest to allocate.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { Cell, Memnode, PlanInput, Planned } from '../../model/placement.ts'
import type { Pagesize } from '../../model/request.ts'
import { backingsOf, dimmsAlikeKiB } from '../backing/backings.ts'
import { missingKiB, shortages } from '../backing/shortages.ts'

/**
 * Nodes and the division of memory depend on the page size, so each size is tried in turn for all cells; then
 * cells get the first size that their nodes can supply. The first such plan without a shortage counts, else
 * the one that lacks the least.
 * @param sizes in the order of preference
 * @param plan makes all cells with the one size of the request
 * @throws Refusal of the first size, where each of them is refused
 */
export function planWithSizes(
  input: PlanInput,
  sizes: readonly Pagesize[],
  plan: (input: PlanInput) => Planned,
): Planned {
  const { resources, request } = input
  const refusals: Refusal[] = []
  let best: Planned | undefined
  let least = Number.POSITIVE_INFINITY
  for (const pagesizeKiB of sizes) {
    try {
      const mixed = withPagesizes(plan({ ...input, request: { ...request, pagesizeKiB } }), input, sizes)
      const backings = backingsOf(mixed.placement, input)
      if (shortages(resources, backings).length === 0) return mixed
      const lacking = missingKiB(resources, backings)
      if (lacking < least) [best, least] = [mixed, lacking]
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refusals.push(error)
    }
  }
  if (best === undefined) throw refusals[0]
  return best
}

/** The same cells, each with the first size that its nodes can supply. */
function withPagesizes(planned: Planned, input: PlanInput, sizes: readonly Pagesize[]): Planned {
  const { cells, binding } = planned.placement
  const memnodes: Memnode[] = []
  for (const [index, cell] of cells.entries()) {
    const bare = binding.memnodes[index] as Memnode
    const options = sizes.filter((size) => divides(size, cell, input)).map((size) => withSize(bare, size))
    const found = options.find((memnode) => isSupplied(cells, [...memnodes, memnode], input))
    memnodes.push(found ?? options.at(-1) ?? bare)
  }
  return {
    ...planned,
    placement: { ...planned.placement, binding: { ...binding, memnodes } },
    notes: [...fallbackNotes(cells, memnodes, input, sizes[0]), ...planned.notes],
  }
}

function divides(size: Pagesize, { id, memoryKiB }: Cell, { view }: PlanInput): boolean {
  return size === 'none' || (memoryKiB + dimmsAlikeKiB(id, view.memoryDevices)) % size === 0
}

function withSize({ nodes, mode }: Memnode, size: Pagesize): Memnode {
  return { nodes, mode, ...(size !== 'none' && { pagesizeKiB: size }) }
}

/** @param memnodes of the first cells */
function isSupplied(cells: readonly Cell[], memnodes: readonly Memnode[], input: PlanInput): boolean {
  const placement = {
    cells: cells.slice(0, memnodes.length),
    binding: { memnodes, vcpupin: [], iothreadpin: [] },
  }
  return shortages(input.resources, backingsOf(placement, input)).length === 0
}

function fallbackNotes(
  cells: readonly Cell[],
  memnodes: readonly Memnode[],
  input: PlanInput,
  first: Pagesize | undefined,
): Diagnostic[] {
  if (first === undefined || first === 'none') return []
  const others = [...new Set(memnodes.map(({ pagesizeKiB }) => pagesizeKiB))].filter((size) => size !== first)
  return others.flatMap((pagesizeKiB) => {
    const own = cells.filter((_, index) => memnodes[index]?.pagesizeKiB === pagesizeKiB)
    const noteOn = (some: readonly Cell[], because: 'not-supplied' | 'not-whole-pages'): Diagnostic[] => {
      const facts = { cells: some.map(({ id }) => id), requestedKiB: first, because }
      if (some.length === 0) return []
      return [
        diagnostic('pagesize-fallback', { ...facts, ...(pagesizeKiB !== undefined && { pagesizeKiB }) }),
      ]
    }
    return [
      ...noteOn(
        own.filter((cell) => divides(first, cell, input)),
        'not-supplied',
      ),
      ...noteOn(
        own.filter((cell) => !divides(first, cell, input)),
        'not-whole-pages',
      ),
    ]
  })
}
