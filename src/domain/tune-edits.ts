// Binding to edits of `<cputune>` and `<numatune>`.

import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet, formatSets, type NodeSet, union } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView, MemoryMode, WrittenTune } from '../model/domain.ts'
import type { Binding, Keeps, Memnode } from '../model/placement.ts'
import { attribute, child, type XmlElement } from '../xml/parse.ts'
import { asElement, type DesiredChild, type Kin, reconcile } from './reconcile.ts'
import type { Fitting, Section } from './section.ts'

const CPUTUNE = (
  'shares period quota global_period global_quota emulator_period emulator_quota iothread_period ' +
  'iothread_quota vcpupin emulatorpin iothreadpin vcpusched iothreadsched emulatorsched cachetune memorytune'
).split(' ')

const NUMATUNE = ['memory', 'memnode']

/** Every pin of vCPUs, emulator and I/O threads becomes the binding's; scheduling and quotas stay. */
export function pinEdits(fitting: Fitting): Section {
  const pins = desiredPins(fitting.view, fitting.placement.binding)
  const id = (element: XmlElement): string => {
    const written = attribute(element, 'vcpu')?.value ?? attribute(element, 'iothread')?.value ?? '0'
    return SHORT.test(written) ? written : String(Number(written))
  }
  const names = ['vcpupin', 'emulatorpin', 'iothreadpin']
  return section(fitting, 'cputune', { names, keyOf: id, desired: pins, order: CPUTUNE })
}

/** A number that is written as we write it. */
const SHORT = /^(?:0|[1-9]\d{0,8})$/

function desiredPins(
  { iothreads }: DomainView,
  { vcpupin, emulatorpin, iothreadpin }: Binding,
): DesiredChild[] {
  const pin = (
    name: string,
    key: number,
    attribute: string | undefined,
    cpuset: string | undefined,
  ): DesiredChild[] => {
    if (cpuset === undefined || cpuset === '') return []
    const which = attribute === undefined ? [] : [[attribute, `${key}`] as const]
    return [{ name, key: `${key}`, attributes: [...which, ['cpuset', cpuset]] }]
  }
  const ofIothreads = formatSets(iothreadpin)
  return [
    ...formatSets(vcpupin).flatMap((cpuset, vcpu) => pin('vcpupin', vcpu, 'vcpu', cpuset)),
    ...pin('emulatorpin', 0, undefined, emulatorpin && formatSet(emulatorpin)),
    ...iothreads.flatMap((iothread, index) => pin('iothreadpin', iothread, 'iothread', ofIothreads[index])),
  ]
}

/**
 * `<memory>` holds the union of the memnodes: it confines the emulator too, so it must hold every bound node.
 */
export function tuneEdits(fitting: Fitting): Section {
  const desired = [desiredMemory(fitting), ...fitting.placement.binding.memnodes.map(desiredMemnode)]
  const keyOf = (element: XmlElement): string =>
    element.local === 'memory' ? '' : String(Number(attribute(element, 'cellid')?.value ?? -1))
  return section(fitting, 'numatune', { names: NUMATUNE, keyOf, desired, order: NUMATUNE })
}

function desiredMemory(fitting: Fitting): DesiredChild {
  const { tune } = fitting.view
  const { mode, nodes } = boundMemory(fitting)
  const auto: DesiredChild['attributes'] = tune.memory?.auto ? [['placement', undefined]] : []
  return {
    name: 'memory',
    key: '',
    attributes: [['mode', mode], ...auto, ['nodeset', formatSet(nodes)]],
  }
}

/** What `<memory>` is to say. */
function boundMemory({ view: { tune }, placement, keeps }: Fitting): {
  readonly mode: MemoryMode
  readonly nodes: NodeSet
} {
  const { memnodes, memory } = placement.binding
  const bound = memory === undefined ? memnodes : [memory]
  const nodes = union<NodeSet>(...bound.map((each) => each.nodes))
  return { mode: memoryMode(tune, bound, nodes, keeps), nodes }
}

/**
 * A note where `<memory>` gets another mode than the guest states for it although its cells keep theirs:
 * memory that may overflow onto any node would then stay within those of the cells.
 */
export function memoryModeNotes(fitting: Fitting): Diagnostic[] {
  const { view, placement, keeps } = fitting
  const from = view.tune.memory?.mode
  const { memnodes, memory } = placement.binding
  if (from === undefined || (memnodes.length === 0 && memory === undefined)) return []
  const { mode: to, nodes } = boundMemory(fitting)
  const isStated = view.tune.memnodes.some(({ mode }) => mode === to)
  const isRequested = keeps === 'nothing' && !isStated && memnodes.some(({ mode }) => mode === to)
  // What restrictive becomes is a note of the cells (plan/).
  if (from === to || from === 'restrictive' || isRequested) return []
  return [diagnostic('memory-mode', { from, to, nodes })]
}

/**
 * restrictive goes for all or none. A mode that a rebound guest has otherwise stays its own; `preferred`
 * takes one node only: libvirt before 9.3 does not start a guest that prefers several.
 */
function memoryMode(
  { memory }: WrittenTune,
  bound: readonly Pick<Memnode, 'mode'>[],
  nodes: NodeSet,
  keeps: Keeps,
): MemoryMode {
  if (bound.some(({ mode }) => mode === 'restrictive')) return 'restrictive'
  if (memory?.mode === 'preferred' && nodes.length > 1) return 'strict'
  const keepsMode =
    keeps === 'cells' || bound.every(({ mode }) => mode === 'interleave' || mode === memory?.mode)
  return keepsMode && memory !== undefined && memory.mode !== 'restrictive' ? memory.mode : 'strict'
}

function desiredMemnode({ mode, nodes }: Memnode, cell: number): DesiredChild {
  return {
    name: 'memnode',
    key: `${cell}`,
    attributes: [
      ['cellid', `${cell}`],
      ['mode', mode],
      ['nodeset', formatSet(nodes)],
    ],
  }
}

function section({ document, write }: Fitting, name: string, kin: Kin): Section {
  const parent = child(document.root, name)
  if (parent !== undefined) return { edits: reconcile(document, parent, kin, write) }
  return {
    edits: [],
    added:
      kin.desired.length === 0 ? undefined : { name, attributes: [], children: kin.desired.map(asElement) },
  }
}
