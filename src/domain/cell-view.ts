// `<cpu><numa>` to the cells as written.

import { diagnostic } from '../base/diagnostic.ts'
import { gather } from '../base/gather.ts'
import { MAX_CELLS, setOf, type VcpuSet } from '../base/idset.ts'
import { parseLibvirtSize } from '../base/memory.ts'
import type { WrittenCell } from '../model.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import { numberIn, optional, type Reading, setIn } from './values.ts'

/**
 * The cells in id order. A cell without id takes its position; vCPUs in no cell fall to cell 0, as in libvirt.
 * Ids that are not 0..n-1 and vCPUs in two cells are refused: libvirt refuses them too.
 */
export function readCells(reading: Reading, numa: XmlElement | undefined, vcpus: number): WrittenCell[] {
  const cells = childrenOf(numa, 'cell').map((element, position) => readCell(reading, element, position))
  if (numa === undefined || cells.length === 0) return []
  if (cells.length > MAX_CELLS) {
    reading.problems.push(diagnostic('cells-beyond', { cells: cells.length, max: MAX_CELLS }, tagSpan(numa)))
    return []
  }
  cells.sort((a, b) => a.id - b.id)
  if (cells.some(({ id }, position) => id !== position)) {
    reading.problems.push(diagnostic('cell-ids', { ids: cells.map(({ id }) => id).join(', '), last: cells.length - 1 }, tagSpan(numa)))
    return cells
  }
  reportOverlap(reading, cells, numa)
  const listed = new Set(cells.flatMap((cell) => cell.vcpus))
  const missing = Array.from({ length: vcpus }, (_, id) => id).filter((id) => !listed.has(id))
  return cells.map((cell) => (cell.id === 0 && missing.length > 0 ? { ...cell, vcpus: setOf<VcpuSet>([...cell.vcpus, ...missing]) } : cell))
}

/** What a cell carries beyond its own attributes; building cells anew would lose it. */
export function readCellExtras(numa: XmlElement | undefined): string[] {
  const inCells = childrenOf(numa, 'cell').flatMap((cell) => cell.children.filter(({ local }) => local !== 'distances'))
  const beside = numa?.children.filter(({ local }) => local !== 'cell') ?? []
  return [...new Set([...inCells, ...beside].map(({ name }) => `<${name}>`))].sort()
}

function readCell(reading: Reading, element: XmlElement, position: number): WrittenCell {
  const memory = attribute(element, 'memory')
  const size = gather(
    reading.problems,
    () => parseLibvirtSize(memory?.value ?? '', attribute(element, 'unit')?.value, '<cell memory>'),
    memory ?? tagSpan(element),
  )
  return {
    id: attribute(element, 'id') === undefined ? position : (numberIn(reading, element, 'id', 0, 16_384) ?? position),
    vcpus: setIn<VcpuSet>(reading, element, 'cpus') ?? setOf<VcpuSet>([]),
    memoryKiB: size?.kib ?? 0,
    distances: readDistances(reading, element),
    ...optional('memAccess', attribute(element, 'memAccess')?.value),
    ...optional('discard', attribute(element, 'discard')?.value),
  }
}

function readDistances(reading: Reading, cell: XmlElement): Map<number, number> {
  const distances = new Map<number, number>()
  for (const sibling of childrenOf(child(cell, 'distances'), 'sibling')) {
    const id = numberIn(reading, sibling, 'id', 0, 16_384)
    const value = numberIn(reading, sibling, 'value', 0, 255)
    if (id !== undefined && value !== undefined) distances.set(id, value)
  }
  return distances
}

function reportOverlap(reading: Reading, cells: readonly WrittenCell[], numa: XmlElement): void {
  const owner = new Map<number, number>()
  for (const { id, vcpus } of cells) {
    for (const vcpu of vcpus) {
      const other = owner.get(vcpu)
      if (other !== undefined) {
        reading.problems.push(diagnostic('cells-overlap', { vcpu, cells: [other, id] }, tagSpan(numa)))
        return
      }
      owner.set(vcpu, id)
    }
  }
}
