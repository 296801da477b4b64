// `<cpu><numa>` to the cells as written.

import { MAX_CELLS, range, setOf, type VcpuSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { WrittenCell } from '../model/domain.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import { anySetIn, missing, numberIn, optional, type Reading, sizeIn, UINT_MAX, wordIn } from './values.ts'

/** @see linux include/linux/topology.h, LOCAL_DISTANCE and REMOTE_DISTANCE; ACPI, SLIT */
const LOCAL = 10
const REMOTE = 20
const UNREACHABLE = 255

/**
 * The cells in id order. A cell without id takes its position; vCPUs in no cell fall to cell 0, as in
 * libvirt. Ids that are not 0..n-1, vCPUs in two cells and vCPUs that the guest lacks are refused: libvirt
 * refuses them too.
 * @param vcpus how many the guest has, where that is known
 */
export function readCells(
  reading: Reading,
  numa: XmlElement | undefined,
  vcpus: number | undefined,
): WrittenCell[] {
  if (numa === undefined) return []
  const elements = childrenOf(numa, 'cell')
  if (elements.length === 0) missing(reading, numa, '<cell>')
  if (elements.length > MAX_CELLS) {
    reading.problems.push(
      diagnostic('cells-beyond', { cells: elements.length, max: MAX_CELLS }, tagSpan(numa)),
    )
    return []
  }
  const stated = new Map<number, Map<number, number>>()
  const cells = elements.map((element, position) => {
    const id =
      attribute(element, 'id') === undefined
        ? position
        : (numberIn(reading, element, 'id', [0, UINT_MAX]) ?? position)
    readDistances(reading, element, { id, cells: elements.length, stated })
    return readCell(reading, element, { id, vcpus })
  })
  if (cells.length === 0) return []
  cells.sort((a, b) => a.id - b.id)
  if (cells.some(({ id }, position) => id !== position)) {
    reading.problems.push(diagnostic('cell-ids', { ids: cells.map(({ id }) => id) }, tagSpan(numa)))
    return cells
  }
  reportOverlap(reading, cells, numa)
  const listed = new Set(cells.flatMap((cell) => cell.vcpus))
  const unlisted = range(vcpus ?? 0).filter((id) => !listed.has(id))
  return cells.map((cell) => ({
    ...cell,
    distances: complete(cell.id, cells.length, stated.get(cell.id)),
    ...(cell.id === 0 && unlisted.length > 0 && { vcpus: setOf<VcpuSet>([...cell.vcpus, ...unlisted]) }),
  }))
}

/** What a cell carries beyond its own attributes; building cells anew would lose it. */
export function readCellExtras(numa: XmlElement | undefined): string[] {
  const inCells = childrenOf(numa, 'cell').flatMap((cell) =>
    cell.children.filter(({ local }) => local !== 'distances'),
  )
  const outside = numa?.children.filter(({ local }) => local !== 'cell') ?? []
  return [...new Set([...inCells, ...outside].map(({ name }) => `<${name}>`))].sort()
}

/** A cell's id, and how many vCPUs the guest has, where that is known. */
interface CellOf {
  readonly id: number
  readonly vcpus: number | undefined
}

function readCell(
  reading: Reading,
  element: XmlElement,
  { id, vcpus = Number.POSITIVE_INFINITY }: CellOf,
): WrittenCell {
  const own = anySetIn<VcpuSet>(reading, element, 'cpus') ?? setOf<VcpuSet>([])
  const beyond = own.filter((vcpu) => vcpu >= vcpus)
  if (beyond.length > 0) {
    const facts = { cell: id, vcpus: setOf<VcpuSet>(beyond), count: vcpus }
    reading.problems.push(diagnostic('cell-vcpus-missing', facts, tagSpan(element)))
  }
  return {
    id,
    vcpus: own,
    memoryKiB: sizeIn(reading, element, 'memory')?.kib ?? 0,
    distances: [],
    ...optional('memAccess', wordIn(reading, element, 'memAccess', ['shared', 'private'])),
    ...optional('discard', wordIn(reading, element, 'discard', ['yes', 'no'])),
  }
}

/** A cell (id), how many there are, and the map that its distances go into: from each cell to others. */
interface Row {
  readonly id: number
  readonly cells: number
  readonly stated: Map<number, Map<number, number>>
}

/**
 * A distance that is stated counts in the other direction too, unless that one is stated.
 * @see libvirt virDomainNumaDefNodeDistanceParseXML
 */
function readDistances(reading: Reading, cell: XmlElement, { id, cells, stated }: Row): void {
  const element = child(cell, 'distances')
  if (element === undefined) return
  const siblings = childrenOf(element, 'sibling')
  if (siblings.length === 0) missing(reading, element, '<sibling>')
  for (const each of siblings) {
    const sibling = numberIn(reading, each, 'id', [0, UINT_MAX])
    const value = numberIn(reading, each, 'value', [0, UINT_MAX])
    if (sibling === undefined || value === undefined) continue
    const facts = { cell: id, sibling, value }
    const fits = sibling === id ? value === LOCAL : value > LOCAL && value <= UNREACHABLE
    if (sibling >= cells)
      reading.problems.push(diagnostic('distance-without-cell', { ...facts, cells }, tagSpan(each)))
    else if (!fits) reading.problems.push(diagnostic('distance-invalid', facts, tagSpan(each)))
    else {
      rowOf(stated, id).set(sibling, value)
      const back = rowOf(stated, sibling)
      if (!back.has(id)) back.set(id, value)
    }
  }
}

function rowOf(stated: Map<number, Map<number, number>>, id: number): Map<number, number> {
  const row = stated.get(id) ?? new Map<number, number>()
  stated.set(id, row)
  return row
}

/** A row of which anything is known is completed. @see libvirt virDomainNumaGetNodeDistance */
function complete(id: number, cells: number, row: ReadonlyMap<number, number> | undefined): number[] {
  if (row === undefined) return []
  return range(cells).map((other) => row.get(other) ?? (other === id ? LOCAL : REMOTE))
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
