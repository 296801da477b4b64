// Pools of huge pages and hugetlbfs mounts: whether a cell can have huge pages.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type NodeSet, setOf } from '../base/idset.ts'
import { sum } from '../base/lists.ts'
import { formatKiB } from '../base/memory.ts'
import { diagnostic } from '../codes/codes.ts'
import type { Daemon } from '../host/daemon.ts'
import type { Files } from '../host/files.ts'
import { hugetlbfsMounts } from '../host/hugepages.ts'
import { textAt } from '../host/kernel-text.ts'
import type { Host, HostNode } from '../model/host.ts'
import { type Inspection, type Item, named } from './inspection.ts'

/** The huge pages of each node. */
export function pagesItem({ host, files }: Inspection): Item {
  const sizes = sizesOf(host)
  const scattered = sizes.includes(GIGANTIC_KIB) ? fragmented(host, files) : []
  const used = sizes.filter((size) => host.nodes.some((node) => totalOf(node, size) > 0))
  if (used.length === 0) {
    const found = [diagnostic('pools-empty', { pagesizesKiB: sizes, node: host.nodes[0]?.id ?? 0 })]
    return { name: 'pages', says: 'no huge pages', found: [...found, ...scattered] }
  }
  return {
    name: 'pages',
    says: used.map((size) => poolSays(host, size)).join('; '),
    found: [...used.flatMap((size) => uneven(host, size)), ...scattered],
  }
}

function sizesOf({ nodes, pools = [] }: Host): number[] {
  const all = [
    ...nodes.flatMap(({ pages }) => pages.map(({ pagesizeKiB }) => pagesizeKiB)),
    ...pools.map(({ pagesizeKiB }) => pagesizeKiB),
  ]
  return [...new Set(all)].sort((a, b) => a - b)
}

const totalOf = ({ pages }: HostNode, size: number): number =>
  pages.find(({ pagesizeKiB }) => pagesizeKiB === size)?.total ?? 0

/** "2 MiB: 500 of 512 free on node 0, 0 of 256 free on node 1, 3 reserved". */
function poolSays({ nodes, pools = [] }: Host, size: number): string {
  const each = nodes.flatMap(({ id, pages }) => {
    const pool = pages.find(({ pagesizeKiB, total }) => pagesizeKiB === size && total > 0)
    return pool === undefined ? [] : [`${pool.free ?? '?'} of ${pool.total} free on node ${id}`]
  })
  const { reserved = 0, overcommit = 0 } = pools.find(({ pagesizeKiB }) => pagesizeKiB === size) ?? {}
  const more = [
    ...(reserved > 0 ? [`${reserved} reserved`] : []),
    ...(overcommit > 0 ? [`up to ${overcommit} more on demand`] : []),
  ]
  return `${formatKiB(size)}: ${[...each, ...more].join(', ')}`
}

/** Nodes with memory but without pages of a size that others have. */
function uneven({ nodes }: Host, size: number): Diagnostic[] {
  const [without, others] = [true, false].map((isEmpty) =>
    nodes.filter((node) => node.memoryKiB !== 0 && (totalOf(node, size) === 0) === isEmpty),
  )
  if (without === undefined || without.length === 0) return []
  const ids = (of: readonly HostNode[] = []): NodeSet => setOf<NodeSet>(of.map(({ id }) => id))
  const mostPages = Math.max(...(others ?? []).map((node) => totalOf(node, size)))
  return [
    diagnostic('pool-uneven', { nodes: ids(without), others: ids(others), pagesizeKiB: size, mostPages }),
  ]
}

/** A page that is larger than any block of the page allocator. */
const GIGANTIC_KIB = 1024 * 1024

/**
 * Nodes on which more pages of 1 GiB can hardly be had, although as much memory is free: less than that is in
 * blocks of the largest order, 4 MiB on x86.
 * @see proc(5), buddyinfo
 */
function fragmented({ nodes }: Host, files: Files): Diagnostic[] {
  const shares = contiguousShares(textAt(files, '/proc/buddyinfo') ?? '')
  return nodes.flatMap(({ id, freeKiB = 0 }) => {
    const share = shares.get(id)
    if (share === undefined || freeKiB < GIGANTIC_KIB) return []
    const contiguousKiB = Math.floor(freeKiB * share)
    if (contiguousKiB >= GIGANTIC_KIB) return []
    const facts = { node: id, pagesizeKiB: GIGANTIC_KIB, freeKiB, contiguousKiB }
    return [diagnostic('memory-fragmented', facts)]
  })
}

/**
 * By node, the share of its free memory that is in blocks of the largest order. "Node 0, zone Normal 3 1 0 2"
 * counts the blocks of 1, 2, 4 and 8 pages.
 */
function contiguousShares(buddyinfo: string): ReadonlyMap<number, number> {
  const pages = new Map<number, { all: number; largest: number }>()
  for (const line of buddyinfo.split('\n')) {
    const [, id, blocks] = /^Node (\d{1,9}), zone +\S+ +([\d ]+)$/.exec(line.trimEnd()) ?? []
    if (blocks === undefined) continue
    const sizes = blocks
      .trim()
      .split(/ +/)
      .map((count, order) => Number(count) * 2 ** order)
    const node = pages.get(Number(id)) ?? { all: 0, largest: 0 }
    node.all += sum(sizes)
    node.largest += sizes.at(-1) ?? 0
    pages.set(Number(id), node)
  }
  return new Map([...pages].map(([id, { all, largest }]) => [id, all === 0 ? 0 : largest / all]))
}

/** Whether hugetlbfs is mounted for every size of huge pages, since before the daemon started. */
export function hugetlbfsItem({ host, files, daemon }: Inspection): Item {
  const mounts = hugetlbfsMounts(
    files,
    daemon === undefined ? '/proc/mounts' : `/proc/${daemon.pid}/mounts`,
    host.defaultPagesizeKiB,
  )
  const name = 'hugetlbfs'
  if (mounts === undefined)
    return { name, says: 'the list of mounts cannot be read', isUnknown: true, found: [] }
  const used = sizesOf(host).filter((size) => host.nodes.some((node) => totalOf(node, size) > 0))
  const found = used.flatMap((size): Diagnostic[] => {
    const points = mounts
      .filter(({ pagesizeKiB }) => pagesizeKiB === size || pagesizeKiB === undefined)
      .map(({ point }) => point)
    const [first] = points
    if (first === undefined) return [diagnostic('hugetlbfs-missing', { pagesizeKiB: size })]
    if (daemon === undefined || points.some((point) => isSeen(files, daemon, point))) return []
    return [
      diagnostic('hugetlbfs-unseen', {
        daemon: named(daemon),
        point: first,
        restart: `systemctl restart ${daemon.name}; guests keep running`,
      }),
    ]
  })
  const each = mounts.map(
    ({ point, pagesizeKiB }) =>
      `${pagesizeKiB === undefined ? 'unknown size' : formatKiB(pagesizeKiB)} at ${point}`,
  )
  return { name, says: each.length === 0 ? 'not mounted' : each.join(', '), found }
}

/** The daemon creates a folder in every mount when it starts, so a later mount has none. */
function isSeen(files: Files, { pid }: Daemon, point: string): boolean {
  return [`/proc/${pid}/root${point}`, point].some(
    (folder) => files.list(`${folder}/libvirt/qemu`) !== undefined,
  )
}
