// A VirtualMachineInstance to what it requests, and to the facts that KubeVirt's own rules look at.

import { collectRefusals, type Diagnostic } from '../base/diagnostic.ts'
import type { Json } from '../base/json.ts'
import { parseQuantity } from '../base/memory.ts'
import { diagnostic, refuseAll, unique } from '../codes/codes.ts'
import type { VmiDifference } from '../codes/kubevirt.ts'
import type { KubevirtElements, KubevirtThreads, Request, Rules } from '../model/request.ts'
import type { RequestedKeys } from './request.ts'
import { cpuNotes, elementsIn, threadsIn } from './vmi-rules.ts'
import {
  at,
  countAt,
  instanceIn,
  memoryAt,
  needed,
  objectAt,
  PREFIX,
  quantityTextAt,
  type Reading,
  type Spot,
  switchAt,
  textAt,
} from './vmi-value.ts'

/** What a VirtualMachineInstance says of placement. */
export interface Vmi {
  /** What the document is, for messages. */
  readonly source: string
  /** `spec.domain.cpu.dedicatedCpuPlacement`, or a claim of CPUs in `cpu.dra`. Else nothing is fitted. */
  readonly dedicated: boolean
  /**
   * `guestMappingPassthrough`: KubeVirt's own cells. Without it and without keys about cells, the guest gets
   * pins only.
   */
  readonly passthrough: boolean
  /** `hugepages.mode: thp`: the kernel's own huge pages, of which no pool is reserved. */
  readonly transparentPages: boolean
  /** What follows from the spec. */
  readonly requested: RequestedKeys
  /** The annotations `virt-numa.io/<key>`, by key: the guest's own request, as metadata are. */
  readonly annotations: ReadonlyMap<string, string>
  /** The annotation `virt-numa.io/shape`: the shape that an earlier fit printed. */
  readonly recordedShape?: string
  readonly threads: KubevirtThreads
  readonly elements: KubevirtElements
  /** As the spec states it: guest, else limits (where no request is), else requests. */
  readonly memoryKiB?: number
  /** What KubeVirt's admission would say. */
  readonly notes: readonly Diagnostic[]
}

/**
 * Reads a VirtualMachineInstance, or the one that a VirtualMachine is the template of.
 * @param source what the document is, for messages
 * @throws Refusal with everything that is wrong, each with its path: `vmi-malformed`, `size-malformed`,
 * `pagesize-invalid`, `dedicated-cpus-required`
 * @see KubeVirt user guide, "NUMA" and "Dedicated CPU resources"
 */
export function readVmi(value: Json, source: string): Vmi {
  const reading: Reading = { source, problems: [] }
  const root = instanceIn(reading, value)
  const spec = at(reading, root, 'spec')
  if (root.value === undefined || root.value instanceof Map)
    needed(reading, root.value === undefined ? root : spec)
  const annotations = annotationsIn(reading, root)
  const cpu = at(reading, spec, 'domain', 'cpu')
  const isPlacedByKubelet = switchAt(reading, at(reading, cpu, 'dedicatedCpuPlacement')) ?? false
  const dedicated = isPlacedByKubelet || objectAt(reading, at(reading, cpu, 'dra')) !== undefined
  const passthrough = objectAt(reading, at(reading, cpu, 'numa', 'guestMappingPassthrough')) !== undefined
  const mode = textAt(reading, at(reading, spec, 'domain', 'memory', 'hugepages', 'mode'))
  const transparentPages = mode === 'thp'
  const pagesizeKiB = transparentPages ? undefined : pagesizeIn(reading, spec)
  const memoryKiB = memoryIn(reading, spec)
  const threads = threadsIn(reading, spec, annotations)
  const elements = elementsIn(reading, spec, annotations, { dedicated, passthrough })
  countAt(reading, at(reading, cpu, 'maxSockets'))
  const notes = dedicated ? cpuNotes(reading, spec) : []
  if (passthrough && !dedicated) reading.problems.push(diagnostic('dedicated-cpus-required', { source }))
  refuseAll(unique(reading.problems))
  const own = new Map(
    [...annotations].flatMap(([key, text]) =>
      key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), text]] : [],
    ),
  )
  const recordedShape = own.get('shape')
  own.delete('shape')
  return {
    source,
    dedicated,
    passthrough,
    transparentPages,
    requested: keysOf(passthrough, pagesizeKiB),
    annotations: own,
    ...(recordedShape !== undefined && { recordedShape }),
    threads,
    elements,
    ...(memoryKiB !== undefined && { memoryKiB }),
    notes,
  }
}

function annotationsIn(reading: Reading, root: Spot): Map<string, string> {
  const spot = at(reading, root, 'metadata', 'annotations')
  const texts = [...(objectAt(reading, spot) ?? [])].map(([key, value]) => {
    const text = textAt(reading, { path: `${spot.path}["${key}"]`, value: value === null ? '' : value })
    return [key, text ?? ''] as const
  })
  return new Map(texts)
}

/**
 * The synthetic cell that KubeVirt makes for memfd is not requested by the guest, so cells are always built
 * anew.
 */
function keysOf(passthrough: boolean, pagesizeKiB: number | undefined): RequestedKeys {
  const always = { pin: 'cpu', existing: 'replace' } as const
  // Hugepages in the domain that the VMI does not request do not count: KubeVirt wants both.
  if (passthrough) return { like: 'kubevirt', ...always, pagesize: pagesizeKiB ?? 'none' }
  return { cpus: 'in-order', ...always, ...(pagesizeKiB !== undefined && { pagesize: pagesizeKiB }) }
}

/**
 * Rounded up to KiB: a size that is not a whole number of KiB divides no memory, and is refused as KubeVirt
 * refuses it.
 */
function pagesizeIn(reading: Reading, spec: Spot): number | undefined {
  const hugepages = at(reading, spec, 'domain', 'memory', 'hugepages')
  const spot = at(reading, hugepages, 'pageSize')
  const text = quantityTextAt(reading, spot) ?? (hugepages.value === undefined ? undefined : '')
  if (text === undefined) return undefined
  const invalid = diagnostic('pagesize-invalid', { text, path: spot.path })
  const kib = collectRefusals([], () => parseQuantity(text, spot.path).kib) ?? 0
  if (kib === 0) reading.problems.push(invalid)
  return kib
}

function memoryIn(reading: Reading, spec: Spot): number | undefined {
  const guest = memoryAt(reading, at(reading, spec, 'domain', 'memory', 'guest'))
  const requests = memoryAt(reading, at(reading, spec, 'domain', 'resources', 'requests', 'memory'))
  const limits = memoryAt(reading, at(reading, spec, 'domain', 'resources', 'limits', 'memory'))
  return (guest ?? requests ?? limits)?.kib
}

/** Keys that request cells of the guest's own; the others say where its threads run. */
const OF_CELLS = ['like', 'cells', 'existing', 'memory', 'pagesize', 'mode', 'distances'] as const

/**
 * What a VMI makes of a request. A guest without passthrough and without keys about cells gets pins only, as
 * KubeVirt pins it where nothing else is requested.
 * @param stated what is requested besides the VMI's spec: annotations, metadata, flags
 */
export function withVmi(request: Request, vmi: Vmi, stated: RequestedKeys): Request {
  const { passthrough, transparentPages, threads, elements } = vmi
  const asksForCells = stated.topology === 'lock' || OF_CELLS.some((key) => key in stated)
  const pinsOnly = !passthrough && !asksForCells
  const hugepagesRequired = request.rules.hugepagesRequired && !transparentPages
  // KubeVirt's own grouping fails such a guest; its next one, by root complex, does not.
  const isStrict = passthrough && request.like === 'kubevirt' && request.devices === 'cell'
  const common: Rules = {
    ...request.rules,
    hugepagesRequired,
    elements,
    ...(isStrict && { strayDevices: 'refused', fewBusNumbers: 'refused' }),
  }
  if (!pinsOnly) return { ...request, threads, pinsOnly, rules: common }
  const isKubevirts = request.cpus === 'in-order' && request.pin === 'cpu'
  const rules: Rules = {
    ...common,
    threads: 'emulator' in stated ? 'ours' : 'kubevirt',
    offlineInCells: false,
    ...(isKubevirts && { pins: 'kubevirt', offlineCpus: 'left-out' }),
  }
  return { ...request, threads, pinsOnly, rules }
}

/**
 * What is worth knowing of a VMI: that it is not placed, what KubeVirt's admission would say, and where the
 * domain is another than the VMI describes.
 * @param domain the vCPUs at boot and the memory of the cells that the domain states
 */
export function vmiNotes(
  { source, dedicated, notes, memoryKiB, threads: { writtenVcpus } }: Vmi,
  domain: { readonly vcpus: number; readonly memoryKiB: number },
): Diagnostic[] {
  const differs = (difference: VmiDifference): Diagnostic =>
    diagnostic('vmi-differs', { source, ...difference })
  const sameVcpus = writtenVcpus === 0 || writtenVcpus === domain.vcpus
  // Rounding to KiB may make a difference of one.
  const sameMemory = memoryKiB === undefined || Math.abs(memoryKiB - domain.memoryKiB) < 2
  return [
    ...(dedicated ? [] : [diagnostic('vmi-without-dedicated-cpus', { source })]),
    ...notes,
    ...(sameVcpus ? [] : [differs({ in: 'vcpus', vmi: writtenVcpus, domain: domain.vcpus })]),
    ...(sameMemory ? [] : [differs({ in: 'memory', vmiKiB: memoryKiB, domainKiB: domain.memoryKiB })]),
  ]
}
