// Memory devices that name their nodes: a `<nodemask>` is stronger than the memnode of the device's cell, so it has to move too.

import { type NodeSet, sameSet, setOf, subtract } from '../base/idset.ts'
import type { Binding, DomainView, Resources } from '../model.ts'
import { nodesWithMemory } from './bind.ts'
import { writtenNodes } from './written.ts'

/**
 * A device that lies with its cell goes where the cell goes. One that lies elsewhere, on a node of slower memory say, stays as
 * long as the guest may use all of its nodes.
 */
export function bindDevices(
  view: DomainView,
  resources: Resources,
  { memnodes, memory }: Pick<Binding, 'memnodes' | 'memory'>,
): Pick<Binding, 'devices'> {
  if (view.memoryDevices.every(({ nodes }) => nodes === undefined)) return {}
  const usable = setOf<NodeSet>(nodesWithMemory(resources))
  return {
    devices: view.memoryDevices.map(({ nodes, cell = 0 }) => {
      if (nodes === undefined || nodes.length === 0) return undefined
      const [before, home] = [writtenNodes(view, cell), memnodes[cell]?.nodes ?? memory?.nodes]
      const goesAlong = before !== undefined && home !== undefined && subtract(nodes, before).length === 0 && !sameSet(before, home)
      return goesAlong || subtract(nodes, usable).length > 0 ? (home ?? nodes) : nodes
    }),
  }
}
