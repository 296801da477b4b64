// Mappings of a running guest -> its memory by cell: policies, the nodes of its pages, and whether both are
// as expected.

import { type NodeSet, sameSet, subtract, union } from '../base/idset.ts'
import { sum } from '../base/lists.ts'
import { policyWords } from '../explain/actual-placement.ts'
import { findMemory, type MemoryRegion } from '../host/qemu/guest-memory.ts'
import type { CellPlace, MemoryFault, MemoryVerdict } from '../model/actual-placement.ts'
import type { Mapping, MemoryBackend, MemoryPolicy } from '../model/running-guest.ts'
import type { Expected, ExpectedCell, ExpectedMemory } from './expected.ts'

/**
 * The actual memory placement of each cell, in cell order. Cells whose mappings cannot be distinguished share
 * one entry, at the position of the first.
 */
export function cellPlaces(expected: Expected, mappings: readonly Mapping[]): CellPlace[] {
  const backends = expected.memory.flatMap(({ backend }) => (backend === undefined ? [] : [backend]))
  const regions = findMemory(backends, mappings)
  const blockOf = new Map(expected.memory.map((block) => [block.backend, block]))
  const groups = joined(
    expected.cells.map(({ id }) => id),
    regions.map(({ backends }) => backends.map((backend) => blockOf.get(backend)?.cell ?? 0)),
  )
  return groups.map((cells) => {
    const blocks = expected.memory.filter(({ cell }) => cells.includes(cell))
    return placeOf(
      expected,
      cells,
      blocks,
      regions.filter(({ backends: [first] }) => blocks.some(({ backend }) => backend === first)),
    )
  })
}

/** Groups of cells that share regions, directly or through other cells. */
function joined(cells: readonly number[], shared: readonly (readonly number[])[]): number[][] {
  let groups = cells.map((cell) => [cell])
  for (const together of shared) {
    const touched = groups.filter((group) => group.some((cell) => together.includes(cell)))
    if (touched.length < 2) continue
    const one = touched.flat().sort((a, b) => a - b)
    groups = groups.flatMap((group) =>
      group === touched[0] ? [one] : touched.includes(group) ? [] : [group],
    )
  }
  return groups
}

function placeOf(
  expected: Expected,
  cells: readonly number[],
  blocks: readonly ExpectedMemory[],
  regions: readonly MemoryRegion[],
): CellPlace {
  const own = expected.cells.filter(({ id }) => cells.includes(id))
  const [{ mode, pagesizeKiB } = {} as ExpectedCell] = own
  const nodes = own.every((cell) => cell.nodes !== undefined)
    ? union(...own.map((cell) => cell.nodes as NodeSet))
    : undefined
  const found = regions.filter(({ mappings }) => mappings.length > 0)
  const mappings = found.flatMap((region) => region.mappings)
  const blockOf = (backend: MemoryBackend): ExpectedMemory =>
    blocks.find((block) => block.backend === backend) as ExpectedMemory
  const blocksOf = ({ backends }: MemoryRegion): ExpectedMemory[] => backends.map(blockOf)
  const elsewhere = found.map((region) => elsewhereIn(region, blocksOf(region)))
  const nodesKiB = summed(mappings)
  const isFound = (backend: MemoryBackend | undefined): boolean =>
    found.some(({ backends }) => backends.some((each) => each === backend))
  const place = {
    cells,
    memoryKiB: sum(blocks.map(({ sizeKiB }) => sizeKiB)),
    ...(nodes && { nodes }),
    ...(nodes && mode && own.every((cell) => cell.mode === mode) && { mode }),
    policies: distinct(mappings.map(({ policy }) => policy)),
    pagesizesKiB: [...new Set(mappings.flatMap(({ pagesizeKiB: size }) => size ?? []))].sort((a, b) => a - b),
    ...(pagesizeKiB !== undefined && pagesizeKiB > 0 && { expectedPagesizeKiB: pagesizeKiB }),
    nodesKiB,
    allocatedKiB: sum([...nodesKiB.values()]),
    ...(elsewhere.length > 0 &&
      !elsewhere.includes(undefined) && { elsewhereKiB: sum(elsewhere.map((kib) => kib ?? 0)) }),
    strayKiB: sum(found.map((region) => strayIn(region, blocksOf(region)))),
    ...sumOf('thpKiB', mappings),
    ...sumOf('swapKiB', mappings),
    unknownKiB: sum(blocks.filter(({ backend }) => !isFound(backend)).map(({ sizeKiB }) => sizeKiB)),
  }
  const faults = faultsOf(place, found, blocksOf)
  return { ...place, faults, verdict: faults[0] ?? verdictOf(place) }
}

/**
 * KiB on unexpected nodes. Undefined: nothing is expected, or pages of different blocks cannot be
 * distinguished.
 */
function elsewhereIn(region: MemoryRegion, blocks: readonly ExpectedMemory[]): number | undefined {
  const [first] = blocks
  return first?.nodes !== undefined &&
    blocks.every(({ nodes }) => nodes !== undefined && sameSet(nodes, first.nodes as NodeSet))
    ? strayIn(region, blocks)
    : undefined
}

/** KiB on nodes that none of the blocks expects, whichever block they belong to. */
function strayIn({ mappings }: MemoryRegion, blocks: readonly ExpectedMemory[]): number {
  if (blocks.some(({ nodes }) => nodes === undefined)) return 0
  const nodes: readonly number[] = union(...blocks.map((block) => block.nodes as NodeSet))
  return sum([...summed(mappings)].filter(([node]) => !nodes.includes(node)).map(([, kib]) => kib))
}

function summed(mappings: readonly Mapping[]): ReadonlyMap<number, number> {
  const total = new Map<number, number>()
  for (const { nodesKiB } of mappings)
    for (const [node, kib] of nodesKiB ?? []) total.set(node, (total.get(node) ?? 0) + kib)
  return new Map([...total].sort(([a], [b]) => a - b))
}

function sumOf<Key extends 'thpKiB' | 'swapKiB'>(
  key: Key,
  mappings: readonly Mapping[],
): { [K in Key]?: number } {
  const values = mappings.flatMap((mapping) => mapping[key] ?? [])
  return values.length === 0 ? {} : ({ [key]: sum(values) } as { [K in Key]: number })
}

function distinct(policies: readonly MemoryPolicy[]): MemoryPolicy[] {
  const seen = new Map(policies.map((policy) => [policyWords(policy), policy]))
  return [...seen].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, policy]) => policy)
}

/** Of the memory of a cell with mode preferred, what may lie on other nodes without being a finding. */
export const MOST_OVERFLOW_PERCENT = 10

/** Whether mode preferred took a small part from other nodes, as it does where the preferred one is full. */
export function hasOverflowed({ mode, strayKiB, allocatedKiB }: Unjudged): boolean {
  return mode === 'preferred' && strayKiB > 0 && strayKiB * 100 <= allocatedKiB * MOST_OVERFLOW_PERCENT
}

type Unjudged = Omit<CellPlace, 'faults' | 'verdict'>

function faultsOf(
  place: Unjudged,
  regions: readonly MemoryRegion[],
  blocksOf: (of: MemoryRegion) => ExpectedMemory[],
): MemoryFault[] {
  const { strayKiB, expectedPagesizeKiB } = place
  const isBound = (region: MemoryRegion): boolean =>
    region.mappings.every(({ policy }) => blocksOf(region).some((block) => suits(policy, block)))
  // A memory device may have pages of its own size.
  const hasOtherPages = (region: MemoryRegion): boolean =>
    blocksOf(region).every(({ pagesizeKiB }) => pagesizeKiB !== undefined) &&
    region.mappings.some(
      ({ pagesizeKiB }) => pagesizeKiB !== undefined && pagesizeKiB !== expectedPagesizeKiB,
    )
  return [
    ...(strayKiB > 0 && !hasOverflowed(place) ? (['elsewhere'] as const) : []),
    ...(regions.every(isBound) ? [] : (['unbound'] as const)),
    ...(expectedPagesizeKiB !== undefined && regions.some(hasOtherPages) ? (['pagesize'] as const) : []),
  ]
}

function verdictOf(place: Unjudged): MemoryVerdict {
  const { policies, unknownKiB, nodes, elsewhereKiB } = place
  if (policies.length === 0 || unknownKiB > 0) return 'unknown'
  if (nodes === undefined) return 'free'
  if (elsewhereKiB === undefined) return 'unknown'
  return hasOverflowed(place) ? 'overflowed' : 'placed'
}

/**
 * restrictive sets no policy in QEMU: only the cgroup confines the memory, so only the pages can show a
 * fault.
 */
function suits({ mode, nodes }: MemoryPolicy, block: ExpectedMemory): boolean {
  const within = (expected: NodeSet): boolean => nodes.length > 0 && subtract(nodes, expected).length === 0
  if (block.nodes === undefined || block.mode === undefined || block.mode === 'restrictive') return true
  const has: Readonly<Record<string, string>> = {
    'prefer (many)': 'preferred',
    prefer: 'preferred',
    bind: 'strict',
    interleave: 'interleave',
  }
  return has[mode] === block.mode && within(block.nodes)
}
