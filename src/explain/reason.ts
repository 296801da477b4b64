// Why nodes were chosen rather than the second best, in words; and the level-3 caches that CPUs are on.

import { type CpuSet, has, type IdSet, setOf } from '../base/idset.ts'
import { aboutKiB, formatKiB } from '../base/memory.ts'
import type { Cache } from '../model/host.ts'
import type { Criterion, NodesReason } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { plural } from './texts/words.ts'

type Next = NonNullable<NodesReason['next']>

/** What was asked for: the request, and the size of the pages behind cells, absent for ordinary memory. */
interface Asked {
  readonly request: Request
  readonly pagesizeKiB: number | undefined
}

/** "where 4 GiB of 1 GiB pages are missing": what is worse on the second best nodes. */
export function reasonWords(next: Next, asked: Asked): string {
  return words[next.criterion](next, asked)
}

const words: Record<Criterion, (next: Next, asked: Asked) => string> = {
  memory: ({ best, next }, { pagesizeKiB }) => {
    const missing = pagesizeKiB === undefined ? aboutKiB(next - best) : formatKiB(next - best)
    const kind = pagesizeKiB === undefined ? 'memory' : `${formatKiB(pagesizeKiB)} pages`
    return `where ${missing}${best === 0 ? '' : ' more'} of ${kind} are missing`
  },
  cpus: ({ best, next }) => `where ${plural(next - best, 'guest core')} would have no CPU`,
  taken: ({ best, next }) => `where ${plural(next - best, 'more vCPU')} would use CPUs of other guests`,
  nodes: (_, { request }) =>
    request.cells === 'per-node' ? 'which are more nodes' : 'which are not as many nodes as cells',
  available: ({ best, next }) =>
    `where ${aboutKiB(next - best)}${best === 0 ? '' : ' more'} of the memory are in use now`,
  distance: () => 'which are farther apart, or from their memory',
  moved: ({ best, next }) => `to which ${plural(next - best, 'more cell')} would move`,
  caches: ({ best, next }) =>
    `where the vCPUs would be on ${plural(next, 'level-3 cache')} instead of ${best}`,
  split: ({ best, next }) => `where ${plural(next, 'host core')} would be split instead of ${best}`,
  ids: () => 'which are as good: the lowest ids are taken',
}

/** The ids of the level-3 caches that these CPUs are on; the index of one without an id. */
export function cachesOf(cpus: CpuSet, caches: readonly Cache[] = []): IdSet<'cache'> {
  const found = caches.flatMap(({ id, cpus: own }, index) =>
    cpus.some((cpu) => has(own, cpu)) ? [id ?? index] : [],
  )
  return setOf<IdSet<'cache'>>(found)
}
