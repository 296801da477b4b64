// What the cells of a placement, and their memory devices, ask of which nodes.

import { union } from '../../base/idset.ts'
import type { DomainView, Memnode, MemoryDevice, Placement, Resources } from '../../model.ts'
import { hasPool } from './supply.ts'

/** What one cell asks for, or one of its memory devices; without `pagesizeKiB` ordinary memory. */
export interface Backing extends Pick<Memnode, 'nodes' | 'pagesizeKiB'> {
  readonly cell: number
  readonly memoryKiB: number
  /** Whether the guest may use no other node than these. */
  readonly bound: boolean
}

/** With mode=preferred every cell may use every node of the guest, since `<memory>` is strict over them. */
export function backingsOf({ cells, binding }: Placement, view: DomainView, resources: Resources): Backing[] {
  const { memnodes } = binding
  const all = union(...memnodes.map(({ nodes }) => nodes))
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
      ...(pagesizeKiB !== undefined && { pagesizeKiB }),
    }
    return withDimms(backing, view.memoryDevices, resources)
  })
}

/**
 * A cell and its DIMMs: one that names neither nodes nor pages is backed like the cell. virtio-mem grows
 * later; NVDIMMs bring a backing of their own.
 */
export function withDimms(cell: Backing, devices: readonly MemoryDevice[], resources: Resources): Backing[] {
  const dimms = devices.filter((device) => device.model === 'dimm' && (device.cell ?? 0) === cell.cell)
  const { pagesizeKiB: _, ...anyPages } = cell
  const own = dimms.flatMap(({ sizeKiB, nodes, pagesizeKiB }): Backing[] => {
    const named = { memoryKiB: sizeKiB, ...(nodes && { nodes }) }
    if (pagesizeKiB === undefined) return nodes === undefined ? [] : [{ ...cell, ...named }]
    return [{ ...anyPages, ...named, ...(isHuge(pagesizeKiB, resources) && { pagesizeKiB }) }]
  })
  const alike = dimms.filter(({ nodes, pagesizeKiB }) => nodes === undefined && pagesizeKiB === undefined)
  return [{ ...cell, memoryKiB: alike.reduce((sum, { sizeKiB }) => sum + sizeKiB, cell.memoryKiB) }, ...own]
}

/** The size of an ordinary page means ordinary memory: 4, 16 or 64 KiB, unless the host has such a pool. */
const isHuge = (pagesizeKiB: number, resources: Resources): boolean =>
  pagesizeKiB > 64 || hasPool(resources, pagesizeKiB)
