// The hugetlb files of a cgroup and its ancestors -> limits in pages.

import { parseSize } from '../../base/memory.ts'
import type { Allowed } from '../../model.ts'
import type { Files } from '../files.ts'
import { ifReadable, textAt } from '../kernel-text.ts'

/** hugetlb.2MB.max and hugetlb.2MB.rsvd.max of v2, hugetlb.2MB[.rsvd].limit_in_bytes of v1. */
const LIMIT = /^hugetlb\.(\d+[KMGT]B)\.(?:rsvd\.)?(?:max|limit_in_bytes)$/

/**
 * v1 writes "no limit" as the largest page count in bytes, rounded down to the page size: just below 2^63.
 */
const UNLIMITED_KIB = 2 ** 62 / 1024

/**
 * The tightest limit per page size over the folders, smallest page size first; undefined when there is none.
 */
export function readPageLimits(files: Files, folders: readonly string[]): Allowed['pages'] {
  const limits = new Map<number, number>()
  for (const folder of folders) {
    for (const name of files.list(folder) ?? []) {
      const unit = LIMIT.exec(name)?.[1]
      const kib = unit === undefined ? undefined : readLimit(textAt(files, `${folder}/${name}`))
      const pagesizeKiB =
        unit === undefined ? undefined : ifReadable(() => parseSize(unit.slice(0, -1), name).kib)
      if (kib === undefined || pagesizeKiB === undefined) continue
      const max = Math.floor(kib / pagesizeKiB)
      limits.set(pagesizeKiB, Math.min(max, limits.get(pagesizeKiB) ?? max))
    }
  }
  const pages = [...limits]
    .map(([pagesizeKiB, max]) => ({ pagesizeKiB, max }))
    .sort((a, b) => a.pagesizeKiB - b.pagesizeKiB)
  return pages.length === 0 ? undefined : pages
}

/**
 * KiB; undefined for "max". A number of bytes may not fit a double exactly; the error is far below a page.
 */
function readLimit(text: string | undefined): number | undefined {
  const bytes = text?.trim() ?? ''
  const kib = /^\d{1,20}$/.test(bytes) ? Number(bytes) / 1024 : undefined
  return kib === undefined || kib >= UNLIMITED_KIB ? undefined : kib
}
