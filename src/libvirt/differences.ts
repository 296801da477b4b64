// A planned domain and what libvirt made of it -> where they differ. libvirt completes, rounds and reorders
// what it is given.

import { type CpuSet, formatSet, range } from '../base/idset.ts'
import type { DomainView } from '../model.ts'

/** "vcpupin 3 is 0-3, planned 2"; empty when the guest is placed as planned. */
export function differencesFrom(planned: DomainView, actual: DomainView): readonly string[] {
  const found = new Map(factsOf(actual))
  return factsOf(planned)
    .filter(([what, wanted]) => (found.get(what) ?? '') !== wanted)
    .map(([what, wanted]) => `${what} is ${found.get(what) || 'missing'}, planned ${wanted || 'none'}`)
}

function factsOf(view: DomainView): readonly (readonly [what: string, value: string])[] {
  const { cells, tune, cellPages, vcpupin, vcpuCpuset, emulatorpin, iothreadpin, iothreads } = view
  const pinOf = (pin: CpuSet | undefined): string => formatSet(pin ?? vcpuCpuset ?? [])
  const pagesize = (id: number): string => {
    const pages = cellPages[id]
    return typeof pages === 'object' ? ` in pages of ${pages.pagesizeKiB} KiB` : ''
  }
  return [
    ['number of cells', `${cells.length}`],
    ['memory', tune.memory === undefined ? '' : `${tune.memory.mode} ${formatSet(tune.memory.nodes ?? [])}`],
    ...cells.map(
      ({ id, vcpus, memoryKiB }) =>
        [`cell ${id}`, `vCPUs ${formatSet(vcpus)}, ${memoryKiB} KiB${pagesize(id)}`] as const,
    ),
    ...cells.map(({ id }) => {
      const memnode = tune.memnodes.find(({ cell }) => cell === id)
      return [
        `memnode ${id}`,
        memnode === undefined ? '' : `${memnode.mode} ${formatSet(memnode.nodes)}`,
      ] as const
    }),
    ...range(view.vcpus).map((vcpu) => [`vcpupin ${vcpu}`, pinOf(vcpupin.get(vcpu))] as const),
    ['emulatorpin', pinOf(emulatorpin)],
    ...iothreads.map((id) => [`iothreadpin ${id}`, pinOf(iothreadpin.get(id))] as const),
  ]
}
