// A host snapshot -> the problems in it (it may be written by hand), and its nodes in order.

import { type CpuSet, MAX_NODES } from '../../base/idset.ts'
import type { CpuSharer } from '../../codes/host.ts'
import type { HostNode, Pool } from '../../model/host.ts'
import { isDistance } from '../distances.ts'
import { problem, type Shape } from './json-shape.ts'

/** The lists of sets of CPUs that share something, and what that is. */
const sharings = {
  siblings: 'core',
  caches: 'level-3 cache',
  sockets: 'socket',
  dies: 'die',
  clusters: 'cluster',
} as const
type Sharing = keyof typeof sharings

/** What a snapshot states, each in the order of the text. */
interface Stated {
  readonly nodes: readonly HostNode[]
  readonly sets: { readonly [key in Sharing]: readonly (CpuSet | undefined)[] | undefined }
  readonly pools: readonly Pool[] | undefined
}

/** Reports what cannot be true of one host. */
export function reportContradictions(shape: Shape, { nodes, sets, pools = [] }: Stated): void {
  if (nodes.length === 0) problem(shape, 'nodes', { is: 'no-nodes' })
  if (nodes.length > MAX_NODES) {
    problem(shape, 'nodes', { is: 'too-many-nodes', count: nodes.length, max: MAX_NODES })
    return
  }
  const places = firstPlaces(nodes.map(({ id }) => id))
  for (const [index, node] of nodes.entries()) {
    const path = `nodes[${index}]`
    const first = places.get(node.id) ?? index
    if (first < index)
      problem(shape, `${path}.id`, { is: 'node-twice', node: node.id, first: `nodes[${first}].id` })
    reportPages(shape, node, path)
    reportMemory(shape, node, path)
    reportDistances(shape, node, path, nodes.length)
  }
  const ofNodes = nodes.map(({ cpus }, index): [string, CpuSet] => [`nodes[${index}].cpus`, cpus])
  reportOverlap(shape, 'node', ofNodes)
  for (const key of Object.keys(sharings) as Sharing[]) reportSharing(shape, key, sets[key] ?? [])
  reportTwice(shape, pools, 'pools')
}

function reportSharing(shape: Shape, key: Sharing, sets: readonly (CpuSet | undefined)[]): void {
  const of = sharings[key]
  const stated = sets.flatMap((set, index): [string, CpuSet][] =>
    set === undefined ? [] : [[`${key}[${index}]`, set]],
  )
  reportOverlap(shape, of, stated)
  for (const [path, set] of stated) if (set.length === 0) problem(shape, path, { is: 'empty', of })
}

/** Where each number is first; what is wrong already (NaN) equals no other. */
function firstPlaces(numbers: readonly number[]): ReadonlyMap<number, number> {
  const places = new Map<number, number>()
  for (const [index, number] of numbers.entries())
    if (!Number.isNaN(number) && !places.has(number)) places.set(number, index)
  return places
}

function reportPages(shape: Shape, { pages }: HostNode, path: string): void {
  reportTwice(shape, pages, `${path}.pages`)
  for (const [index, { total, free }] of pages.entries())
    if (free !== undefined && free > total)
      problem(shape, `${path}.pages[${index}].free`, { is: 'free-pages-above-total', free, total })
}

function reportTwice(shape: Shape, pools: readonly { readonly pagesizeKiB: number }[], path: string): void {
  const places = firstPlaces(pools.map(({ pagesizeKiB }) => pagesizeKiB))
  for (const [index, { pagesizeKiB }] of pools.entries()) {
    const first = places.get(pagesizeKiB) ?? index
    if (first < index)
      problem(shape, `${path}[${index}]`, { is: 'pagesize-twice', pagesizeKiB, first: `${path}[${first}]` })
  }
}

function reportMemory(shape: Shape, { memoryKiB, freeKiB, availableKiB }: HostNode, path: string): void {
  if (memoryKiB === undefined) return
  if (freeKiB !== undefined && freeKiB > memoryKiB)
    problem(shape, `${path}.freeKiB`, { is: 'free-memory-above-total', freeKiB, memoryKiB })
  if (availableKiB !== undefined && availableKiB > memoryKiB)
    problem(shape, `${path}.availableKiB`, { is: 'available-memory-above-total', availableKiB, memoryKiB })
}

function reportDistances(shape: Shape, { distances }: HostNode, path: string, nodes: number): void {
  if (distances === undefined) return
  const at = `${path}.distances`
  if (distances.length !== nodes) problem(shape, at, { is: 'distance-count', count: distances.length, nodes })
  for (const [index, distance] of distances.entries())
    if (!Number.isNaN(distance) && !isDistance(distance))
      problem(shape, `${at}[${index}]`, { is: 'distance-invalid', distance })
}

function reportOverlap(shape: Shape, of: CpuSharer, sets: readonly [path: string, cpus: CpuSet][]): void {
  const places = new Map<number, string>()
  for (const [path, cpus] of sets) {
    for (const cpu of cpus) {
      const first = places.get(cpu)
      if (first === undefined) places.set(cpu, path)
      else problem(shape, path, { is: 'cpu-twice', cpu, of, first })
    }
  }
}

/** Sorts nodes by id; their distances, which follow the order of the nodes, are reordered too. */
export function orderNodes(written: readonly HostNode[]): HostNode[] {
  const order = written.map((_, index) => index).sort((a, b) => idAt(written, a) - idAt(written, b))
  return order.map((index) => {
    const node = written[index] as HostNode
    return node.distances === undefined
      ? node
      : { ...node, distances: order.map((column) => node.distances?.[column] as number) }
  })
}

const idAt = (nodes: readonly HostNode[], index: number): number => (nodes[index] as HostNode).id
