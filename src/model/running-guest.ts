// A running guest as the kernel and QEMU's command line show it: RunningGuest.

import type { CpuSet, NodeSet, VcpuSet } from '../base/idset.ts'

/**
 * How the kernel chooses nodes for a mapping; `mode` in its own words: default, bind, prefer, "prefer
 * (many)", interleave, ...
 */
export interface MemoryPolicy {
  readonly mode: string
  readonly nodes: NodeSet
}

/**
 * One mapping of QEMU's address space. `nodesKiB` has what is allocated, by node; absent where the page size
 * is not known.
 */
export interface Mapping {
  readonly start: string
  readonly policy: MemoryPolicy
  readonly sizeKiB?: number
  readonly pagesizeKiB?: number
  readonly nodesKiB?: ReadonlyMap<number, number>
  /** The file behind it, "(deleted)" taken off; absent for anonymous memory. */
  readonly file?: string
  /** What of it lies in transparent huge pages, and what is swapped out. */
  readonly thpKiB?: number
  readonly swapKiB?: number
}

/** What is behind guest memory; not known of a device that was plugged in later. */
export type BackingKind = 'file' | 'memfd' | 'ram'

/**
 * Guest memory as QEMU's command line states it: the RAM of a cell, or a memory device. `policy` in QEMU's
 * words: bind, preferred, ...
 */
export interface MemoryBackend {
  readonly id: string
  readonly sizeKiB: number
  readonly kind?: BackingKind
  readonly path?: string
  readonly policy?: MemoryPolicy
}

/** `vcpus` is what `-numa node,cpus=` says; a cell whose RAM is part of one block for all has no `ram`. */
export interface QemuCell {
  readonly id: number
  readonly vcpus: VcpuSet
  readonly ram?: string
}

/** What QEMU's command line states. `devices` are memory devices: the cell and the backend of each. */
export interface QemuCommand {
  readonly guest?: string
  readonly cells: readonly QemuCell[]
  readonly devices: readonly { readonly backend: string; readonly cell: number; readonly model: string }[]
  readonly backends: readonly MemoryBackend[]
}

/**
 * `context`: a thread that only allocates memory while QEMU starts. `all-vcpus`: one thread runs every vCPU.
 */
export type ThreadRole = 'vcpu' | 'all-vcpus' | 'iothread' | 'emulator' | 'context'

/** One thread of QEMU; `id` is the vCPU's or the I/O thread's, `cpus` those that it may run on. */
export interface GuestThread {
  readonly tid: number
  readonly name: string
  readonly role: ThreadRole
  readonly id?: number
  readonly cpus?: CpuSet
}

/** `nodes`: those that its cpuset allows. `mappings` absent: the kernel did not let us read them. */
export interface RunningGuest {
  readonly pid: number
  readonly nodes?: NodeSet
  readonly command: QemuCommand
  readonly threads: readonly GuestThread[]
  readonly mappings?: readonly Mapping[]
}
