// A small host and a guest for it, as the tables of this folder need them.

import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, type NodeSet, range, setOf, union } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { DomainView } from '../../src/model/domain.ts'
import type { NodePages, Resources } from '../../src/model/host.ts'
import type { AvailableNode } from '../../src/plan/cpus/available.ts'
import { type Situation, situationOf } from '../../src/plan/situation.ts'
import { type RequestedKeys, requestFrom } from '../../src/request/request.ts'

/** CPUs from a list such as `0-3,8`. */
export const cpus = (text: string): CpuSet => parseSet<CpuSet>(text, 'test')

/** Two nodes of two cores with two threads each: CPUs 0-3 and 4-7, whose siblings are neighbours. */
export const HOST: Resources = {
  nodes: [
    { id: 0, cpus: cpus('0-3'), memoryKiB: 2 ** 22, pages: [], distances: [10, 21] },
    { id: 1, cpus: cpus('4-7'), memoryKiB: 2 ** 22, pages: [], distances: [21, 10] },
  ],
  siblings: [cpus('0-1'), cpus('2-3'), cpus('4-5'), cpus('6-7')],
  allowed: { cpus: cpus('0-7'), nodes: parseSet<NodeSet>('0-1', 'test') },
}

/** A guest with this many vCPUs; `inside` is XML below `<domain>`. */
export function guest(vcpus: number, inside = ''): DomainView {
  return readDomain(
    readDocument(
      `<domain type='kvm'><name>db1</name><memory>1048576</memory><vcpu>${vcpus}</vcpu>${inside}</domain>`,
    ),
  )
}

/** The guest on the host with what is requested. */
export function situationIn(
  view: DomainView,
  requested: RequestedKeys = {},
  resources: Resources = HOST,
): Situation {
  return situationOf({ view, resources, request: requestFrom([requested]) })
}

/** A node with these cores: '0-1 2*' is core 0-1, and CPU 2 of a core that is not wholly available. */
export function nodeOf(id: number, text: string): AvailableNode {
  const cores = text.split(' ').map((core) => ({
    cpus: cpus(core.replace('*', '')),
    whole: !core.endsWith('*'),
  }))
  return { id, cores, cpus: union(...cores.map((core) => core.cpus)) }
}

/** Distances between nodes 0 to 3: nodes 0 and 1 are near each other, nodes 2 and 3 even nearer. */
export const PAIRS: readonly (readonly number[])[] = [
  [10, 12, 21, 21],
  [12, 10, 21, 21],
  [21, 21, 10, 11],
  [21, 21, 11, 10],
]

/** What a function returns, or the codes that it refuses with. */
export function orCodes(decide: () => string): string {
  try {
    return decide()
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(({ code }) => code).join(' ')
    throw error
  }
}

/** The page size of the pools in `hostWith`, in KiB. */
export const PAGE = 2048

/** What a host of two or more nodes states of its memory and of its pool of 2 MiB pages. */
export interface HostFacts {
  /** Per node; an empty list is a host without pages. */
  readonly free?: readonly number[]
  /** Per node; as many as are free where it is absent. */
  readonly total?: readonly number[]
  readonly memoryKiB?: readonly number[]
  readonly freeKiB?: readonly number[]
  readonly overcommit?: number
  readonly surplus?: number
  readonly reserved?: number
  readonly mounted?: boolean
  /** The cgroup's limit, in pages. */
  readonly limit?: number
}

/** A host with a CPU per node and these facts. */
export function hostWith({ free, total = free, memoryKiB, freeKiB, limit, ...pool }: HostFacts): Resources {
  const ids = range(Math.max(2, total?.length ?? 0))
  const allowed = { cpus: setOf<CpuSet>(ids), nodes: setOf<NodeSet>(ids) }
  const pagesOf = (id: number): readonly NodePages[] => {
    const [all, unused] = [total?.[id], free?.[id]]
    if (all === undefined) return []
    return [{ pagesizeKiB: PAGE, total: all, ...(unused !== undefined && { free: unused }) }]
  }
  return {
    nodes: ids.map((id) => ({
      id,
      cpus: cpus(`${id}`),
      pages: pagesOf(id),
      ...(memoryKiB && { memoryKiB: memoryKiB[id] as number }),
      ...(freeKiB && { freeKiB: freeKiB[id] as number }),
    })),
    siblings: [],
    ...(Object.keys(pool).length > 0 && { pools: [{ pagesizeKiB: PAGE, ...pool }] }),
    allowed: { ...allowed, ...(limit !== undefined && { pages: [{ pagesizeKiB: PAGE, max: limit }] }) },
  }
}
