// A running guest and its expected placement -> its actual placement and diagnostics.

import type { Diagnostic } from '../base/diagnostic.ts'
import { groupBy } from '../base/group.ts'
import { type CpuSet, formatSet, intersect, setOf, union } from '../base/idset.ts'
import { formatKiB } from '../base/memory.ts'
import { diagnostic } from '../codes/codes.ts'
import { policyWords } from '../explain/actual-placement.ts'
import { cpuWord, nodesNamed } from '../explain/texts/words.ts'
import type {
  ActualPlacement,
  CellPlace,
  HostNode,
  MemoryFault,
  RunningGuest,
  ThreadPlace,
} from '../model.ts'
import type { Expected } from './expected.ts'
import { cellPlaces } from './memory.ts'
import { threadFindings, threadPlaces } from './threads.ts'

/** A running guest, its expected placement, and what is known around it. */
export interface Surveyed {
  readonly running: RunningGuest
  readonly expected: Expected
  readonly state?: string
  /** Whether libvirt manages the guest, so that virsh can fix its pins. */
  readonly isLibvirts: boolean
  /** The host's nodes with their CPUs; absent: unknown. */
  readonly nodes?: readonly HostNode[]
}

/**
 * Compares actual with expected placement. Findings come before notes; an unknown fact is a note, not a
 * finding.
 */
export function verify({ running, expected, state, isLibvirts, nodes }: Surveyed): {
  readonly actual: ActualPlacement
  readonly found: readonly Diagnostic[]
} {
  const { pid, mappings } = running
  const threads = threadPlaces(running.threads, expected)
  const cells = mappings === undefined ? [] : cellPlaces(expected, mappings)
  const guest = isLibvirts ? expected.guest : undefined
  const ofThreads = threadFindings(threads, guest)
  const isNote = ({ code }: Diagnostic): boolean => code === 'threads-unknown'
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
      ...cells.flatMap((cell) => memoryFindings(cell, cells, pid, guest)),
      ...(expected.online === undefined
        ? [diagnostic('wanted-unknown', { pid, guest: expected.guest })]
        : []),
      ...ofThreads.filter(isNote),
      ...cells.flatMap((cell) => memoryNotes(cell)),
      ...(nodes === undefined ? [] : farVcpus(threads, cells, nodes)),
    ],
  }
}

const cellWords = (cells: readonly number[]): string =>
  cells.length === 1 ? `cell ${cells[0]}` : `cells ${formatSet(cells)} together`
const nodeWords = (nodes: readonly number[]): string => nodesNamed(formatSet(nodes))

function memoryFindings(
  place: CellPlace,
  all: readonly CellPlace[],
  pid: number,
  guest: string | undefined,
): Diagnostic[] {
  const { nodes = setOf([]), mode = 'strict', policies, pagesizesKiB, expectedPagesizeKiB = 0 } = place
  const cells = cellWords(place.cells)
  const fix =
    guest === undefined ? 'restart the guest' : `virsh shutdown ${guest}; virsh start ${guest}; or migrate it`
  const has = policies.map(policyWords).join(' and ')
  const pages = pagesizesKiB.map(formatKiB).join(' and ')
  const of: Readonly<Record<MemoryFault, () => Diagnostic>> = {
    elsewhere: () => elsewhereFinding(place, all, pid, fix),
    unbound: () =>
      diagnostic('guest-memory-unbound', { cells, has, wanted: `${mode} on ${nodeWords(nodes)}`, fix }),
    pagesize: () =>
      diagnostic('guest-pagesize', { cells, has: pages, wanted: formatKiB(expectedPagesizeKiB), fix }),
  }
  return place.faults.map((fault) => of[fault]())
}

function elsewhereFinding(
  place: CellPlace,
  all: readonly CellPlace[],
  pid: number,
  restart: string,
): Diagnostic {
  const { nodes = setOf([]), mode = 'strict', nodesKiB, elsewhereKiB, strayKiB, allocatedKiB } = place
  const away = [...nodesKiB].filter(([node]) => !(nodes as readonly number[]).includes(node))
  const from = away.map(([node]) => node)
  return diagnostic('guest-memory-elsewhere', {
    cells: cellWords(place.cells),
    elsewhere: `${elsewhereKiB === undefined ? 'at least ' : ''}${formatKiB(strayKiB)}`,
    allocated: formatKiB(allocatedKiB),
    where: away.map(([node, kib]) => `${formatKiB(kib)} on node ${node}`).join(', '),
    nodes: nodeWords(nodes),
    mode,
    fix: canMove(place, all, from) ? `migratepages ${pid} ${formatSet(from)} ${formatSet(nodes)}` : restart,
  })
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

function memoryNotes({ cells, unknownKiB, memoryKiB }: CellPlace): Diagnostic[] {
  const why = 'QEMU has no mapping, or several, with the name or the size of this memory'
  return [
    ...(unknownKiB > 0
      ? [diagnostic('guest-memory-unknown', { cells: cellWords(cells), size: formatKiB(unknownKiB), why })]
      : []),
    ...(cells.length > 1
      ? [diagnostic('guest-memory-alike', { cells: `cells ${formatSet(cells)}`, size: formatKiB(memoryKiB) })]
      : []),
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
  const isRight = (verdict: string): boolean => verdict === 'placed' || verdict === 'free'
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
    const on = nodes.filter((node) => intersect(node.cpus, cpus).length > 0).map(({ id }) => id)
    const vcpus = `vCPU${far.length === 1 ? '' : 's'} ${formatSet(setOf(far.map(({ id = 0 }) => id)))}`
    return [
      diagnostic('vcpus-far', {
        vcpus,
        cell,
        cpus: `${cpuWord(formatSet(cpus))} of ${nodeWords(on)}`,
        memory: nodeWords(held),
      }),
    ]
  })
}

function isFar(cpus: CpuSet, held: readonly number[], nodeOf: ReadonlyMap<number, number>): boolean {
  const under = new Set(cpus.flatMap((cpu) => nodeOf.get(cpu) ?? []))
  return under.size > 0 && held.every((node) => !under.has(node))
}
