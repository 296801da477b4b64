// `<memoryBacking>` and `<numatune>` to the binding as written.

import { formatSet, has, type NodeSet, range, type VcpuSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { CellPages, DomainView, MemoryMode, WrittenPage, WrittenTune } from '../model/domain.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import { missing, numberIn, optional, type Reading, setIn, sizeIn, UINT_MAX, wordIn } from './values.ts'

const MODES: readonly MemoryMode[] = ['strict', 'preferred', 'interleave', 'restrictive']

// ---- <memoryBacking> ----

/**
 * What backs the guest, as written.
 * @param cells how many the guest has
 */
export function readBacking(
  reading: Reading,
  backing: XmlElement | undefined,
  cells: number,
): Pick<DomainView, 'hugepages' | 'cellPages' | 'allocation' | 'locked' | 'memorySource'> {
  const element = child(backing, 'hugepages')
  const source = optionIn(reading, child(backing, 'source'), 'type', ['file', 'anonymous', 'memfd'])
  optionIn(reading, child(backing, 'access'), 'mode', ['shared', 'private'])
  const hugepages = element && readPages(reading, element, cells)
  return {
    ...optional('hugepages', hugepages),
    ...optional('memorySource', source),
    ...(child(backing, 'locked') !== undefined && { locked: true }),
    cellPages: range(Math.max(1, cells)).map((cell) => pagesOf(cell, hugepages)),
    ...optional(
      'allocation',
      optionIn(reading, child(backing, 'allocation'), 'mode', ['immediate', 'ondemand']),
    ),
  }
}

/**
 * What backs a cell (id): an entry that names it, else the one that names none; a bare `<hugepages/>` means
 * the default size for every cell.
 */
export function pagesOf(cell: number, hugepages: readonly WrittenPage[] | undefined): CellPages {
  if (hugepages === undefined) return 'ordinary'
  if (hugepages.length === 0) return 'default'
  const entry =
    hugepages.find(({ cells }) => cells !== undefined && has(cells, cell)) ??
    hugepages.find(({ cells }) => cells === undefined)
  return entry === undefined ? 'ordinary' : { pagesizeKiB: entry.pagesizeKiB }
}

/** Of these libvirt takes an empty attribute for none. */
function optionIn(
  reading: Reading,
  element: XmlElement | undefined,
  name: string,
  known: readonly string[],
): string | undefined {
  return attribute(element, name)?.value === '' ? undefined : wordIn(reading, element, name, known)
}

/**
 * libvirt refuses two sizes for one cell, and two that name no cell. Without cells, the one cell 0 is all of
 * the guest.
 */
function readPages(reading: Reading, hugepages: XmlElement, cells: number): WrittenPage[] {
  const named = new Set<number | 'every cell'>()
  return childrenOf(hugepages, 'page').flatMap((element) => {
    const page = readPage(reading, element)
    const isForAll = page.cells === undefined || (cells === 0 && formatSet(page.cells) === '0')
    const own = isForAll ? (['every cell'] as const) : (page.cells ?? [])
    const again = own.find((each) => named.has(each))
    for (const each of own) named.add(each)
    if (again !== undefined) {
      const of =
        again === 'every cell' ? ({ is: 'every-cell' } as const) : ({ is: 'cell', id: again } as const)
      reading.problems.push(diagnostic('entry-twice', { element: 'page', of }, tagSpan(element)))
    }
    const { pagesizeKiB } = page
    return pagesizeKiB === undefined ? [] : [{ ...page, pagesizeKiB }]
  })
}

/** A size that is no whole KiB is rounded up, as libvirt does it with all sizes. */
function readPage(reading: Reading, page: XmlElement): Partial<WrittenPage> {
  const cells = optional('cells', setIn<VcpuSet>(reading, page, 'nodeset'))
  const size = sizeIn(reading, page, 'size')
  if (size === undefined) return cells
  if (size.kib > 0) return { pagesizeKiB: size.kib, ...cells }
  const text = `${attribute(page, 'size')?.value} ${attribute(page, 'unit')?.value ?? 'KiB'}`
  reading.problems.push(diagnostic('pagesize-invalid', { text }, tagSpan(page)))
  return cells
}

// ---- <numatune> ----

/** `vcpuAuto`: numad chooses the CPUs, and with them the nodes, unless `<memory>` says otherwise. */
export function readTune(reading: Reading, numatune: XmlElement | undefined, vcpuAuto: boolean): WrittenTune {
  const written = child(numatune, 'memory')
  const memory = written && readTuneMemory(reading, written, vcpuAuto)
  const elements = childrenOf(numatune, 'memnode')
  const [first] = elements
  if (first !== undefined && (memory?.auto ?? (vcpuAuto && written === undefined)))
    reading.problems.push(diagnostic('memnodes-with-auto', {}, tagSpan(first)))
  const memnodes = new Map<number, WrittenTune['memnodes'][number]>()
  for (const each of elements) {
    const cell = numberIn(reading, each, 'cellid', [0, UINT_MAX])
    const nodes =
      attribute(each, 'nodeset') === undefined
        ? missing(reading, each, 'nodeset')
        : setIn<NodeSet>(reading, each, 'nodeset')
    const mode = modeOf(reading, each) ?? 'strict'
    if (cell === undefined) continue
    if (memnodes.has(cell))
      reading.problems.push(
        diagnostic('entry-twice', { element: 'memnode', of: { is: 'cell', id: cell } }, tagSpan(each)),
      )
    else if (nodes !== undefined) memnodes.set(cell, { cell, nodes, mode })
  }
  return { ...optional('memory', memory), memnodes: [...memnodes.values()] }
}

/** An element that says nothing is none. @see libvirt virDomainNumatuneSet */
function readTuneMemory(reading: Reading, memory: XmlElement, vcpuAuto: boolean): WrittenTune['memory'] {
  const mode = modeOf(reading, memory)
  const placement = wordIn(reading, memory, 'placement', ['default', 'static', 'auto'])
  const nodes = setIn<NodeSet>(reading, memory, 'nodeset')
  const says = ['mode', 'placement', 'nodeset'].some((name) => attribute(memory, name) !== undefined)
  if (!says) return undefined
  const auto =
    placement === 'auto' || (placement !== 'static' && vcpuAuto && attribute(memory, 'nodeset') === undefined)
  if (!auto && attribute(memory, 'nodeset') === undefined) missing(reading, memory, 'nodeset')
  return { mode: mode ?? 'strict', auto, ...(!auto && optional('nodes', nodes)) }
}

function modeOf(reading: Reading, element: XmlElement): MemoryMode | undefined {
  const written = attribute(element, 'mode')
  if (written === undefined) return undefined
  const mode = MODES.find((each) => each === written.value)
  if (mode !== undefined) return mode
  reading.problems.push(
    diagnostic('tune-mode', { element: element.name, value: written.value, known: MODES }, written),
  )
  return undefined
}
