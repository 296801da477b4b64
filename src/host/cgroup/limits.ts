// The hugetlb files of a cgroup and its ancestors -> limits in pages.

import { leftOf, parseSize } from '../../base/memory.ts'
import type { Allowed, PageLimit } from '../../model/host.ts'
import type { Files } from '../files.ts'
import { ifReadable, textAt } from '../kernel-text.ts'

/** hugetlb.2MB.max and hugetlb.2MB.rsvd.max of v2, hugetlb.2MB[.rsvd].limit_in_bytes of v1. */
const LIMIT = /^hugetlb\.(\d+[KMGT]B)\.(?:rsvd\.)?(max|limit_in_bytes)$/
/** What is charged against a limit: the file beside it. */
const CHARGED: Readonly<Record<string, string>> = { max: 'current', limit_in_bytes: 'usage_in_bytes' }

/**
 * v1 writes "no limit" as the largest page count in bytes, rounded down to the page size: just below 2^63.
 */
const UNLIMITED_KIB = 2 ** 62 / 1024

/**
 * The limit per page size over the folders that leaves the least, smallest page size first; undefined when
 * there is none.
 */
export function readPageLimits(files: Files, folders: readonly string[]): Allowed['pages'] {
  const limits = new Map<number, PageLimit>()
  for (const folder of folders) {
    for (const name of files.list(folder) ?? []) {
      const limit = limitIn(files, folder, name)
      if (limit === undefined) continue
      const before = limits.get(limit.pagesizeKiB)
      if (before === undefined || leftOf(limit) < leftOf(before)) limits.set(limit.pagesizeKiB, limit)
    }
  }
  const pages = [...limits.values()].sort((a, b) => a.pagesizeKiB - b.pagesizeKiB)
  return pages.length === 0 ? undefined : pages
}

function limitIn(files: Files, folder: string, name: string): PageLimit | undefined {
  const [, size, kind = ''] = LIMIT.exec(name) ?? []
  if (size === undefined) return undefined
  const kib = readLimit(textAt(files, `${folder}/${name}`))
  const pagesizeKiB = ifReadable(() => parseSize(size.slice(0, -1), name).kib)
  if (kib === undefined || pagesizeKiB === undefined) return undefined
  const charged = name.replace(new RegExp(`${kind}$`), CHARGED[kind] as string)
  const used = Math.ceil((readLimit(textAt(files, `${folder}/${charged}`)) ?? 0) / pagesizeKiB)
  return { pagesizeKiB, max: Math.floor(kib / pagesizeKiB), ...(used > 0 && { used }) }
}

/**
 * KiB; undefined for "max". A number of bytes may not fit a double exactly; the error is far below a page.
 */
function readLimit(text: string | undefined): number | undefined {
  const bytes = text?.trim() ?? ''
  const kib = /^\d{1,20}$/.test(bytes) ? Number(bytes) / 1024 : undefined
  return kib === undefined || kib >= UNLIMITED_KIB ? undefined : kib
}
