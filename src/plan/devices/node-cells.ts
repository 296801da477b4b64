// A node of the host -> the cell of the guest that stands for it.
//
// It is the only cell that the node backs. Where it backs several, or none, it is the cell of the first vCPU
// that may run on the first CPU of the node that any vCPU is pinned to.
// @see KubeVirt pkg/util/hardware/hw_utils.go, LookupDevicesNumaNodesWithWarnings

import { has } from '../../base/idset.ts'
import type { Resources } from '../../model/host.ts'
import type { Placement } from '../../model/placement.ts'

/** Looks up cells by node; undefined for a node that is none of the guest's. */
export function cellsOfNodes({ cells, binding }: Placement, { nodes }: Resources): CellOfNode {
  return (node) => {
    const backed = cells.filter(({ id }) => {
      const memnode = binding.memnodes[id]
      return memnode !== undefined && has(memnode.nodes, node)
    })
    const [only, second] = backed
    if (only !== undefined && second === undefined) return only.id
    for (const cpu of nodes.find(({ id }) => id === node)?.cpus ?? []) {
      const vcpu = binding.vcpupin.findIndex((cpus) => has(cpus, cpu))
      const cell = cells.find(({ vcpus }) => has(vcpus, vcpu))
      if (cell !== undefined) return cell.id
    }
    return undefined
  }
}

/** @see cellsOfNodes */
export type CellOfNode = (node: number) => number | undefined
