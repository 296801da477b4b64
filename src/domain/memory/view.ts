// <memory>, <maxMemory>, <currentMemory> and the memory devices of a domain, read as libvirt reads them.

import type { NodeSet } from '../../base/idset.ts'
import { sum } from '../../base/lists.ts'
import type { Size } from '../../base/memory.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { DomainView, MemoryDevice, WrittenCell } from '../../model/domain.ts'
import { attribute, child, childrenOf, stringValue, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { cellOf, missing, numberIn, optional, type Reading, setOfText, sizeOf, UINT_MAX } from '../values.ts'
import { checkMemoryDevice } from './device.ts'

type Sizes = Pick<DomainView, 'memoryKiB' | 'memoryRounded' | 'currentMemoryKiB' | MaxMemory>
type MaxMemory = 'maxMemoryKiB' | 'memorySlots'

/**
 * Without `<memory>`, or with 0, the guest has what its cells and memory devices make.
 * @see libvirt virDomainDefPostParseMemory
 */
export function readMemory(
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
  const facts = { devicesKiB: inDevices, memoryKiB: memory.kib }
  if (memory.kib === 0) {
    // A size that cannot be read has been reported.
    const isReported = reading.problems.some(({ code }) =>
      ['size-malformed', 'size-too-large', 'part-missing'].includes(code),
    )
    const none = { memoryKiB: 0, cells: Math.max(1, cells.length), unitKiB: 1 }
    if (!isReported && written !== undefined)
      reading.problems.push(diagnostic('memory-too-small', none, tagSpan(element ?? root)))
    else if (!isReported)
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
    ...readMaxMemory(reading, child(root, 'maxMemory'), least),
  }
}

/** Slots need a size; a size without slots is refused by libvirt 9 and taken by newer ones. */
function readMaxMemory(
  reading: Reading,
  element: XmlElement | undefined,
  memoryKiB: number,
): Pick<Sizes, MaxMemory> {
  if (element === undefined) return {}
  const size = sizeOf(reading, element)
  const max = size?.kib ?? 0
  const slots = attribute(element, 'slots')
  const count =
    slots === undefined || slots.value === '' ? 0 : (numberIn(reading, element, 'slots', [0, UINT_MAX]) ?? 0)
  if (count > 0 && (stringValue(element) === '' || size?.kib === 0)) missing(reading, element, 'size')
  const memorySlots = optional('memorySlots', count === 0 ? undefined : count)
  if (max === 0) return memorySlots
  if (max < memoryKiB) {
    reading.problems.push(diagnostic('max-memory-low', { maxKiB: max, memoryKiB }, tagSpan(element)))
  }
  return { maxMemoryKiB: max, ...memorySlots }
}

/** SGX EPC is not part of the guest's `<memory>`; libvirt counts every other model. */
export function readMemoryDevices(reading: Reading, root: XmlElement): MemoryDevice[] {
  return childrenOf(child(root, 'devices'), 'memory').flatMap((device) => {
    const model = readModel(reading, device)
    const [source, target] = [child(device, 'source'), child(device, 'target')]
    const size = readTargetSize(reading, device, target)
    const cell = cellOf(reading, child(target, 'node'))
    // The others are files or lie elsewhere: libvirt does not look at what stands there.
    const ofNodes = model === 'nvdimm' || model === 'virtio-pmem' ? undefined : source
    const nodes = setOfText<NodeSet>(reading, child(ofNodes, 'nodemask'))
    const arch = attribute(child(child(root, 'os'), 'type'), 'arch')?.value ?? ''
    if (size !== undefined) checkMemoryDevice(reading, { element: device, model, sizeKiB: size.kib, arch })
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
