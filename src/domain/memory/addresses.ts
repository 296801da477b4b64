// Where memory devices lie: their slots, and the addresses at which the guest sees them.

import { diagnostic } from '../../codes/codes.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { hexadecimal, numberIn, type Reading, sizeOf, UINT_MAX } from '../values.ts'

/** A device with what it states of its place. Bytes; `start` 0: QEMU chooses. */
interface Placed {
  readonly element: XmlElement
  readonly model: string
  readonly slot?: number
  readonly start: bigint
  readonly size: bigint
}

/** Nobody checks where others lie. */
const MAPPED: readonly string[] = ['dimm', 'nvdimm', 'virtio-mem', 'virtio-pmem']

/** What is known of the guest: `slots` of `<maxMemory>`; `arch` where it is stated. */
interface Guest {
  readonly slots: number
  readonly arch: string
}

/**
 * Reports slots that do not exist or are given twice, addresses that do not fit their device, and devices
 * that overlap.
 * @see libvirt virDomainMemoryDefCheckConflict, qemuDomainDefValidateMemoryHotplugDevice
 */
export function checkAddresses(reading: Reading, root: XmlElement, { slots, arch }: Guest): void {
  const placed: Placed[] = []
  for (const element of childrenOf(child(root, 'devices'), 'memory')) {
    const model = attribute(element, 'model')?.value ?? ''
    if (!MAPPED.includes(model)) continue
    const device = place(reading, element, model)
    const { slot } = device
    if (slot !== undefined && slots > 0 && slot >= slots)
      reading.problems.push(diagnostic('memory-slot-beyond', { model, slot, slots }, tagSpan(element)))
    checkAlignment(reading, device, arch)
    for (const other of placed) checkPair(reading, device, other)
    placed.push(device)
  }
}

function place(reading: Reading, element: XmlElement, model: string): Placed {
  const target = child(element, 'target')
  const sizeKiB = sizeOf({ problems: [] }, child(target, 'size'))?.kib ?? 0
  const size = BigInt(sizeKiB) * 1024n
  if (model === 'virtio-mem' || model === 'virtio-pmem') {
    const start = hexadecimal(reading, child(target, 'address'), 'base') ?? 0n
    return { element, model, start, size }
  }
  const label = sizeOf({ problems: [] }, child(child(target, 'label'), 'size'))?.kib ?? 0
  const align = sizeOf({ problems: [] }, child(child(element, 'source'), 'alignsize'))?.kib || PAGE_KIB
  const labelKiB = model === 'nvdimm' ? Math.ceil(label / align) * align : 0
  const mapped = size - BigInt(labelKiB) * 1024n
  const address = child(element, 'address')
  if (address === undefined || attribute(address, 'type')?.value !== 'dimm')
    return { element, model, start: 0n, size: mapped }
  const slot = numberIn(reading, address, 'slot', [0, UINT_MAX])
  const start = hexadecimal(reading, address, 'base') ?? 0n
  return { element, model, ...(slot !== undefined && { slot }), start, size: mapped }
}

/** A page of memory on x86. */
const PAGE_KIB = 4

/** A virtio-mem device starts at one of its blocks, a virtio-pmem device at a page. */
function checkAlignment(reading: Reading, { element, model, start }: Placed, arch: string): void {
  const block = sizeOf({ problems: [] }, child(child(element, 'target'), 'block'))?.kib ?? 0
  const unitKiB = model === 'virtio-mem' ? block : model === 'virtio-pmem' && arch === 'x86_64' ? PAGE_KIB : 0
  if (unitKiB === 0 || start % (BigInt(unitKiB) * 1024n) === 0n) return
  const facts = { model, address: hex(start), unitKiB }
  reading.problems.push(diagnostic('memory-address-unaligned', facts, tagSpan(element)))
}

function checkPair(reading: Reading, device: Placed, other: Placed): void {
  const { element, slot, start, size } = device
  if (slot !== undefined && slot === other.slot)
    reading.problems.push(diagnostic('memory-slot-twice', { slot }, tagSpan(element)))
  if (start === 0n || other.start === 0n) return
  if (start >= other.start + other.size || other.start >= start + size) return
  const devices = [other, device].map((each) => ({
    model: each.model,
    from: hex(each.start),
    to: hex(each.start + each.size - 1n),
  }))
  reading.problems.push(diagnostic('memory-devices-overlap', { devices }, tagSpan(element)))
}

const hex = (address: bigint): string => `0x${address.toString(16)}`
