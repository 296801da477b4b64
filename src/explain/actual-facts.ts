// The actual placement of a running guest as plain data for --json: the same facts as the tables, sets as
// text, unknown facts left out.

import { formatSet } from '../base/idset.ts'
import type { ActualPlacement, CellPlace, ThreadPlace } from '../model/actual-placement.ts'
import { policyWords, remoteRatio } from './actual-placement.ts'

/** What `verify --json` prints of a guest; expected facts are under `wanted`. */
export function actualFacts({ guest, pid, state, source, cells, threads }: ActualPlacement): object {
  return {
    guest,
    pid,
    ...(state !== undefined && { state }),
    wantedFrom: source,
    cells: cells.map(cellFacts),
    threads: threads.map(threadFacts),
  }
}

function cellFacts(place: CellPlace): object {
  const {
    cells,
    memoryKiB,
    nodes,
    mode,
    expectedPagesizeKiB,
    policies,
    pagesizesKiB,
    nodesKiB,
    allocatedKiB,
    elsewhereKiB,
  } = place
  const ratio = remoteRatio(place)
  return {
    cells: formatSet(cells),
    verdict: place.verdict,
    faults: place.faults,
    memoryKiB,
    wanted: {
      ...(nodes !== undefined && { nodes: formatSet(nodes) }),
      ...(mode !== undefined && { mode }),
      ...(expectedPagesizeKiB !== undefined && { pagesizeKiB: expectedPagesizeKiB }),
    },
    policies: policies.map(policyWords),
    pagesizesKiB,
    nodesKiB: Object.fromEntries([...nodesKiB].map(([node, kib]) => [`${node}`, kib])),
    allocatedKiB,
    ...(elsewhereKiB !== undefined && { elsewhereKiB }),
    ...(ratio !== undefined && { remoteRatio: ratio }),
    ...(place.thpKiB !== undefined && { thpKiB: place.thpKiB }),
    ...(place.swapKiB !== undefined && { swapKiB: place.swapKiB }),
    unknownKiB: place.unknownKiB,
  }
}

function threadFacts({ role, id, tids, cell, cpus, expected, verdict }: ThreadPlace): object {
  return {
    role,
    ...(id !== undefined && { id }),
    verdict,
    tids,
    ...(cell !== undefined && { cell }),
    ...(cpus !== undefined && { cpus: formatSet(cpus) }),
    ...(expected !== undefined && { wanted: formatSet(expected) }),
  }
}
