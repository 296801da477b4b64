// NodeResourceTopology objects of Kubernetes (kubectl get noderesourcetopologies -o json) -> a host for each.
//
// An object has counts of CPUs, not their ids, and neither cores nor caches: CPUs are numbered node by node,
// and the first ones count as available. A note says so.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { type CpuSet, MAX_ID, type NodeSet, range, setOf } from '../../base/idset.ts'
import { type Json, parseJson } from '../../base/json.ts'
import { parseQuantity, parseSize } from '../../base/memory.ts'
import { diagnostic, refuseAll } from '../../codes/codes.ts'
import type { Allowed, Host, HostNode, NodePages } from '../../model/host.ts'
import { isDistance, soundDistances } from '../distances.ts'
import { known } from '../kernel-text.ts'
import {
  listIn,
  numberIn,
  type ObjectAt,
  objectAt,
  problem,
  type Shape,
  textIn,
  type ValueAt,
} from './json-shape.ts'

/** One host of several in a file, or why it cannot be read. */
export type FleetHost = { readonly name: string } & (
  | { readonly host: Host; readonly allowed: Partial<Allowed>; readonly notes: readonly Diagnostic[] }
  | { readonly problems: readonly Diagnostic[] }
)

/** Whether a text begins like such objects: kubectl prints a list of them, or one. */
export const isNodeTopology = (start: string): boolean =>
  /^\uFEFF?\s*\{/.test(start) && /"apiVersion"\s*:\s*"topology\.node\.k8s\.io\//.test(start)

/** A list of 5,000 hosts with the fields that Kubernetes adds has about 4 million. */
const MOST_PARTS = 8_000_000

/**
 * Every host of a list, or the one object, in the order of the text.
 * @throws Refusal `json-malformed`, `host-malformed` where the list itself cannot be read
 * @see k8s.io topology.node.k8s.io/v1alpha2, NodeResourceTopology
 */
export function readNodeTopologies(text: string, source: string): readonly FleetHost[] {
  const root = parseJson(text, source, MOST_PARTS)
  const shape: Shape = { source, problems: [] }
  const list = loose(shape, { path: '', value: root })
  const items = listIn(shape, list, 'items', (item) => item) ?? [{ path: '', value: root }]
  refuseAll(shape.problems)
  return items.map((item, index) => readItem(item, { source, index }))
}

function readItem(item: ValueAt, { source, index }: { source: string; index: number }): FleetHost {
  const shape: Shape = { source, problems: [] }
  const object = loose(shape, item)
  const metadata = object.members.get('metadata')
  const written = metadata instanceof Map ? metadata.get('name') : undefined
  const name = typeof written === 'string' && written !== '' ? written : `item ${index}`
  try {
    const zones = listIn(shape, object, 'zones', (zone) => zoneAt(shape, zone)) ?? []
    const nodes = zones.flatMap((zone) => zone ?? [])
    if (nodes.length === 0) problem(shape, join(item.path, 'zones'), { is: 'no-nodes' })
    refuseAll(shape.problems)
    return { name, ...hostOf(nodes), notes: [diagnostic('cpus-counted', { host: name })] }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { name, problems: error.diagnostics }
  }
}

interface Zone {
  readonly id: number
  readonly cpus: number
  readonly freeCpus: number
  readonly memory: Pick<HostNode, 'memoryKiB' | 'freeKiB' | 'availableKiB'>
  readonly pages: readonly NodePages[]
  readonly costs: ReadonlyMap<number, number>
}

/** Undefined for a zone of another type, such as a core. */
function zoneAt(shape: Shape, value: ValueAt): Zone | undefined {
  const zone = loose(shape, value)
  if (textIn(shape, zone, 'type') !== 'Node') return undefined
  const resources = new Map<string, Resource>()
  for (const each of listIn(shape, zone, 'resources', (one) => resourceAt(shape, one)) ?? [])
    resources.set(each.name, each)
  const costs = listIn(shape, zone, 'costs', (one) => {
    const cost = loose(shape, one)
    return [idIn(textIn(shape, cost, 'name')), numberIn(shape, cost, 'value') ?? Number.NaN] as const
  })
  const cpu = resources.get('cpu')
  const memory = resources.get('memory')
  return {
    id: idIn(textIn(shape, zone, 'name')),
    cpus: Math.min(MAX_ID, cpusIn(cpu?.total)),
    freeCpus: Math.min(MAX_ID, cpusIn(cpu?.available)),
    memory: {
      ...known('memoryKiB', kibIn(memory?.total, value.path)),
      ...known('freeKiB', kibIn(memory?.available, value.path)),
      ...known('availableKiB', kibIn(memory?.available, value.path)),
    },
    pages: [...resources.values()]
      .flatMap((each) => pagesIn(each, value.path) ?? [])
      .sort((a, b) => a.pagesizeKiB - b.pagesizeKiB),
    costs: new Map(costs ?? []),
  }
}

interface Resource {
  readonly name: string
  readonly total: string | undefined
  readonly available: string | undefined
}

/** What is not available to pods now counts as in use; what is not allocatable is of the host alone. */
function resourceAt(shape: Shape, value: ValueAt): Resource {
  const resource = loose(shape, value)
  const amount = (key: string): string | undefined => {
    const written = resource.members.get(key)
    return typeof written === 'number' ? String(written) : textIn(shape, resource, key)
  }
  const total = amount('capacity') ?? amount('allocatable')
  return {
    name: textIn(shape, resource, 'name') ?? '',
    total,
    available: amount('available') ?? amount('allocatable') ?? total,
  }
}

/** Whole CPUs. */
function cpusIn(text: string | undefined): number {
  const [, whole, milli] = /^(\d{1,9})(m?)$/.exec(text ?? '') ?? []
  return whole === undefined ? 0 : milli === 'm' ? Math.floor(Number(whole) / 1000) : Number(whole)
}

const kibIn = (text: string | undefined, path: string): number | undefined =>
  text === undefined ? undefined : parseQuantity(text, path).kib

/** hugepages-2Mi, hugepages-1Gi: amounts of memory. */
function pagesIn({ name, total, available }: Resource, path: string): NodePages | undefined {
  const [, size] = /^hugepages-(\d+[KMGT]i)$/.exec(name) ?? []
  if (size === undefined) return undefined
  const pagesizeKiB = parseSize(`${size}B`, path).kib
  const count = (text: string | undefined): number => Math.floor((kibIn(text, path) ?? 0) / pagesizeKiB)
  return { pagesizeKiB, total: count(total), free: Math.min(count(total), count(available)) }
}

/** "node-1" is node 1. */
function idIn(name: string | undefined): number {
  const digits = /(\d{1,5})$/.exec(name ?? '')?.[1]
  return digits === undefined ? 0 : Number(digits)
}

function hostOf(zones: readonly Zone[]): { readonly host: Host; readonly allowed: Partial<Allowed> } {
  const sorted = [...zones].sort((a, b) => a.id - b.id)
  let next = 0
  const free: number[] = []
  const nodes = sorted.map(({ id, cpus, freeCpus, memory, pages, costs }): HostNode => {
    const own = range(cpus).map((index) => next + index)
    next += cpus
    free.push(...own.slice(0, freeCpus))
    const row = sorted.map((other) => costs.get(other.id) ?? Number.NaN)
    const distances = row.every(isDistance) ? soundDistances(row, sorted.length) : undefined
    return { id, cpus: setOf<CpuSet>(own), ...memory, pages, ...known('distances', distances) }
  })
  const withMemory = nodes.filter(({ memoryKiB }) => memoryKiB !== 0).map(({ id }) => id)
  return {
    host: { nodes, siblings: [] },
    allowed: { cpus: setOf<CpuSet>(free), nodes: setOf<NodeSet>(withMemory) },
  }
}

/** Kubernetes adds fields, so unknown ones are ignored. */
function loose(shape: Shape, value: ValueAt): ObjectAt {
  const { value: written }: { readonly value: Json } = value
  return objectAt(shape, value, { known: written instanceof Map ? [...written.keys()] : [] })
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
