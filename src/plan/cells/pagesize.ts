// Which pages back the guest.

import { refuse } from '../../codes/codes.ts'
import type { CellPages, DomainView } from '../../model/domain.ts'
import type { Host } from '../../model/host.ts'
import type { Request } from '../../model/request.ts'

/**
 * The request's size, else the domain's; undefined is ordinary memory.
 * @throws Refusal `hugepages-required`, `default-pagesize-unknown`, `pagesizes-mixed`
 */
export function pagesizeOf(view: DomainView, host: Host, request: Request): number | undefined {
  const pagesizeKiB =
    request.pagesizeKiB === 'none' ? undefined : (request.pagesizeKiB ?? oneSize(view, host))
  if (pagesizeKiB === undefined && request.rules.hugepagesRequired)
    refuse('hugepages-required', { inVmi: request.threads !== undefined })
  return pagesizeKiB
}

/**
 * The size of the pages behind a cell that is there: 0 for ordinary memory, undefined where the host's
 * default size counts and is not known.
 */
export function pagesizeKiBOf(
  pages: CellPages | undefined,
  { defaultPagesizeKiB }: Pick<Host, 'defaultPagesizeKiB'>,
): number | undefined {
  if (pages === undefined || pages === 'ordinary') return 0
  return pages === 'default' ? defaultPagesizeKiB : pages.pagesizeKiB
}

/** One size for all cells to be, from what is written for those that are there. */
function oneSize({ hugepages }: DomainView, { defaultPagesizeKiB }: Host): number | undefined {
  if (hugepages === undefined) return undefined
  const sizes = [...new Set(hugepages.map(({ pagesizeKiB }) => pagesizeKiB))].sort((a, b) => a - b)
  if (sizes.length > 1) refuse('pagesizes-mixed', { pagesizesKiB: sizes })
  return sizes[0] ?? defaultPagesizeKiB ?? refuse('default-pagesize-unknown', {})
}
