// The nodes that cells and devices are bound to: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { NodeSet } from '../base/idset.ts'

/** Of a memory device: the nodes that its nodemask may name here. */
interface OfDevice {
  readonly nodemask?: NodeSet
}

/** The facts of each code. */
export interface BindingFacts {
  readonly 'memnodes-with-auto': object

  readonly 'restrictive-mixed': { memory: string; cells: readonly number[]; memnode: string }

  readonly 'restrictive-with-pages': { what: string }

  readonly 'memory-nodes-narrow': { memory: string; missing: string }

  readonly 'node-missing': { element: string; nodes: string; has: string } & OfDevice

  readonly 'node-outside': { element: string; nodes: string; allowed: string } & OfDevice

  readonly 'node-memoryless': { element: string; nodes: string } & OfDevice

  readonly 'no-memory-node': { allowed: string }

  readonly 'set-empty': { element: string }

  readonly 'memory-elsewhere': { cell: number; node: number; backing: number }

  readonly 'pin-remote': { vcpus: string; cell: number; pinned: string; nodes: string }
}

/** The class of each code. */
export const bindingClasses: Readonly<Record<keyof BindingFacts, DiagnosticClass>> = {
  'memnodes-with-auto': 'invalid',
  'restrictive-mixed': 'invalid',
  'restrictive-with-pages': 'invalid',
  'memory-nodes-narrow': 'invalid',
  'node-missing': 'invalid',
  'node-outside': 'invalid',
  'node-memoryless': 'invalid',
  'no-memory-node': 'invalid',
  'set-empty': 'invalid',
  'memory-elsewhere': 'note',
  'pin-remote': 'note',
}
