// A guest against itself: what libvirt's schema lets through and libvirt or QEMU refuses.

import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet, subtract, union } from '../base/idset.ts'
import { formatKiB } from '../base/memory.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView, Planned, WrittenCell } from '../model.ts'
import { roundedToKiB } from './cells/memory.ts'

/** What is looked at; of a cell only its id and size. */
type Written = Pick<
  DomainView,
  'tune' | 'hugepages' | 'cellPages' | 'memoryDevices' | 'expanders' | 'machine' | 'arch'
> & {
  readonly cells: readonly Pick<WrittenCell, 'id' | 'memoryKiB'>[]
}

/** Findings of class invalid, none of which depends on the host. */
export function refusedByLibvirt(view: Written): Diagnostic[] {
  const { cells, tune } = view
  const known = cells.length
  const strayed = tune.memnodes
    .filter(({ cell }) => cell >= known)
    .map(({ cell }) => diagnostic('memnode-without-cell', { cell, cells: known }))
  const pages = (view.hugepages ?? [])
    .flatMap((page) => page.cells ?? [])
    .filter((cell) => cell >= Math.max(1, known))
  return [
    ...strayed,
    ...[...new Set(pages)].map((cell) => diagnostic('page-without-cell', { cell, cells: known })),
    ...checkPages(view),
    ...checkModes(view),
    ...checkExpanders(view),
    ...view.memoryDevices.flatMap(({ model, cell }) =>
      cell === undefined || cell < known
        ? []
        : [diagnostic('device-cell-missing', { model, cell, cells: known })],
    ),
  ]
}

function checkPages(view: Written): Diagnostic[] {
  return view.cells.flatMap(({ id, memoryKiB }) => {
    const pages = view.cellPages[id]
    // What the default size is depends on the host.
    if (typeof pages !== 'object') return []
    const { pagesizeKiB } = pages
    // libvirt rounds the cell up before QEMU sees it.
    const unitKiB = roundedToKiB(view)
    if ((Math.ceil(memoryKiB / unitKiB) * unitKiB) % pagesizeKiB === 0) return []
    const lower = memoryKiB - (memoryKiB % pagesizeKiB)
    const facts = {
      memory: formatKiB(memoryKiB),
      page: formatKiB(pagesizeKiB),
      lower: formatKiB(lower),
      upper: formatKiB(lower + pagesizeKiB),
    }
    return [diagnostic('cell-not-page-multiple', { cell: id, ...facts })]
  })
}

function checkModes({ tune: { memory, memnodes } }: Written): Diagnostic[] {
  if (memory === undefined) return []
  const other = memnodes.filter(({ mode }) => (mode === 'restrictive') !== (memory.mode === 'restrictive'))
  const mixed =
    other.length === 0
      ? []
      : [
          diagnostic('restrictive-mixed', {
            memory: memory.mode,
            cells: other.map(({ cell }) => cell),
            memnode: other[0]?.mode ?? '',
          }),
        ]
  const bound = union(...memnodes.map(({ nodes }) => nodes))
  const missing = memory.nodes === undefined || memory.mode !== 'strict' ? [] : subtract(bound, memory.nodes)
  const narrow =
    missing.length === 0
      ? []
      : [
          diagnostic('memory-nodes-narrow', {
            memory: formatSet(memory.nodes ?? []),
            missing: formatSet(missing),
          }),
        ]
  return [...mixed, ...narrow]
}

function checkExpanders({ expanders, cells, machine = '' }: Written): Diagnostic[] {
  return expanders.flatMap(({ model, cell }) => {
    const isI440fx = /^pc(-i440fx.*|-\d.*)?$/.test(machine)
    const wants = model === 'pcie-expander-bus' ? 'q35' : 'pc'
    const fits = wants === 'pc' ? !/q35/.test(machine) : !isI440fx
    return [
      ...(fits ? [] : [diagnostic('expander-machine', { model, machine, wants })]),
      ...(cell === undefined || cell < cells.length
        ? []
        : [diagnostic('expander-cell-missing', { model, cell, cells: cells.length })]),
    ]
  })
}

/** The same of a guest that is about to be written: its cells, and what of the rest stays as it is. */
export function refusedWhenPlaced(view: DomainView, { keeps, placement }: Planned): Diagnostic[] {
  const { cells, binding } = placement
  const isTuned = keeps !== 'everything' && (cells.length > 0 || binding.memory !== undefined)
  const { hugepages, cellPages, tune, ...rest } = view
  return refusedByLibvirt({
    ...rest,
    cells,
    tune: isTuned ? { memnodes: [] } : tune,
    cellPages: keeps === 'nothing' ? [] : cellPages,
    ...(keeps !== 'nothing' && hugepages !== undefined && { hugepages }),
  })
}
