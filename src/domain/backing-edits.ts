// Page sizes of the cells to edits of `<memoryBacking>`. `<page nodeset>` counts guest cells.

import type { CellPages, WrittenPage } from '../model/domain.ts'
import type { Edit } from '../xml/edit.ts'
import { insertChildren, type NewElement } from '../xml/insert.ts'
import { child, childrenOf, type XmlElement } from '../xml/parse.ts'
import { pagesOf } from './binding-view.ts'
import { asElement, type DesiredChild, reconcile, setAttributes } from './reconcile.ts'
import { type Fitting, removeChild, type Section } from './section.ts'

const BACKING = ['hugepages', 'nosharepages', 'locked', 'source', 'access', 'allocation', 'discard']

/** One `<page>` per cell, unless what is written already gives every cell its size. */
export function backingEdits(fitting: Fitting): Section {
  const { document, placement, rules, write } = fitting
  const allocateNow = rules.allocation === 'immediate'
  const backing = child(document.root, 'memoryBacking')
  const sizes = placement.binding.memnodes.map(({ pagesizeKiB }) => pagesizeKiB)
  const pages = sizes.flatMap((size, cell) => (size === undefined ? [] : [page(size, cell)]))
  const written = childrenOf(backing, 'hugepages')
  const [hugepages] = written
  const added = [
    ...(pages.length > 0 && hugepages === undefined
      ? [{ name: 'hugepages', attributes: [], children: pages.map(asElement) }]
      : []),
    ...(rules.elements?.nosharepages && child(backing, 'nosharepages') === undefined ? [nosharepages] : []),
    ...(rules.elements?.memfd && child(backing, 'source') === undefined ? [memfd] : []),
    ...(allocateNow && child(backing, 'allocation') === undefined ? [immediate] : []),
  ]
  if (backing === undefined)
    return {
      edits: [],
      added: added.length === 0 ? undefined : { name: 'memoryBacking', attributes: [], children: added },
    }
  const allocation = child(backing, 'allocation')
  return {
    edits: [
      ...(pages.length === 0 ? written.map((each) => removeChild(document, each)) : []),
      ...(hugepages === undefined || pages.length === 0 ? [] : hugepageEdits(fitting, hugepages, pages)),
      ...(allocateNow && allocation !== undefined
        ? setAttributes(document, allocation, immediate.attributes)
        : []),
      ...insertChildren(document, backing, { added, order: BACKING }, write),
    ],
  }
}

const immediate: NewElement = { name: 'allocation', attributes: [['mode', 'immediate']] }
const nosharepages: NewElement = { name: 'nosharepages', attributes: [] }
const memfd: NewElement = { name: 'source', attributes: [['type', 'memfd']] }

function page(pagesizeKiB: number, cell: number): DesiredChild {
  return {
    name: 'page',
    key: `${cell}`,
    attributes: [
      ['size', `${pagesizeKiB}`],
      ['unit', 'KiB'],
      ['nodeset', `${cell}`],
    ],
  }
}

function hugepageEdits(
  { document, view, placement, write }: Fitting,
  hugepages: XmlElement,
  pages: readonly DesiredChild[],
): Edit[] {
  const { hugepages: written = [] } = view
  const sizes = placement.binding.memnodes.map(({ pagesizeKiB }) => pagesizeKiB)
  if (saysTheSame(written, sizes)) return []
  // Pages are known by position: the first one that is there becomes the first one desired.
  const desired = pages.map((each, position) => ({ ...each, key: `${position}` }))
  const kept = desired.map((each, position) => ({ ...each, attributes: keepSize(each, written[position]) }))
  const inPlace = childrenOf(hugepages, 'page').length === written.length ? kept : desired
  return reconcile(
    document,
    hugepages,
    { names: ['page'], keyOf: (_, position) => `${position}`, desired: inPlace, order: ['page'] },
    write,
  )
}

/** A size that is the same in another unit stays as written. */
function keepSize(
  { attributes }: DesiredChild,
  written: WrittenPage | undefined,
): DesiredChild['attributes'] {
  const same =
    written !== undefined &&
    attributes.some(([name, value]) => name === 'size' && value === `${written.pagesizeKiB}`)
  return same ? attributes.filter(([name]) => name === 'nodeset') : attributes
}

/** libvirt refuses entries for cells that are not there. */
function saysTheSame(written: readonly WrittenPage[], sizes: readonly (number | undefined)[]): boolean {
  const known = written.every(({ cells = [] }) => (cells.at(-1) ?? -1) < sizes.length)
  return known && sizes.every((size, cell) => sizeIn(pagesOf(cell, written)) === size)
}

const sizeIn = (pages: CellPages): number | undefined =>
  typeof pages === 'object' ? pages.pagesizeKiB : undefined
