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
  const foreign = Object.entries(EDITED).flatMap(([name, of]) => {
    const element = child(document.root, name)
    return element === undefined ? [] : foreignIn(element, of)
  })
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

function foreignIn(element: XmlElement, { attributes, children }: Known): Foreign[] {
  const isOpen = OPEN.includes(element.name)
  const own = element.attributes
    .map(({ name }) => name)
    .filter((name) => !/^xmlns(:|$)/.test(name) && !attributes.includes(name))
  const inside = element.children
    .filter((each) => each.uri !== '' || !(each.name in children))
    .map(({ name }) => `<${name}>`)
  const parts = isOpen ? [] : [...own, ...new Set(inside)]
  return [
    ...(parts.length === 0 ? [] : [{ element, parts }]),
    ...element.children.flatMap((each) => {
      const of = each.uri === '' ? children[each.name] : undefined
      return of === undefined ? [] : foreignIn(each, of)
    }),
  ]
}

/** Whether an edit removes the element, or changes an attribute of it. */
function becomesOf(
  { start, end, tagEnd }: XmlElement,
  edits: readonly Edit[],
): 'foreign-stays' | 'foreign-dropped' | undefined {
  if (edits.some((edit) => edit.start <= start && edit.end >= end)) return 'foreign-dropped'
  return edits.some((edit) => edit.start > start && edit.end < tagEnd) ? 'foreign-stays' : undefined
}
