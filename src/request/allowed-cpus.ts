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

import { type Bound, boundsLeft, boundWords, cutTo } from '../base/bounds.ts'
import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, formatSet, intersect, setOf, subtract, union } from '../base/idset.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { CpuSource, DomainView, Request, Resources } from '../model.ts'
import type { RequestedKeys } from './request.ts'

// ---- The sources ----

/**
 * What each source says, absent where it says nothing. `pins` and `pod` may be empty: then the next source
 * counts.
 */
export interface CpuSources {
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
  const online = setOf<CpuSet>(nodes.flatMap((node) => node.cpus))
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

// ---- A tenant's request ----

/** Where a tenant's request stands ("metadata of db1"), and what bounds it. */
export interface Tenancy {
  readonly source: string
  readonly bounds: readonly Bound[]
  readonly administrator: Administrator
}

/** A tenant's request within its bounds, with a note for each key that was cut. */
export interface Cut {
  readonly requested: RequestedKeys
  readonly notes: readonly Diagnostic[]
}

const NOTHING_CUT: Cut = { requested: {}, notes: [] }

/**
 * Cuts the keys of a tenant that choose CPUs: `cpuset`, `emulator` and `isolated`. Those that the command
 * line states are left out, since it is stronger.
 * @throws Refusal `cpuset-unavailable` for each set that nothing is left of
 */
export function cutToBounds(requested: RequestedKeys, tenancy: Tenancy): Cut {
  const { bounds, administrator } = tenancy
  const stated = withoutFlags(requested, administrator.flags)
  if (bounds.length === 0) return { requested: stated, notes: [] }
  const { cpuset, emulator, isolated } = stated
  const sets = [
    ...(cpuset === undefined ? [] : [cutSet('cpuset', cpuset, tenancy)]),
    ...(typeof emulator === 'object' ? [cutSet('emulator', emulator, tenancy)] : []),
  ]
  refuseAll(sets.flatMap(({ refused }) => refused))
  const cuts: Cut[] = [
    ...sets,
    emulator === 'none' ? cutUnpinned(tenancy) : NOTHING_CUT,
    isolated === 'use' ? cutIsolated(tenancy) : NOTHING_CUT,
  ]
  return {
    requested: Object.assign({}, stated, ...cuts.map((cut) => cut.requested)),
    notes: cuts.flatMap(({ notes }) => notes),
  }
}

function withoutFlags(requested: RequestedKeys, flags: RequestedKeys): RequestedKeys {
  const chooseCpus = ['cpuset', 'emulator', 'isolated']
  const isStronger = (key: string): boolean => chooseCpus.includes(key) && key in flags
  return Object.fromEntries(Object.entries(requested).filter(([key]) => !isStronger(key)))
}

function cutSet(
  key: 'cpuset' | 'emulator',
  cpus: CpuSet,
  { source, bounds }: Tenancy,
): Cut & { readonly refused: readonly Diagnostic[] } {
  const left = cutTo(bounds, cpus)
  const facts = { source, key, wanted: formatSet(cpus), bounds: boundWords(cpus, bounds) }
  const allowed = formatSet(cutTo(bounds, bounds[0]?.cpus ?? cpus))
  return {
    requested: { [key]: left },
    notes: left.length === cpus.length ? [] : [diagnostic('cpuset-cut', { ...facts, left: formatSet(left) })],
    refused: left.length > 0 ? [] : [diagnostic('cpuset-unavailable', { ...facts, allowed })],
  }
}

/**
 * Threads without a pin run wherever the kernel lets them, and it does not know the administrator's cpuset.
 */
function cutUnpinned({ source, bounds, administrator }: Tenancy): Cut {
  const own = boundBy('cpuset', bounds)
  const given = boundBy('given', bounds)?.cpus ?? setOf<CpuSet>([])
  const isOwn = administrator.config.emulator === 'none'
  if (isOwn || own === undefined || own.cpus.length === 0 || boundsLeft(given, [own]).length === 0)
    return NOTHING_CUT
  const facts = { source, key: 'emulator', wanted: 'none', left: formatSet(own.cpus) }
  return {
    requested: { emulator: own.cpus },
    notes: [diagnostic('cpuset-cut', { ...facts, bounds: boundWords(given, [own]) })],
  }
}

/** Without isolated CPUs among those that the guest was given, the key changes nothing. */
function cutIsolated({ source, bounds, administrator: { config, configSource } }: Tenancy): Cut {
  if (config.isolated !== 'avoid') return NOTHING_CUT
  const given = boundBy('given', bounds)?.cpus ?? setOf<CpuSet>([])
  const avoided = bounds.filter(({ by }) => by === 'isolated')
  const changes = boundsLeft(given, avoided).length > 0
  return {
    requested: { isolated: 'avoid' },
    notes: changes ? [diagnostic('isolated-avoided', { source, config: configSource })] : [],
  }
}

function boundBy(by: Bound['by'], bounds: readonly Bound[]): Bound | undefined {
  return bounds.find((bound) => bound.by === by)
}

// ---- A tenant's own pins ----

/** What a tenant requests, and where. */
export interface Asked extends Cut {
  readonly source: string
}

/**
 * The tenant that requests cpus=as-pinned, unless the administrator does so too.
 * @param tenants the strongest first
 */
export function pinsAskedBy(
  { cpus }: Pick<Request, 'cpus'>,
  { config, flags }: Administrator,
  tenants: readonly Asked[],
): Asked | undefined {
  if (cpus !== 'as-pinned' || flags.cpus !== undefined || config.cpus === 'as-pinned') return undefined
  return tenants.find(({ requested }) => requested.cpus === 'as-pinned')
}

/** The cpuset of the strongest tenant that states one: it bounds the pins of vCPUs too. */
export function ownCpuset(tenants: readonly Asked[]): Bound[] {
  const own = tenants.find(({ requested }) => requested.cpuset !== undefined)
  const cpuset = own?.requested.cpuset
  return cpuset === undefined ? [] : [{ by: 'cpuset', whose: `cpuset in ${own?.source}`, cpus: cpuset }]
}

/** The keys of a tenant without cpus=as-pinned. */
export function withoutPins({ cpus, ...others }: RequestedKeys): RequestedKeys {
  return cpus === undefined || cpus === 'as-pinned' ? others : { ...others, cpus }
}
