// Elements of a domain document to DomainView: what it says of placement, read as libvirt reads it.

import { diagnostic, refuse, refuseAll } from '../base/diagnostic.ts'
import { gather } from '../base/gather.ts'
import { type CpuSet, type NodeSet, parseSet, range, setOf, type VcpuSet } from '../base/idset.ts'
import type { Size } from '../base/memory.ts'
import type { CpuTopology, DomainView, Expander, MemoryDevice } from '../model.ts'
import { attribute, child, childrenOf, tagSpan, type XmlDocument, type XmlElement } from '../xml/parse.ts'
import { readBacking, readPins, readTune } from './binding-view.ts'
import { readCellExtras, readCells } from './cell-view.ts'
import { readWishes } from './metadata.ts'
import { numberIn, optional, type Reading, setIn, sizeOf, wholeNumber } from './values.ts'

/** @throws Refusal `not-domain`, `domain-value`, `metadata-*` and those of sets and sizes: all that is wrong at once */
export function readDomain({ root }: XmlDocument): DomainView {
  if (root.local !== 'domain' || root.uri !== '') refuse('not-domain', { name: root.name }, tagSpan(root))
  const reading: Reading = { problems: [] }
  const view = viewOf(reading, root)
  refuseAll(reading.problems)
  return view
}

function viewOf(reading: Reading, root: XmlElement): DomainView {
  const cpu = child(root, 'cpu')
  const vcpu = child(root, 'vcpu')
  const vcpus = vcpu === undefined ? 1 : (wholeNumber(reading, vcpu, vcpu.text, 1, 16_384) ?? 1)
  const cells = readCells(reading, child(cpu, 'numa'), vcpus)
  const devices = readMemoryDevices(reading, root)
  const memory = readMemory(reading, root, cells.reduce((sum, cell) => sum + cell.memoryKiB, 0) + total(devices))
  const type = child(child(root, 'os'), 'type')
  return {
    // Blanks at its ends belong to it: "db1 " is another guest than "db1".
    name: child(root, 'name')?.text ?? '',
    type: attribute(root, 'type')?.value ?? '',
    ...optional('arch', attribute(type, 'arch')?.value),
    ...optional('machine', attribute(type, 'machine')?.value),
    vcpus,
    online: readOnline(reading, root, vcpu, vcpus),
    ...optional('vcpuCpuset', setIn<CpuSet>(reading, vcpu, 'cpuset')),
    vcpuAuto: attribute(vcpu, 'placement')?.value === 'auto',
    memoryKiB: memory.kib,
    memoryRounded: !memory.exact,
    ...optional('currentMemoryKiB', sizeOf(reading, child(root, 'currentMemory'))?.kib),
    ...optional('maxMemoryKiB', sizeOf(reading, child(root, 'maxMemory'))?.kib),
    memoryDevices: devices,
    expanders: readExpanders(reading, root),
    ...optional('topology', readTopology(reading, child(cpu, 'topology'))),
    cells,
    cellExtras: readCellExtras(child(cpu, 'numa')),
    ...readBacking(reading, child(root, 'memoryBacking')),
    tune: readTune(reading, child(root, 'numatune')),
    ...readPins(reading, child(root, 'cputune')),
    iothreads: readIothreads(reading, root),
    ...optional('wishes', readWishes(reading, child(root, 'metadata'))),
  }
}

const total = (devices: readonly MemoryDevice[]): number => devices.reduce((sum, { sizeKiB }) => sum + sizeKiB, 0)

/** Without `<memory>` the guest has what its cells and memory devices make. */
function readMemory(reading: Reading, root: XmlElement, sumKiB: number): Size {
  const written = child(root, 'memory')
  if (!Number.isSafeInteger(sumKiB))
    reading.problems.push(
      diagnostic('size-too-large', { source: '<cell memory>', text: 'the sum of all cells and memory devices' }, tagSpan(root)),
    )
  if (written !== undefined) return sizeOf(reading, written) ?? { kib: 0, exact: true }
  if (sumKiB === 0) reading.problems.push(diagnostic('domain-incomplete', { element: 'memory' }, tagSpan(root)))
  return { kib: sumKiB, exact: true }
}

function readOnline(reading: Reading, root: XmlElement, vcpu: XmlElement | undefined, vcpus: number): VcpuSet {
  const states = childrenOf(child(root, 'vcpus'), 'vcpu')
  if (states.length > 0) {
    const off = new Set(
      states.filter((each) => attribute(each, 'enabled')?.value === 'no').map((each) => numberIn(reading, each, 'id', 0, vcpus - 1)),
    )
    return setOf<VcpuSet>(range(vcpus).filter((id) => !off.has(id)))
  }
  const current = attribute(vcpu, 'current') === undefined ? vcpus : numberIn(reading, vcpu as XmlElement, 'current', 1, vcpus)
  return setOf<VcpuSet>(range(current ?? vcpus))
}

function readTopology(reading: Reading, element: XmlElement | undefined): CpuTopology | undefined {
  if (element === undefined) return undefined
  const count = (name: string) => (attribute(element, name) === undefined ? 1 : (numberIn(reading, element, name, 1, 16_384) ?? 1))
  return { sockets: count('sockets'), dies: count('dies'), clusters: count('clusters'), cores: count('cores'), threads: count('threads') }
}

/** SGX EPC is no part of the guest's `<memory>`: libvirt counts every other model. */
function readMemoryDevices(reading: Reading, root: XmlElement): MemoryDevice[] {
  const devices = childrenOf(child(root, 'devices'), 'memory').filter((device) => attribute(device, 'model')?.value !== 'sgx-epc')
  return devices.map((device) => {
    const [source, target] = [child(device, 'source'), child(device, 'target')]
    const node = child(target, 'node')
    return {
      model: attribute(device, 'model')?.value ?? '',
      sizeKiB: sizeOf(reading, child(target, 'size'))?.kib ?? 0,
      ...optional('cell', node && wholeNumber(reading, node, node.text, 0, 16_384)),
      ...optional('nodes', readNodemask(reading, child(source, 'nodemask'))),
      ...optional('pagesizeKiB', sizeOf(reading, child(source, 'pagesize'))?.kib),
      ...optional('alias', attribute(child(device, 'alias'), 'name')?.value),
    }
  })
}

function readNodemask(reading: Reading, nodemask: XmlElement | undefined): NodeSet | undefined {
  return nodemask && gather(reading.problems, () => parseSet<NodeSet>(nodemask.text, '<nodemask>'), tagSpan(nodemask))
}

function readExpanders(reading: Reading, root: XmlElement): Expander[] {
  return childrenOf(child(root, 'devices'), 'controller')
    .filter((each) => /^pcie?-expander-bus$/.test(attribute(each, 'model')?.value ?? ''))
    .map((each) => {
      const node = child(child(each, 'target'), 'node')
      return { model: attribute(each, 'model')?.value ?? '', ...optional('cell', node && wholeNumber(reading, node, node.text, 0, 16_384)) }
    })
}

/** Ids from `<iothreadids>`, then the lowest free ones up to the count in `<iothreads>`, as libvirt numbers them. */
function readIothreads(reading: Reading, root: XmlElement): number[] {
  const written = childrenOf(child(root, 'iothreadids'), 'iothread').flatMap((each) => numberIn(reading, each, 'id', 1, 16_384) ?? [])
  const ids = [...new Set(written)]
  const element = child(root, 'iothreads')
  const count = element === undefined ? 0 : (wholeNumber(reading, element, element.text, 0, 16_384) ?? 0)
  for (let id = 1; ids.length < count; id++) if (!ids.includes(id)) ids.push(id)
  return ids.sort((a, b) => a - b)
}
