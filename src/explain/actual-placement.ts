// The actual placement of a running guest -> two tables: its memory by cell, and its threads.

import { aligned } from '../base/columns.ts'
import { formatSet } from '../base/idset.ts'
import { sum } from '../base/lists.ts'
import { aboutKiB, formatKiB, inOneUnitAbout } from '../base/memory.ts'
import { visible } from '../base/visible.ts'
import type { ActualPlacement, CellPlace, ThreadPlace } from '../model/actual-placement.ts'
import type { MemoryPolicy } from '../model/running-guest.ts'
import { plural } from './texts/words.ts'

/** Expected and actual placement side by side, the verdict in the last column; with a final newline. */
export function actualText(where: ActualPlacement, findings: number): string {
  const parts = [
    headline(where),
    where.cells.length === 0 ? ['  memory     unknown'] : table(memoryRows(where)),
    table(threadRows(where)),
    [verdictLine(where, findings)],
  ]
  return `${parts.map((lines) => lines.map(visible).join('\n')).join('\n\n')}\n`
}

function headline({ guest, pid, state, source, cells, cellular }: ActualPlacement): string[] {
  const sumKiB = sum(cells.map(({ memoryKiB }) => memoryKiB))
  const amount = sum(cells.map(({ cells: ids }) => ids.length))
  const inCells = cellular ? ` in ${plural(amount, 'cell')}` : ''
  const size = sumKiB === 0 ? '' : `: ${formatKiB(sumKiB)}${inCells}`
  return [
    `guest ${guest || '(no name)'}, process ${pid}${state === undefined ? '' : `, ${state}`}${size}`,
    `expected placement: ${source}`,
  ]
}

function verdictLine({ cells, threads }: ActualPlacement, findings: number): string {
  if (findings > 0) return plural(findings, 'finding')
  const isUnknown = [...cells, ...threads].some(({ verdict }) => verdict === 'unknown')
  return isUnknown ? 'no findings; see the notes for what is unknown' : 'placed as expected'
}

function memoryRows({ cells, cellular }: ActualPlacement): string[][] {
  const nodes = [...new Set(cells.flatMap(({ nodesKiB }) => [...nodesKiB.keys()]))].sort((a, b) => a - b)
  const head = [
    'memory',
    'expected',
    'policy',
    'pages',
    ...nodes.map((node) => `node ${node}`),
    'allocated',
    'remote',
    '',
  ]
  return [head, ...cells.map((place) => memoryRow(place, nodes, cellular))]
}

function memoryRow(place: CellPlace, nodes: readonly number[], cellular: boolean): string[] {
  const { cells, memoryKiB, nodesKiB, policies, allocatedKiB, faults, verdict } = place
  const isUnknown = policies.length === 0
  return [
    cellular || cells.length > 1 ? `cell${cells.length === 1 ? '' : 's'} ${formatSet(cells)}` : 'guest',
    place.nodes === undefined ? '-' : `${place.mode ?? ''} ${formatSet(place.nodes)}`.trim(),
    isUnknown ? 'unknown' : policies.map(policyWords).join(' '),
    isUnknown ? 'unknown' : pageWords(place),
    ...nodes.map((node) => {
      const kib = nodesKiB.get(node) ?? 0
      return kib === 0 ? '-' : aboutKiB(kib)
    }),
    isUnknown
      ? `unknown of ${formatKiB(memoryKiB)}`
      : `${inOneUnitAbout(allocatedKiB, memoryKiB).join(' of ')}${swapWords(place)}`,
    remoteWords(place),
    faults.length === 0 ? VERDICTS[verdict] : faults.map((fault) => VERDICTS[fault]).join(', '),
  ]
}

function pageWords({ pagesizesKiB, thpKiB = 0 }: CellPlace): string {
  const sizes = pagesizesKiB.map(formatKiB).join(', ') || 'unknown'
  return thpKiB === 0 ? sizes : `${sizes} (${aboutKiB(thpKiB)} in THP)`
}

const swapWords = ({ swapKiB = 0 }: CellPlace): string =>
  swapKiB === 0 ? '' : `, ${aboutKiB(swapKiB)} swapped out`

const MISPLACED: readonly string[] = ['wider', 'elsewhere', 'crowded'] satisfies ThreadPlace['verdict'][]

/** Whether a thread may run on unexpected CPUs, or shares CPUs although it could have its own. */
export const isMisplaced = ({ verdict }: ThreadPlace): boolean => MISPLACED.includes(verdict)

/** "bind:0-1", or the mode alone when it names no nodes. */
export const policyWords = ({ mode, nodes }: MemoryPolicy): string =>
  nodes.length === 0 ? mode : `${mode}:${formatSet(nodes)}`

/**
 * The share of a cell's allocated pages on unexpected nodes, 0 to 1; undefined where nothing is
 * expected or known.
 */
export function remoteRatio({ elsewhereKiB, allocatedKiB }: CellPlace): number | undefined {
  if (elsewhereKiB === undefined) return undefined
  return allocatedKiB === 0 ? 0 : elsewhereKiB / allocatedKiB
}

function remoteWords(place: CellPlace): string {
  const ratio = remoteRatio(place)
  if (ratio !== undefined) return shareWords(ratio)
  return place.nodes === undefined && place.cells.length === 1 ? '-' : 'unknown'
}

/** Rounded so that a single page does not vanish: "<0.1 %", and 100 % is all of them. */
export function shareWords(ratio: number): string {
  if (ratio > 0 && ratio < 0.001) return '<0.1 %'
  if (ratio > 0.999 && ratio < 1) return '99.9 %'
  return `${Math.round(ratio * 1000) / 10} %`
}

function threadRows({ threads }: ActualPlacement): string[][] {
  const rows = threads.map(({ role, id, tids, cpus, expected, verdict }) => [
    role === 'vcpu'
      ? `vCPU ${id}`
      : role === 'iothread'
        ? `I/O thread ${id}`
        : `emulator${tids.length > 1 ? ` (${tids.length})` : ''}`,
    expected === undefined ? '-' : formatSet(expected),
    cpus === undefined ? 'unknown' : formatSet(cpus),
    VERDICTS[verdict],
  ])
  return [['thread', 'expected', 'may run on', ''], ...rows]
}

const VERDICTS: Readonly<Record<CellPlace['verdict'] | ThreadPlace['verdict'], string>> = {
  placed: 'ok',
  overflowed: 'overflow',
  wider: 'WIDER',
  elsewhere: 'ELSEWHERE',
  narrower: 'narrower',
  crowded: 'CROWDED',
  unbound: 'POLICY',
  pagesize: 'PAGE SIZE',
  free: '-',
  unknown: 'unknown',
}

const table = (rows: readonly (readonly string[])[]): string[] => aligned(rows).map((row) => `  ${row}`)
