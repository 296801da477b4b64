// A running guest that cannot be read, or that is not placed as its XML states: the facts and the class of
// each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'

/** Why no running guest has this name; `files` are the status files that were looked for. */
export type NotRunning =
  | { readonly is: 'not-a-name' }
  | { readonly is: 'no-status'; readonly files: readonly string[] }
  | { readonly is: 'process-gone'; readonly file: string; readonly pid: number }

/**
 * Threads of one kind: `ids` of vCPUs or I/O threads, none of the emulator's; `tids` as the kernel numbers
 * them.
 */
export interface ThreadGroup {
  readonly role: 'vcpu' | 'iothread' | 'emulator'
  readonly ids: readonly number[]
  readonly tids: readonly number[]
}

/**
 * Threads that may run on other CPUs than expected. `expected`: of each vCPU or I/O thread, or of all
 * emulator threads. `guest`: its name in libvirt; absent where libvirt does not manage it.
 */
interface MisplacedThreads {
  readonly threads: ThreadGroup
  readonly cpus: CpuSet
  readonly expected: readonly CpuSet[]
  readonly guest?: string
}

/** Memory of cells that is not as expected. `guest` as above. */
interface MisplacedMemory {
  readonly cells: readonly number[]
  readonly guest?: string
}

/**
 * `strayKiB` of `allocatedKiB` are on other nodes than `nodes`, listed in `stray`; at least so much where the
 * pages of several cells cannot be distinguished.
 */
interface StrayMemory extends MisplacedMemory {
  readonly pid: number
  readonly mode: string
  readonly nodes: NodeSet
  readonly allocatedKiB: number
  readonly strayKiB: number
  readonly atLeast: boolean
  readonly stray: readonly { readonly node: number; readonly kib: number }[]
  /** No other cell has or expects memory on these nodes. */
  readonly canMovePages: boolean
  /** What the cpuset of QEMU allows now, where some of `nodes` are outside. */
  readonly allowed?: NodeSet
  /** Of mode preferred: the share above which it is a finding. */
  readonly mostPercent?: number
}

/** How the kernel chooses nodes for memory, in its own words. */
interface Policy {
  readonly mode: string
  readonly nodes: NodeSet
}

/** The facts of each code. */
export interface RunningGuestFacts {
  readonly 'guest-not-running': { guest: string; because: NotRunning }

  readonly 'guest-gone': { pid: number }

  readonly 'not-qemu-process': { pid: number; name: string }

  readonly 'status-malformed': { file: string }

  /** `files` are status files of running guests. */
  readonly 'status-unread': { files: readonly string[] }

  /** The same, where these guests are what was asked for. */
  readonly 'guests-unread': { files: readonly string[] }

  readonly 'guest-memory-unreadable': { pid: number }

  readonly 'host-without-processes': { file: string }

  readonly 'threads-wider': MisplacedThreads & { isLive?: true }

  /** `isLive`: libvirt's live XML says the same, where it is not what the threads are compared with. */
  readonly 'threads-elsewhere': MisplacedThreads & { isLive?: true }

  /** The threads may run on some of the expected CPUs only. */
  readonly 'threads-narrower': MisplacedThreads

  /** vCPUs that could each have a CPU of its own, and have fewer than they are. */
  readonly 'vcpus-crowded': MisplacedThreads

  /** Of each thread: its pin in the running guest and in its definition; empty: none. */
  readonly 'live-pins': {
    role: ThreadGroup['role']
    ids: readonly number[]
    live: readonly CpuSet[]
    defined: readonly CpuSet[]
    guest: string
  }

  /** Nodes of `<memory>`, or of the memnodes of these cells, which have the same. */
  readonly 'live-memory': { cells: readonly number[]; live: NodeSet; defined: NodeSet; guest: string }

  readonly 'guest-memory-elsewhere': StrayMemory & {
    /** The nodes of its definition, where these are others and hold what is astray. */
    before?: NodeSet
  }

  /** Mode preferred took a small part from other nodes. */
  readonly 'guest-memory-overflow': StrayMemory

  readonly 'guest-memory-unbound': MisplacedMemory & {
    policies: readonly Policy[]
    expected: Policy
  }

  /** `thpKiB`: how much of it lies in transparent huge pages. */
  readonly 'guest-pagesize': MisplacedMemory & {
    pagesizesKiB: readonly number[]
    expectedKiB: number
    thpKiB?: number
  }

  /** `nodes`: those of the CPUs; `memoryNodes`: those of the cell's memory. */
  readonly 'vcpus-far': {
    cell: number
    vcpus: VcpuSet
    cpus: CpuSet
    nodes: NodeSet
    memoryNodes: NodeSet
  }

  readonly 'guest-memory-unknown': { cells: readonly number[]; sizeKiB: number }

  readonly 'guest-memory-alike': { cells: readonly number[]; sizeKiB: number }

  readonly 'threads-unknown': { threads: ThreadGroup; because: 'one-for-all-vcpus' | 'no-names' }

  readonly 'wanted-unknown': { pid: number; guest: string }
}

/** The class of each code. */
export const runningGuestClasses: Readonly<Record<keyof RunningGuestFacts, DiagnosticClass>> = {
  'guest-not-running': 'invalid',
  'guest-gone': 'invalid',
  'not-qemu-process': 'invalid',
  'status-malformed': 'invalid',
  'status-unread': 'note',
  'guests-unread': 'invalid',
  'guest-memory-unreadable': 'invalid',
  'host-without-processes': 'invalid',
  'threads-wider': 'misplaced',
  'threads-elsewhere': 'misplaced',
  'threads-narrower': 'note',
  'vcpus-crowded': 'misplaced',
  'live-pins': 'note',
  'live-memory': 'note',
  'guest-memory-elsewhere': 'misplaced',
  'guest-memory-overflow': 'note',
  'guest-memory-unbound': 'misplaced',
  'guest-pagesize': 'misplaced',
  'vcpus-far': 'note',
  'guest-memory-unknown': 'note',
  'guest-memory-alike': 'note',
  'threads-unknown': 'note',
  'wanted-unknown': 'note',
}
