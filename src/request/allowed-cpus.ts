// Which CPUs a guest may use, and how far a tenant's request for CPUs goes.
//
// Sources of the allowed CPUs, the strongest first:
//   1. `cpuset`: of the command line, of the guest itself (metadata, annotations), of the configuration
//   2. the pins in the domain, with cpus=as-pinned
//   3. the pins in the domain, where KubeVirt wrote them: they are the CPUs of the guest's pod
//   4. what confines the guest: a cgroup, its pod or partition, or `allowed` of a snapshot
//   5. every online CPU of the host
//
// Metadata and annotations come from a tenant, the command line and the configuration from the administrator.
// A tenant's request stays within bounds: the administrator's cpuset (without one, isolated=avoid leaves out
// the isolated CPUs), and what the guest was given, which is one of 3 to 5. What the administrator requests
// is not bounded.

import type { Bound } from '../base/bounds.ts'
import { type CpuSet, intersect, subtract, union } from '../base/idset.ts'
import type { DomainView } from '../model/domain.ts'
import type { CpuSource, Resources } from '../model/host.ts'
import type { RequestedKeys } from './request.ts'

// ---- The sources ----

/**
 * What each source says, absent where it says nothing. `pins` and `pod` may be empty: then the next source
 * counts.
 */
interface CpuSources {
  readonly cpuset?: CpuSet | undefined
  readonly pins?: CpuSet | undefined
  readonly pod?: CpuSet | undefined
  readonly confined?: CpuSet | undefined
  readonly online: CpuSet
}

/** The CPUs of the strongest source, as far as they are online, and which source that is. */
export function allowedCpus(sources: CpuSources): { readonly cpus: CpuSet; readonly by: CpuSource } {
  const { cpuset, pins, pod, confined, online } = sources
  const given = (pod?.length ? pod : undefined) ?? confined ?? online
  const inOrder: readonly (readonly [CpuSource, CpuSet | undefined])[] = [
    ['cpuset', cpuset],
    ['pins', pins?.length === 0 ? given : pins],
    ['pod', pod?.length ? pod : undefined],
    ['confined', confined],
  ]
  const [by, cpus] = inOrder.find(([, said]) => said !== undefined) ?? ['online', online]
  return { by, cpus: intersect(cpus ?? online, online) }
}

/** The CPUs that the domain pins any thread to. */
export function pinnedCpus({ vcpupin, emulatorpin, iothreadpin }: DomainView): CpuSet {
  const emulator = emulatorpin === undefined ? [] : [emulatorpin]
  return union(...vcpupin.values(), ...emulator, ...iothreadpin.values())
}

// ---- The bounds ----

/** What the administrator requests. `configSource` names the file, for messages. */
export interface Administrator {
  readonly config: RequestedKeys
  readonly configSource: string
  readonly flags: RequestedKeys
}

/** The administrator's cpuset; none without that key. The kernel does not enforce it. */
export function administratorBounds({ config, configSource, flags }: Administrator): readonly Bound[] {
  if (flags.cpuset !== undefined) return [{ by: 'cpuset', whose: '--cpuset', cpus: flags.cpuset }]
  const { cpuset } = config
  return cpuset === undefined ? [] : [{ by: 'cpuset', whose: `cpuset in ${configSource}`, cpus: cpuset }]
}

/**
 * All bounds of a tenant's request, which stays within each of them; their CPUs are online.
 * @param given what the guest may use before anything is requested
 */
export function tenantBounds(administrator: Administrator, given: Resources): readonly Bound[] {
  const { nodes, allowed, allowedBy } = given
  const online = union(...nodes.map((node) => node.cpus))
  const whose = allowedBy === 'online' ? "the host's online CPUs" : 'the CPUs that the guest was given'
  return [
    ...administratorBounds(administrator).map((bound) => ({ ...bound, cpus: intersect(bound.cpus, online) })),
    ...isolatedBounds(administrator, given),
    { by: 'given', whose, cpus: allowed.cpus },
  ]
}

/** A cpuset may name isolated CPUs, so that isolated=avoid counts only without one. */
function isolatedBounds(administrator: Administrator, { allowed, isolated }: Resources): readonly Bound[] {
  const { config, configSource, flags } = administrator
  const isAvoided = (flags.isolated ?? config.isolated) === 'avoid'
  if (!isAvoided || isolated === undefined || administratorBounds(administrator).length > 0) return []
  const whose = flags.isolated === undefined ? `isolated=avoid in ${configSource}` : '--isolated avoid'
  return [{ by: 'isolated', whose, cpus: subtract(allowed.cpus, isolated) }]
}
