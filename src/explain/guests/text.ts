// All running guests of a host -> one table.

import { aligned } from '../../base/columns.ts'
import { formatSet, type NodeSet, sameSet, setOf } from '../../base/idset.ts'
import { formatKiB } from '../../base/memory.ts'
import { shownName, visible } from '../../base/visible.ts'
import type { GuestsOfHost } from '../../model/actual-placement.ts'
import { shareWords } from '../actual-placement.ts'
import { type CellsOnNodes, findingsOf, summaryOf } from './summary.ts'

/** One line per guest, or a line that says that there is none; with a final newline. */
export function guestsText({ guests, nodes }: GuestsOfHost, last: 'threads' | 'findings'): string {
  if (guests.length === 0) return 'no running guests\n'
  const isVerified = last === 'findings'
  const rows = guests.map((each) => {
    const { actual } = each
    const { vcpus, memoryKiB, cells, localRatio, threads, misplacedThreads } = summaryOf(actual, nodes)
    const isKnown = cells.length > 0
    return [
      shownName(actual.guest),
      `${actual.pid}`,
      actual.state ?? '-',
      `${vcpus}`,
      isKnown ? formatKiB(memoryKiB) : 'unknown',
      isKnown ? cellWords(cells, actual.cellular) : 'unknown',
      isKnown && localRatio !== undefined ? shareWords(localRatio) : '-',
      threads === 0 ? 'unknown' : `${misplacedThreads} of ${threads}`,
      ...(isVerified ? [`${findingsOf(each)}`] : []),
    ]
  })
  const head = ['guest', 'process', 'state', 'vCPUs', 'memory', 'cells -> nodes', 'local', 'misplaced']
  return `${aligned([[...head, ...(isVerified ? ['findings'] : [])], ...rows])
    .map(visible)
    .join('\n')}\n`
}

/**
 * "0 -> 1, 1 -> 2", cells on the same nodes together: "0-3 -> 1". "0-7 -> 8-15 one by one": each of three or
 * more cells on the node that follows that of the cell before it.
 */
export function cellWords(cells: readonly CellsOnNodes[], cellular: boolean): string {
  const groups: (CellsOnNodes & { readonly isOneByOne?: true })[] = []
  let at = 0
  while (at < cells.length) {
    const length = stairsFrom(cells, at)
    if (length < 3) groups.push(cells[at] as CellsOnNodes)
    else {
      const steps = cells.slice(at, at + length)
      const nodes = setOf<NodeSet>(steps.flatMap((step) => step.nodes ?? []))
      groups.push({ cells: steps.flatMap((step) => step.cells), nodes, isOneByOne: true })
    }
    at += length < 3 ? 1 : length
  }
  return joined(groups)
    .map(({ cells: ids, nodes, isOneByOne }) => {
      const where = nodes === undefined ? 'unknown' : nodes.length === 0 ? 'none yet' : formatSet(nodes)
      const from = cellular || ids.length > 1 ? formatSet(setOf(ids)) : 'all'
      return `${from} -> ${where}${isOneByOne ? ' one by one' : ''}`
    })
    .join(', ')
}

/** How many cells from this one on are each on the one node after that of the cell before. */
function stairsFrom(cells: readonly CellsOnNodes[], from: number): number {
  const single = (at: number): number | undefined => {
    const { cells: ids, nodes } = cells[at] ?? { cells: [] }
    return ids.length === 1 && nodes?.length === 1 ? nodes[0] : undefined
  }
  const first = single(from)
  if (first === undefined) return 0
  let length = 1
  while (single(from + length) === first + length) length += 1
  return length
}

/** Neighbours on the same nodes become one. */
function joined<Group extends CellsOnNodes & { readonly isOneByOne?: true }>(
  groups: readonly Group[],
): (CellsOnNodes & { readonly isOneByOne?: true })[] {
  const all: (CellsOnNodes & { readonly isOneByOne?: true })[] = []
  for (const group of groups) {
    const last = all.at(-1)
    const isSame =
      last?.nodes !== undefined &&
      group.nodes !== undefined &&
      !last.isOneByOne &&
      !group.isOneByOne &&
      sameSet(last.nodes, group.nodes)
    if (isSame) all[all.length - 1] = { ...last, cells: [...last.cells, ...group.cells] }
    else all.push(group)
  }
  return all
}
