// The CPUs that the guest may use and the pins of its threads: the facts and the class of each code.

import type { Bound } from '../../base/bounds.ts'
import type { DiagnosticClass } from '../../base/diagnostic.ts'
import type { CpuSet, NodeSet, VcpuSet } from '../../base/idset.ts'

/** What names CPUs: the pin of a thread, or the cpuset of `<vcpu>`. */
export type NamesCpus =
  | { readonly is: 'vcpupin' | 'iothreadpin'; readonly id: number }
  | { readonly is: 'emulatorpin' | 'vcpu-cpuset' }

/** Threads of a guest that have pins. */
export interface PinnedThreadIds {
  readonly vcpus: VcpuSet
  readonly emulator: boolean
  readonly iothreads: readonly number[]
}

/** The facts of each code. */
export interface CpusFacts {
  readonly 'cpus-outside': { of: NamesCpus; cpus: CpuSet; allowed: CpuSet }

  readonly 'pins-empty': { element: string }

  readonly 'cpus-offline': { cpus: CpuSet; online: CpuSet }

  readonly 'no-cpus': { allowed: CpuSet; isolated: CpuSet; online: CpuSet }

  /** `owns`: why each vCPU is to have a CPU of its own, where it is not pin=cpu. */
  readonly 'not-enough-threads': {
    vcpus: number
    cpuset: CpuSet
    owns?: 'realtime' | 'one-to-one'
  }
  /** Host cores are those that are wholly available and have as many threads as a guest core. */
  readonly 'cores-few': { guestCores: number; hostCores: number; threads: number; cpus: CpuSet }

  readonly 'pin-missing': { vcpu: number }
  /** With `bounds` cpus=as-pinned is a tenant's request. */
  readonly 'pin-outside': { vcpu: number; cpus: CpuSet; cpuset: CpuSet; bounds?: readonly Bound[] }

  readonly 'pin-spans-nodes': { vcpu: number; cpus: CpuSet; nodes: NodeSet }

  /** `guest` has pinned them one to one; absent where the source hides its name. */
  readonly 'cpus-taken': { cpus: CpuSet; guest?: string }
  /** Guest cores on host cores that are shared, and host cores that stay idle. */
  readonly 'cores-shared': {
    guestCores: number
    hostCores: number
    idle: number
    idleNodes: NodeSet
    /** Whether cores=whole has a host core for every guest core. */
    wholeFits: boolean
  }

  /** `iothreads`: how many there are. */
  readonly 'emulator-unpinned': { iothreads: number }

  /**
   * `because`: its CPUs must be on a node of huge pages; or it must have CPUs, so that libvirt lets it
   * allocate memory on nodes without CPUs.
   */
  readonly 'emulator-among-vcpus': { cpus: CpuSet; because: 'pages-there' | 'no-cpus-there' }

  /** `reaching`: the CPUs of the emulator, and some of each node. */
  readonly 'emulator-apart': { of: 'emulatorpin' | 'vcpu-cpuset'; nodes: NodeSet; reaching: CpuSet }

  /** vCPUs whose pins have more CPUs than before; `before` and `cpus` are those of all of them. */
  readonly 'pins-widened': { vcpus: VcpuSet; before: CpuSet; cpus: CpuSet }
}

/** The class of each code. */
export const cpusClasses: Readonly<Record<keyof CpusFacts, DiagnosticClass>> = {
  'cpus-outside': 'invalid',
  'pins-empty': 'invalid',
  'cpus-offline': 'invalid',
  'no-cpus': 'invalid',
  'not-enough-threads': 'invalid',
  'cores-few': 'invalid',
  'pin-missing': 'invalid',
  'pin-outside': 'invalid',
  'pin-spans-nodes': 'invalid',
  'cpus-taken': 'note',
  'cores-shared': 'note',
  'emulator-unpinned': 'note',
  'emulator-among-vcpus': 'note',
  'emulator-apart': 'note',
  'pins-widened': 'note',
}
