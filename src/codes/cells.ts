// A guest's cells: their vCPUs, distances and number, and what stays when they are rebuilt: the facts and
// the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface CellsFacts {
  readonly 'cell-vcpus-missing': { cell: number; vcpus: string; count: number }

  readonly 'distance-invalid': { cell: number; sibling: number; value: number }

  readonly 'distance-without-cell': { cell: number; sibling: number; cells: number }

  readonly 'cell-ids': { ids: string; last: number }

  readonly 'cells-beyond': { cells: number; max: number }

  readonly 'cells-overlap': { vcpu: number; cells: readonly number[] }

  readonly 'memnode-without-cell': { cell: number; cells: number }

  readonly 'page-without-cell': { cell: number; cells: number }

  readonly 'cells-too-many': { cells: number; cores: number; threads: number }

  readonly 'cells-too-few': { cells: number; count: number; nodes: string }

  readonly 'nodes-too-small': { cells: number; cores: number; threads: number; room: number; nodes: string }

  readonly 'cells-hold-more': { elements: string }

  readonly 'cells-uneven': { attribute: string }

  readonly 'device-cell-missing': { model: string; cell: number; cells: number }

  readonly 'cells-kept': { keys: string }

  readonly 'cells-impossible': { arch: string }

  readonly 'cell-spans-nodes': { cell: number; nodes: string }

  readonly 'socket-spans-cells': { sockets: readonly number[]; cells: number; vcpus: number; threads: number }

  readonly 'cell-crossing': { cores: number; threads: number; fit: number; cpuset: string }

  readonly 'guest-core-torn': { vcpus: string; cpus: string }
}

/** The class of each code. */
export const cellsClasses: Readonly<Record<keyof CellsFacts, DiagnosticClass>> = {
  'cell-vcpus-missing': 'invalid',
  'distance-invalid': 'invalid',
  'distance-without-cell': 'invalid',
  'cell-ids': 'invalid',
  'cells-beyond': 'invalid',
  'cells-overlap': 'invalid',
  'memnode-without-cell': 'invalid',
  'page-without-cell': 'invalid',
  'cells-too-many': 'invalid',
  'cells-too-few': 'invalid',
  'nodes-too-small': 'invalid',
  'cells-hold-more': 'invalid',
  'cells-uneven': 'invalid',
  'device-cell-missing': 'invalid',
  'cells-kept': 'note',
  'cells-impossible': 'note',
  'cell-spans-nodes': 'note',
  'socket-spans-cells': 'note',
  'cell-crossing': 'invalid',
  'guest-core-torn': 'invalid',
}
