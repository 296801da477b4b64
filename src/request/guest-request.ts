// What is requested for one guest in all places together, and what it may then use of the host.

import type { Bound } from '../base/bounds.ts'
import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, union } from '../base/idset.ts'
import type { DomainView, MemoryMode } from '../model/domain.ts'
import type { Resources } from '../model/host.ts'
import type { Request, TenantPins } from '../model/request.ts'
import { type Administrator, allowedCpus, pinnedCpus, tenantBounds } from './allowed-cpus.ts'
import type { Config } from './config.ts'
import { type RequestedKeys, requestFrom } from './request.ts'
import { recordOf, withRecord } from './shape/recorded.ts'
import { readTenantKeys } from './sources.ts'
import { type Asked, cutToBounds, ownCpuset, pinsAskedBy, withoutPins } from './tenant-cpus.ts'
import { type Vmi, vmiNotes, withVmi } from './vmi.ts'

/** Everything that a request is made of, besides the guest itself. */
interface RequestSources {
  /** The host, and what the guest may use of it before anything is requested. */
  readonly available: Resources
  /** The CPUs that a cgroup, partition or snapshot says. */
  readonly confined: CpuSet | undefined
  readonly config: Config
  readonly configSource: string
  readonly vmi: Vmi | undefined
  readonly flags: RequestedKeys
  readonly purpose: Purpose
  /** What the domain states for all cells together. */
  readonly cellMemoryKiB: number
}

/**
 * `move`: the guest keeps the cells and pages that it has. `check`: it is left as it is, so its pins allow
 * nothing.
 */
export type Purpose = 'fit' | 'move' | 'check'

/** What is requested, and what of the host it may use. */
export interface GuestRequest {
  readonly request: Request
  readonly resources: Resources
  /** False for a VMI without dedicated CPUs: KubeVirt does not place such a guest either. */
  readonly isPlaced: boolean
  readonly notes: readonly Diagnostic[]
  /** Of what a tenant requests; none for a VMI without dedicated CPUs, which is not placed. */
  readonly bounds: readonly Bound[]
  /** With cpus=as-pinned from a tenant: `resources` are then those without the pins. */
  readonly tenantPins?: TenantPins
}

/**
 * Layers weakest first: config, VMI, its annotations, the guest's metadata, flags.
 * @throws Refusal of what a tenant may not request, and of what cannot be read
 */
export function guestRequest(view: DomainView, sources: RequestSources): GuestRequest {
  const { config, configSource, flags } = sources
  const vmi = sources.vmi && (sources.purpose === 'move' ? withoutPagesize(sources.vmi) : sources.vmi)
  const administrator: Administrator = { config: config.requested, configSource, flags }
  const given = givenTo(view, sources)
  const bounds = vmi?.dedicated === false ? [] : tenantBounds(administrator, given())
  const askedBy = (written: ReadonlyMap<string, string>, source: string): Asked => {
    const read = readTenantKeys(written, source, config, configSource)
    return { ...cutToBounds(read, { source, bounds, administrator }), source }
  }
  const annotated = askedBy(vmi?.annotations ?? new Map(), `annotations of ${vmi?.source}`)
  const own = askedBy(view.writtenKeys ?? new Map(), `metadata of ${view.name || 'the guest'}`)
  const writtenMode = statedMode(view)
  const record = recordOf(view, vmi, { metadata: own.source, annotations: annotated.source })
  // Weaker than what the guest itself states, so that it can give up the record.
  const lock: RequestedKeys = record === undefined ? {} : { topology: 'lock' }
  const layered = (annotations: RequestedKeys, metadata: RequestedKeys): Request => {
    const layers = [config.requested, vmi?.requested ?? {}, lock, annotations, metadata, flags]
    const { reserve, reserveKiB } = config
    const request = requestFrom(layers, { reserve, reserveKiB, writtenMode })
    const stated = { ...lock, ...annotations, ...metadata, ...flags }
    return withRecord(vmi === undefined ? request : withVmi(request, vmi, stated), record, sources.purpose)
  }
  const request = layered(annotated.requested, own.requested)
  const tenants = [own, annotated]
  const asker = bounds.length === 0 ? undefined : pinsAskedBy(request, administrator, tenants)
  const tenantPins = asker && {
    source: asker.source,
    vcpus: [...bounds, ...ownCpuset(tenants)],
    threads: bounds,
    otherwise: layered(withoutPins(annotated.requested), withoutPins(own.requested)),
    resourcesWith: (pins: CpuSet) => given(request.cpuset, pins),
  }
  const stated = { vcpus: view.online.length, memoryKiB: sources.cellMemoryKiB }
  const notesOfVmi = vmi === undefined ? [] : vmiNotes(vmi, stated)
  const usesPins = request.cpus === 'as-pinned' && tenantPins === undefined
  return {
    request,
    resources: given(request.cpuset, usesPins ? pinnedCpus(view) : undefined),
    isPlaced: vmi?.dedicated !== false,
    notes: [...notesOfVmi, ...annotated.notes, ...own.notes],
    bounds,
    ...(tenantPins && { tenantPins }),
  }
}

/**
 * The mode that the domain states for its memory: that of its memnodes, else that of `<memory>`. libvirt
 * gives QEMU no nodes for restrictive; where QEMU allocates the memory itself, restrictive is not kept.
 */
function statedMode({ tune, hugepages, allocation }: DomainView): MemoryMode | undefined {
  const modes = new Set(tune.memnodes.map(({ mode }) => mode))
  const mode = modes.size === 1 ? tune.memnodes[0]?.mode : tune.memory?.mode
  const isAllocated = hugepages !== undefined || allocation === 'immediate'
  return mode === 'restrictive' && isAllocated ? undefined : mode
}

/** A guest that moves keeps its page size; a note that it does would say nothing new. */
function withoutPagesize(vmi: Vmi): Vmi {
  const { pagesize: _, ...requested } = vmi.requested
  return { ...vmi, requested }
}

/** What the guest may use, without a request or with what a request says of CPUs. */
function givenTo(
  view: DomainView,
  { available, confined, vmi, purpose }: RequestSources,
): (cpuset?: CpuSet, pins?: CpuSet) => Resources {
  const online = union<CpuSet>(...available.nodes.map(({ cpus }) => cpus))
  // KubeVirt pinned the guest to the CPUs of its pod; who asks may be in another one.
  const pod = vmi?.dedicated && purpose === 'fit' ? pinnedCpus(view) : undefined
  return (cpuset, pins) => {
    const { cpus, by } = allowedCpus({ cpuset, pins, pod, confined, online })
    return { ...available, allowed: { ...available.allowed, cpus }, allowedBy: by }
  }
}
