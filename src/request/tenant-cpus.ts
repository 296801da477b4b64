// A tenant's keys that choose CPUs -> the same keys within the tenant's bounds, with a note for each that was
// cut.

import { type Bound, boundsLeft, cutTo } from '../base/bounds.ts'
import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, setOf } from '../base/idset.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { Request } from '../model/request.ts'
import type { Administrator } from './allowed-cpus.ts'
import type { RequestedKeys } from './request.ts'

/** Where a tenant's request is written ("metadata of db1"), and its bounds. */
interface Tenancy {
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
  const facts = { source, key, wanted: cpus, bounds: boundsLeft(cpus, bounds) }
  const allowed = cutTo(bounds, bounds[0]?.cpus ?? cpus)
  return {
    requested: { [key]: left },
    notes: left.length === cpus.length ? [] : [diagnostic('cpuset-cut', { ...facts, left })],
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
  const facts = { source, key: 'emulator', wanted: 'none', left: own.cpus, bounds: [own] } as const
  return { requested: { emulator: own.cpus }, notes: [diagnostic('cpuset-cut', facts)] }
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
