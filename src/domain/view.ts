// Elements of a domain document to DomainView: what it says of placement, read as libvirt reads it.

import { inSource } from '../base/diagnostic.ts'
import { type CpuSet, range } from '../base/idset.ts'
import { diagnostic, refuse, refuseAll } from '../codes/codes.ts'
import type { CpuTopology, DomainView } from '../model/domain.ts'
import { attribute, child, childrenOf, tagSpan, type XmlDocument, type XmlElement } from '../xml/parse.ts'
import { readBacking, readTune } from './binding-view.ts'
import { readCellExtras, readCells } from './cell-view.ts'
import { checkControllers } from './checks/controllers.ts'
import { checkInterconnects } from './checks/interconnects.ts'
import { checkSchedulers } from './checks/schedulers.ts'
import { readControllers, readHole64, readHostdevs } from './devices/view.ts'
import { readIommu } from './iommu-view.ts'
import { checkAddresses } from './memory/addresses.ts'
import { readMemory, readMemoryDevices } from './memory/view.ts'
import { ownElement, readWrittenKeys, SHAPE } from './metadata.ts'
import { readPins } from './pins-view.ts'
import { checkResctrl } from './resctrl/checks.ts'
import { readResctrl } from './resctrl/view.ts'
import { reportDoubled } from './unique-elements.ts'
import { countOf, numberIn, optional, type Reading, setIn, UINT_MAX, vcpuCount, wordIn } from './values.ts'
import { readOnline } from './vcpu-states.ts'

/** More vCPUs than QEMU gives any guest, and more I/O threads than any guest has. */
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
  checkInterconnects(reading, child(cpu, 'numa'), cells)
  checkControllers(reading, root)
  const devices = readMemoryDevices(reading, root)
  const memory = readMemory(reading, root, cells, devices)
  const type = child(child(root, 'os'), 'type')
  const arch = attribute(type, 'arch')?.value
  checkAddresses(reading, root, { slots: memory.memorySlots ?? 0, arch: arch ?? '' })
  const iothreads = readIothreads(reading, root)
  const topology = readTopology(reading, child(cpu, 'topology'))
  const backing = readBacking(reading, child(root, 'memoryBacking'), cells.length)
  const pins = readPins(reading, child(root, 'cputune'), { vcpus: counted ?? MOST_VCPUS, iothreads })
  checkSchedulers(reading, child(root, 'cputune'), { vcpus: range(counted ?? MOST_VCPUS), iothreads })
  checkResctrl(reading, child(root, 'cputune'), {
    vcpus: counted ?? MOST_VCPUS,
    type: attribute(root, 'type')?.value ?? '',
  })
  const tune = readTune(reading, child(root, 'numatune'), writtenAuto)
  const hostdevs = readHostdevs(root)
  const hasHostdevs = hostdevs.length > 0
  return {
    // Blanks at its ends belong to it: "db1 " is another guest than "db1".
    name: child(root, 'name')?.text ?? '',
    type: attribute(root, 'type')?.value ?? '',
    ...optional('arch', arch),
    ...optional('machine', attribute(type, 'machine')?.value),
    vcpus,
    online: readOnline(reading, root, counted ?? MOST_VCPUS),
    ...optional('vcpuCpuset', vcpuCpuset),
    vcpuAuto: writtenAuto || (tune.memory?.auto === true && isUnpinned(vcpuCpuset, pins)),
    ...memory,
    memoryDevices: devices,
    ...readIommu(reading, root),
    hostdevs,
    controllers: readControllers(reading, root),
    ...optional('hole64KiB', hasHostdevs ? readHole64(reading, root) : undefined),
    ...optional('topology', topology),
    cells,
    cellExtras: readCellExtras(child(cpu, 'numa')),
    ...backing,
    tune,
    ...pins,
    iothreads,
    resctrl: readResctrl(reading, child(root, 'cputune'), vcpus),
    ...optional('writtenKeys', readWrittenKeys(reading, child(root, 'metadata'))),
    ...optional('recordedShape', attribute(ownElement(child(root, 'metadata')), SHAPE)?.value),
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

/**
 * Ids from `<iothreadids>`, then the lowest free ones up to the count in `<iothreads>`, as libvirt numbers
 * them.
 */
function readIothreads(reading: Reading, root: XmlElement): number[] {
  const ids = new Set<number>()
  for (const each of childrenOf(child(root, 'iothreadids'), 'iothread')) {
    const id = numberIn(reading, each, 'id', [1, UINT_MAX])
    if (id === undefined) continue
    if (ids.has(id))
      reading.problems.push(
        diagnostic('entry-twice', { element: 'iothread', of: { is: 'id', id } }, tagSpan(each)),
      )
    ids.add(id)
  }
  const count = countOf(reading, child(root, 'iothreads'), 0, MOST_IOTHREADS) ?? 0
  for (let id = 1; ids.size < count; id++) ids.add(id)
  return [...ids].sort((a, b) => a - b)
}

/** Only dies and clusters may be left out. */
function readTopology(reading: Reading, element: XmlElement | undefined): CpuTopology | undefined {
  if (element === undefined) return undefined
  const count = (name: string) => numberIn(reading, element, name, [1, MOST_VCPUS]) ?? 1
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
