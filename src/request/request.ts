// What was said in several places to the one request that is decided from.

import { collectRefusals, type Diagnostic } from '../base/diagnostic.ts'
import { nearest } from '../base/nearest.ts'
import { diagnostic, refuseAll } from '../codes/codes.ts'
import type { MemoryMode } from '../model/domain.ts'
import type { Like, Request, Rules } from '../model/request.ts'
import { asKey, type Key, type KeyValues, keyNames, keys } from './keys.ts'

/** What is requested in one place: the keys that are stated there, read. `pagesize` is in KiB. */
export type RequestedKeys = { readonly [K in Key]?: KeyValues[K] }

/**
 * Reads the keys and values of one place; `source` names it, e.g. "metadata of guest db1" or "--memory".
 * A key may be written with `_` for `-`; of a key that comes twice the last one counts.
 * @throws Refusal `unknown-key`, `unknown-value`, `set-malformed`, `size-malformed`: everything that is
 * wrong, not only the first
 */
export function readKeys(
  pairs: Iterable<readonly [key: string, value: string]>,
  source: string,
): RequestedKeys {
  const read: RequestedKeys[] = []
  const found: Diagnostic[] = []
  for (const [name, value] of pairs) {
    const key = asKey(name)
    if (key === undefined) found.push(unknownKey(name, source, found.length))
    else read.push(collectRefusals(found, () => ({ [key]: keys[key].read(value.trim(), source) })) ?? {})
  }
  refuseAll(found)
  return Object.assign({}, ...read)
}

/** @param mistakes how many were found before this one */
export function unknownKey(name: string, source: string, mistakes: number): Diagnostic {
  return diagnostic('unknown-key', {
    source,
    key: name,
    known: keyNames,
    close: nearest(name, keyNames, mistakes),
  })
}

/**
 * The request that layers of keys make, weakest first: the defaults of the strongest `like`, then each key
 * as the strongest layer states it.
 * @param others what has no key: the memory that the host keeps (config.ts), and the mode that the domain
 * states for its memory
 */
export function requestFrom(
  layers: readonly RequestedKeys[],
  others: {
    readonly reserve?: Request['reserve']
    readonly reserveKiB?: number | undefined
    readonly writtenMode?: MemoryMode | undefined
  } = {},
): Request {
  const { reserve = [], reserveKiB, writtenMode } = others
  const {
    pagesize,
    'tier-memory': tierMemoryKiB,
    'on-misfit': onMisfit = 'refuse',
    ...stated
  }: RequestedKeys = Object.assign({}, ...layers)
  const like = stated.like ?? 'virt-numa'
  // Where emulator and I/O threads are requested to be, KubeVirt's rule for them does not count.
  const rules = stated.emulator === undefined ? rulesOf[like] : { ...rulesOf[like], threads: 'ours' as const }
  return {
    like,
    ...defaults[like],
    ...(rules.unstatedMode === 'as-written' && writtenMode !== undefined && { mode: writtenMode }),
    ...stated,
    onMisfit,
    ...pagesizes(pagesize),
    ...(tierMemoryKiB !== undefined && { tierMemoryKiB }),
    rules,
    reserve,
    ...(reserveKiB !== undefined && { reserveKiB }),
  }
}

function pagesizes(stated: RequestedKeys['pagesize']): Pick<Request, 'pagesizeKiB' | 'otherPagesizesKiB'> {
  if (stated === undefined) return {}
  if (typeof stated !== 'object') return { pagesizeKiB: stated }
  const [first = 'none', ...others] = stated
  return { pagesizeKiB: first, otherPagesizesKiB: others }
}

type Unstated =
  | 'rules'
  | 'reserve'
  | 'reserveKiB'
  | 'pagesizeKiB'
  | 'otherPagesizesKiB'
  | 'tierMemoryKiB'
  | 'onMisfit'
  | 'recorded'
  | 'cpuset'
type Defaults = Omit<Request, 'like' | Unstated>

/** `kubevirt` is what KubeVirt's guestMappingPassthrough does by itself. */
const defaults: Record<Like, Defaults> = {
  'virt-numa': {
    cells: 'per-node',
    existing: 'keep',
    memory: 'by-vcpu',
    cpus: 'pack',
    cores: 'any',
    pin: 'auto',
    mode: 'strict',
    distances: 'host',
    topology: 'keep',
    emulator: 'spare',
    isolated: 'use',
    devices: 'leave',
    tiers: 'ignore',
  },
  kubevirt: {
    cells: 'per-node',
    existing: 'replace',
    memory: 'even',
    cpus: 'in-order',
    cores: 'any',
    pin: 'cpu',
    mode: 'strict',
    distances: 'host',
    topology: 'keep',
    emulator: 'none',
    isolated: 'use',
    devices: 'leave',
    tiers: 'ignore',
  },
}

const rulesOf: Record<Like, Rules> = {
  'virt-numa': {
    threads: 'ours',
    pins: 'ours',
    hugepagesRequired: false,
    offlineInCells: true,
    offlineCpus: 'refused',
    cellUnit: 'rounded',
    hostDistances: 'completed',
    cellsOn: 'numa-machines',
    allocation: 'as-written',
    unstatedMode: 'as-written',
    strayDevices: 'noted',
    fewBusNumbers: 'refused',
  },
  kubevirt: {
    threads: 'kubevirt',
    pins: 'ours',
    hugepagesRequired: true,
    offlineInCells: false,
    offlineCpus: 'left-out',
    cellUnit: 'page',
    hostDistances: 'as-stated',
    cellsOn: 'every-machine',
    allocation: 'immediate',
    unstatedMode: 'strict',
    strayDevices: 'noted',
    fewBusNumbers: 'noted',
  },
}
