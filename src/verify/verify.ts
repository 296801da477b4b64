// A running guest and its expected placement -> its actual placement and diagnostics.

import type { Diagnostic } from '../base/diagnostic.ts'
import {
  type CpuSet,
  has,
  intersect,
  type NodeSet,
  sameSet,
  setOf,
  subtract,
  union,
  type VcpuSet,
} from '../base/idset.ts'
import { groupBy } from '../base/lists.ts'
import { classOf, diagnostic, type FactsOf } from '../codes/codes.ts'
import { known } from '../host/kernel-text.ts'
import type { ActualPlacement, CellPlace, MemoryFault, ThreadPlace } from '../model/actual-placement.ts'
import type { HostNode } from '../model/host.ts'
import type { RunningGuest } from '../model/running-guest.ts'
import type { Expected } from './expected.ts'
import { cellPlaces, hasOverflowed, MOST_OVERFLOW_PERCENT } from './memory.ts'
import { threadFindings, threadPlaces } from './threads.ts'

/** A running guest, its expected placement, and what is known around it. */
interface Surveyed {
  readonly running: RunningGuest
  readonly expected: Expected
  readonly state?: string
  /** Whether libvirt manages the guest, so that virsh can fix its pins. */
  readonly isLibvirts: boolean
  /** What libvirt's live XML says, where something else is expected; what its definition says. */
  readonly live?: Expected
  readonly defined?: Expected
  /** About what differs between those. */
  readonly changes?: readonly Diagnostic[]
  /** The host's nodes with their CPUs; absent: unknown. */
  readonly nodes?: readonly HostNode[]
}

/**
 * Compares actual with expected placement. Findings come before notes; an unknown fact is a note, not a
 * finding.
 */
export function verify({ running, expected, state, isLibvirts, nodes, ...others }: Surveyed): {
  readonly actual: ActualPlacement
  readonly found: readonly Diagnostic[]
} {
  const { pid, mappings, nodes: allowed } = running
  const online = nodes && union<CpuSet>(...nodes.map(({ cpus }) => cpus))
  const threads = threadPlaces(running.threads, expected, online)
  const cells = mappings === undefined ? [] : cellPlaces(expected, mappings)
  const guest = isLibvirts ? expected.guest : undefined
  const ofThreads = threadFindings(threads, { guest, live: others.live })
  const around = { pid, guest, all: cells, ...known('allowed', allowed), ...known('defined', others.defined) }
  const isNote = ({ code }: Diagnostic): boolean => classOf(code) === 'note'
  return {
    actual: {
      guest: expected.guest,
      pid,
      ...(state !== undefined && { state }),
      source: expected.source,
      cellular: expected.cellular,
      threads,
      cells,
    },
    found: [
      ...ofThreads.filter((each) => !isNote(each)),
      ...(mappings === undefined ? [diagnostic('guest-memory-unreadable', { pid })] : []),
      ...cells.flatMap((cell) => memoryFindings(cell, around)),
      ...(expected.online === undefined
        ? [diagnostic('wanted-unknown', { pid, guest: expected.guest })]
        : []),
      ...ofThreads.filter(isNote),
      ...(others.changes ?? []),
      ...cells.flatMap((cell) => memoryNotes(cell, around)),
      ...(nodes === undefined ? [] : farVcpus(threads, cells, nodes)),
    ],
  }
}

/** What the findings about one cell's memory state besides its placement. `guest`: for virsh. */
interface Around {
  readonly pid: number
  readonly guest: string | undefined
  readonly all: readonly CellPlace[]
  readonly defined?: Expected
  /** The nodes that the cpuset of QEMU allows. */
  readonly allowed?: NodeSet
}

function memoryFindings(place: CellPlace, around: Around): Diagnostic[] {
  const { cells, policies, pagesizesKiB, expectedPagesizeKiB: expectedKiB = 0 } = place
  const { nodes = setOf<NodeSet>([]), mode = 'strict' } = place
  const facts = { cells, ...known('guest', around.guest) }
  const thp = place.thpKiB !== undefined && place.thpKiB > 0 && { thpKiB: place.thpKiB }
  const of: Readonly<Record<MemoryFault, () => Diagnostic>> = {
    elsewhere: () => diagnostic('guest-memory-elsewhere', elsewhereFacts(place, around)),
    unbound: () => diagnostic('guest-memory-unbound', { ...facts, policies, expected: { mode, nodes } }),
    pagesize: () => diagnostic('guest-pagesize', { ...facts, pagesizesKiB, expectedKiB, ...thp }),
  }
  return place.faults.map((fault) => of[fault]())
}

function elsewhereFacts(place: CellPlace, around: Around): FactsOf<'guest-memory-elsewhere'> {
  const facts = strayFacts(place, around)
  const before = nodesBefore(place, around.defined)
  const isAsBefore = before !== undefined && facts.stray.every(({ node }) => has(before, node))
  return { ...facts, ...(isAsBefore && { before }) }
}

function strayFacts(
  place: CellPlace,
  { pid, guest, all, allowed }: Around,
): FactsOf<'guest-memory-overflow'> {
  const { nodes = setOf<NodeSet>([]), mode = 'strict', nodesKiB, strayKiB, allocatedKiB } = place
  const stray = [...nodesKiB].filter(([node]) => !has(nodes, node)).map(([node, kib]) => ({ node, kib }))
  const from = stray.map(({ node }) => node)
  const atLeast = place.elsewhereKiB === undefined
  return {
    cells: place.cells,
    ...known('guest', guest),
    ...{ pid, mode, nodes, allocatedKiB, strayKiB, atLeast, stray },
    canMovePages: canMove(place, all, from),
    ...(allowed !== undefined && subtract(nodes, allowed).length > 0 && { allowed }),
    ...(mode === 'preferred' && { mostPercent: MOST_OVERFLOW_PERCENT }),
  }
}

/** The nodes that the definition states for these cells, where those expected now are others. */
function nodesBefore({ cells, nodes }: CellPlace, defined: Expected | undefined): NodeSet | undefined {
  const own = defined?.cells.filter(({ id }) => cells.includes(id)).map((cell) => cell.nodes) ?? []
  const before = union<NodeSet>(...own.flatMap((each) => (each === undefined ? [] : [each])))
  return nodes === undefined || before.length === 0 || sameSet(before, nodes) ? undefined : before
}

/**
 * migratepages(8) moves every page of the process off a node, so no other cell may have or expect memory
 * there.
 */
function canMove(place: CellPlace, all: readonly CellPlace[], from: readonly number[]): boolean {
  const others = all.filter((other) => other !== place)
  return others.every(
    ({ nodes, nodesKiB }) =>
      nodes !== undefined &&
      from.every((node) => !nodesKiB.has(node) && !(nodes as readonly number[]).includes(node)),
  )
}

function memoryNotes(place: CellPlace, around: Around): Diagnostic[] {
  const { cells, unknownKiB, memoryKiB } = place
  return [
    ...(hasOverflowed(place) ? [diagnostic('guest-memory-overflow', strayFacts(place, around))] : []),
    ...(unknownKiB > 0 ? [diagnostic('guest-memory-unknown', { cells, sizeKiB: unknownKiB })] : []),
    ...(cells.length > 1 ? [diagnostic('guest-memory-alike', { cells, sizeKiB: memoryKiB })] : []),
  ]
}

/**
 * Notes vCPUs that run only on nodes without memory of their cell: the domain may ask for that, but it is
 * slow.
 */
function farVcpus(
  threads: readonly ThreadPlace[],
  cells: readonly CellPlace[],
  nodes: readonly HostNode[],
): Diagnostic[] {
  const isRight = (verdict: string): boolean => ['placed', 'overflowed', 'free', 'narrower'].includes(verdict)
  const nodeOf = new Map(nodes.flatMap(({ id, cpus }) => cpus.map((cpu) => [cpu as number, id] as const)))
  const ofCell = groupBy(threads, ({ cell }) => cell)
  return cells.flatMap(({ cells: ids, nodesKiB, verdict: whole }) => {
    const [cell] = ids
    const held = [...nodesKiB].filter(([, kib]) => kib > 0).map(([node]) => node)
    if (ids.length !== 1 || cell === undefined || held.length === 0 || !isRight(whole)) return []
    const far = (ofCell.get(cell) ?? []).filter(
      ({ role, cpus, verdict }) =>
        role === 'vcpu' && cpus !== undefined && isRight(verdict) && isFar(cpus, held, nodeOf),
    )
    if (far.length === 0) return []
    const cpus = union<CpuSet>(...far.flatMap(({ cpus: each }) => (each === undefined ? [] : [each])))
    const facts = {
      cell,
      vcpus: setOf<VcpuSet>(far.flatMap(({ id }) => id ?? [])),
      cpus,
      nodes: setOf<NodeSet>(
        nodes.filter((node) => intersect(node.cpus, cpus).length > 0).map(({ id }) => id),
      ),
      memoryNodes: setOf<NodeSet>(held),
    }
    return [diagnostic('vcpus-far', facts)]
  })
}

function isFar(cpus: CpuSet, held: readonly number[], nodeOf: ReadonlyMap<number, number>): boolean {
  const under = new Set(cpus.flatMap((cpu) => nodeOf.get(cpu) ?? []))
  return under.size > 0 && held.every((node) => !under.has(node))
}
