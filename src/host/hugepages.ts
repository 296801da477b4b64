// The folders hugepages-<size>kB and the hugetlbfs mounts -> pools of huge pages, per node and host-wide.

import { parseSize } from '../base/memory.ts'
import type { NodePages, Pool } from '../model/host.ts'
import type { Files } from './files.ts'
import { ifReadable, known, numberAt, numberedIn, textAt } from './kernel-text.ts'

const GLOBAL = '/sys/kernel/mm/hugepages'

/**
 * The pools of one node, smallest page size first.
 * @param folder of the node; by default the host-wide one, the only one of a kernel without NUMA
 */
export function readNodePages(files: Files, folder = GLOBAL): NodePages[] {
  const sizes = numberedIn(files, folder, 'hugepages-', 'kB') ?? []
  return sizes.flatMap((pagesizeKiB) => readPool(files, `${folder}/hugepages-${pagesizeKiB}kB`, pagesizeKiB))
}

function readPool(files: Files, folder: string, pagesizeKiB: number): NodePages[] {
  // nr_hugepages counts surplus pages too, and free_hugepages counts the free ones among them.
  const total = numberAt(files, `${folder}/nr_hugepages`)
  if (total === undefined) return []
  const free = numberAt(files, `${folder}/free_hugepages`)
  // The pool may grow between the two reads; it must not have more free pages than pages.
  return [{ pagesizeKiB, total, ...known('free', free === undefined ? undefined : Math.min(free, total)) }]
}

/** The host-wide facts about each page size of the kernel or a node; undefined when none is known. */
export function readPools(
  files: Files,
  nodeSizes: readonly number[],
  defaultPagesizeKiB: number | undefined,
): Pool[] | undefined {
  const sizes = [...new Set([...(numberedIn(files, GLOBAL, 'hugepages-', 'kB') ?? []), ...nodeSizes])].sort(
    (a, b) => a - b,
  )
  const mounts = readMounts(files, defaultPagesizeKiB)
  const pools = sizes.map((pagesizeKiB) => {
    const folder = `${GLOBAL}/hugepages-${pagesizeKiB}kB`
    return {
      pagesizeKiB,
      ...known('reserved', numberAt(files, `${folder}/resv_hugepages`)),
      ...known('overcommit', numberAt(files, `${folder}/nr_overcommit_hugepages`)),
      ...known('surplus', numberAt(files, `${folder}/surplus_hugepages`)),
      ...known('mounted', mounts === undefined ? undefined : isMounted(mounts, pagesizeKiB)),
    }
  })
  const stated = pools.filter((pool) => Object.keys(pool).length > 1)
  return stated.length === 0 ? undefined : stated
}

/** The page sizes of the hugetlbfs mounts, undefined for a mount of unknown size. */
function readMounts(
  files: Files,
  defaultPagesizeKiB: number | undefined,
): (number | undefined)[] | undefined {
  const path = ['/proc/mounts', '/proc/self/mounts'].find((each) => files.read(each) !== undefined)
  return path === undefined
    ? undefined
    : hugetlbfsMounts(files, path, defaultPagesizeKiB)?.map(({ pagesizeKiB }) => pagesizeKiB)
}

/**
 * The hugetlbfs mounts that a process sees. A mount without `pagesizeKiB` has an unknown size.
 * @param path /proc/mounts or /proc/PID/mounts
 * @returns undefined when that file cannot be read
 */
export function hugetlbfsMounts(
  files: Files,
  path: string,
  defaultPagesizeKiB: number | undefined,
): { readonly point: string; readonly pagesizeKiB?: number }[] | undefined {
  return textAt(files, path)
    ?.split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'hugetlbfs')
    .map(([, point = '', , options]) => {
      const size = /(?:^|,)pagesize=([^,]+)/.exec(options ?? '')?.[1]
      const pagesizeKiB =
        size === undefined ? defaultPagesizeKiB : ifReadable(() => parseSize(size, 'pagesize').kib)
      return { point, ...known('pagesizeKiB', pagesizeKiB) }
    })
}

function isMounted(mounts: readonly (number | undefined)[], pagesizeKiB: number): boolean | undefined {
  if (mounts.includes(pagesizeKiB)) return true
  return mounts.includes(undefined) ? undefined : false
}
