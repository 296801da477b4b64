// The composition: a domain's text, what the host offers and what is wished for, to the fitted text and how it came about.

import type { Bound } from './base/bounds.ts'
import { type Diagnostic, diagnostic, Refusal, refuse, refuseAll } from './base/diagnostic.ts'
import { type CpuSet, union } from './base/idset.ts'
import { formatKiB } from './base/memory.ts'
import { editsFor } from './domain/edits.ts'
import { NAMESPACE } from './domain/metadata.ts'
import { readDomain } from './domain/view.ts'
import { resourcesOf } from './host/resources.ts'
import type { Allowed, DomainView, Host, Placement, Request, Resources } from './model.ts'
import { backingsOf, shortages } from './plan/backing/shortages.ts'
import { cellMemoryKiB } from './plan/cells/memory.ts'
import { type Bounded, pinsWithinBounds, type TenantPins } from './plan/cpus/tenant-pins.ts'
import { hasCells, plan } from './plan/plan.ts'
import type { Plan } from './plan/planned.ts'
import { type Move, rebind } from './plan/rebind.ts'
import { refusedWhenPlaced } from './plan/refused.ts'
import { situationOf } from './plan/situation.ts'
import { writtenPlacement } from './plan/written.ts'
import {
  type Administrator,
  type Asked,
  allowedCpus,
  cutToBounds,
  isCut,
  ownCpuset,
  pinsAskedBy,
  tenantBounds,
  withoutPins,
} from './request/allowed-cpus.ts'
import { type Config, defaultConfig } from './request/config.ts'
import { settle, type Wishes } from './request/request.ts'
import { tenantWishes } from './request/sources.ts'
import { type Vmi, withVmi } from './request/vmi.ts'
import { applyEdits, type Edit, type Write } from './xml/edit.ts'
import { parseXml, type XmlDocument } from './xml/parse.ts'

/** What is known before the domain is read. `allowed` lacks what no cgroup or snapshot says. */
export interface Surroundings {
  readonly host: Host
  readonly allowed: Partial<Allowed>
  readonly config?: Config
  readonly configSource?: string
  /** What it implies is weaker than the domain's metadata, its annotations are as strong. */
  readonly vmi?: Vmi
  /** Of the command line: the strongest. */
  readonly flags?: Wishes
  /** The guest runs, here or elsewhere: libvirt and QEMU take it, whatever we think of it. */
  readonly runs?: true
}

/** `notes` are findings of class capacity and notes; nothing in them stands in the way of writing the answer. */
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
 * A guest with cells keeps them unless the request says existing=replace; with `move` every guest keeps what it has.
 * @throws Refusal with everything that stands against it
 */
export function place(text: string, surroundings: Surroundings, write: Write, move?: Move): Placed {
  const document = readDocument(text)
  const view = readDomain(document)
  checkType(view)
  const { vmi } = surroundings
  const settled = settleFor(view, move === undefined ? inPod(view, surroundings) : withoutShape(surroundings))
  const { existing } = settled.request
  const isKept =
    move !== undefined || (view.cells.length > 0 && (existing === 'keep' || !hasCells(view, settled.request)))
  const { from, planned } = withCuts(settled.notes, () => {
    const from = boundedFrom(view, settled, isKept ? 'kept' : 'new')
    return {
      from,
      planned: withCuts(from.notes, () => plannedFrom(from, isKept ? (move ?? 'if-broken') : undefined, vmi)),
    }
  })
  const { request, resources } = from
  const { placement } = planned
  const isWritten = planned.kept === true && from.pins === 'as-written'
  // KubeVirt's guest without dedicated CPUs comes back as it was.
  if (!surroundings.runs && vmi?.dedicated !== false)
    refuseAll(refusedWhenPlaced(view, placement, { shape: isKept, binding: isWritten }))
  const elements = isKept ? undefined : vmi?.elements
  const also = {
    allocateNow: request.like === 'kubevirt',
    shape: isKept ? 'kept' : 'new',
    ...(elements && { elements }),
  } as const
  const edits = isWritten ? [] : editsFor(document, view, placement, also, write)
  const lacking = vmi?.dedicated === false ? [] : shortages(resources, backingsOf(placement, view, resources))
  const short = isKept ? lacking : withSplitThatFits(lacking, from)
  return {
    document,
    view,
    request,
    resources,
    placement,
    edits,
    text: edits.length === 0 ? text : applyEdits(text, edits),
    notes: [...short, ...planned.notes, ...settled.notes, ...from.notes],
  }
}

function boundedFrom(
  view: DomainView,
  { request, resources, pins }: Settled,
  cells: 'kept' | 'new',
): Bounded {
  const from: Bounded = { view, request, resources, pins: 'as-written', notes: [] }
  return pins === undefined ? from : pinsWithinBounds(from, pins, cells)
}

/** @param move none: new cells */
function plannedFrom(
  { view, resources, request }: Bounded,
  move: Move | undefined,
  vmi: Vmi | undefined,
): Plan {
  if (vmi?.dedicated === false) return untouched(view, resources, request, vmi)
  const situation = situationOf(view, resources, request)
  return move === undefined ? plan(situation) : rebind(situation, move)
}

/** A refusal tells too what was cut of the request: it may be why. */
function withCuts<T>(notes: readonly Diagnostic[], decide: () => T): T {
  try {
    return decide()
  } catch (error) {
    const cuts = notes.filter(isCut)
    throw error instanceof Refusal && cuts.length > 0 ? new Refusal([...error.diagnostics, ...cuts]) : error
  }
}

/** KubeVirt pinned the guest to the CPUs of its pod; who asks may sit in another one. */
function inPod(view: DomainView, surroundings: Surroundings): Surroundings {
  const cpus = pinned(view)
  return surroundings.vmi?.dedicated && cpus.length > 0
    ? { ...surroundings, allowed: { ...surroundings.allowed, cpus } }
    : surroundings
}

/** A guest that moves keeps its page size, and need not be told so. */
function withoutShape({ vmi, ...surroundings }: Surroundings): Surroundings {
  if (vmi === undefined) return surroundings
  const { pagesize: _, ...wishes } = vmi.wishes
  return { ...surroundings, vmi: { ...vmi, wishes } }
}

function untouched(view: DomainView, resources: Resources, request: Request, { source }: Vmi): Plan {
  return {
    placement: writtenPlacement(view, resources, request),
    notes: [diagnostic('vmi-without-dedicated-cpus', { source })],
    kept: true,
  }
}

/** A shortage that another split of memory would mend carries that split. */
function withSplitThatFits(
  short: readonly Diagnostic[],
  { view, resources, request }: Bounded,
): readonly Diagnostic[] {
  if (request.memory === 'by-free-pages' || !short.some(({ code }) => code === 'pages-short')) return short
  const fitting = planOrRefusal(view, resources, { ...request, memory: 'by-free-pages' })
  if (fitting === undefined || shortages(resources, backingsOf(fitting, view, resources)).length > 0)
    return short
  const split = fitting.cells.map(({ id, memoryKiB }) => `cell ${id} ${formatKiB(memoryKiB)}`).join(', ')
  return short.map((each) =>
    each.code === 'pages-short'
      ? { ...each, fix: `say --memory by-free-pages (${split}), or: ${each.fix}` }
      : each,
  )
}

function planOrRefusal(view: DomainView, resources: Resources, request: Request): Placement | undefined {
  try {
    return plan(situationOf(view, resources, request)).placement
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

export function readDocument(text: string): XmlDocument {
  return parseXml(text, undefined, { numa: NAMESPACE })
}

/** What is requested, and what of the host it may use. */
export interface Settled {
  readonly request: Request
  readonly resources: Resources
  readonly notes: readonly Diagnostic[]
  /** Of what a tenant requests; none for a VMI without dedicated CPUs, which is not placed. */
  readonly bounds: readonly Bound[]
  /** With cpus=as-pinned from a tenant: `resources` are then those without the pins. */
  readonly pins?: TenantPins
}

/**
 * Layers weakest first: config, VMI, its annotations, the guest's metadata, flags. Where the administrator requests
 * cpus=as-pinned, the pins say what is allowed.
 */
export function settleFor(view: DomainView, surroundings: Surroundings): Settled {
  const { host, allowed, config = defaultConfig, vmi, flags = {} } = surroundings
  const { configSource = 'the configuration' } = surroundings
  const available = resourcesOf(host, allowed)
  const administrator: Administrator = { config: config.wishes, configSource, flags }
  const given = { resources: available, isConfined: allowed.cpus !== undefined }
  const bounds = vmi?.dedicated === false ? [] : tenantBounds(administrator, given)
  const askedBy = (wishes: ReadonlyMap<string, string>, source: string): Asked => {
    const read = tenantWishes(wishes, source, config, configSource)
    return { ...cutToBounds(read, { source, bounds, administrator }), source }
  }
  const annotated = askedBy(vmi?.annotations ?? new Map(), `annotations of ${vmi?.source}`)
  const own = askedBy(view.wishes ?? new Map(), `metadata of ${view.name || 'the guest'}`)
  const layered = (annotations: Wishes, metadata: Wishes): Request => {
    const layers = [config.wishes, vmi?.wishes ?? {}, annotations, metadata, flags]
    const request = settle(layers, config.reserve)
    return vmi === undefined ? request : withVmi(request, vmi, { ...annotations, ...metadata, ...flags })
  }
  const request = layered(annotated.wishes, own.wishes)
  const tenants = [own, annotated]
  const asker = bounds.length === 0 ? undefined : pinsAskedBy(request, administrator, tenants)
  const pins = asker && {
    source: asker.source,
    vcpus: [...bounds, ...ownCpuset(tenants)],
    threads: bounds,
    otherwise: layered(withoutPins(annotated.wishes), withoutPins(own.wishes)),
  }
  const usesPins = request.cpus === 'as-pinned' && pins === undefined
  const cpus = allowedCpus(request, usesPins ? pinned(view) : undefined, allowed.cpus)
  const resources =
    cpus === undefined || cpus === allowed.cpus ? available : resourcesOf(host, { ...allowed, cpus })
  const notes = [...(vmi === undefined ? [] : vmiNotes(view, vmi)), ...annotated.notes, ...own.notes]
  return { request, resources, notes, bounds, ...(pins && { pins }) }
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

function pinned({ vcpupin, emulatorpin, iothreadpin }: DomainView): CpuSet {
  return union(
    ...vcpupin.values(),
    ...(emulatorpin === undefined ? [] : [emulatorpin]),
    ...iothreadpin.values(),
  )
}

const TYPES = ['kvm', 'qemu', 'hvf', 'kqemu']

export function checkType({ type }: DomainView): void {
  if (!TYPES.includes(type)) refuse('not-qemu', { type })
}
