// Memory devices that name their nodes. A `<nodemask>` is stronger than the memnode of the device's cell, and
// the devices of a guest are not ours to edit: what can be done is to keep `<memory>` wide enough, and to say
// what this host lacks.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { intersect, type NodeSet, setOf, subtract, union } from '../../base/idset.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { NamesNodes } from '../../codes/guest/binding.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import type { Binding, Memnode } from '../../model/placement.ts'
import { nodesWithMemory } from './memory-nodes.ts'

/** A guest that has these cannot start here, whatever is fitted. */
export function devicesAway({ memoryDevices }: DomainView, resources: Resources): Diagnostic[] {
  return memoryDevices.flatMap(({ model, cell = 0, nodes }) => {
    const found = nodes === undefined ? [] : nodesAway({ is: 'nodemask', model, cell }, nodes, resources)
    if (found.length === 0) return []
    const nodemask = setOf<NodeSet>(nodesWithMemory(resources))
    return found.map((each) => ({ ...each, facts: { ...each.facts, nodemask } }))
  })
}

/** `<memory>` confines QEMU as a whole, so it holds the nodes of memory devices too. */
export function withDevices(
  view: DomainView,
  resources: Resources,
  memnodes: readonly Memnode[],
): Pick<Binding, 'memory'> {
  const cells = union(...memnodes.map(({ nodes }) => nodes))
  const usable = setOf<NodeSet>(nodesWithMemory(resources))
  const devices = intersect(
    union<NodeSet>(...view.memoryDevices.flatMap(({ nodes }) => (nodes === undefined ? [] : [nodes]))),
    usable,
  )
  const [first] = memnodes
  if (first === undefined || subtract(devices, cells).length === 0) return {}
  return { memory: { nodes: union(cells, devices), mode: first.mode } }
}

/**
 * Of a set that is partly outside the kernel takes what it may; only a missing node and an empty rest are
 * proven to fail.
 */
export function nodesAway(of: NamesNodes, nodes: NodeSet, resources: Resources): Diagnostic[] {
  const has = setOf<NodeSet>(resources.nodes.map(({ id }) => id))
  const missing = subtract(nodes, has)
  if (missing.length > 0) return [diagnostic('node-missing', { of, nodes: missing, has })]
  const outside = subtract(nodes, resources.allowed.nodes)
  const usable = setOf<NodeSet>(nodesWithMemory(resources))
  if (intersect(subtract(nodes, outside), usable).length > 0) return []
  if (outside.length > 0)
    return [diagnostic('node-outside', { of, nodes: outside, allowed: resources.allowed.nodes })]
  return nodes.length > 0 ? [diagnostic('node-memoryless', { of, nodes })] : []
}
