// What was done for a guest -> one line of a log: the hook's log file, or the output of `watch`.

import { isCut } from '../base/bounds.ts'
import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet, type NodeSet, range, setOf, union } from '../base/idset.ts'
import { visible } from '../base/visible.ts'
import { labelOf, type Severity } from '../explain/diagnostics.ts'
import { messageOf } from '../explain/message.ts'
import type { Placed } from '../place.ts'

/** "rebound: cells 0-1 on nodes 0-1, 6 edits", then what is worth knowing. */
export function summaryOf({ view, edits, notes, placement }: Placed): string {
  const { cells, binding } = placement
  const nodes = union(
    ...binding.memnodes.map((memnode) => memnode.nodes),
    ...(binding.memory ? [binding.memory.nodes] : []),
  )
  const shape = cells.length === 0 ? 'no cells' : ids('cell', range(cells.length))
  const where = nodes.length === 0 ? shape : `${shape} on ${ids('node', nodes)}`
  const change = view.cells.length === cells.length ? 'rebound' : 'fitted'
  const others = notes.filter((note) => !isCut(note))
  return [
    edits.length === 0 ? `placement kept: ${where}` : `${change}: ${where}, ${counted(edits.length, 'edit')}`,
    ...notes.filter(isCut).map(cutWords),
    ...(others.length === 0 ? [] : [listed(others, 'capacity-warns')]),
  ].join('; ')
}

/** "cell 0", "cells 0-1". */
const ids = (one: string, set: readonly number[]): string =>
  `${one}${set.length === 1 ? '' : 's'} ${formatSet(setOf<NodeSet>(set))}`

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

/** A request that was cut is reported in full, with the limit that cut it. */
function cutWords(cut: Diagnostic): string {
  const { what, why } = messageOf(cut)
  return `note[${cut.code}]: ${what}: ${why}`
}

/** The first diagnostic in full and the codes of the others: a log entry is one line. */
export function listed([first, ...others]: readonly Diagnostic[], severity: Severity): string {
  if (first === undefined) return ''
  const head = `${labelOf(first, severity)}[${first.code}]: ${messageOf(first).what}`
  return others.length === 0
    ? head
    : `${head}; ${others.length} more: ${[...new Set(others.map(({ code }) => code))].join(', ')}`
}

/**
 * "2026-11-24T03:44:22Z migrate begin db1: rebound: cells 0-1 on nodes 0-1, 6 edits (12 ms)", with its
 * newline.
 */
export function actionLine(about: string, what: string, now: Date, tookMs: number): string {
  return `${visible(`${now.toISOString().slice(0, 19)}Z ${about}: ${what} (${Math.round(tookMs)} ms)`)}\n`
}
