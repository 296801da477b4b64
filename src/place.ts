// A guest's document, the host and what is requested -> the fitted text, and the placement and edits that
// explain it.

import { withCuts } from './base/bounds.ts'
import type { Diagnostic } from './base/diagnostic.ts'
import { diagnostic, divideRefused, refuseAll } from './codes/codes.ts'
import { checkType, readDocument } from './document.ts'
import { foreignNotes } from './domain/checks/foreign.ts'
import { editsFor } from './domain/edits.ts'
import { recordEdits } from './domain/metadata.ts'
import type { Fitting } from './domain/section.ts'
import { memoryModeNotes } from './domain/tune-edits.ts'
import { readDomain } from './domain/view.ts'
import { hostFor, resourcesOf } from './host/resources.ts'
import type { ReadPci } from './model/devices.ts'
import type { DomainView } from './model/domain.ts'
import type { Allowed, Host, Resources } from './model/host.ts'
import type { NodesReason, Placement, PlanInput, Planned } from './model/placement.ts'
import type { Request } from './model/request.ts'
import { type EmulatorCpus, emulatorAsWritten } from './plan/backing/allocation.ts'
import { cellMemoryKiB } from './plan/cells/memory.ts'
import { type BoundedInput, pinsWithinBounds } from './plan/cpus/tenant-pins.ts'
import { type Decision, decide, keepsCells } from './plan/decide.ts'
import { withHostDevices } from './plan/devices/devices.ts'
import { pinNotes } from './plan/pin-notes.ts'
import { shortagesOf } from './plan/placed-shortages.ts'
import type { Move } from './plan/rebind.ts'
import { placedRefusedBySome } from './plan/refused/by-version.ts'
import { allocatedWithoutCpus } from './plan/refused/without-cpus.ts'
import { refusedWhenPlaced } from './plan/refused.ts'
import { resctrlIds } from './plan/resctrl-ids.ts'
import { retrying } from './plan/retry.ts'
import { shapeOf } from './plan/shape/differences.ts'
import { topologyNotes } from './plan/topology-notes.ts'
import { writtenPlacement } from './plan/written.ts'
import { type Config, defaultConfig } from './request/config.ts'
import { type GuestRequest, guestRequest, type Purpose } from './request/guest-request.ts'
import type { RequestedKeys } from './request/request.ts'
import { shapeText } from './request/shape/text.ts'
import type { Vmi } from './request/vmi.ts'
import { applyEdits, type Edit, inOrder } from './xml/edit.ts'
import type { Write } from './xml/insert.ts'
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
  /** About what could not be read of the host. */
  readonly notes?: readonly Diagnostic[]
  /** Reads the guest's PCI devices, where `host` does not state them. */
  readonly pci?: ReadPci
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
  /** Why these nodes, where nodes were chosen. */
  readonly reason?: NodesReason
  /** The shape of a guest with topology=lock, as it is recorded, and whether it was recorded before. */
  readonly shape?: { readonly text: string; readonly is: 'recorded' | 'new' }
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
  const { input, planned, notes, ...decided } = withCuts(asked.notes, () => decideWithin(view, asked, move))
  const { request, resources } = input
  const { keeps, reason } = planned
  const { placement, notes: ofDevices } = withHostDevices(input, planned.placement, move !== undefined)
  const isImmediate = request.rules.allocation === 'immediate'
  const written: DomainView = isImmediate ? { ...view, allocation: 'immediate' } : view
  const resctrl = resctrlIds(view, placement.binding.vcpupin, resources)
  const [impossible, ofResctrl] = divideRefused(resctrl.found)
  const [unallocatable, ofAllocation] = divideRefused(
    allocatedWithoutCpus(written, placement, resources, emulatorOf(view, planned)),
  )
  // Where it runs now, QEMU allocated its memory on other nodes.
  const refused = surroundings.runs ? [] : refusedWhenPlaced(written, planned)
  refuseAll([...refused, ...unallocatable, ...impossible])
  const fitting: Fitting = {
    ...{ document, view, placement, keeps, rules: request.rules, write },
    cacheIds: resctrl.ids,
  }
  const fitted = editsFor(fitting)
  const shape = shapeToKeep(fitting, fitted, { input, shape: decided.shape })
  const inVmi = surroundings.vmi
  const edits =
    shape?.is === 'new' && inVmi === undefined
      ? inOrder([...recordEdits(document, shape.text, write), ...fitted])
      : fitted
  return {
    document,
    view,
    request,
    resources,
    placement,
    ...(reason && { reason }),
    ...(shape && { shape }),
    edits,
    text: edits.length === 0 ? document.text : applyEdits(document.text, edits),
    notes: [
      ...shortagesOf(planned, input),
      ...(shape?.is === 'new' && inVmi ? [shapeToWrite(shape.text, inVmi)] : []),
      // A guest that moves cannot get other cells.
      ...(move === undefined
        ? topologyNotes({ input, placement, decide: retrying(input, planned, decideAnew) })
        : []),
      ...planned.notes,
      ...ofDevices,
      ...ofAllocation,
      ...ofResctrl,
      ...(keeps === 'everything' ? [] : [...memoryModeNotes(fitting), ...pinNotes(view, planned, request)]),
      ...foreignNotes(document, edits),
      ...placedRefusedBySome(view, planned.keeps),
      ...asked.notes,
      ...notes,
      ...(surroundings.notes ?? []),
    ],
  }
}

/** Whether libvirt will know CPUs for the emulator. */
function emulatorOf(view: DomainView, { keeps, placement }: Planned): EmulatorCpus {
  if (keeps === 'everything') return emulatorAsWritten(view)
  const isPinned = placement.binding.emulatorpin !== undefined || view.vcpuCpuset !== undefined
  return isPinned ? 'pinned' : 'unpinned'
}

/**
 * What config, VMI, guest and flags request, and which CPUs the guest may then use.
 * @throws Refusal as guestRequest does
 */
export function requestFor(view: DomainView, surroundings: Surroundings, purpose: Purpose): GuestRequest {
  const { host, allowed, config = defaultConfig, vmi, flags = {} } = surroundings
  const { configSource = 'the configuration' } = surroundings
  // A guest that moves keeps its devices where they are.
  const known = purpose === 'move' ? host : withPciOf(view, host, surroundings.pci)
  return guestRequest(view, {
    available: resourcesOf(hostFor(known, view.name), allowed),
    confined: allowed.cpus,
    config,
    configSource,
    vmi,
    flags,
    purpose,
    cellMemoryKiB: cellMemoryKiB(view),
  })
}

/** Nothing is read for a guest without such devices. */
function withPciOf({ hostdevs }: DomainView, host: Host, pci: ReadPci | undefined): Host {
  const addresses = hostdevs.flatMap(({ source }) => source ?? [])
  return pci === undefined || addresses.length === 0 || host.devices !== undefined
    ? host
    : { ...host, devices: pci(addresses) }
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

interface Decided extends Decision {
  /** About pins that were cut or moved. */
  readonly notes: readonly Diagnostic[]
}

/** Cuts a tenant's pins to their bounds, and then plans new cells or binds those that the guest has. */
function decideWithin(view: DomainView, asked: GuestRequest, move: Move | undefined): Decided {
  const { request, resources, tenantPins: tenant } = asked
  const asWritten: PlanInput = { view, resources, request }
  const keeps = keepsCells(asWritten, move)
  const { input, pins, notes }: BoundedInput =
    tenant === undefined
      ? { input: asWritten, pins: 'as-written', notes: [] }
      : pinsWithinBounds(asWritten, tenant, keeps ? 'kept' : 'new')
  const decision = withCuts(notes, () => decide(input, move))
  const { planned } = decision
  // Pins that were cut are written, even where the binding stays.
  const isCut = pins === 'cut' && planned.keeps === 'everything'
  return { ...decision, planned: isCut ? { ...planned, keeps: 'cells' } : planned, notes }
}

const decideAnew = (input: PlanInput): Planned => decide(input, undefined).planned

// ---- topology=lock ----

/** The shape that the fitted document states, as libvirt will read it. A guest without cells has none. */
function shapeToKeep(
  { document, view, keeps }: Fitting,
  edits: readonly Edit[],
  { input, shape }: Pick<Decision, 'input' | 'shape'>,
): Placed['shape'] {
  const { recorded } = input.request
  if (shape === 'recorded' && recorded !== undefined) return { text: recorded.text, is: 'recorded' }
  if (shape !== 'to-record') return undefined
  const fitted =
    keeps === 'nothing' ? readDomain(readDocument(applyEdits(document.text, edits), document.source)) : view
  return fitted.cells.length === 0 ? undefined : { text: shapeText(shapeOf(fitted)), is: 'new' }
}

const shapeToWrite = (shape: string, { source }: Vmi): Diagnostic =>
  diagnostic('shape-annotation', { source, shape })
