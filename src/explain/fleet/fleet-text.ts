// A guest on many hosts -> a table for a terminal of 80 columns, and plain data for --json.

import { formatSet, setOf } from '../../base/idset.ts'
import { formatKiB } from '../../base/memory.ts'
import { visible } from '../../base/visible.ts'
import { diagnosticFacts } from '../facts.ts'
import { messageOf } from '../message.ts'
import { plural } from '../texts/words.ts'
import { against, countsOf, type Fleet, type FleetRow, reasonsOf } from './fleet-row.ts'

const WIDTH = 80
const LONGEST_NAME = 30

/** The table, with a final newline: the hosts, and how many of them lack what. */
export function fleetText(fleet: Fleet): string {
  const { rows } = fleet
  const names = rows.map(({ host }) => cutLeft(visible(host), LONGEST_NAME))
  const width = Math.max(4, ...names.map((name) => name.length))
  const reasons = reasonsOf(rows)
  const lines = [
    fleetHeadline(fleet),
    '',
    `${'host'.padEnd(width)}  starts  nodes     local  split  notes`,
    ...rows.map((row, at) => cutRight(`${(names[at] as string).padEnd(width)}  ${rowWords(row)}`, WIDTH)),
    ...(reasons.length === 0 ? [] : ['', 'why not:']),
    ...reasons.map(({ code, hosts }) => `  ${code.padEnd(width)}  ${plural(hosts, 'host')}`),
  ]
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** "guest db1, 8 vCPUs, 16 GiB: starts on 12 of 14 hosts; 1 could not be read". */
export function fleetHeadline({ guest, vcpus, memoryKiB, rows }: Fleet): string {
  const { starts, unread } = countsOf(rows)
  const lost = unread === 0 ? '' : `; ${unread} could not be read`
  const named = `guest ${visible(guest) || '(no name)'}, ${plural(vcpus, 'vCPU')}, ${formatKiB(memoryKiB)}`
  return `${named}: starts on ${starts} of ${plural(rows.length, 'host')}${lost}`
}

function rowWords(row: FleetRow): string {
  const { outcome, fit } = row
  if (outcome !== 'starts' || fit === undefined) return `${'no'.padEnd(8)}${reasonText(row)}`
  const nodes = formatSet(setOf(fit.nodes)) || '-'
  const local = fit.cells === 0 ? '-' : `${fit.localCells}/${fit.cells}`
  const split = String(fit.splitCores).padEnd(7)
  return `${'yes'.padEnd(8)}${nodes.padEnd(10)}${local.padEnd(7)}${split}${fit.notes}`
}

/** The first reason, and how many more there are. */
function reasonText(row: FleetRow): string {
  const [first, ...others] = against(row)
  if (first === undefined) return ''
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return visible(`${first.code}: ${messageOf(first).what}${more}`)
}

const cutLeft = (text: string, most: number): string =>
  text.length <= most ? text : `...${text.slice(text.length - most + 3)}`

const cutRight = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 3)}...`

/** The same as plain data. */
export function fleetFacts({ guest, rows }: Fleet): object {
  return {
    guest,
    hosts: rows.length,
    ...countsOf(rows),
    reasons: reasonsOf(rows),
    rows: rows.map(({ host, outcome, fit, found }) => ({
      host,
      outcome,
      ...(fit && { ...fit, nodes: formatSet(setOf(fit.nodes)) }),
      diagnostics: diagnosticFacts(found, 'capacity-fails', []),
    })),
  }
}
