// The placement as the domain states it.

import { type CpuSet, type NodeSet, range, setOf } from '../base/idset.ts'
import type { DomainView, WrittenCell } from '../model/domain.ts'
import type { Resources } from '../model/host.ts'
import type { Binding, Placement } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { pagesizeKiBOf } from './cells/pagesize.ts'

/** The cells that a guest has; one without cells is taken as a single one that nothing is written for. */
export function writtenCells(
  view: DomainView,
): readonly Pick<WrittenCell, 'id' | 'vcpus' | 'memoryKiB' | 'distances'>[] {
  if (view.cells.length > 0) return view.cells
  return [{ id: 0, vcpus: setOf(range(view.vcpus)), memoryKiB: view.memoryKiB, distances: [] }]
}

/** Nodes for a cell's memory as written: its memnode, else `<memory>`. */
export function writtenNodes({ tune, cells }: DomainView, cell: number): NodeSet | undefined {
  const memnode = tune.memnodes.find((each) => each.cell === cell)
  return memnode?.nodes ?? (cells.length === 0 ? tune.memory?.nodes : undefined)
}

/** What the guest has now, as a placement; a cell without memnode has the nodes of `<memory>`. */
export function writtenPlacement(
  view: DomainView,
  resources: Resources,
  { mode }: Pick<Request, 'mode'> = { mode: 'strict' },
): Placement {
  const cells = view.cells.map(({ id, vcpus, memoryKiB, distances }) => ({ id, vcpus, memoryKiB, distances }))
  return {
    cells,
    binding: {
      memnodes: cells.map(({ id }) => {
        const written = view.tune.memnodes.find(({ cell }) => cell === id)
        const pagesizeKiB = pagesizeKiBOf(view.cellPages[id], resources) || undefined
        return {
          nodes: written?.nodes ?? view.tune.memory?.nodes ?? setOf<NodeSet>([]),
          // A cell without memnode has the mode of `<memory>`, as libvirt reads it.
          mode: (written ?? view.tune.memory)?.mode ?? mode,
          ...(pagesizeKiB !== undefined && { pagesizeKiB }),
        }
      }),
      vcpupin: range(view.vcpus).map((vcpu) => view.vcpupin.get(vcpu) ?? setOf<CpuSet>([])),
      ...(view.emulatorpin !== undefined && { emulatorpin: view.emulatorpin }),
      iothreadpin: view.iothreads.map((id) => view.iothreadpin.get(id) ?? setOf<CpuSet>([])),
    },
  }
}

/**
 * `<memory>` of a guest without cells on new nodes, where it binds its memory now; a memnode, which libvirt
 * refuses there, counts as such.
 */
export function boundMemory(
  { cells, tune }: DomainView,
  { mode }: Pick<Request, 'mode'>,
  nodes: NodeSet,
): Pick<Binding, 'memory'> {
  const isBound = cells.length === 0 && (tune.memory !== undefined || tune.memnodes.length > 0)
  return isBound ? { memory: { nodes, mode: tune.memory?.mode ?? mode } } : {}
}
