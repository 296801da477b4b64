// Caches of cells and the links between them, which are never changed: what libvirt refuses of them.

import { diagnostic } from '../../codes/codes.ts'
import type { InterconnectProblem } from '../../codes/guest/cells.ts'
import type { WrittenCell } from '../../model/domain.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { missing, numberIn, type Reading, sizeIn, UINT_MAX, wordIn } from '../values.ts'

const HIGHEST_LEVEL = 3

/**
 * Reports caches that libvirt refuses.
 * @returns the levels of the cell's caches
 * @see libvirt virDomainNumaDefNodeCacheParseXML, virDomainNumaDefValidate
 */
function checkCaches(reading: Reading, element: XmlElement, cell: number): ReadonlySet<number> {
  const levels = new Set<number>()
  for (const cache of childrenOf(element, 'cache')) {
    const level = numberIn(reading, cache, 'level', [1, HIGHEST_LEVEL])
    if (level !== undefined && levels.has(level)) {
      const of = { is: 'cell-cache', cell, level } as const
      reading.problems.push(diagnostic('entry-twice', { element: 'cache', of }, tagSpan(cache)))
    }
    if (level !== undefined) levels.add(level)
    for (const [name, known] of CACHE_WORDS)
      if (attribute(cache, name) === undefined) missing(reading, cache, name)
      else wordIn(reading, cache, name, known)
    for (const name of ['size', 'line']) {
      const part = child(cache, name)
      if (part === undefined || attribute(part, 'value') === undefined)
        missing(reading, cache, `<${name} value>`)
      else sizeIn(reading, part, 'value')
    }
  }
  return levels
}

const CACHE_WORDS: readonly (readonly [name: string, known: readonly string[]])[] = [
  ['associativity', ['none', 'direct', 'full']],
  ['policy', ['none', 'writeback', 'writethrough']],
]

/** `<latency>` or `<bandwidth>`: what of which link it states. */
interface Link {
  readonly element: string
  readonly initiator: number
  readonly target: number
  readonly cache: number
  readonly access: string
}

/**
 * Reports caches and links that libvirt refuses.
 * @param cells in id order
 * @see libvirt virDomainNumaDefParseXML, virDomainNumaDefValidate
 */
export function checkInterconnects(
  reading: Reading,
  numa: XmlElement | undefined,
  cells: readonly WrittenCell[],
): void {
  const levels = childrenOf(numa, 'cell').map((element, position) => {
    const id = attribute(element, 'id')?.value
    const cell = id === undefined ? position : Number(id)
    return [cell, checkCaches(reading, element, cell)] as const
  })
  const caches = new Map(levels)
  const links: Link[] = []
  const inside = child(numa, 'interconnects')
  for (const element of inside?.children ?? []) {
    if (element.local !== 'latency' && element.local !== 'bandwidth') continue
    const link = readLink(reading, element)
    if (link === undefined) continue
    const is = problemOf(link, { cells, caches, links })
    if (is !== undefined) {
      const { initiator, target, cache } = link
      const facts = { element: link.element, is, initiator, target, cells: cells.length, cache }
      reading.problems.push(diagnostic('interconnect-refused', facts, tagSpan(element)))
    }
    links.push(link)
  }
}

function readLink(reading: Reading, element: XmlElement): Link | undefined {
  const initiator = numberIn(reading, element, 'initiator', [0, UINT_MAX])
  const target = numberIn(reading, element, 'target', [0, UINT_MAX])
  const cache =
    attribute(element, 'cache') === undefined ? 0 : numberIn(reading, element, 'cache', [0, UINT_MAX])
  const access = wordIn(reading, element, 'type', ['access', 'read', 'write'])
  if (attribute(element, 'type') === undefined) missing(reading, element, 'type')
  if (attribute(element, 'value') === undefined) missing(reading, element, 'value')
  if (initiator === undefined || target === undefined || cache === undefined || access === undefined)
    return undefined
  return { element: element.local, initiator, target, cache, access }
}

/** What a link is judged by: the links before it are those that are described already. */
interface Known {
  readonly cells: readonly WrittenCell[]
  readonly caches: ReadonlyMap<number, ReadonlySet<number>>
  readonly links: readonly Link[]
}

/** The first one, in libvirt's order. */
function problemOf(link: Link, { cells, caches, links }: Known): InterconnectProblem | undefined {
  const { initiator, target, cache } = link
  if (initiator >= cells.length) return 'initiator-missing'
  if (target >= cells.length) return 'target-missing'
  if (cells[initiator]?.vcpus.length === 0) return 'initiator-without-vcpus'
  if (cache > 0 && caches.get(target)?.has(cache) !== true) return 'cache-missing'
  for (const other of links) {
    if (isSame(link, other)) return 'twice'
    if (initiator !== target && initiator === other.target && target === other.initiator) return 'reverse'
  }
  return undefined
}

const isSame = (a: Link, b: Link): boolean =>
  a.element === b.element &&
  a.initiator === b.initiator &&
  a.target === b.target &&
  a.cache === b.cache &&
  a.access === b.access
