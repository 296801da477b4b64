// A guest on many hosts: what is said of each host, and which comes first.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { type CpuSet, has, intersect, type NodeSet, setOf, subtract, union } from '../../base/idset.ts'
import { classOf } from '../../codes/codes.ts'
import type { Explained } from '../text.ts'

/**
 * `starts`: it can start there now, as far as is known. `short`: it fits, but pages or memory are lacking
 * now. `refused`: it cannot be placed there. `unread`: the host cannot be read.
 */
export type FleetOutcome = 'starts' | 'short' | 'refused' | 'unread'

/** How well a guest is placed. A cell is local if its vCPUs run on the nodes of its memory. */
interface FleetFit {
  readonly nodes: readonly number[]
  readonly cells: number
  readonly localCells: number
  /** Host cores of which the guest gets some threads, but not all. */
  readonly splitCores: number
  readonly shortages: number
  readonly notes: number
}

/** One host. `fit` is there where the guest is placed; `found`: shortages and notes, or why it is not. */
export interface FleetRow {
  readonly host: string
  readonly outcome: FleetOutcome
  readonly fit?: FleetFit
  readonly found: readonly Diagnostic[]
}

/** A guest and the hosts, the best first. */
export interface Fleet {
  readonly guest: string
  readonly vcpus: number
  readonly memoryKiB: number
  readonly rows: readonly FleetRow[]
}

/** What is said of a host where the guest is placed. */
export function placedRow(host: string, placed: Explained, found: readonly Diagnostic[]): FleetRow {
  const shortages = found.filter(({ code }) => classOf(code) === 'capacity').length
  const { placement, resources } = placed
  const { memnodes, memory, vcpupin } = placement.binding
  const cpusOf = (vcpus: readonly number[]): CpuSet =>
    union(...vcpus.map((vcpu) => vcpupin[vcpu] ?? setOf<CpuSet>([])))
  const cpusOn = (nodes: NodeSet): CpuSet =>
    union(...resources.nodes.filter(({ id }) => has(nodes, id)).map(({ cpus }) => cpus))
  const local = placement.cells.filter(({ id, vcpus }) => {
    const nodes = memnodes[id]?.nodes ?? setOf<NodeSet>([])
    return subtract(cpusOf(vcpus), cpusOn(nodes)).length === 0
  })
  const used = union(...vcpupin)
  const split = resources.siblings.filter((core) => {
    const taken = intersect(core, used).length
    return taken > 0 && taken < core.length
  })
  return {
    host,
    outcome: shortages > 0 ? 'short' : 'starts',
    fit: {
      nodes: union(...memnodes.map(({ nodes }) => nodes), memory?.nodes ?? setOf<never>([])),
      cells: placement.cells.length,
      localCells: local.length,
      splitCores: split.length,
      shortages,
      notes: found.length - shortages,
    },
    found,
  }
}

const ORDER: readonly FleetOutcome[] = ['starts', 'short', 'refused', 'unread']

/**
 * Hosts where the guest starts come first. Among these fewer cells that are not local, then fewer nodes,
 * split cores and notes come first; at last the name decides.
 */
export function bestFirst(rows: readonly FleetRow[]): FleetRow[] {
  const keys = ({ outcome, fit }: FleetRow): readonly number[] => [
    ORDER.indexOf(outcome),
    ...(outcome === 'starts' && fit !== undefined
      ? [fit.cells - fit.localCells, fit.nodes.length, fit.splitCores, fit.notes]
      : []),
  ]
  return rows
    .map((row) => ({ row, order: keys(row) }))
    .sort((a, b) => {
      const at = a.order.findIndex((value, index) => value !== b.order[index])
      return at < 0
        ? compareNames(a.row.host, b.row.host)
        : (a.order[at] as number) - (b.order[at] ?? Number.POSITIVE_INFINITY)
    })
    .map(({ row }) => row)
}

/** host2 comes before host10. */
function compareNames(one: string, other: string): number {
  const [a, b] = [one, other].map((name) => name.split(/(\d+)/)) as [string[], string[]]
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [x, y] = [a[at] as string, b[at] as string]
    if (x === y) continue
    const difference = at % 2 === 1 ? Number(x) - Number(y) : 0
    if (difference !== 0) return difference
    return x < y ? -1 : 1
  }
  return a.length - b.length
}

/** How many hosts have each outcome. */
export function countsOf(rows: readonly FleetRow[]): Readonly<Record<FleetOutcome, number>> {
  const counts = { starts: 0, short: 0, refused: 0, unread: 0 }
  for (const { outcome } of rows) counts[outcome] += 1
  return counts
}

/** Why a guest does not start, the most frequent first: each code with its hosts. */
export function reasonsOf(
  rows: readonly FleetRow[],
): readonly { readonly code: string; readonly hosts: number }[] {
  const hosts = new Map<string, number>()
  for (const row of rows)
    for (const code of new Set(against(row).map((each) => each.code)))
      hosts.set(code, (hosts.get(code) ?? 0) + 1)
  return [...hosts]
    .map(([code, count]) => ({ code, hosts: count }))
    .sort((a, b) => b.hosts - a.hosts || (a.code < b.code ? -1 : 1))
}

/** What keeps the guest from starting on a host. */
export function against({ outcome, found }: FleetRow): readonly Diagnostic[] {
  if (outcome === 'starts') return []
  return outcome === 'short' ? found.filter(({ code }) => classOf(code) === 'capacity') : found
}
