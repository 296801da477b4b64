// The composition: a domain's text, what the host offers and what is wished for, to the fitted text and how it came about.

import { type Bound, withCuts } from './base/bounds.ts'
import { type Diagnostic, diagnostic, Refusal, refuse, refuseAll } from './base/diagnostic.ts'
import { type CpuSet, union } from './base/idset.ts'
import { formatKiB } from './base/memory.ts'
import { editsFor } from './domain/edits.ts'
import { NAMESPACE } from './domain/metadata.ts'
import { readDomain } from './domain/view.ts'
import { resourcesOf } from './host/resources.ts'
import type { Allowed, DomainView, Host, Placement, Planned, Request, Resources } from './model.ts'
import { backingsOf, shortages } from './plan/backing/shortages.ts'
import { cellMemoryKiB } from './plan/cells/memory.ts'
import { pinsWithinBounds, type TenantPins } from './plan/cpus/tenant-pins.ts'
import { hasCells, plan } from './plan/plan.ts'
import { type Move, rebind } from './plan/rebind.ts'
import { refusedWhenPlaced } from './plan/refused.ts'
import { type Situation, situationOf } from './plan/situation.ts'
import { writtenPlacement } from './plan/written.ts'
import {
  type Administrator,
  type Asked,
  allowedCpus,
  cutToBounds,
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
  if (vmi?.dedicated === false) return untouched(document, view, settled, vmi)
  const { situation, planned, notes } = withCuts(settled.notes, () => decide(view, settled, move))
  const { request, resources } = situation
  const { placement, keeps } = planned
  if (!surroundings.runs) refuseAll(refusedWhenPlaced(view, planned))
  const allocateNow = request.like === 'kubevirt'
  const edits = editsFor({ document, view, placement, keeps, allocateNow, ...optionalElements(vmi), write })
  const lacking = shortages(resources, backingsOf(placement, view, resources))
  const short = keeps === 'nothing' ? withSplitThatFits(lacking, situation) : lacking
  return {
    document,
    view,
    request,
    resources,
    placement,
    edits,
    text: edits.length === 0 ? document.text : applyEdits(document.text, edits),
    notes: [...short, ...planned.notes, ...settled.notes, ...notes],
  }
}

const optionalElements = (vmi: Vmi | undefined): Pick<Vmi, 'elements'> | undefined =>
  vmi && { elements: vmi.elements }

interface Decided {
  readonly situation: Situation
  readonly planned: Planned
  /** Of pins that were cut or moved. */
  readonly notes: readonly Diagnostic[]
}

function decide(view: DomainView, settled: Settled, move: Move | undefined): Decided {
  const { request, resources, pins: tenant } = settled
  const keepsCells =
    move !== undefined || (view.cells.length > 0 && (request.existing === 'keep' || !hasCells(view, request)))
  const { situation, pins, notes } =
    tenant === undefined
      ? ({ situation: situationOf(view, resources, request), pins: 'as-written', notes: [] } as const)
      : pinsWithinBounds({ view, request, resources }, tenant, keepsCells ? 'kept' : 'new')
  const planned = withCuts(notes, () =>
    keepsCells ? rebind(situation, move ?? 'if-broken') : plan(situation),
  )
  // Pins that were cut are written, even where the binding stays.
  const isCut = pins === 'cut' && planned.keeps === 'everything'
  return { situation, planned: isCut ? { ...planned, keeps: 'cells' } : planned, notes }
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

function untouched(
  document: XmlDocument,
  view: DomainView,
  { resources, request, notes }: Settled,
  { source }: Vmi,
): Placed {
  return {
    document,
    view,
    request,
    resources,
    placement: writtenPlacement(view, resources, request),
    edits: [],
    text: document.text,
    notes: [diagnostic('vmi-without-dedicated-cpus', { source }), ...notes],
  }
}

/** A shortage that another split of memory would fix carries that split. */
function withSplitThatFits(short: readonly Diagnostic[], situation: Situation): readonly Diagnostic[] {
  const { view, resources, request } = situation
  if (request.memory === 'by-free-pages' || !short.some(({ code }) => code === 'pages-short')) return short
  const fitting = planOrRefusal({ ...situation, request: { ...request, memory: 'by-free-pages' } })
  if (fitting === undefined || shortages(resources, backingsOf(fitting, view, resources)).length > 0)
    return short
  const split = fitting.cells.map(({ id, memoryKiB }) => `cell ${id} ${formatKiB(memoryKiB)}`).join(', ')
  return short.map((each) =>
    each.code === 'pages-short'
      ? { ...each, fix: `say --memory by-free-pages (${split}), or: ${each.fix}` }
      : each,
  )
}

function planOrRefusal(situation: Situation): Placement | undefined {
  try {
    return plan(situation).placement
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
