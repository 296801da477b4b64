// Memory devices, their slots and huge pages against the rest of the guest: what libvirt refuses.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'

/** What is looked at. */
export type WithMemory = Pick<
  DomainView,
  'memoryDevices' | 'maxMemoryKiB' | 'memorySlots' | 'arch' | 'hugepages' | 'allocation' | 'memorySource'
> & { readonly cells: { readonly length: number } }

/** Findings of class invalid. @see libvirt qemuDomainDefValidateMemoryHotplug, qemuValidateDomainDefMemory */
export function refusedMemory(view: WithMemory): Diagnostic[] {
  return [...refusedDevices(view), ...refusedPages(view)]
}

function refusedDevices({
  memoryDevices: devices,
  maxMemoryKiB,
  memorySlots = 0,
  arch = '',
  cells,
}: WithMemory): Diagnostic[] {
  const isPluggable = maxMemoryKiB !== undefined || memorySlots > 0
  const dimms = devices.filter(inSlot).length
  const found: Diagnostic[] = []
  if (!isPluggable && devices.length > 0)
    found.push(diagnostic('max-memory-missing', { devices: devices.length }))
  // QEMU would make a cell by itself; there libvirt knows that it does not.
  const makesNoCell = /^(ppc64|s390)/.test(arch)
  if (isPluggable && cells.length === 0 && !makesNoCell)
    found.push(diagnostic('max-memory-without-cells', {}))
  if (cells.length > 0)
    for (const { model, cell } of devices)
      if (cell === undefined && NEEDS_CELL.includes(model))
        found.push(diagnostic('device-without-cell', { model, cells: cells.length }))
  for (const { model, cell } of devices)
    if (cell !== undefined && model === 'virtio-pmem')
      found.push(diagnostic('device-in-no-cell', { model, cell }))
  if (isPluggable && dimms > memorySlots)
    found.push(diagnostic('memory-slots-few', { devices: dimms, slots: memorySlots }))
  return found
}

const NEEDS_CELL: readonly string[] = ['dimm', 'nvdimm', 'virtio-mem']

/** Others are PCI devices. */
function inSlot({ model }: { readonly model: string }): boolean {
  return model === 'dimm' || model === 'nvdimm'
}

/**
 * A note: libvirt before 9.5 has a slot for every memory device, and no maximum without slots.
 * @see libvirt qemuDomainDefValidateMemoryHotplug, virDomainDefPostParseMemory
 */
export function slotsOfOlder({
  memoryDevices: devices,
  maxMemoryKiB,
  memorySlots = 0,
}: Pick<WithMemory, 'memoryDevices' | 'maxMemoryKiB' | 'memorySlots'>): Diagnostic[] {
  const isFew = memorySlots === 0 || devices.length > memorySlots
  if (maxMemoryKiB === undefined || !isFew || devices.filter(inSlot).length > memorySlots) return []
  return [diagnostic('memory-slots-older', { devices: devices.length, slots: memorySlots, until: '9.5' })]
}

/** What an element says that libvirt does not take with huge pages. */
function refusedPages({ hugepages, allocation, memorySource }: WithMemory): Diagnostic[] {
  if (hugepages === undefined) return []
  const elements = [
    ...(allocation === 'ondemand' ? ["<allocation mode='ondemand'/>"] : []),
    ...(memorySource === 'anonymous' ? ["<source type='anonymous'/>"] : []),
  ]
  return elements.map((element) => diagnostic('hugepages-refused', { element }))
}
