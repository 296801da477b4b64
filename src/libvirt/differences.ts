// A planned domain and what libvirt made of it -> where they differ. libvirt completes, rounds and reorders
// what it is given.

import { type CpuSet, type NodeSet, range, setOf } from '../base/idset.ts'
import type { Difference, StatedPart } from '../codes/libvirt.ts'
import type { CellPages, DomainView, WrittenCell, WrittenTune } from '../model/domain.ts'

/** The parts that are not as planned, in the order of the plan; empty when the guest is placed as planned. */
export function differencesFrom(planned: DomainView, actual: DomainView): readonly Difference[] {
  const found = new Map(partsOf(actual).map((each) => [keyOf(each), each.stated]))
  return partsOf(planned).flatMap(({ stated, ...named }) => {
    const is = found.get(keyOf(named))
    if (JSON.stringify(is) === JSON.stringify(stated)) return []
    return [{ ...named, ...(is && { actual: is }), ...(stated && { planned: stated }) }]
  })
}

/** A part of a definition; `stated` is absent where the definition says nothing of it. */
interface Part extends Pick<Difference, 'part' | 'id'> {
  readonly stated?: StatedPart
}

const keyOf = ({ part, id = 0 }: Part): string => `${part} ${id}`

function partsOf(view: DomainView): readonly Part[] {
  const { cells, cellPages, tune, vcpupin, vcpuCpuset, emulatorpin, iothreadpin, iothreads } = view
  const pinOf = (pin: CpuSet | undefined): Pick<Part, 'stated'> => {
    const cpus = pin ?? vcpuCpuset
    return cpus === undefined || cpus.length === 0 ? {} : { stated: { cpus } }
  }
  return [
    { part: 'cells', stated: { count: cells.length } },
    { part: 'memory', ...boundBy(tune.memory) },
    ...cells.map((cell) => ({
      part: 'cell' as const,
      id: cell.id,
      stated: shapeOf(cell, cellPages[cell.id]),
    })),
    ...cells.map(({ id }) => ({
      part: 'memnode' as const,
      id,
      ...boundBy(tune.memnodes.find(({ cell }) => cell === id)),
    })),
    ...range(view.vcpus).map((id) => ({ part: 'vcpupin' as const, id, ...pinOf(vcpupin.get(id)) })),
    { part: 'emulatorpin', ...pinOf(emulatorpin) },
    ...iothreads.map((id) => ({ part: 'iothreadpin' as const, id, ...pinOf(iothreadpin.get(id)) })),
  ]
}

function shapeOf({ vcpus, memoryKiB }: WrittenCell, pages: CellPages | undefined): StatedPart {
  const pagesize = typeof pages === 'object' ? { pagesizeKiB: pages.pagesizeKiB } : {}
  return { vcpus, memoryKiB, ...pagesize }
}

function boundBy(written: WrittenTune['memory'] | WrittenTune['memnodes'][number]): Pick<Part, 'stated'> {
  if (written === undefined) return {}
  const { mode, nodes = setOf<NodeSet>([]) } = written
  return { stated: { mode, nodes } }
}
