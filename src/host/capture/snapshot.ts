// A host snapshot (host.json) -> a Host. Sets are text, memory is KiB, an unknown fact is left out.

import { type CpuSet, MAX_ID, type NodeSet, setOf } from '../../base/idset.ts'
import { parseJson } from '../../base/json.ts'
import { refuseAll } from '../../codes/codes.ts'
import type { PciDevice } from '../../model/devices.ts'
import type {
  About,
  Allowed,
  Cache,
  Host,
  HostNode,
  NodePages,
  PageLimit,
  Pool,
  PromisedMemory,
  TakenCpus,
} from '../../model/host.ts'
import { known } from '../kernel-text.ts'
import { resourcesOf } from '../resources.ts'
import {
  booleanIn,
  join,
  listIn,
  numberIn,
  type ObjectAt,
  objectAt,
  problem,
  type Shape,
  setAt,
  setIn,
  textIn,
  type ValueAt,
  valueIn,
  versionIn,
  wholeNumber,
} from './json-shape.ts'
import { orderNodes, reportContradictions } from './snapshot-checks.ts'

/** A host, and what of it a guest may use where the snapshot states that. */
interface Snapshot {
  readonly host: Host
  readonly allowed?: Allowed
  readonly about?: About
}

const KEYS = [
  ...['nodes', 'siblings', 'caches', 'sockets', 'dies', 'clusters'],
  ...[
    'allowed',
    'pools',
    'defaultPagesizeKiB',
    'isolated',
    'libvirt',
    'taken',
    'promised',
    'devices',
    'about',
  ],
]
const NODE_KEYS = ['id', 'cpus', 'memoryKiB', 'freeKiB', 'availableKiB', 'pages', 'distances']
/** In place of a number that is refused already: it equals no other, so it causes no second problem. */
const WRONG = Number.NaN

const ABOUT_KEYS = ['tool', 'kernel', 'libvirt', 'qemu', 'cpuModel', 'date'] as const

const DEVICE_KEYS = ['address', 'node', 'root', 'bars64KiB']
/** As sysfs names devices and root complexes. */
const ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/

const PROMISED_KEYS = ['guest', 'pagesizeKiB', 'isAllocating']

const POOL_KEYS = ['pagesizeKiB', 'reserved', 'overcommit', 'surplus', 'mounted']

/**
 * Reads a snapshot. Nodes and cores may be in any order; those of the answer ascend. Where `allowed` names
 * only CPUs or only nodes, all of the others are allowed.
 * @param source what the text is (a file name), for messages
 * @throws Refusal `json-malformed`, or `host-malformed` and `set-malformed` with all that is wrong, each with
 * its JSON path
 */
export function parseSnapshot(text: string, source: string): Snapshot {
  const shape: Shape = { source, problems: [] }
  const root = objectAt(
    shape,
    { path: '', value: parseJson(text, source) },
    { known: KEYS, needed: ['nodes'] },
  )
  const written = listIn(shape, root, 'nodes', (node) => nodeAt(shape, node)) ?? []
  const caches = listIn(shape, root, 'caches', (cache) => cacheAt(shape, cache))
  const setsIn = (key: string): (CpuSet | undefined)[] | undefined =>
    listIn(shape, root, key, (set) => setAt<CpuSet>(shape, set))
  const sets = {
    siblings: setsIn('siblings'),
    caches: caches?.map((cache) => cache?.cpus),
    sockets: setsIn('sockets'),
    dies: setsIn('dies'),
    clusters: setsIn('clusters'),
  }
  const pools = listIn(shape, root, 'pools', (pool) => poolAt(shape, pool))
  const defaultPagesizeKiB = pagesizeIn(shape, root, 'defaultPagesizeKiB')
  const isolated = setIn<CpuSet>(shape, root, 'isolated')
  const libvirt = versionIn(shape, root, 'libvirt')
  const taken = listIn(shape, root, 'taken', (each) => takenAt(shape, each))?.flatMap((each) => each ?? [])
  const promised = listIn(shape, root, 'promised', (each) => promisedAt(shape, each))
  const devices = listIn(shape, root, 'devices', (each) => deviceAt(shape, each))
  const allowedValue = valueIn(root, 'allowed')
  const allowed = allowedValue && allowedAt(shape, allowedValue)
  const aboutValue = valueIn(root, 'about')
  const about = aboutValue && aboutAt(shape, aboutValue)
  reportContradictions(shape, { nodes: written, sets, pools })
  refuseAll(shape.problems)
  const host: Host = {
    nodes: orderNodes(written),
    siblings: ascending(sets.siblings) ?? [],
    ...known('caches', caches && ascendingCaches(caches)),
    ...known('sockets', ascending(sets.sockets)),
    ...known('dies', ascending(sets.dies)),
    ...known('clusters', ascending(sets.clusters)),
    ...known('pools', pools),
    ...known('defaultPagesizeKiB', defaultPagesizeKiB),
    ...known('isolated', isolated),
    ...known('libvirt', libvirt),
    ...known('taken', taken),
    ...known('promised', promised),
    ...known('devices', devices),
  }
  // An allowed CPU that is not online is kept: the planner reports it.
  return {
    host,
    ...(allowed && { allowed: { ...resourcesOf(host, allowed).allowed, ...allowed } }),
    ...known('about', about),
  }
}

/** Nothing depends on it, so what later versions add is ignored. */
function aboutAt(shape: Shape, value: ValueAt): About {
  const known = value.value instanceof Map ? [...value.value.keys()] : []
  const about = objectAt(shape, value, { known })
  const texts = ABOUT_KEYS.map((key) => [key, textIn(shape, about, key)] as const)
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined))
}

const firstOf = (cpus: CpuSet): number => cpus[0] as number

function ascending(sets: readonly (CpuSet | undefined)[] | undefined): CpuSet[] | undefined {
  return sets?.filter((set) => set !== undefined).sort((a, b) => firstOf(a) - firstOf(b))
}

function ascendingCaches(caches: readonly (Cache | undefined)[]): Cache[] {
  return caches.filter((cache) => cache !== undefined).sort((a, b) => firstOf(a.cpus) - firstOf(b.cpus))
}

function cacheAt(shape: Shape, value: ValueAt): Cache | undefined {
  const cache = cpusAt(shape, value, 'id')
  return cache && { ...known('id', cache.found && numberIn(shape, cache.found, 'id')), cpus: cache.cpus }
}

function takenAt(shape: Shape, value: ValueAt): TakenCpus | undefined {
  const taken = cpusAt(shape, value, 'guest')
  return taken && { ...known('guest', taken.found && textIn(shape, taken.found, 'guest')), cpus: taken.cpus }
}

function promisedAt(shape: Shape, value: ValueAt): PromisedMemory {
  const needed = ['nodes', 'memoryKiB']
  const promised = objectAt(shape, value, { known: [...PROMISED_KEYS, ...needed], needed })
  return {
    ...known('guest', textIn(shape, promised, 'guest')),
    nodes: setIn<NodeSet>(shape, promised, 'nodes') ?? setOf<NodeSet>([]),
    memoryKiB: numberIn(shape, promised, 'memoryKiB') ?? WRONG,
    ...known('pagesizeKiB', pagesizeIn(shape, promised, 'pagesizeKiB')),
    ...(booleanIn(shape, promised, 'isAllocating') === true && { isAllocating: true }),
  }
}

function deviceAt(shape: Shape, value: ValueAt): PciDevice {
  const device = objectAt(shape, value, { known: DEVICE_KEYS, needed: ['address'] })
  const bars64KiB = listIn(
    shape,
    device,
    'bars64KiB',
    (each) => wholeNumber(shape, each, Number.MAX_SAFE_INTEGER) ?? WRONG,
  )
  return {
    address: addressIn(shape, device, 'address') ?? '',
    ...known('node', numberIn(shape, device, 'node', MAX_ID)),
    ...known('root', textIn(shape, device, 'root')),
    ...known('bars64KiB', bars64KiB),
  }
}

/** The address of a PCI device at `key`, such as "0000:3b:00.0". */
function addressIn(shape: Shape, object: ObjectAt, key: string): string | undefined {
  const address = textIn(shape, object, key)
  if (address === undefined || ADDRESS.test(address)) return address
  return problem(shape, join(object.path, key), { is: 'not-an-address', address })
}

/** A set of CPUs: alone, or in an object that may have another key. */
function cpusAt(
  shape: Shape,
  value: ValueAt,
  key: string,
): { readonly cpus: CpuSet; readonly found?: ReturnType<typeof objectAt> } | undefined {
  if (typeof value.value === 'string') {
    const cpus = setAt<CpuSet>(shape, value)
    return cpus && { cpus }
  }
  const found = objectAt(shape, value, { known: [key, 'cpus'], needed: ['cpus'] })
  const cpus = setIn<CpuSet>(shape, found, 'cpus')
  return cpus && { cpus, found }
}

function nodeAt(shape: Shape, value: ValueAt): HostNode {
  const node = objectAt(shape, value, { known: NODE_KEYS, needed: ['id', 'cpus'] })
  const distances = listIn(shape, node, 'distances', (each) => wholeNumber(shape, each, 255) ?? WRONG)
  return {
    id: numberIn(shape, node, 'id', MAX_ID) ?? WRONG,
    cpus: setIn<CpuSet>(shape, node, 'cpus') ?? setOf<CpuSet>([]),
    ...known('memoryKiB', numberIn(shape, node, 'memoryKiB')),
    ...known('freeKiB', numberIn(shape, node, 'freeKiB')),
    ...known('availableKiB', numberIn(shape, node, 'availableKiB')),
    pages: listIn(shape, node, 'pages', (each) => pagesAt(shape, each)) ?? [],
    ...known('distances', distances),
  }
}

function pagesAt(shape: Shape, value: ValueAt): NodePages {
  const needed = ['pagesizeKiB', 'total']
  const pages = objectAt(shape, value, { known: [...needed, 'free'], needed })
  return {
    pagesizeKiB: pagesizeIn(shape, pages, 'pagesizeKiB') ?? WRONG,
    total: numberIn(shape, pages, 'total') ?? WRONG,
    ...known('free', numberIn(shape, pages, 'free')),
  }
}

function poolAt(shape: Shape, value: ValueAt): Pool {
  const pool = objectAt(shape, value, { known: POOL_KEYS, needed: ['pagesizeKiB'] })
  return {
    pagesizeKiB: pagesizeIn(shape, pool, 'pagesizeKiB') ?? WRONG,
    ...known('reserved', numberIn(shape, pool, 'reserved')),
    ...known('overcommit', numberIn(shape, pool, 'overcommit')),
    ...known('surplus', numberIn(shape, pool, 'surplus')),
    ...known('mounted', booleanIn(shape, pool, 'mounted')),
  }
}

function allowedAt(shape: Shape, value: ValueAt): Partial<Allowed> {
  const allowed = objectAt(shape, value, { known: ['cpus', 'nodes', 'pages'] })
  return {
    ...known('cpus', setIn<CpuSet>(shape, allowed, 'cpus')),
    ...known('nodes', setIn<NodeSet>(shape, allowed, 'nodes')),
    ...known(
      'pages',
      listIn(shape, allowed, 'pages', (each) => pageLimitAt(shape, each)),
    ),
  }
}

function pageLimitAt(shape: Shape, value: ValueAt): PageLimit {
  const needed = ['pagesizeKiB', 'max']
  const limit = objectAt(shape, value, { known: [...needed, 'used'], needed })
  return {
    pagesizeKiB: pagesizeIn(shape, limit, 'pagesizeKiB') ?? WRONG,
    max: numberIn(shape, limit, 'max') ?? WRONG,
    ...known('used', numberIn(shape, limit, 'used')),
  }
}

function pagesizeIn(shape: Shape, object: ObjectAt, key: string): number | undefined {
  const pagesizeKiB = numberIn(shape, object, key)
  if (pagesizeKiB === undefined || (pagesizeKiB > 0 && Number.isInteger(Math.log2(pagesizeKiB))))
    return pagesizeKiB
  return problem(shape, join(object.path, key), { is: 'not-a-pagesize', pagesizeKiB })
}
