// A memory device by itself: what libvirt refuses of its parts, whatever the rest of the guest is.

import { diagnostic } from '../../codes/codes.ts'
import type { MemoryDeviceProblem, VirtioMemProblem } from '../../codes/guest/memory-devices.ts'
import { attribute, child, stringValue, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { missing, type Reading, sizeOf, wordIn } from '../values.ts'

/** A device, its model and size. `arch` is that of the guest, where it is stated. */
interface Device {
  readonly element: XmlElement
  readonly model: string
  readonly sizeKiB: number
  readonly arch: string
}

/** The types of address that a model can have; those of others are not looked at. */
const ADDRESS_TYPES: Readonly<Record<string, readonly string[]>> = {
  dimm: ['dimm'],
  nvdimm: ['dimm'],
  'virtio-pmem': ['pci'],
  'virtio-mem': ['pci', 'ccw'],
  'sgx-epc': [],
}

/** Reports parts that are missing or do not fit. @see libvirt virDomainMemoryDefValidate */
export function checkMemoryDevice(reading: Reading, device: Device): void {
  const { element, model } = device
  if (model === 'nvdimm' || model === 'virtio-pmem') {
    const path = child(child(element, 'source'), 'path')
    if (path === undefined || stringValue(path) === '') missing(reading, element, '<source><path>')
  }
  checkParts(reading, device)
  if (model === 'nvdimm') checkLabel(reading, device)
  if (model === 'virtio-mem') checkBlocks(reading, device)
}

function checkParts(reading: Reading, { element, model, arch }: Device): void {
  const types = ADDRESS_TYPES[model] ?? []
  const report = (is: MemoryDeviceProblem): void => {
    reading.problems.push(diagnostic('memory-device-refused', { model, is, types }, tagSpan(element)))
  }
  const isFile = model === 'nvdimm' || model === 'virtio-pmem'
  if (wordIn(reading, element, 'discard', ['yes', 'no']) === 'yes' && isFile) report('discard')
  const access = wordIn(reading, element, 'access', ['shared', 'private'])
  if (model === 'virtio-pmem' && access !== 'shared') report('not-shared')
  if (model === 'nvdimm' && child(element, 'uuid') && arch !== '' && !/^ppc64/.test(arch)) report('uuid')
  const type = attribute(child(element, 'address'), 'type')?.value
  if (type !== undefined && model in ADDRESS_TYPES && !types.includes(type)) report('address')
}

const LEAST_LABEL_KIB = 128

function checkLabel(reading: Reading, { element, sizeKiB, arch }: Device): void {
  const label = child(child(child(element, 'target'), 'label'), 'size')
  const labelKiB = sizeOf(reading, label)?.kib ?? 0
  if (labelKiB === 0 && /^ppc64/.test(arch)) missing(reading, element, '<target><label><size>')
  if (label === undefined || labelKiB === 0) return
  if (labelKiB >= LEAST_LABEL_KIB && labelKiB < sizeKiB) return
  const facts = { labelKiB, leastKiB: LEAST_LABEL_KIB, sizeKiB }
  reading.problems.push(diagnostic('nvdimm-label', facts, tagSpan(label)))
}

/** The size of transparent huge pages on x86, which a block has at least. */
const LEAST_BLOCK_KIB = 2048

function checkBlocks(reading: Reading, { element, sizeKiB, arch }: Device): void {
  const target = child(element, 'target')
  const blockKiB = sizeOf(reading, child(target, 'block'))?.kib ?? 0
  const requestedKiB = sizeOf(reading, child(target, 'requested'))?.kib ?? 0
  const found: VirtioMemProblem[] = []
  if (requestedKiB > sizeKiB) found.push('requested-above-size')
  if (blockKiB === 0 || !Number.isInteger(Math.log2(blockKiB))) found.push('block-not-power')
  else if (arch === 'x86_64' && blockKiB < LEAST_BLOCK_KIB) found.push('block-small')
  else if (requestedKiB % blockKiB !== 0) found.push('requested-not-blocks')
  const sizes = { sizeKiB, blockKiB, requestedKiB }
  for (const is of found)
    reading.problems.push(diagnostic('virtio-mem-sizes', { is, ...sizes }, tagSpan(target ?? element)))
}
