// The live domain of a running guest and its definition -> what differs: a change of the running guest by
// virsh, a migration or the hook, or one of the definition. The next start uses the definition.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, type NodeSet, range, sameSet, setOf } from '../base/idset.ts'
import { groupBy } from '../base/lists.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import { writtenNodes } from '../plan/written.ts'

/** Notes on pins and nodes that differ. */
export function liveChanges(live: DomainView, defined: DomainView): Diagnostic[] {
  const guest = live.name
  const pins = ([role, ids, pinOf]: Pins): Diagnostic[] => {
    const changed = ids
      .map((id) => ({ id, live: pinOf(live, id) ?? NONE, defined: pinOf(defined, id) ?? NONE }))
      .filter((each) => !sameSet(each.live, each.defined))
    if (changed.length === 0) return []
    const facts = {
      ids: role === 'emulator' ? [] : changed.map(({ id }) => id),
      live: changed.map((each) => each.live),
      defined: changed.map((each) => each.defined),
    }
    return [diagnostic('live-pins', { role, ...facts, guest })]
  }
  return [...pinsOf(live, defined).flatMap(pins), ...memoryChanges(live, defined)]
}

const NONE = setOf<CpuSet>([])

type Pins = readonly [
  role: 'vcpu' | 'emulator' | 'iothread',
  ids: readonly number[],
  pinOf: (view: DomainView, id: number) => CpuSet | undefined,
]

/** Threads of both: others come and go when they are plugged. */
const pinsOf = (live: DomainView, defined: DomainView): readonly Pins[] => [
  ['vcpu', range(Math.min(live.vcpus, defined.vcpus)), ({ vcpupin }, id) => vcpupin.get(id)],
  ['emulator', [0], ({ emulatorpin }) => emulatorpin],
  [
    'iothread',
    live.iothreads.filter((id) => defined.iothreads.includes(id)),
    ({ iothreadpin }, id) => iothreadpin.get(id),
  ],
]

/** Nodes that numad chose are in neither of the two. */
function memoryChanges(live: DomainView, defined: DomainView): Diagnostic[] {
  const guest = live.name
  const areDifferent = (one: NodeSet | undefined, other: NodeSet | undefined): boolean =>
    one !== undefined && other !== undefined && !sameSet(one, other)
  const [now, before] = [live.tune.memory?.nodes, defined.tune.memory?.nodes]
  const cells = live.cells.flatMap(({ id }) => {
    const nodes = { cell: id, live: writtenNodes(live, id), defined: writtenNodes(defined, id) }
    return areDifferent(nodes.live, nodes.defined) ? [nodes] : []
  })
  const alike = groupBy(cells, (each) =>
    [each.live, each.defined].map((set) => formatSet(set ?? [])).join(' '),
  )
  return [
    ...(areDifferent(now, before)
      ? [diagnostic('live-memory', { cells: [], live: now as NodeSet, defined: before as NodeSet, guest })]
      : []),
    ...[...alike.values()].map((group) => {
      const [first] = group as [(typeof group)[0]]
      const facts = { live: first.live as NodeSet, defined: first.defined as NodeSet, guest }
      return diagnostic('live-memory', { cells: group.map(({ cell }) => cell), ...facts })
    }),
  ]
}
