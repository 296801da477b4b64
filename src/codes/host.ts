// Descriptions of a host that cannot be read: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { UnexpectedValue } from './documents.ts'

/** Why there is no host to read; `folders` are those of /sys that were read. */
export type UnreadableHost =
  | { readonly is: 'no-online-cpu'; readonly folders: readonly string[] }
  | { readonly is: 'too-many-nodes'; readonly folder: string; readonly count: number; readonly max: number }

/** What several CPUs share, and each of them has one of. */
export type CpuSharer = 'node' | 'core' | 'level-3 cache' | 'socket' | 'die' | 'cluster'

/**
 * What is wrong at a path of a host snapshot. `missing`: the key that the path ends with. `first` is the path
 * of what states the same already.
 */
export type SnapshotProblem =
  | UnexpectedValue
  | { readonly is: 'missing'; readonly key: string }
  | { readonly is: 'unknown-key'; readonly known: readonly string[]; readonly close?: string | undefined }
  | { readonly is: 'not-a-pagesize'; readonly pagesizeKiB: number }
  | { readonly is: 'not-an-address'; readonly address: string }
  | { readonly is: 'no-nodes' }
  | { readonly is: 'empty'; readonly of: CpuSharer }
  | { readonly is: 'too-many-nodes'; readonly count: number; readonly max: number }
  | { readonly is: 'node-twice'; readonly node: number; readonly first: string }
  | { readonly is: 'cpu-twice'; readonly cpu: number; readonly of: CpuSharer; readonly first: string }
  | { readonly is: 'pagesize-twice'; readonly pagesizeKiB: number; readonly first: string }
  | { readonly is: 'free-pages-above-total'; readonly free: number; readonly total: number }
  | { readonly is: 'free-memory-above-total'; readonly freeKiB: number; readonly memoryKiB: number }
  | {
      readonly is: 'available-memory-above-total'
      readonly availableKiB: number
      readonly memoryKiB: number
    }
  | { readonly is: 'distance-count'; readonly count: number; readonly nodes: number }
  | { readonly is: 'distance-invalid'; readonly distance: number }

/** What is wrong with the output of virsh capabilities. `not-a-count`: not a whole number from 0 to `max`. */
export type CapabilitiesProblem =
  | { readonly is: 'other-root'; readonly name: string }
  | { readonly is: 'no-cells' }
  | { readonly is: 'too-many-cells'; readonly count: number; readonly max: number }
  | { readonly is: 'cell-twice'; readonly cell: number }
  | { readonly is: 'cpu-twice'; readonly cpu: number; readonly cells: readonly [number, number] }
  | { readonly is: 'not-a-count'; readonly element: string; readonly text: string; readonly max: number }

/** What is wrong with a host in words; `part` is the item that is not understood. */
export type ShapeProblem =
  | { readonly is: 'not-counts' | 'not-an-item' | 'not-a-pagesize' | 'twice'; readonly part: string }
  | { readonly is: 'too-many'; readonly of: 'nodes' | 'CPUs'; readonly count: number; readonly max: number }
  | { readonly is: 'no-memory' }
  | { readonly is: 'pages-above-memory'; readonly pagesKiB: number; readonly memoryKiB: number }

/** The facts of each code. */
export interface HostFacts {
  readonly 'host-unreadable': { because: UnreadableHost }

  readonly 'host-malformed': { source: string; path: string; problem: SnapshotProblem }

  readonly 'capabilities-malformed': { source: string; problem: CapabilitiesProblem }

  readonly 'host-shape': { text: string; problem: ShapeProblem }

  /** A file that states several hosts, where one is needed; or none. */
  readonly 'host-several': { file: string; count: number }

  /** A host that states how many CPUs its nodes have, but not which. */
  readonly 'cpus-counted': { host: string }

  readonly 'fleet-empty': { folder: string }

  /** `names`: of the first of them. */
  readonly 'fleet-unread': { count: number; hosts: number; names: readonly string[] }

  readonly 'fleet-nowhere': { guest: string; hosts: number }

  readonly 'cgroup-missing': { path: string; mounts: readonly string[] }

  readonly 'process-missing': { pid: number }
}

/** The class of each code. */
export const hostClasses: Readonly<Record<keyof HostFacts, DiagnosticClass>> = {
  'host-unreadable': 'invalid',
  'host-malformed': 'invalid',
  'capabilities-malformed': 'invalid',
  'host-shape': 'invalid',
  'host-several': 'invalid',
  'cpus-counted': 'note',
  'fleet-empty': 'invalid',
  'fleet-unread': 'invalid',
  'fleet-nowhere': 'invalid',
  'cgroup-missing': 'invalid',
  'process-missing': 'invalid',
}
