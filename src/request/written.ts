// Placement options as a program writes them -> what is requested.

import type {
  CoreUse,
  CpuChoice,
  DeviceUse,
  DistanceSource,
  EmulatorChoice,
  Existing,
  IsolatedUse,
  Like,
  MemorySplit,
  OnMisfit,
  Pin,
  TierUse,
  TopologyChoice,
  TuneMode,
} from '../model/request.ts'
import { type RequestedKeys, readKeys } from './request.ts'

/**
 * Placement options, with the names and values of the flags, metadata and annotations. One that is absent has
 * the value that VMI or metadata state, else its default.
 */
export interface WrittenRequest {
  /** Whose defaults apply: `virt-numa`, or `kubevirt` for KubeVirt's own placement. */
  readonly like?: Like
  /** One guest cell for each host node in use (`per-node`), or this many: 1 to 128. */
  readonly cells?: 'per-node' | number
  /** Existing cells: `keep` and rebind them, or `replace` them. */
  readonly existing?: Existing
  /** How memory is divided among the cells, in whole pages: `by-vcpu`, `even`, `by-free-pages`. */
  readonly memory?: MemorySplit
  /** Which CPUs are used: `pack` (the fewest and nearest nodes), `in-order`, `spread`, `as-pinned`. */
  readonly cpus?: CpuChoice
  /** Whether guest cores may share a host core (`any`), or each gets one of its own (`whole`). */
  readonly cores?: CoreUse
  /** A vCPU on one CPU (`cpu`), on all CPUs of its cell (`cell`), or `auto`. */
  readonly pin?: Pin
  /** The page size of every cell, such as `2M`; a list, such as `1G,2M`; `none` for ordinary memory. */
  readonly pagesize?: string
  /** How memory is bound: `strict`, `preferred`, `restrictive`. */
  readonly mode?: TuneMode
  /** Whether the guest sees the host's distances: `host`, `none`. */
  readonly distances?: DistanceSource
  /** The guest's `<topology>`: `keep` it, `align` it to the cells, or also `lock` the shape of the guest. */
  readonly topology?: TopologyChoice
  /** A guest that differs from its recorded shape: `refuse` it, or `reshape` it and record that. */
  readonly 'on-misfit'?: OnMisfit
  /** Emulator and I/O threads: on `spare` CPUs, `shared` with vCPUs, `none` for no pin, or a cpuset. */
  readonly emulator?: EmulatorChoice | (string & {})
  /** Whether isolated CPUs (isolcpus) may be chosen: `use`, `avoid`. */
  readonly isolated?: IsolatedUse
  /** PCI devices without a guest address: `leave` them, or a PCIe bus per `cell`, or host `root` complex. */
  readonly devices?: DeviceUse
  /** Nodes with memory but no CPUs: `ignore` them, or `expose` each as a cell without vCPUs. */
  readonly tiers?: TierUse
  /** The memory of each cell without vCPUs, such as `16G`. */
  readonly 'tier-memory'?: string
  /** The CPUs to use, such as `2-7,10`. */
  readonly cpuset?: string
}

/** @throws Refusal as readKeys does */
export function readRequest(request: WrittenRequest, source: string): RequestedKeys {
  const stated = Object.entries(request).filter(([, value]) => value !== undefined)
  return readKeys(
    stated.map(([key, value]) => [key, String(value)]),
    source,
  )
}
