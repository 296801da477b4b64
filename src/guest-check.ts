// A placed guest's document and its surroundings -> everything that `check` reports.

import { isCut } from './base/bounds.ts'
import type { Diagnostic } from './base/diagnostic.ts'
import type { CpuSet } from './base/idset.ts'
import { pinsBeyond, preflight, topologyKept } from './check.ts'
import { diagnostic } from './codes/codes.ts'
import { checkType } from './document.ts'
import { readDomain } from './domain/view.ts'
import type { DomainView } from './model/domain.ts'
import type { Resources } from './model/host.ts'
import { requestFor, type Surroundings } from './place.ts'
import { attribute, type XmlDocument } from './xml/parse.ts'

/** A guest, and what was found: findings of class invalid and capacity, and notes. */
interface Checked {
  readonly view: DomainView
  readonly found: readonly Diagnostic[]
}

/**
 * Whether a guest can start on the host now, as its document places it.
 * @throws Refusal for a document or a request that cannot be read
 */
export function checkGuest(document: XmlDocument, surroundings: Surroundings): Checked {
  const view = readDomain(document)
  checkType(view)
  const { request, resources, bounds, tenantPins, notes } = requestFor(view, surroundings, 'check')
  const found = [
    ...preflight(view, withOfflineCpus(resources, surroundings.flags?.cpuset)),
    ...pinsBeyond(view, tenantPins?.vcpus ?? bounds.filter(({ by }) => by === 'cpuset'), resources),
    ...topologyKept({ view, resources, request }),
    ...notes.filter(isCut),
    ...liveNote(view, document),
  ]
  return { view, found }
}

/** The CPUs of --cpuset count while they are offline too: they may be online when the guest starts. */
function withOfflineCpus(resources: Resources, cpuset: CpuSet | undefined): Resources {
  return cpuset === undefined ? resources : { ...resources, allowed: { ...resources.allowed, cpus: cpuset } }
}

/** Only a running guest has an id. */
function liveNote({ name }: DomainView, { root }: XmlDocument): Diagnostic[] {
  const id = attribute(root, 'id')?.value
  return id === undefined || !/^\d+$/.test(id) ? [] : [diagnostic('guest-live', { name, id })]
}
