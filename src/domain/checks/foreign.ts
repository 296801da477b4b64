// Attributes and elements that libvirt does not know, such as those of its forks, in what edits change: they
// stay where they are, or go with their element. Nobody but their owner knows whether they still fit.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { groupBy } from '../../base/lists.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { Edit } from '../../xml/edit.ts'
import { child, tagSpan, type XmlDocument, type XmlElement } from '../../xml/parse.ts'

/** What libvirt knows of an element: attributes, and children by name. */
interface Known {
  readonly attributes: readonly string[]
  readonly children: Readonly<Record<string, Known>>
}

const known = (attributes: string, children: Known['children'] = {}): Known => ({
  attributes: attributes.split(' '),
  children,
})

const CACHE = known('id level type size unit')
const MONITOR = known('level vcpus')
const SIBLING = known('id value')
const CELL_CACHE = known('level associativity policy', {
  size: known('value unit'),
  line: known('value unit'),
})

/** The elements below `<domain>` that are edited; of others nothing is said. */
const EDITED: Known['children'] = {
  vcpu: known('placement cpuset current'),
  cputune: known('', {
    vcpupin: known('vcpu cpuset'),
    emulatorpin: known('cpuset'),
    iothreadpin: known('iothread cpuset'),
    cachetune: known('vcpus', { cache: CACHE, monitor: MONITOR }),
    memorytune: known('vcpus', { node: known('id bandwidth'), monitor: MONITOR }),
  }),
  numatune: known('', {
    memory: known('mode placement nodeset'),
    memnode: known('cellid mode nodeset'),
  }),
  memoryBacking: known('', { hugepages: known('', { page: known('size unit nodeset') }) }),
  cpu: known('', {
    numa: known('', {
      cell: known('id cpus memory unit memAccess discard', {
        distances: known('', { sibling: SIBLING }),
        cache: CELL_CACHE,
      }),
    }),
  }),
}

/** Elements that may hold more than is listed here. */
const OPEN = ['vcpu', 'cputune', 'numatune', 'memoryBacking', 'cpu', 'numa']

/** Notes on what is left in elements that the edits change, and on what goes with those that they remove. */
export function foreignNotes(document: XmlDocument, edits: readonly Edit[]): Diagnostic[] {
  if (edits.length === 0) return []
  const foreign: Foreign[] = []
  for (const [name, of] of Object.entries(EDITED)) {
    const element = child(document.root, name)
    if (element !== undefined && isReached(element, edits)) collectForeign(foreign, element, of)
  }
  const touched = foreign.flatMap(({ element, parts }) => {
    const becomes = becomesOf(element, edits)
    return becomes === undefined ? [] : [{ element, parts, becomes }]
  })
  const alike = groupBy(touched, ({ element, parts, becomes }) => [becomes, element.name, ...parts].join(' '))
  return [...alike.values()].map((group) => {
    const [{ element, parts, becomes }] = group as [(typeof group)[0]]
    return diagnostic(becomes, { element: element.name, count: group.length, parts }, tagSpan(element))
  })
}

interface Foreign {
  readonly element: XmlElement
  readonly parts: readonly string[]
}

/** Thousands of pins and distances hold nothing foreign. */
function collectForeign(found: Foreign[], element: XmlElement, known: Known): void {
  const parts = OPEN.includes(element.name) ? [] : partsIn(element, known)
  if (parts.length > 0) found.push({ element, parts })
  for (const each of element.children) {
    const of = each.uri === '' ? known.children[each.name] : undefined
    if (of !== undefined) collectForeign(found, each, of)
  }
}

/** Attributes and children that libvirt does not know. */
function partsIn(element: XmlElement, known: Known): string[] {
  const own: string[] = []
  for (const { name } of element.attributes)
    if (!known.attributes.includes(name) && !/^xmlns(:|$)/.test(name)) own.push(name)
  if (element.children.length === 0) return own
  const inside = element.children
    .filter((each) => each.uri !== '' || !(each.name in known.children))
    .map(({ name }) => `<${name}>`)
  return [...own, ...new Set(inside)]
}

/** Whether any edit is in the element, or removes it. */
const isReached = ({ start, end }: XmlElement, edits: readonly Edit[]): boolean =>
  edits.some((edit) => edit.start <= end && edit.end >= start)

/** Whether an edit removes the element, or changes an attribute of it. */
function becomesOf(
  { start, end, tagEnd }: XmlElement,
  edits: readonly Edit[],
): 'foreign-stays' | 'foreign-dropped' | undefined {
  if (edits.some((edit) => edit.start <= start && edit.end >= end)) return 'foreign-dropped'
  return edits.some((edit) => edit.start > start && edit.end < tagEnd) ? 'foreign-stays' : undefined
}
