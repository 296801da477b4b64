// What verify finds: the threads and the memory of a running guest, and where they should be.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { CpuSet, NodeSet } from '../base/idset.ts'
import type { MemoryMode } from './domain.ts'
import type { HostNode } from './host.ts'
import type { MemoryPolicy } from './running-guest.ts'

/**
 * `wider`: all expected CPUs and others. `elsewhere`: CPUs that are not expected, without all of the expected
 * ones. `narrower`: only some of the expected CPUs that are online. `crowded`: so few that vCPUs share CPUs
 * although each could have its own. `free`: nothing is expected.
 */
export type ThreadVerdict = 'placed' | 'wider' | 'elsewhere' | 'narrower' | 'crowded' | 'free' | 'unknown'

/** A thread, or all threads of the emulator that may run on the same CPUs. */
export interface ThreadPlace {
  readonly role: 'vcpu' | 'iothread' | 'emulator'
  readonly id?: number
  readonly tids: readonly number[]
  readonly cell?: number
  readonly cpus?: CpuSet
  readonly expected?: CpuSet
  readonly verdict: ThreadVerdict
}

/**
 * What is wrong. `elsewhere`: pages on unexpected nodes. `unbound`: another policy. `pagesize`: another page
 * size.
 */
export type MemoryFault = 'elsewhere' | 'unbound' | 'pagesize'
/**
 * The verdict on the memory of a cell. `overflowed`: mode preferred took a small part of it from other nodes.
 */
export type MemoryVerdict = 'placed' | 'overflowed' | MemoryFault | 'free' | 'unknown'

/** The memory of one cell; of several where their mappings cannot be distinguished. All of it is KiB. */
export interface CellPlace {
  readonly cells: readonly number[]
  readonly memoryKiB: number
  /** The expected nodes; absent: none are expected. `mode` is the domain's. For several cells: the union. */
  readonly nodes?: NodeSet
  readonly mode?: MemoryMode
  /** What the kernel has: one entry where all mappings agree. */
  readonly policies: readonly MemoryPolicy[]
  readonly pagesizesKiB: readonly number[]
  readonly expectedPagesizeKiB?: number
  readonly nodesKiB: ReadonlyMap<number, number>
  readonly allocatedKiB: number
  /**
   * Pages on unexpected nodes; absent where nothing is expected or the cells' pages cannot be distinguished.
   */
  readonly elsewhereKiB?: number
  /** Pages on nodes that none of these cells expects. */
  readonly strayKiB: number
  readonly thpKiB?: number
  readonly swapKiB?: number
  /** Memory on QEMU's command line whose mapping cannot be found. */
  readonly unknownKiB: number
  /** The worst first; the verdict is the first of them, if there is one. */
  readonly faults: readonly MemoryFault[]
  readonly verdict: MemoryVerdict
}

/**
 * Where a running guest is. `source` names where the expected placement is stated; `cellular`: the guest has
 * cells.
 */
export interface ActualPlacement {
  readonly guest: string
  readonly pid: number
  readonly state?: string
  readonly source: string
  readonly cellular: boolean
  readonly threads: readonly ThreadPlace[]
  readonly cells: readonly CellPlace[]
}

/** Where a running guest is, and what that says against its XML. */
export interface GuestSurvey {
  readonly actual: ActualPlacement
  readonly found: readonly Diagnostic[]
}

/**
 * All running guests of a host. `problems`: guests that cannot be read. `nodes`: those of the host; absent:
 * unknown.
 */
export interface GuestsOfHost {
  readonly guests: readonly GuestSurvey[]
  readonly problems: readonly Diagnostic[]
  readonly nodes?: readonly HostNode[]
}
