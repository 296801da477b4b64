// What the cells of a placement, and their memory devices, ask of which nodes.

import { union } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { DomainView, MemoryDevice } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import type { Memnode, Placement, PlanInput } from '../../model/placement.ts'
import { isHuge } from './allocation.ts'

/**
 * What one cell asks for, or one of its memory devices; without `pagesizeKiB` ordinary memory. Without `cell`
 * it is what a guest without cells asks for.
 */
export interface Backing extends Pick<Memnode, 'nodes' | 'pagesizeKiB'> {
  readonly cell?: number
  readonly memoryKiB: number
  /** Whether the guest may use no other node than these. */
  readonly bound: boolean
  /** QEMU allocates or locks all of it when the guest starts; huge pages are always allocated then. */
  readonly atStart?: boolean
  /** Its huge pages come from memfd_create, which needs no hugetlbfs mount. @see memfd_create(2) */
  readonly memfd?: boolean
}

/** With mode=preferred every cell may use every node of the guest, since `<memory>` is strict over them. */
export function backingsOf(
  { cells, binding }: Placement,
  { view, resources, request }: PlanInput,
): Backing[] {
  const { memnodes } = binding
  const all = union(...memnodes.map(({ nodes }) => nodes))
  const written = sourceOf(view)
  const source = { ...written, atStart: written.atStart || request.rules.allocation === 'immediate' }
  return cells.flatMap(({ id, memoryKiB }, index) => {
    const memnode = memnodes[index]
    if (memnode === undefined) return []
    const bound = memnode.mode === 'strict'
    const { pagesizeKiB } = memnode
    const backing = {
      cell: id,
      memoryKiB,
      nodes: bound ? memnode.nodes : all,
      bound,
      ...source,
      ...(pagesizeKiB !== undefined && { pagesizeKiB }),
    }
    return withDimms(backing, view.memoryDevices, resources)
  })
}

/** What `<memoryBacking>` says of all memory of a guest. */
export function sourceOf({
  memorySource,
  allocation,
  locked,
}: Pick<DomainView, 'memorySource' | 'allocation' | 'locked'>): Required<Pick<Backing, 'atStart' | 'memfd'>> {
  return { memfd: memorySource === 'memfd', atStart: allocation === 'immediate' || locked === true }
}

/**
 * A cell and its DIMMs: one that names neither nodes nor pages is backed like the cell. virtio-mem grows
 * later; NVDIMMs bring a backing of their own.
 */
export function withDimms(
  cell: Backing & { readonly cell: number },
  devices: readonly MemoryDevice[],
  resources: Resources,
): Backing[] {
  const { pagesizeKiB: _, ...anyPages } = cell
  const own = dimmsOf(cell.cell, devices).flatMap(({ sizeKiB, nodes, pagesizeKiB }): Backing[] => {
    const named = { memoryKiB: sizeKiB, ...(nodes && { nodes }) }
    if (pagesizeKiB === undefined) return nodes === undefined ? [] : [{ ...cell, ...named }]
    return [{ ...anyPages, ...named, ...(isHuge(pagesizeKiB, resources) && { pagesizeKiB }) }]
  })
  return [{ ...cell, memoryKiB: cell.memoryKiB + dimmsAlikeKiB(cell.cell, devices) }, ...own]
}

/** What the DIMMs of a cell (id) have that are backed like it. */
export function dimmsAlikeKiB(cell: number, devices: readonly MemoryDevice[]): number {
  const alike = dimmsOf(cell, devices).filter(
    ({ nodes, pagesizeKiB }) => nodes === undefined && pagesizeKiB === undefined,
  )
  return sum(alike.map(({ sizeKiB }) => sizeKiB))
}

const dimmsOf = (cell: number, devices: readonly MemoryDevice[]): readonly MemoryDevice[] =>
  devices.filter((device) => device.model === 'dimm' && (device.cell ?? 0) === cell)
