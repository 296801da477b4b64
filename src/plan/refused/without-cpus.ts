// Memory that QEMU allocates at start on nodes without online CPUs: what libvirt and QEMU make of it
// (backing/allocation.ts).

import type { Diagnostic } from '../../base/diagnostic.ts'
import { formatSet, intersect, type NodeSet, setOf, subtract } from '../../base/idset.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { AllocatedMemory } from '../../codes/guest/binding.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import type { Memnode, Placement } from '../../model/placement.ts'
import {
  allocationOf,
  allocationOfCell,
  type EmulatorCpus,
  nodesWithCpus,
  startsWithoutCpus,
} from '../backing/allocation.ts'
import { nodesWithMemory } from '../backing/memory-nodes.ts'

/**
 * Of class invalid where the guest does not start, else notes.
 * @param emulator whether libvirt knows CPUs for the emulator of the guest as it is placed
 */
export function allocatedWithoutCpus(
  view: DomainView,
  placement: Placement,
  resources: Resources,
  emulator: EmulatorCpus,
): Diagnostic[] {
  const hasCpus = setOf<NodeSet>(nodesWithCpus(resources))
  const known = setOf<NodeSet>(resources.nodes.map(({ id }) => id))
  const others = intersect(hasCpus, setOf<NodeSet>(nodesWithMemory(resources)))
  const { libvirt } = resources
  const code = startsWithoutCpus(resources, emulator) ? 'allocated-by-emulator' : 'allocated-without-cpus'
  return bound(view, placement, resources).flatMap(({ of, nodes, mode }) => {
    // A node that is not there has a finding of its own.
    const isBare =
      nodes.length > 0 && subtract(nodes, known).length === 0 && intersect(nodes, hasCpus).length === 0
    if (!isBare || mode === 'restrictive') return []
    const facts = { of, nodes, others, emulator, ifPinned: startsWithoutCpus(resources, 'pinned') }
    return [diagnostic(code, { ...facts, ...(libvirt !== undefined && { libvirt }) })]
  })
}

interface Bound extends Pick<Memnode, 'nodes' | 'mode'> {
  readonly of: AllocatedMemory
}

/** What is allocated at start, and the nodes that it is bound to; cells that are bound alike together. */
function bound(view: DomainView, placement: Placement, resources: Resources): Bound[] {
  const { cells, binding } = placement
  if (cells.length === 0) return guestAsWhole(view, placement, resources)
  const groups = new Map<string, { nodes: NodeSet; mode: Memnode['mode']; cells: number[] }>()
  for (const [index, { id }] of cells.entries()) {
    const { nodes, mode, pagesizeKiB } = binding.memnodes[index] as Memnode
    if (allocationOf(pagesizeKiB, resources, view) === 'later') continue
    const key = `${mode} ${formatSet(nodes)}`
    const group = groups.get(key) ?? { nodes, mode, cells: [] }
    groups.set(key, group)
    group.cells.push(id)
  }
  const ofCells = [...groups.values()].map(
    ({ cells, ...rest }): Bound => ({ ...rest, of: { is: 'cells', cells } }),
  )
  return [...ofCells, ...devices(view, binding.memnodes, resources)]
}

function guestAsWhole(view: DomainView, { binding }: Placement, resources: Resources): Bound[] {
  const { nodes, mode } = binding.memory ?? view.tune.memory ?? {}
  if (nodes === undefined || mode === undefined) return []
  const isLater = allocationOfCell(view.cellPages[0], resources, view) === 'later'
  return isLater ? [] : [{ of: { is: 'cells', cells: [] }, nodes, mode }]
}

/** DIMMs that are not backed like their cell. */
function devices(view: DomainView, memnodes: readonly Memnode[], resources: Resources): Bound[] {
  return view.memoryDevices.flatMap(({ model, cell = 0, nodes, pagesizeKiB }): Bound[] => {
    const memnode = memnodes[cell]
    if (model !== 'dimm' || memnode === undefined) return []
    if (nodes === undefined && pagesizeKiB === undefined) return []
    if (allocationOf(pagesizeKiB ?? memnode.pagesizeKiB, resources, view) === 'later') return []
    return [{ of: { is: 'device', model, cell }, nodes: nodes ?? memnode.nodes, mode: memnode.mode }]
  })
}
