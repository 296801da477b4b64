// A guest against itself: what libvirt's schema lets through and libvirt or QEMU refuses.

import type { Diagnostic } from '../base/diagnostic.ts'
import { subtract, union } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView, WrittenCell } from '../model/domain.ts'
import type { Planned } from '../model/placement.ts'
import { notWholePages } from './cells/memory.ts'
import { isI440fx, refusedCpus, type WithCpus } from './refused/cpus.ts'
import { refusedMemory, type WithMemory } from './refused/memory.ts'

/** What is looked at; of a cell only its id, vCPUs and size. */
type Written = { readonly cells: readonly Pick<WrittenCell, 'id' | 'vcpus' | 'memoryKiB'>[] } & Pick<
  DomainView,
  'tune' | 'cellPages' | 'controllers'
> &
  WithCpus &
  WithMemory

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
    ...refusedCpus(view),
    ...refusedMemory(view),
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
  return view.cells.flatMap((cell) => {
    const pages = view.cellPages[cell.id]
    // What the default size is depends on the host.
    return typeof pages === 'object' ? notWholePages(cell, pages.pagesizeKiB, view) : []
  })
}

function checkModes({ tune: { memory, memnodes } }: Written): Diagnostic[] {
  if (memory === undefined) return []
  const other = memory.mode === 'restrictive' ? memnodes.filter(({ mode }) => mode !== 'restrictive') : []
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
  if (memory.nodes === undefined || memory.mode !== 'strict') return mixed
  const missing = subtract(bound, memory.nodes)
  if (missing.length === 0) return mixed
  return [...mixed, diagnostic('memory-nodes-narrow', { memory: memory.nodes, missing })]
}

function checkExpanders({ controllers, cells, machine = '' }: Written): Diagnostic[] {
  return controllers.flatMap(({ model, cell }) => {
    if (!/^pcie?-expander-bus$/.test(model)) return []
    const wants = model === 'pcie-expander-bus' ? 'q35' : 'pc'
    const fits = wants === 'pc' ? !/q35/.test(machine) : !isI440fx(machine)
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
  const newPages = binding.memnodes.some((memnode) => memnode.pagesizeKiB !== undefined) && { hugepages: [] }
  return refusedByLibvirt({
    ...rest,
    ...(placement.topology && { topology: placement.topology }),
    cells,
    tune: isTuned ? { memnodes: [] } : tune,
    cellPages: keeps === 'nothing' ? [] : cellPages,
    ...(keeps === 'nothing' ? newPages : hugepages !== undefined && { hugepages }),
  })
}
