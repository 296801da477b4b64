// A guest's document, the host and what is requested -> the fitted text, and the placement and edits that
// explain it.

import { withCuts } from './base/bounds.ts'
import type { Diagnostic } from './base/diagnostic.ts'
import { refuseAll } from './codes/codes.ts'
import { checkType } from './document.ts'
import { editsFor } from './domain/edits.ts'
import { readDomain } from './domain/view.ts'
import { resourcesOf } from './host/resources.ts'
import type { Allowed, DomainView, Existing, Host, Placement, Planned, Request, Resources } from './model.ts'
import { cellMemoryKiB } from './plan/cells/memory.ts'
import { type BoundedInput, pinsWithinBounds } from './plan/cpus/tenant-pins.ts'
import { shortagesOf } from './plan/placed-shortages.ts'
import { hasCells, plan } from './plan/plan.ts'
import { type Move, rebind } from './plan/rebind.ts'
import { refusedWhenPlaced } from './plan/refused.ts'
import type { PlanInput } from './plan/situation.ts'
import { writtenPlacement } from './plan/written.ts'
import { type Config, defaultConfig } from './request/config.ts'
import { type GuestRequest, guestRequest, type Purpose } from './request/guest-request.ts'
import type { RequestedKeys } from './request/request.ts'
import type { Vmi } from './request/vmi.ts'
import { applyEdits, type Edit, type Write } from './xml/edit.ts'
import type { XmlDocument } from './xml/parse.ts'

/** What is known before the domain is read. `allowed` lacks what no cgroup or snapshot states. */
export interface Surroundings {
  readonly host: Host
  readonly allowed: Partial<Allowed>
  readonly config?: Config
  readonly configSource?: string
  /** Its annotations are as strong as the domain's metadata; what else it implies is weaker. */
  readonly vmi?: Vmi
  /** From the command line: the strongest. */
  readonly flags?: RequestedKeys
  /** The guest runs, here or elsewhere, so libvirt and QEMU accept it: nothing is refused on their behalf. */
  readonly runs?: true
}

/**
 * The result. `notes` are notes and findings of class capacity; none of them prevents the fitted text.
 */
export interface Placed {
  readonly document: XmlDocument
  readonly view: DomainView
  readonly request: Request
  readonly resources: Resources
  readonly placement: Placement
  readonly edits: readonly Edit[]
  readonly text: string
  readonly notes: readonly Diagnostic[]
}

/**
 * A guest's document fitted to the host. A guest with cells keeps them unless the request says
 * existing=replace; with `move` every guest keeps what it has.
 * @throws Refusal with every reason against it
 */
export function place(document: XmlDocument, surroundings: Surroundings, write: Write, move?: Move): Placed {
  const view = readDomain(document)
  checkType(view)
  const asked = requestFor(view, surroundings, move === undefined ? 'fit' : 'move')
  if (!asked.isPlaced) return unchanged(document, view, asked)
  const { input, planned, notes } = withCuts(asked.notes, () => decide(view, asked, move))
  const { request, resources } = input
  const { placement, keeps } = planned
  if (!surroundings.runs) refuseAll(refusedWhenPlaced(view, planned))
  const edits = editsFor({ document, view, placement, keeps, rules: request.rules, write })
  return {
    document,
    view,
    request,
    resources,
    placement,
    edits,
    text: edits.length === 0 ? document.text : applyEdits(document.text, edits),
    notes: [...shortagesOf(planned, input), ...planned.notes, ...asked.notes, ...notes],
  }
}

/**
 * What config, VMI, guest and flags request, and which CPUs the guest may then use.
 * @throws Refusal as guestRequest does
 */
export function requestFor(view: DomainView, surroundings: Surroundings, purpose: Purpose): GuestRequest {
  const { host, allowed, config = defaultConfig, vmi, flags = {} } = surroundings
  const { configSource = 'the configuration' } = surroundings
  return guestRequest(view, {
    available: resourcesOf(host, allowed),
    confined: allowed.cpus,
    config,
    configSource,
    vmi,
    flags,
    purpose,
    cellMemoryKiB: cellMemoryKiB(view),
  })
}

/** The guest as it was. */
function unchanged(
  document: XmlDocument,
  view: DomainView,
  { resources, request, notes }: GuestRequest,
): Placed {
  const placement = writtenPlacement(view, resources, request)
  return { document, view, request, resources, placement, edits: [], text: document.text, notes }
}

interface Decided {
  readonly input: PlanInput
  readonly planned: Planned
  /** About pins that were cut or moved. */
  readonly notes: readonly Diagnostic[]
}

/** Cuts a tenant's pins to their bounds, and then plans new cells or binds those that the guest has. */
function decide(view: DomainView, asked: GuestRequest, move: Move | undefined): Decided {
  const { request, resources, tenantPins: tenant } = asked
  const keepsCells =
    move !== undefined || (view.cells.length > 0 && keepsExisting[request.existing](view, request))
  const asWritten: PlanInput = { view, resources, request }
  const { input, pins, notes }: BoundedInput =
    tenant === undefined
      ? { input: asWritten, pins: 'as-written', notes: [] }
      : pinsWithinBounds(asWritten, tenant, keepsCells ? 'kept' : 'new')
  const planned = withCuts(notes, () => (keepsCells ? rebind(input, move ?? 'if-broken') : plan(input)))
  // Pins that were cut are written, even where the binding stays.
  const isCut = pins === 'cut' && planned.keeps === 'everything'
  return { input, planned: isCut ? { ...planned, keeps: 'cells' } : planned, notes }
}

/** Whether a guest keeps the cells that it has. Where it could get no new ones it keeps them. */
const keepsExisting: Record<Existing, (view: DomainView, request: Request) => boolean> = {
  keep: () => true,
  replace: (view, request) => !hasCells(view, request),
}
