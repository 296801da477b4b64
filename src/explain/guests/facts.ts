// All running guests of a host as plain data for --json: what the table has, sets as text, unknown facts left
// out.

import { formatSet, setOf } from '../../base/idset.ts'
import type { GuestsOfHost } from '../../model/actual-placement.ts'
import { findingsOf, summaryOf } from './summary.ts'

/** What `ps --json` prints besides diagnostics. */
export function guestsFacts({ guests, nodes }: GuestsOfHost): object {
  return {
    guests: guests.map((each) => {
      const { actual } = each
      const { cells, ...numbers } = summaryOf(actual, nodes)
      return {
        guest: actual.guest,
        pid: actual.pid,
        ...(actual.state !== undefined && { state: actual.state }),
        cells: cells.map(({ cells: ids, nodes: held }, index) => {
          const place = actual.cells[index]
          return {
            cells: formatSet(setOf(ids)),
            ...(held && { nodes: formatSet(held) }),
            ...(place?.nodes && { wanted: formatSet(place.nodes) }),
          }
        }),
        ...numbers,
        findings: findingsOf(each),
      }
    }),
  }
}
