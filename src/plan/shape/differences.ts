// A guest against its recorded shape: what differs.

import { formatSet, sameSet } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { ShapeDifference } from '../../codes/guest/cells.ts'
import type { CpuTopology, DomainView } from '../../model/domain.ts'
import type { Shape } from '../../model/shape.ts'
import { cellMemoryKiB, roundedUp } from '../cells/memory.ts'

/** The shape that a guest has now; one without topology has a socket for each vCPU. */
export function shapeOf({ cells, topology, vcpus }: DomainView): Shape {
  return {
    cells: cells.map(({ id, vcpus, memoryKiB, distances }) => ({ id, vcpus, memoryKiB, distances })),
    topology: topology ?? { sockets: vcpus, dies: 1, clusters: 1, cores: 1, threads: 1 },
  }
}

/** What keeps the cells of the record from being given to the guest: its vCPUs, or its memory. */
export function sumsThatDiffer(view: DomainView, recorded: Shape): ShapeDifference[] {
  const nowKiB = cellMemoryKiB(view)
  const recordedKiB = sum(recorded.cells.map(({ memoryKiB }) => memoryKiB))
  const rounded = sum(recorded.cells.map(({ memoryKiB }) => roundedUp(memoryKiB, view)))
  return [
    ...vcpusThatDiffer(view, recorded),
    // What libvirt has defined has rounded cells, and their sum as <memory>.
    ...(nowKiB === recordedKiB || nowKiB === rounded ? [] : [{ is: 'memory', recordedKiB, nowKiB } as const]),
  ]
}

/** What differs between the cells and the topology that the guest has and the record. */
export function cellsThatDiffer(view: DomainView, recorded: Shape): ShapeDifference[] {
  const now = shapeOf(view)
  const vcpus = vcpusThatDiffer(view, recorded)
  const topology: ShapeDifference[] = sameTopology(now.topology, recorded.topology)
    ? []
    : [{ is: 'topology', recorded: recorded.topology, now: now.topology }]
  if (now.cells.length !== recorded.cells.length)
    return [...vcpus, { is: 'cells', recorded: recorded.cells.length, now: now.cells.length }, ...topology]
  const cells = recorded.cells.flatMap((cell, id) => cellThatDiffers(view, cell, now.cells[id]))
  return [...vcpus, ...cells, ...topology]
}

function vcpusThatDiffer({ vcpus }: DomainView, { cells }: Shape): ShapeDifference[] {
  const recorded = sum(cells.map((cell) => cell.vcpus.length))
  return recorded === vcpus ? [] : [{ is: 'vcpus', recorded, now: vcpus }]
}

function cellThatDiffers(
  view: DomainView,
  recorded: Shape['cells'][number],
  now: Shape['cells'][number] | undefined,
): ShapeDifference[] {
  const { id: cell } = recorded
  if (now === undefined) return []
  const [recordedKiB, nowKiB] = [recorded.memoryKiB, now.memoryKiB]
  return [
    ...(formatSet(recorded.vcpus) === formatSet(now.vcpus)
      ? []
      : [{ is: 'cell-vcpus', cell, recorded: recorded.vcpus, now: now.vcpus } as const]),
    ...(roundedUp(recordedKiB, view) === roundedUp(nowKiB, view)
      ? []
      : [{ is: 'cell-memory', cell, recordedKiB, nowKiB } as const]),
    ...(sameSet(recorded.distances, now.distances) ? [] : [{ is: 'distances', cell } as const]),
  ]
}

const LEVELS = ['sockets', 'dies', 'clusters', 'cores', 'threads'] as const

/** Whether two topologies are the same. */
export const sameTopology = (a: CpuTopology, b: CpuTopology): boolean =>
  LEVELS.every((level) => a[level] === b[level])
