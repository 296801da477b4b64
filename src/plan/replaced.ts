// What of a guest is lost or changes where its cells are built anew.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import type { Request } from '../model/request.ts'

/**
 * What would be lost if cells were built anew. memAccess and discard are carried over where all cells have
 * the same.
 */
export function lostWithCells({ cells, cellExtras }: DomainView): Diagnostic[] {
  const uneven = (['memAccess', 'discard'] as const).filter(
    (name) => new Set(cells.map((cell) => cell[name])).size > 1,
  )
  return [
    ...(cellExtras.length > 0 ? [diagnostic('cells-hold-more', { elements: cellExtras })] : []),
    ...uneven.map((name) => diagnostic('cells-uneven', { attribute: name })),
  ]
}

/**
 * The modes that are not kept. restrictive is not kept with memory that QEMU allocates itself
 * (request/guest-request.ts).
 */
export function modeNotes(view: DomainView, request: Request): Diagnostic[] {
  const from = view.tune.memory?.mode
  if (from === 'restrictive' && request.mode !== from)
    return [diagnostic('mode-changed', { cells: [], from, to: request.mode, because: 'pages' })]
  return unevenNotes(view, request)
}

/** Cells with different modes, built anew, all get one. */
function unevenNotes({ cells, tune }: DomainView, { mode: to }: Request): Diagnostic[] {
  const modes = cells.map(({ id }) => tune.memnodes.find(({ cell }) => cell === id) ?? tune.memory)
  const modeOf = modes.map((each) => each?.mode ?? 'strict')
  if (new Set(modeOf).size < 2) return []
  return [...new Set(modeOf)]
    .filter((from) => from !== to)
    .map((from) => {
      const ids = cells.filter((_, index) => modeOf[index] === from).map(({ id }) => id)
      return diagnostic('mode-changed', { cells: ids, from, to, because: 'replaced' })
    })
}
