// What a domain says that libvirt or QEMU refuses, apart from its cells: the facts and the class of each
// code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'
import type { VcpuSet } from '../../base/idset.ts'

/** The attributes of `<topology>`. */
export interface Topology {
  readonly sockets: number
  readonly dies: number
  readonly clusters: number
  readonly cores: number
  readonly threads: number
}

/**
 * What is wrong with a vCPU at boot. `first-*`: vCPU 0. `order-of-some`: some online vCPUs have an order,
 * some have none. The others are not hotpluggable, and come after one that is, or one of a higher order.
 */
export type VcpuStateProblem =
  | 'first-offline'
  | 'first-hotpluggable'
  | 'first-late'
  | 'order-of-some'
  | 'after-hotpluggable'
  | 'order-descends'

/** What is wrong with the vCPUs of a monitor: none, some of no group, or also those of another monitor. */
export type MonitorProblem = 'empty' | 'outside' | 'twice' | 'overlapping'

/** What two elements describe alike. `id` alone: the attribute of that name. */
export type DescribedTwice =
  | { readonly is: 'every-cell' }
  | { readonly is: 'cell' | 'vcpu' | 'iothread' | 'id'; readonly id: number }
  | { readonly is: 'cell-cache'; readonly cell: number; readonly level: number }
  | { readonly is: 'cache'; readonly id: number; readonly level: number }
  | { readonly is: 'vcpus'; readonly vcpus: VcpuSet }

/** Limits of vCPUs on host caches; memory bandwidth is limited by the ids of caches as well. */
interface CacheLimits {
  readonly element: 'cachetune' | 'memorytune'
  readonly vcpus: VcpuSet
}

/** `parts`: attributes and elements that libvirt does not know, of `count` elements of one name. */
interface ForeignParts {
  readonly element: string
  readonly count: number
  readonly parts: readonly string[]
}

/** The facts of each code. */
export interface DomainFacts {
  readonly 'not-domain': { name: string }

  readonly 'not-qemu': { type: string }

  readonly 'domain-incomplete': { element: string }

  readonly 'domain-value': { element: string; value: string; min: number; max: number }

  readonly 'element-twice': { element: string; parent: string }

  readonly 'entry-twice': { element: string; of: DescribedTwice }

  readonly 'part-missing': { element: string; part: string }

  readonly 'value-unknown': { element: string; attribute: string; value: string; known: readonly string[] }

  readonly 'tune-mode': { element: string; value: string; known: readonly string[] }

  readonly 'metadata-twice': { name: string }

  readonly 'metadata-element': { name: string; known: string }

  readonly 'guest-live': { name: string; id: string }

  readonly 'memory-sum': { memoryKiB: number; sumKiB: number }

  readonly 'max-memory-low': { maxKiB: number; memoryKiB: number }

  readonly 'devices-hold-all': { devicesKiB: number; memoryKiB: number }

  readonly 'balloon-without-effect': { currentKiB: number; memoryKiB: number }

  readonly 'vcpu-not-pluggable': { vcpu: number }

  readonly 'vcpu-state': { vcpu: number; is: VcpuStateProblem }

  /** `places`: how many vCPUs the topology makes; `fits`: one for this guest, with no socket in two cells. */
  readonly 'topology-mismatch': { vcpus: number; places: number; topology: Topology; fits: Topology }

  readonly 'vcpus-not-cores': { online: number; threads: number }

  /** What keeps the IOMMU from extended interrupt mode (eim). */
  readonly 'vcpus-need-eim': {
    vcpus: number
    max: number
    is: 'model' | 'eim-off' | 'intremap-off' | 'ioapic-kvm'
  }

  /** libvirt older than `until` does not add what is missing. */
  readonly 'vcpus-need-iommu': { vcpus: number; max: number; until: string }

  readonly 'vcpus-beyond-machine': { vcpus: number; machine: string; max: number }

  /** `ids` of threads that the guest does not have; `has`: those that it has. */
  readonly 'sched-without-thread': {
    element: 'vcpusched' | 'iothreadsched'
    ids: readonly number[]
    has: readonly number[]
  }

  readonly 'resctrl-overlap': { element: string; vcpus: VcpuSet }

  readonly 'resctrl-needs-kvm': { element: string; type: string }

  /** `of`: the element that the monitor is in, and `group` the vCPUs of that. */
  readonly 'monitor-vcpus': { is: MonitorProblem; of: string; vcpus: VcpuSet; group: VcpuSet }

  /** `caches`: the ids that stay; `used`: those of the caches that the vCPUs use, where they are known. */
  readonly 'resctrl-stays': CacheLimits & {
    readonly caches: readonly number[]
    readonly used?: readonly number[]
  }

  /** Each of `from` has become the one of `to` at the same position. */
  readonly 'resctrl-moved': CacheLimits & { readonly from: readonly number[]; readonly to: readonly number[] }

  /** `caches`: ids that no cache of this host has; `has`: those that are there. */
  readonly 'resctrl-missing': CacheLimits & {
    readonly caches: readonly number[]
    readonly has: readonly number[]
  }

  readonly 'foreign-stays': ForeignParts

  readonly 'foreign-dropped': ForeignParts

  readonly 'iothread-without-thread': { iothread: number; has: readonly number[] }

  readonly 'expander-cell-missing': { model: string; cell: number; cells: number }

  readonly 'controller-in-cell': { model: string; index: string; cell: number }

  readonly 'expander-machine': { model: string; machine: string; wants: string }
}

/** The class of each code. */
export const domainClasses: Readonly<Record<keyof DomainFacts, DiagnosticClass>> = {
  'not-domain': 'invalid',
  'not-qemu': 'invalid',
  'domain-incomplete': 'invalid',
  'domain-value': 'invalid',
  'element-twice': 'invalid',
  'entry-twice': 'invalid',
  'part-missing': 'invalid',
  'value-unknown': 'invalid',
  'tune-mode': 'invalid',
  'metadata-twice': 'invalid',
  'metadata-element': 'invalid',
  'guest-live': 'note',
  'memory-sum': 'note',
  'max-memory-low': 'invalid',
  'devices-hold-all': 'invalid',
  'balloon-without-effect': 'note',
  'vcpu-not-pluggable': 'invalid',
  'vcpu-state': 'invalid',
  'topology-mismatch': 'invalid',
  'vcpus-not-cores': 'invalid',
  'vcpus-need-eim': 'invalid',
  'vcpus-need-iommu': 'note',
  'vcpus-beyond-machine': 'invalid',
  'sched-without-thread': 'invalid',
  'resctrl-overlap': 'invalid',
  'resctrl-needs-kvm': 'invalid',
  'monitor-vcpus': 'invalid',
  'resctrl-stays': 'note',
  'resctrl-moved': 'note',
  'resctrl-missing': 'invalid',
  'foreign-stays': 'note',
  'foreign-dropped': 'note',
  'iothread-without-thread': 'invalid',
  'expander-cell-missing': 'invalid',
  'controller-in-cell': 'invalid',
  'expander-machine': 'invalid',
}
