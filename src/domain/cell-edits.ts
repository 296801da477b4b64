// Cells to edits of `<cpu><numa>`.

import { formatSet, sameSet } from '../base/idset.ts'
import type { CpuTopology, WrittenCell } from '../model/domain.ts'
import type { Cell } from '../model/placement.ts'
import { type Edit, removeElement } from '../xml/edit.ts'
import { insertChildren, type NewElement } from '../xml/insert.ts'
import { attribute, child, childrenOf, type XmlElement } from '../xml/parse.ts'
import { asElement, type DesiredChild, reconcile, setAttributes } from './reconcile.ts'
import type { Fitting, Section } from './section.ts'

const CPU = ['model', 'vendor', 'topology', 'cache', 'maxphysaddr', 'feature', 'numa']

/** Cells that are there get new values; what else they hold stays. */
export function cellEdits(fitting: Fitting): Section {
  const { document, view, write } = fitting
  const { cells, topology } = fitting.placement
  const cpu = child(document.root, 'cpu')
  const numa = child(cpu, 'numa')
  const written = child(cpu, 'topology')
  const desired = cells.map((cell) => desiredCell(cell, view.cells))
  const added: NewElement[] = [
    ...(topology === undefined || written !== undefined ? [] : [newTopology(topology)]),
    ...(numa === undefined ? [{ name: 'numa', attributes: [], children: desired.map(asElement) }] : []),
  ]
  if (cpu === undefined) return { edits: [], added: { name: 'cpu', attributes: [], children: added } }
  return {
    edits: [
      ...(topology === undefined || written === undefined
        ? []
        : setAttributes(document, written, topologyAttributes(topology, written))),
      ...(numa === undefined ? [] : inNuma(fitting, numa, desired)),
      ...insertChildren(document, cpu, { added, order: CPU }, write),
    ],
  }
}

const newTopology = (topology: CpuTopology): NewElement => ({
  name: 'topology',
  attributes: topologyAttributes(topology, undefined),
})

/** Versions of libvirt that do not know dies or clusters need no attribute to say that there is one. */
function topologyAttributes(topology: CpuTopology, written: XmlElement | undefined): [string, string][] {
  return (['sockets', 'dies', 'clusters', 'cores', 'threads'] as const)
    .filter(
      (name) => !OPTIONAL.includes(name) || topology[name] > 1 || attribute(written, name) !== undefined,
    )
    .map((name) => [name, `${topology[name]}`])
}

const OPTIONAL = ['dies', 'clusters']

function desiredCell(
  { id, vcpus, memoryKiB, distances }: Cell,
  before: readonly WrittenCell[],
): DesiredChild {
  return {
    name: 'cell',
    key: `${id}`,
    attributes: [
      ['id', `${id}`],
      ['cpus', vcpus.length === 0 ? undefined : formatSet(vcpus)],
      ['memory', `${memoryKiB}`],
      ['unit', 'KiB'],
      ['memAccess', before[0]?.memAccess],
      ['discard', before[0]?.discard],
    ],
    ...(distances.length > 0 && {
      children: [{ name: 'distances', attributes: [], children: distances.map(sibling) }],
    }),
  }
}

function sibling(value: number, id: number): NewElement {
  return {
    name: 'sibling',
    attributes: [
      ['id', `${id}`],
      ['value', `${value}`],
    ],
  }
}

function inNuma(fitting: Fitting, numa: XmlElement, desired: readonly DesiredChild[]): Edit[] {
  const { document, view, write } = fitting
  const { cells } = fitting.placement
  const keyOf = (element: XmlElement, position: number): string =>
    String(Number(attribute(element, 'id')?.value ?? position))
  const elements = childrenOf(numa, 'cell')
  const written = new Map(elements.map((element, position) => [keyOf(element, position), element]))
  const kept = desired.map((each, index) => {
    const element = written.get(each.key)
    const before = view.cells[index]
    return element === undefined || before === undefined
      ? each
      : { ...each, attributes: changed(each, before, cells[index] as Cell, element) }
  })
  const inside = cells.flatMap((cell, index) => {
    const element = written.get(`${cell.id}`)
    const before = view.cells[index]
    return element === undefined || before === undefined ? [] : distanceEdits(fitting, element, before, cell)
  })
  return [
    ...reconcile(
      document,
      numa,
      { names: ['cell'], keyOf, desired: kept, order: ['cell', 'interconnects'] },
      write,
    ),
    ...inside,
  ]
}

/** Memory that is the same in another unit stays; a cell without id is known by its position. */
function changed(
  desired: DesiredChild,
  before: WrittenCell,
  cell: Cell,
  element: XmlElement,
): DesiredChild['attributes'] {
  const same = before.memoryKiB === cell.memoryKiB
  return desired.attributes.filter(([name]) => {
    if (name === 'memAccess' || name === 'discard' || name === 'id') return false
    if (name === 'memory') return !same
    return name !== 'unit' || (!same && attribute(element, 'unit') !== undefined)
  })
}

function distanceEdits(
  { document, write }: Fitting,
  element: XmlElement,
  before: WrittenCell,
  { distances }: Cell,
): Edit[] {
  const written = child(element, 'distances')
  const same = sameSet(before.distances, distances)
  if (same && (written === undefined) === (distances.length === 0)) return []
  // libvirt reads the first of several, so that none may be left.
  if (distances.length === 0)
    return childrenOf(element, 'distances').map((each) => removeElement(document, each))
  if (written === undefined) {
    const added: NewElement = { name: 'distances', attributes: [], children: distances.map(sibling) }
    return insertChildren(document, element, { added: [added], order: ['distances', 'cache'] }, write)
  }
  const keyOf = (each: XmlElement): string => String(Number(attribute(each, 'id')?.value ?? -1))
  const desired = distances.map((value, id) => ({
    name: 'sibling',
    key: `${id}`,
    attributes: sibling(value, id).attributes,
  }))
  return reconcile(document, written, { names: ['sibling'], keyOf, desired, order: ['sibling'] }, write)
}
