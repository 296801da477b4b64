// Elements of which there may be one. libvirt's schema refuses a second one; its parser takes the first of
// some and merges others, so that what it makes of such a document is seldom what its author meant.

import { diagnostic } from '../codes/codes.ts'
import { childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import type { Reading } from './values.ts'

/**
 * What may stand once inside what, of all that we read or write; deeper elements are named by their own
 * entry.
 */
const ONCE: Readonly<Record<string, readonly string[]>> = {
  domain: (
    'name uuid title description metadata maxMemory memory currentMemory memtune memoryBacking vcpu vcpus ' +
    'iothreads iothreadids defaultiothread cputune numatune resource os features cpu devices'
  ).split(' '),
  memoryBacking: ['hugepages', 'nosharepages', 'locked', 'source', 'access', 'allocation', 'discard'],
  cputune: ['emulatorpin', 'emulatorsched'],
  numatune: ['memory'],
  resource: ['partition'],
  os: ['type'],
  features: ['kvm', 'pmu'],
  kvm: ['hint-dedicated'],
  cpu: ['topology', 'numa'],
  numa: ['interconnects'],
  cell: ['distances'],
  // The device; elsewhere nothing is inside of a <memory>.
  memory: ['source', 'target', 'alias'],
  controller: ['target', 'alias'],
  source: ['nodemask', 'pagesize'],
  target: ['size', 'node'],
}

/** Where the elements above are looked for: in the children of these, and in devices of these kinds. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  domain: ['memoryBacking', 'cputune', 'numatune', 'resource', 'os', 'features', 'cpu', 'devices'],
  features: ['kvm'],
  cpu: ['numa'],
  numa: ['cell'],
  devices: ['memory', 'controller'],
  memory: ['source', 'target'],
  controller: ['target'],
}

/** One finding for each second element, at the place where it stands. */
export function reportDoubled(reading: Reading, element: XmlElement): void {
  if (hasDoubled(element)) {
    for (const name of ONCE[element.local] ?? []) {
      const [, second] = childrenOf(element, name)
      if (second === undefined) continue
      reading.problems.push(
        diagnostic('element-twice', { element: name, parent: element.name }, tagSpan(second)),
      )
    }
  }
  for (const name of INSIDE[element.local] ?? [])
    for (const each of childrenOf(element, name)) reportDoubled(reading, each)
}

/** Whether any name stands twice among the children: seldom, so that names are looked up one by one then. */
function hasDoubled({ children }: XmlElement): boolean {
  return children.length > 1 && new Set(children.map(({ local }) => local)).size < children.length
}
