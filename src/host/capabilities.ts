// The output of `virsh capabilities` -> Host. libvirt does not report free memory, free pages or the default
// page size.

import { collectRefusals, type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { type CpuSet, has, intersect, MAX_ID, MAX_NODES, setOf, union } from '../base/idset.ts'
import { parseLibvirtSize } from '../base/memory.ts'
import { parseSet } from '../base/parse-set.ts'
import { diagnostic, refuse, refuseAll, unique } from '../codes/codes.ts'
import type { CapabilitiesProblem } from '../codes/host.ts'
import type { Host, HostNode, NodePages } from '../model/host.ts'
import { elementsAt, readXml, type XmlData } from '../xml/read.ts'
import { sharedIn } from './capabilities-sharing.ts'
import { soundDistances } from './distances.ts'
import { known } from './kernel-text.ts'

/** Base pages are 4, 8, 16 or 64 KiB; above that even the smallest size of a host is a huge page. */
const MAX_BASE_KIB = 64

interface Reading {
  readonly source: string
  readonly problems: Diagnostic[]
}

/**
 * As readCapabilities, but what is wrong is returned, not thrown: loaded at run time, this file is a bundle
 * with a Refusal class of its own.
 */
export function loadCapabilities(
  text: string,
  source: string,
): Host | { readonly problems: readonly Diagnostic[] } {
  try {
    return readCapabilities(text, source)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { problems: error.diagnostics }
  }
}

/**
 * Reads the host from the output of `virsh capabilities`.
 * @param source names the text (a file name) in refusals
 * @throws Refusal `capabilities-malformed` with every problem, `xml-malformed`, `xml-doctype`
 * @see libvirt formatcaps, host topology
 */
export function readCapabilities(text: string, source: string): Host {
  const root = readXml(text)
  const refuseAs = (problem: CapabilitiesProblem): never =>
    refuse('capabilities-malformed', { source, problem })
  if (root.name !== 'capabilities') refuseAs({ is: 'other-root', name: root.name })
  const written = elementsAt(root, 'host', 'topology', 'cells', 'cell')
  if (written.length === 0) refuseAs({ is: 'no-cells' })
  if (written.length > MAX_NODES) refuseAs({ is: 'too-many-cells', count: written.length, max: MAX_NODES })
  const reading: Reading = { source, problems: [] }
  const cells = [...written].sort((a, b) => idOf(reading, a) - idOf(reading, b))
  const basePagesizeKiB = basePagesize(reading, root, cells)
  const isOnline = onlineTest(cells)
  const ids = cells.map((cell) => idOf(reading, cell))
  const nodes = cells.map((cell) => nodeOf(reading, cell, { isOnline, ids, basePagesizeKiB }))
  reportTwice(reading, nodes)
  refuseAll(unique(reading.problems))
  const online = union<CpuSet>(...nodes.map(({ cpus }) => cpus))
  const cpus = cells
    .flatMap((cell) => elementsAt(cell, 'cpus', 'cpu'))
    .filter(isOnline)
    .map((element) => ({ element, id: idOf(reading, element) }))
  return { nodes, siblings: coresOf(reading, cells, online), ...sharedIn(root, cpus, source) }
}

/** What reading one cell needs to know about all of them. */
interface Shared {
  readonly isOnline: (cpu: XmlData) => boolean
  readonly ids: readonly number[]
  readonly basePagesizeKiB: number
}

function nodeOf(reading: Reading, cell: XmlData, { isOnline, ids, basePagesizeKiB }: Shared): HostNode {
  const [memory] = elementsAt(cell, 'memory')
  const cpus = elementsAt(cell, 'cpus', 'cpu').filter(isOnline)
  return {
    id: idOf(reading, cell),
    cpus: setOf<CpuSet>(cpus.map((cpu) => idOf(reading, cpu))),
    ...known('memoryKiB', memory && kibOf(reading, memory.text, memory)),
    pages: elementsAt(cell, 'pages')
      .map((pages) => poolOf(reading, pages))
      .filter(({ pagesizeKiB }) => pagesizeKiB !== basePagesizeKiB)
      .sort((a, b) => a.pagesizeKiB - b.pagesizeKiB),
    ...known('distances', distancesOf(reading, cell, ids)),
  }
}

/**
 * libvirt lists an offline CPU by its id alone. A libvirt that gives only ids for every CPU lists online CPUs
 * only.
 */
function onlineTest(cells: readonly XmlData[]): (cpu: XmlData) => boolean {
  const tellsNoMore = cells.every((cell) =>
    elementsAt(cell, 'cpus', 'cpu').every(({ attributes }) => attributes.size <= 1),
  )
  return ({ attributes }) => tellsNoMore || attributes.size > 1
}

function poolOf(reading: Reading, pages: XmlData): NodePages {
  const pagesizeKiB = kibOf(reading, pages.attributes.get('size') ?? '', pages) ?? 0
  return { pagesizeKiB, total: countOf(reading, pages, pages.text, Number.MAX_SAFE_INTEGER) }
}

/**
 * Base pages are listed together with huge pages: they have the smallest size, which the host's <cpu> lists
 * too.
 */
function basePagesize(reading: Reading, root: XmlData, cells: readonly XmlData[]): number {
  const listed = [
    ...elementsAt(root, 'host', 'cpu', 'pages'),
    ...cells.flatMap((cell) => elementsAt(cell, 'pages')),
  ]
  const smallest = Math.min(
    ...listed.map(
      (pages) => kibOf(reading, pages.attributes.get('size') ?? '', pages) ?? Number.POSITIVE_INFINITY,
    ),
  )
  return smallest <= MAX_BASE_KIB ? smallest : 0
}

/**
 * One distance per node, in node order; undefined when the list lacks a node, since it is not reliable then.
 */
function distancesOf(reading: Reading, cell: XmlData, ids: readonly number[]): readonly number[] | undefined {
  const stated = new Map(
    elementsAt(cell, 'distances', 'sibling').map((each) => [
      idOf(reading, each),
      countOf(reading, each, each.attributes.get('value') ?? '', Number.MAX_SAFE_INTEGER),
    ]),
  )
  return soundDistances(
    ids.map((id) => stated.get(id) ?? Number.NaN),
    ids.length,
  )
}

/** The cores with more than one online CPU. A siblings list that lacks its own CPU is invalid and ignored. */
function coresOf(reading: Reading, cells: readonly XmlData[], online: CpuSet): CpuSet[] {
  const placed = new Set<number>()
  const cpus = cells
    .flatMap((cell) => elementsAt(cell, 'cpus', 'cpu'))
    .map((cpu) => ({ cpu, id: idOf(reading, cpu) }))
  const read = new Map<string, CpuSet>()
  const cores = cpus
    .sort((a, b) => a.id - b.id)
    .flatMap(({ cpu, id }) => {
      const text = cpu.attributes.get('siblings') ?? ''
      const siblings = read.get(text) ?? parseSet<CpuSet>(text, `${reading.source}: <cpu siblings>`)
      read.set(text, siblings)
      if (placed.has(id) || !has(siblings, id)) return []
      const core = setOf<CpuSet>(intersect(siblings, online).filter((each) => !placed.has(each)))
      for (const each of core) placed.add(each)
      return core.length > 1 ? [core] : []
    })
  // A core whose first CPU has an invalid list is found at a later CPU, so sort again.
  return cores.sort((a, b) => (a[0] as number) - (b[0] as number))
}

function reportTwice(reading: Reading, nodes: readonly HostNode[]): void {
  const places = new Map<number, number>()
  for (const [index, { id, cpus }] of nodes.entries()) {
    if (nodes[index - 1]?.id === id) report(reading, { is: 'cell-twice', cell: id })
    for (const cpu of cpus) {
      const other = places.get(cpu)
      if (other !== undefined && other !== id) report(reading, { is: 'cpu-twice', cpu, cells: [other, id] })
      places.set(cpu, id)
    }
  }
}

function idOf(reading: Reading, element: XmlData): number {
  return countOf(reading, element, element.attributes.get('id') ?? '', MAX_ID)
}

function countOf(reading: Reading, { name }: XmlData, digits: string, max: number): number {
  const value = /^\s*\d{1,16}\s*$/.test(digits) ? Number(digits) : Number.NaN
  if (value <= max) return value
  report(reading, { is: 'not-a-count', element: name, text: digits, max })
  return 0
}

function kibOf(reading: Reading, value: string, { name, attributes }: XmlData): number | undefined {
  const source = `${reading.source}: <${name}>`
  return collectRefusals(reading.problems, () => parseLibvirtSize(value, attributes.get('unit'), source).kib)
}

function report({ source, problems }: Reading, problem: CapabilitiesProblem): void {
  problems.push(diagnostic('capabilities-malformed', { source, problem }))
}
