// What was done for a guest -> one line of a log: the hook's log file, or the output of `watch`.

import { isCut } from '../base/bounds.ts'
import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet, range, union } from '../base/idset.ts'
import { visible } from '../base/visible.ts'
import { labelOf, type Severity } from '../explain/diagnostics.ts'
import type { Placed } from '../place.ts'

/** "rebound, cells 0-1 on nodes 0-1, 6 edits". */
export function summaryOf({ view, edits, notes, placement: { cells, binding } }: Placed): string {
  const nodes = formatSet(
    union(
      ...binding.memnodes.map((memnode) => memnode.nodes),
      ...(binding.memory ? [binding.memory.nodes] : []),
    ),
  )
  const what = `${cells.length === 0 ? 'no cells' : `cells ${formatSet(range(cells.length))}`}${nodes === '' ? '' : ` on nodes ${nodes}`}`
  const word = edits.length === 0 ? 'kept' : view.cells.length === cells.length ? 'rebound' : 'fitted'
  const done =
    edits.length === 0
      ? `${word}, ${what}`
      : `${word}, ${what}, ${edits.length} edit${edits.length === 1 ? '' : 's'}`
  const others = notes.filter((note) => !isCut(note))
  return [
    done,
    ...notes.filter(isCut).map(cutWords),
    ...(others.length === 0 ? [] : [listed(others, 'capacity-warns')]),
  ].join('; ')
}

/** A request that was cut is reported in full, with the limit that cut it. */
function cutWords({ code, what, why }: Diagnostic): string {
  return `note[${code}]: ${what}: ${why}`
}

/** The first diagnostic in full and the codes of the others: a log entry is one line. */
export function listed([first, ...others]: readonly Diagnostic[], severity: Severity): string {
  if (first === undefined) return ''
  const head = `${labelOf(first, severity)}[${first.code}]: ${first.what}`
  return others.length === 0
    ? head
    : `${head}; ${others.length} more: ${[...new Set(others.map(({ code }) => code))].join(', ')}`
}

/**
 * "2026-11-24T03:44:22Z migrate begin db1: rebound, cells 0-1 on nodes 0-1, 6 edits (12 ms)", with its line
 * end.
 */
export function actionLine(about: string, what: string, now: Date, tookMs: number): string {
  return `${visible(`${now.toISOString().slice(0, 19)}Z ${about}: ${what} (${Math.round(tookMs)} ms)`)}\n`
}
