// A guest's document, the host and what is requested -> the fitted text, and the placement and edits that
// explain it.

import { withCuts } from './base/bounds.ts'
import { type Diagnostic, Refusal } from './base/diagnostic.ts'
import { formatKiB } from './base/memory.ts'
import { diagnostic, refuseAll } from './codes/codes.ts'
import { checkType } from './document.ts'
import { editsFor } from './domain/edits.ts'
import { readDomain } from './domain/view.ts'
import { resourcesOf } from './host/resources.ts'
import type { Allowed, DomainView, Existing, Host, Placement, Planned, Request, Resources } from './model.ts'
import { backingsOf, shortages } from './plan/backing/shortages.ts'
import { cellMemoryKiB } from './plan/cells/memory.ts'
import { type BoundedInput, pinsWithinBounds } from './plan/cpus/tenant-pins.ts'
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
 * A guest with cells keeps them unless the request says existing=replace; with `move` every guest keeps what
 * it has.
 * @throws Refusal with every reason against it
 */
export function place(document: XmlDocument, surroundings: Surroundings, write: Write, move?: Move): Placed {
  const view = readDomain(document)
  checkType(view)
  const { vmi } = surroundings
  const asked = requestFor(view, surroundings, move === undefined ? 'fit' : 'move')
  const before = [...(vmi === undefined ? [] : vmiNotes(view, vmi)), ...asked.notes]
  if (vmi?.dedicated === false) return untouched(document, view, asked, [unplaced(vmi), ...before])
  const { input, planned, notes } = withCuts(before, () => decide(view, asked, move))
  const { request, resources } = input
  const { placement, keeps } = planned
  if (!surroundings.runs) refuseAll(refusedWhenPlaced(view, planned))
  const edits = editsFor({
    document,
    view,
    placement,
    keeps,
    allocation: request.rules.allocation,
    ...(vmi && { elements: vmi.elements }),
    write,
  })
  const lacking = shortages(resources, backingsOf(placement, view, resources))
  const short = keeps === 'nothing' ? withSplitThatFits(lacking, input) : lacking
  return {
    document,
    view,
    request,
    resources,
    placement,
    edits,
    text: edits.length === 0 ? document.text : applyEdits(document.text, edits),
    notes: [...short, ...planned.notes, ...before, ...notes],
  }
}

interface Decided {
  readonly input: PlanInput
  readonly planned: Planned
  /** About pins that were cut or moved. */
  readonly notes: readonly Diagnostic[]
}

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

/** KubeVirt's guest without dedicated CPUs comes back as it was. */
function untouched(
  document: XmlDocument,
  view: DomainView,
  { resources, request }: GuestRequest,
  notes: readonly Diagnostic[],
): Placed {
  const placement = writtenPlacement(view, resources, request)
  return { document, view, request, resources, placement, edits: [], text: document.text, notes }
}

const unplaced = ({ source }: Vmi): Diagnostic => diagnostic('vmi-without-dedicated-cpus', { source })

/** A shortage that another split of memory would fix carries that split. */
function withSplitThatFits(short: readonly Diagnostic[], input: PlanInput): readonly Diagnostic[] {
  const { view, resources, request } = input
  if (request.memory === 'by-free-pages' || !short.some(({ code }) => code === 'pages-short')) return short
  const fitting = planOrRefusal({ ...input, request: { ...request, memory: 'by-free-pages' } })
  if (fitting === undefined || shortages(resources, backingsOf(fitting, view, resources)).length > 0)
    return short
  const fitsSplit = fitting.cells.map(({ id, memoryKiB }) => ({ cell: id, memoryKiB }))
  return short.map((each) =>
    each.code === 'pages-short' ? { ...each, facts: { ...each.facts, fitsSplit } } : each,
  )
}

function planOrRefusal(input: PlanInput): Placement | undefined {
  try {
    return plan(input).placement
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/**
 * What config, VMI, guest and flags request, and which CPUs the guest may then use. @throws Refusal as
 * guestRequest does
 */
export function requestFor(view: DomainView, surroundings: Surroundings, purpose: Purpose): GuestRequest {
  const { host, allowed, config = defaultConfig, vmi, flags = {} } = surroundings
  const { configSource = 'the configuration' } = surroundings
  const available = resourcesOf(host, allowed)
  return guestRequest(view, { available, confined: allowed.cpus, config, configSource, vmi, flags, purpose })
}

function vmiNotes(view: DomainView, { source, notes, memoryKiB, threads }: Vmi): Diagnostic[] {
  const differs = (what: string, vmi: string, domain: string): Diagnostic =>
    diagnostic('vmi-differs', { source, what, vmi, domain })
  const { writtenVcpus } = threads
  const vcpus = view.online.length
  return [
    ...notes,
    ...(writtenVcpus === 0 || writtenVcpus === vcpus
      ? []
      : [differs('vCPUs', `${writtenVcpus}`, `${vcpus}`)]),
    ...(memoryKiB === undefined || Math.abs(memoryKiB - cellMemoryKiB(view)) < 2
      ? []
      : [differs('memory', formatKiB(memoryKiB), formatKiB(cellMemoryKiB(view)))]),
  ]
}
