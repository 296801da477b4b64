// Elements of a domain document to DomainView: what it says of placement, read as libvirt reads it.

import { inSource } from '../base/diagnostic.ts'
import { type CpuSet, type NodeSet, range, setOf, type VcpuSet } from '../base/idset.ts'
import { formatKiB, type Size } from '../base/memory.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import type { CpuTopology, DomainView, Expander, MemoryDevice, WrittenCell } from '../model.ts'
import {
  attribute,
  child,
  childrenOf,
  stringValue,
  tagSpan,
  type XmlDocument,
  type XmlElement,
} from '../xml/parse.ts'
import { readBacking, readPins, readTune } from './binding-view.ts'
import { readCellExtras, readCells } from './cell-view.ts'
import { readWrittenKeys } from './metadata.ts'
import { reportDoubled } from './unique-elements.ts'
import {
  cellOf,
  countOf,
  missing,
  numberIn,
  optional,
  type Reading,
  setIn,
  setOfText,
  sizeOf,
  UINT_MAX,
  vcpuCount,
  wordIn,
} from './values.ts'

/** More vCPUs than QEMU gives any guest, and more threads than libvirt could tell apart. */
const MOST_VCPUS = 16_384
const MOST_IOTHREADS = 16_384

/**
 * What libvirt refuses, or its schema, is refused; the rest is read as libvirt reads it.
 * @throws Refusal `not-domain`, `domain-value`, `metadata-*` and others: all that is wrong at once
 */
export function readDomain({ root, source }: XmlDocument): DomainView {
  return inSource(source, () => {
    checkRoot(root)
    const reading: Reading = { problems: [], sets: new Map() }
    const view = viewOf(reading, root)
    refuseAll(reading.problems)
    return view
  })
}

/** @throws Refusal `not-domain` */
export function checkRoot(root: XmlElement): void {
  if (root.local !== 'domain' || root.uri !== '') refuse('not-domain', { name: root.name }, tagSpan(root))
}

function viewOf(reading: Reading, root: XmlElement): DomainView {
  reportDoubled(reading, root)
  const cpu = child(root, 'cpu')
  const vcpu = child(root, 'vcpu')
  const counted = vcpu === undefined ? 1 : vcpuCount(reading, vcpu, MOST_VCPUS)
  const vcpus = counted ?? 1
  const writtenAuto = wordIn(reading, vcpu, 'placement', ['static', 'auto']) === 'auto'
  // numad's choice stands before a cpuset, which libvirt then does not even read.
  const vcpuCpuset = writtenAuto ? undefined : setIn<CpuSet>(reading, vcpu, 'cpuset')
  const cells = readCells(reading, child(cpu, 'numa'), counted)
  const devices = readMemoryDevices(reading, root)
  const memory = readMemory(reading, root, cells, devices)
  const iothreads = readIothreads(reading, root)
  const topology = readTopology(reading, child(cpu, 'topology'))
  const backing = readBacking(reading, child(root, 'memoryBacking'), cells.length)
  const pins = readPins(reading, child(root, 'cputune'), { vcpus: counted ?? MOST_VCPUS, iothreads })
  const tune = readTune(reading, child(root, 'numatune'), writtenAuto)
  const type = child(child(root, 'os'), 'type')
  return {
    // Blanks at its ends belong to it: "db1 " is another guest than "db1".
    name: child(root, 'name')?.text ?? '',
    type: attribute(root, 'type')?.value ?? '',
    ...optional('arch', attribute(type, 'arch')?.value),
    ...optional('machine', attribute(type, 'machine')?.value),
    vcpus,
    online: readOnline(reading, root, vcpu, counted),
    ...optional('vcpuCpuset', vcpuCpuset),
    vcpuAuto: writtenAuto || (tune.memory?.auto === true && isUnpinned(vcpuCpuset, pins)),
    ...memory,
    memoryDevices: devices,
    expanders: readExpanders(reading, root),
    ...optional('topology', topology),
    cells,
    cellExtras: readCellExtras(child(cpu, 'numa')),
    ...backing,
    tune,
    ...pins,
    iothreads,
    ...optional('writtenKeys', readWrittenKeys(reading, child(root, 'metadata'))),
  }
}

/**
 * Nothing says where threads run, so that libvirt lets numad choose, as for memory.
 * @see libvirt virDomainDefParseXML
 */
function isUnpinned(
  vcpuCpuset: CpuSet | undefined,
  { vcpupin, emulatorpin, iothreadpin }: Pick<DomainView, 'vcpupin' | 'emulatorpin' | 'iothreadpin'>,
): boolean {
  return vcpuCpuset === undefined && vcpupin.size === 0 && emulatorpin === undefined && iothreadpin.size === 0
}

// ---- Memory ----

const sum = (sizes: readonly number[]): number => sizes.reduce((total, each) => total + each, 0)

type Sizes = Pick<DomainView, 'memoryKiB' | 'memoryRounded' | 'currentMemoryKiB' | 'maxMemoryKiB'>

/**
 * Without `<memory>`, or with 0, the guest has what its cells and memory devices make.
 * @see libvirt virDomainDefPostParseMemory
 */
function readMemory(
  reading: Reading,
  root: XmlElement,
  cells: readonly WrittenCell[],
  devices: readonly MemoryDevice[],
): Sizes {
  const inCells = sum(cells.map(({ memoryKiB }) => memoryKiB))
  const inDevices = sum(devices.map(({ sizeKiB }) => sizeKiB))
  const element = child(root, 'memory')
  const written = element && sizeOf(reading, element)
  if (!Number.isSafeInteger(inCells + inDevices))
    reading.problems.push(
      diagnostic(
        'size-too-large',
        { source: '<cell memory>', text: 'the sum of all cells and memory devices' },
        tagSpan(root),
      ),
    )
  const known = (written?.kib ?? 0) > 0
  const memory: Size =
    known && written !== undefined ? written : { kib: inCells === 0 ? 0 : inCells + inDevices, exact: true }
  const facts = { devices: formatKiB(inDevices), memory: formatKiB(memory.kib) }
  if (memory.kib === 0) {
    // A size that cannot be read has been reported.
    const isTold = reading.problems.some(({ code }) =>
      ['size-malformed', 'size-too-large', 'part-missing'].includes(code),
    )
    const none = {
      memory: formatKiB(0),
      cells: Math.max(1, cells.length),
      unit: formatKiB(1),
      need: formatKiB(Math.max(1, cells.length)),
    }
    if (!isTold && written !== undefined)
      reading.problems.push(diagnostic('memory-too-small', none, tagSpan(element ?? root)))
    else if (!isTold)
      reading.problems.push(diagnostic('domain-incomplete', { element: 'memory' }, tagSpan(element ?? root)))
  } else if (inCells === 0 && inDevices >= memory.kib)
    reading.problems.push(diagnostic('devices-hold-all', facts, tagSpan(element ?? root)))
  const current = sizeOf(reading, child(root, 'currentMemory'))?.kib ?? 0
  // QEMU's driver counts cells and devices, whatever <memory> says: of two sums the lower one is sure.
  const least = inCells === 0 ? memory.kib : Math.min(memory.kib, inCells + inDevices)
  return {
    memoryKiB: memory.kib,
    memoryRounded: !memory.exact,
    ...(current > 0 && { currentMemoryKiB: Math.min(current, memory.kib) }),
    ...optional('maxMemoryKiB', readMaxMemory(reading, child(root, 'maxMemory'), least)),
  }
}

/** Slots need a size; a size without slots is refused by libvirt 9 and taken by newer ones. */
function readMaxMemory(
  reading: Reading,
  element: XmlElement | undefined,
  memoryKiB: number,
): number | undefined {
  if (element === undefined) return undefined
  const size = sizeOf(reading, element)
  const max = size?.kib ?? 0
  const slots = attribute(element, 'slots')
  const count =
    slots === undefined || slots.value === '' ? 0 : (numberIn(reading, element, 'slots', 0, UINT_MAX) ?? 0)
  if (count > 0 && (stringValue(element) === '' || size?.kib === 0)) missing(reading, element, 'size')
  if (max === 0) return undefined
  if (max < memoryKiB) {
    const facts = { max: formatKiB(max), memory: formatKiB(memoryKiB) }
    reading.problems.push(diagnostic('max-memory-low', facts, tagSpan(element)))
  }
  return max
}

/** SGX EPC is no part of the guest's `<memory>`: libvirt counts every other model. */
function readMemoryDevices(reading: Reading, root: XmlElement): MemoryDevice[] {
  return childrenOf(child(root, 'devices'), 'memory').flatMap((device) => {
    const model = readModel(reading, device)
    const [source, target] = [child(device, 'source'), child(device, 'target')]
    const size = readTargetSize(reading, device, target)
    const cell = cellOf(reading, child(target, 'node'))
    // The others are files or lie elsewhere: libvirt does not look at what stands there.
    const ofNodes = model === 'nvdimm' || model === 'virtio-pmem' ? undefined : source
    const nodes = setOfText<NodeSet>(reading, child(ofNodes, 'nodemask'))
    if (model === 'sgx-epc') return []
    return {
      model,
      sizeKiB: size?.kib ?? 0,
      ...optional('cell', cell),
      ...optional('nodes', nodes),
      ...optional('pagesizeKiB', sizeOf(reading, child(ofNodes, 'pagesize'))?.kib || undefined),
      ...optional('alias', attribute(child(device, 'alias'), 'name')?.value),
    }
  })
}

/** A word: newer versions of libvirt may know more of them. */
function readModel(reading: Reading, device: XmlElement): string {
  const model = attribute(device, 'model')
  if (model === undefined) missing(reading, device, 'model')
  else if (!/^(?!none$)[a-z][a-z0-9-]*$/.test(model.value)) {
    const known = ['dimm', 'nvdimm', 'virtio-pmem', 'virtio-mem', 'sgx-epc']
    reading.problems.push(
      diagnostic(
        'value-unknown',
        { element: 'memory', attribute: 'model', value: model.value, known },
        model,
      ),
    )
  }
  return model?.value ?? ''
}

function readTargetSize(
  reading: Reading,
  device: XmlElement,
  target: XmlElement | undefined,
): Size | undefined {
  if (target === undefined) return missing(reading, device, '<target>')
  const size = child(target, 'size')
  if (size === undefined || stringValue(size) === '') return missing(reading, target, '<size>')
  return sizeOf(reading, size)
}

// ---- vCPUs and I/O threads ----

/** Of a list of states, what is not listed is offline. @see libvirt virDomainVcpuParse */
function readOnline(
  reading: Reading,
  root: XmlElement,
  vcpu: XmlElement | undefined,
  counted: number | undefined,
): VcpuSet {
  const states = childrenOf(child(root, 'vcpus'), 'vcpu')
  const vcpus = counted ?? MOST_VCPUS
  const isWritten = vcpu !== undefined && attribute(vcpu, 'current') !== undefined
  // Beside a list the number must be one, and is not looked at.
  const current = isWritten
    ? numberIn(reading, vcpu, 'current', 0, states.length > 0 ? UINT_MAX : vcpus)
    : counted
  if (states.length === 0) return setOf<VcpuSet>(range(current ?? 0))
  const known = new Map<
    number,
    { readonly online: boolean; readonly fixed: boolean; readonly element: XmlElement }
  >()
  for (const element of states) {
    const id = numberIn(reading, element, 'id', 0, vcpus - 1)
    if (attribute(element, 'enabled') === undefined) missing(reading, element, 'enabled')
    const enabled = wordIn(reading, element, 'enabled', ['yes', 'no'])
    const pluggable = wordIn(reading, element, 'hotpluggable', ['yes', 'no'])
    if (attribute(element, 'order') !== undefined) numberIn(reading, element, 'order', 0, UINT_MAX)
    // Of two states of one vCPU the last one counts.
    if (id !== undefined) known.set(id, { online: enabled !== 'no', fixed: pluggable === 'no', element })
  }
  for (const [vcpuId, { online, fixed, element }] of known)
    if (!online && fixed)
      reading.problems.push(diagnostic('vcpu-not-pluggable', { vcpu: vcpuId }, tagSpan(element)))
  return setOf<VcpuSet>([...known].filter(([, { online }]) => online).map(([id]) => id))
}

/**
 * Ids from `<iothreadids>`, then the lowest free ones up to the count in `<iothreads>`, as libvirt numbers
 * them.
 */
function readIothreads(reading: Reading, root: XmlElement): number[] {
  const ids = new Set<number>()
  for (const each of childrenOf(child(root, 'iothreadids'), 'iothread')) {
    const id = numberIn(reading, each, 'id', 1, UINT_MAX)
    if (id === undefined) continue
    if (ids.has(id))
      reading.problems.push(
        diagnostic('entry-twice', { element: 'iothread', of: `the id ${id}` }, tagSpan(each)),
      )
    ids.add(id)
  }
  const count = countOf(reading, child(root, 'iothreads'), 0, MOST_IOTHREADS) ?? 0
  for (let id = 1; ids.size < count; id++) ids.add(id)
  return [...ids].sort((a, b) => a - b)
}

// ---- Others ----

/** Only dies and clusters may be left out. */
function readTopology(reading: Reading, element: XmlElement | undefined): CpuTopology | undefined {
  if (element === undefined) return undefined
  const count = (name: string) => numberIn(reading, element, name, 1, MOST_VCPUS) ?? 1
  const orOne = (name: string) => (attribute(element, name) === undefined ? 1 : count(name))
  const topology = {
    sockets: count('sockets'),
    dies: orOne('dies'),
    clusters: orOne('clusters'),
    cores: count('cores'),
    threads: count('threads'),
  }
  const product = Object.values(topology).reduce((all, each) => all * each, 1)
  if (product > UINT_MAX)
    reading.problems.push(
      diagnostic(
        'domain-value',
        { element: 'topology', value: `${product}`, min: 1, max: UINT_MAX },
        tagSpan(element),
      ),
    )
  return topology
}

function readExpanders(reading: Reading, root: XmlElement): Expander[] {
  return childrenOf(child(root, 'devices'), 'controller')
    .filter((each) => /^pcie?-expander-bus$/.test(attribute(each, 'model')?.value ?? ''))
    .map((each) => ({
      model: attribute(each, 'model')?.value ?? '',
      ...optional('cell', cellOf(reading, child(child(each, 'target'), 'node'))),
    }))
}
