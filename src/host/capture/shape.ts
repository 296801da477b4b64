// A host in words, to plan for one that nobody has captured: `2n16c2t,64G,1G:32` has two nodes, each with 16
// cores of two threads, 64 GiB of memory and 32 pages of 1 GiB, all free.
//
// CPUs are numbered as Linux numbers them on x86: the first thread of every core, node by node, then the
// second threads in the same order.

import { Refusal } from '../../base/diagnostic.ts'
import { type CpuSet, MAX_ID, MAX_NODES, range, setOf } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import { parseSize } from '../../base/memory.ts'
import { type FactsOf, refuse } from '../../codes/codes.ts'
import type { Host, HostNode, NodePages } from '../../model/host.ts'

/** Whether a name is meant as a shape, where no file has it. */
export function isShape(name: string): boolean {
  return /^\d+n\d/i.test(name) && !/[/.]/.test(name)
}

/** Of x86 hosts with two sockets. */
const LOCAL = 10
const REMOTE = 21

/** @throws Refusal `host-shape` */
export function hostOfShape(text: string): Host {
  const wrong = (problem: FactsOf<'host-shape'>['problem']): never => refuse('host-shape', { text, problem })
  const [first = '', ...items] = text.split(',').map((item) => item.trim())
  const [, nodes = 0, cores = 0, threads = 1] =
    /^(\d{1,5})n(\d{1,5})c(?:(\d{1,5})t)?$/i.exec(first)?.map((count) => Number(count ?? 1)) ?? []
  const counts = { nodes, cores, threads }
  if (Object.values(counts).some((count) => count === 0)) wrong({ is: 'not-counts', part: first })
  if (nodes > MAX_NODES) wrong({ is: 'too-many', of: 'nodes', count: nodes, max: MAX_NODES })
  const cpus = nodes * cores * threads
  if (cpus > MAX_ID + 1) wrong({ is: 'too-many', of: 'CPUs', count: cpus, max: MAX_ID + 1 })

  let memoryKiB: number | undefined
  const pages: NodePages[] = []
  for (const item of items) {
    const { sizeKiB, count } = readItem(item) ?? wrong({ is: 'not-an-item', part: item })
    if (count === undefined && memoryKiB !== undefined) wrong({ is: 'twice', part: item })
    if (count === undefined) memoryKiB = sizeKiB
    else if (!Number.isInteger(Math.log2(sizeKiB))) wrong({ is: 'not-a-pagesize', part: item })
    else if (pages.some(({ pagesizeKiB }) => pagesizeKiB === sizeKiB)) wrong({ is: 'twice', part: item })
    else pages.push({ pagesizeKiB: sizeKiB, total: count, free: count })
  }
  const inPages = sum(pages.map(({ pagesizeKiB, total }) => pagesizeKiB * total))
  if (pages.length > 0 && memoryKiB === undefined) wrong({ is: 'no-memory' })
  if (memoryKiB !== undefined && inPages > memoryKiB)
    wrong({ is: 'pages-above-memory', pagesKiB: inPages, memoryKiB })
  pages.sort((a, b) => a.pagesizeKiB - b.pagesizeKiB)
  const memory = memoryKiB !== undefined && {
    memoryKiB,
    freeKiB: memoryKiB - inPages,
    availableKiB: memoryKiB - inPages,
  }
  return {
    nodes: range(nodes).map(
      (id): HostNode => ({
        id,
        cpus: setOf<CpuSet>(range(cores).flatMap((core) => threadsOf(id * cores + core, counts))),
        ...memory,
        pages,
        distances: range(nodes).map((other) => (other === id ? LOCAL : REMOTE)),
      }),
    ),
    siblings: range(nodes * cores).map((core) => setOf<CpuSet>(threadsOf(core, counts))),
  }
}

/** Counts over the host of nodes, per node of cores, per core of threads. */
interface Counts {
  readonly nodes: number
  readonly cores: number
  readonly threads: number
}

/** The CPUs of a core, which is counted over the host. */
const threadsOf = (core: number, { nodes, cores, threads }: Counts): number[] =>
  range(threads).map((thread) => thread * nodes * cores + core)

/** "64G", or "1G:32". */
function readItem(item: string): { readonly sizeKiB: number; readonly count?: number } | undefined {
  const [, size = '', count] = /^(\d+\s*[A-Za-z]+)(?::(\d{1,9}))?$/.exec(item) ?? []
  try {
    const { kib } = parseSize(size, item)
    return { sizeKiB: kib, ...(count !== undefined && { count: Number(count) }) }
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
