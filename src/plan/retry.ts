// A decided guest with other requests -> the placement that it would get then. A request that cannot matter
// to the placement is not decided again, and none twice.

import type { Placement, PlanInput, Planned } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { topologyFor } from './cells/topology.ts'

/**
 * @param decide places a guest anew
 * @returns the placement of a changed guest or request; it throws what `decide` throws
 */
export function retrying(
  input: PlanInput,
  planned: Planned,
  decide: (input: PlanInput) => Planned,
): (input: PlanInput) => Placement {
  const hasCells = input.view.cells.length > 0
  /** What decides on anything but the topology that is written. A guest without cells has none to keep. */
  const choiceOf = ({ existing, cpus }: Request): string => (hasCells ? `${existing} ${cpus}` : cpus)
  const decided = new Map([[choiceOf(input.request), planned]])
  return (changed) => {
    if (changed.view !== input.view) return decide(changed).placement
    const choice = choiceOf(changed.request)
    const { topology } = input.request
    const found = decided.get(choice) ?? decide({ ...changed, request: { ...changed.request, topology } })
    decided.set(choice, found)
    return found.keeps === 'nothing' ? withTopology(changed, found.placement) : found.placement
  }
}

/** New cells with the topology that is requested. */
function withTopology(input: PlanInput, placement: Placement): Placement {
  const { cells, binding } = placement
  if (cells.length === 0 || input.request.rules.pins === 'kubevirt') return placement
  const topology = topologyFor(input, cells, binding.vcpupin)
  return { ...placement, ...(topology && { topology }) }
}
