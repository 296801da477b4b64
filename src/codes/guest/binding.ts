// The nodes that cells and devices are bound to: the facts and the class of each code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'
import type { NodeSet, VcpuSet } from '../../base/idset.ts'

/** What names nodes: `<memory>`, the memnode of a cell, or the nodemask of a memory device in a cell. */
export type NamesNodes =
  | { readonly is: 'memory' }
  | { readonly is: 'memnode'; readonly cell: number }
  | { readonly is: 'nodemask'; readonly model: string; readonly cell: number }

/** `nodemask`: the nodes that the nodemask of a memory device may name here. */
interface UnusableNodes {
  readonly of: NamesNodes
  readonly nodes: NodeSet
  readonly nodemask?: NodeSet
}

/** What QEMU allocates when the guest starts: cells (none: the guest), or a memory device in a cell. */
export type AllocatedMemory =
  | { readonly is: 'cells'; readonly cells: readonly number[] }
  | { readonly is: 'device'; readonly model: string; readonly cell: number }

/**
 * Memory that QEMU allocates at start on nodes without online CPUs. `others`: the allowed nodes with memory
 * and CPUs; `emulator`: whether libvirt knows CPUs for it; `ifPinned`: it starts if the emulator is pinned;
 * `libvirt`: the version, where it is known.
 */
interface WithoutCpus {
  readonly of: AllocatedMemory
  readonly nodes: NodeSet
  readonly others: NodeSet
  readonly emulator: 'pinned' | 'unpinned'
  readonly ifPinned: boolean
  readonly libvirt?: string
}

/** The facts of each code. */
export interface BindingFacts {
  readonly 'memnodes-with-auto': object

  readonly 'restrictive-mixed': { memory: string; cells: readonly number[]; memnode: string }

  readonly 'restrictive-memnode': { memory: string; cells: readonly number[]; since: string }

  readonly 'restrictive-with-pages': { because: 'hugepages' | 'allocation-immediate' }

  /** The mode of these cells, or of a guest without cells where there are none. */
  readonly 'mode-changed': {
    cells: readonly number[]
    from: string
    to: string
    because: 'pages' | 'mixed' | 'replaced'
  }

  readonly 'memory-nodes-narrow': { memory: NodeSet; missing: NodeSet }

  readonly 'node-missing': UnusableNodes & { has: NodeSet }

  readonly 'node-outside': UnusableNodes & { allowed: NodeSet }

  readonly 'node-memoryless': UnusableNodes

  readonly 'no-memory-node': { allowed: NodeSet }

  readonly 'set-empty': { element: string }

  /**
   * `memoryKiB`: the memory of `node`, where the host states it; `needsCpus`: nearer nodes have no CPUs to
   * allocate it.
   */
  readonly 'memory-elsewhere': {
    cell: number
    node: number
    backing: number
    needsCpus: boolean
    memoryKiB?: number
  }

  /** The vCPUs are pinned to one node, and the memory of their cell is on others. */
  readonly 'pin-remote': { vcpus: VcpuSet; cell: number; node: number; nodes: NodeSet }

  /** QEMU does not start. */
  readonly 'allocated-without-cpus': WithoutCpus

  /** QEMU starts, and allocates the memory from CPUs of other nodes. */
  readonly 'allocated-by-emulator': WithoutCpus

  /** tiers=expose: nodes that get no cell, since QEMU would allocate its memory at start. */
  readonly 'tiers-without-cpus': { nodes: NodeSet; emulator: 'pinned' | 'unpinned'; libvirt?: string }

  /** `<memory>` gets mode `to`, on these nodes. */
  readonly 'memory-mode': { from: string; to: string; nodes: NodeSet }
}

/** The class of each code. */
export const bindingClasses: Readonly<Record<keyof BindingFacts, DiagnosticClass>> = {
  'memnodes-with-auto': 'invalid',
  'restrictive-mixed': 'invalid',
  'restrictive-memnode': 'note',
  'restrictive-with-pages': 'invalid',
  'mode-changed': 'note',
  'memory-nodes-narrow': 'invalid',
  'node-missing': 'invalid',
  'node-outside': 'invalid',
  'node-memoryless': 'invalid',
  'no-memory-node': 'invalid',
  'set-empty': 'invalid',
  'memory-elsewhere': 'note',
  'pin-remote': 'note',
  'memory-mode': 'note',
  'allocated-without-cpus': 'invalid',
  'allocated-by-emulator': 'note',
  'tiers-without-cpus': 'note',
}
