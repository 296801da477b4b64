// Memory devices, <maxMemory> and its slots: the text of each code.

import { formatKiB, inOneUnit } from '../../../base/memory.ts'
import type { MemoryDeviceFacts } from '../../../codes/guest/memory-devices.ts'
import { or, plural, short, type Texts, text } from '../words.ts'

/** What, why and fix of each code. */
export const memoryDeviceTexts: Texts<MemoryDeviceFacts> = {
  'max-memory-missing': (f) =>
    text(
      `the guest has ${plural(f.devices, 'memory device')}, but no <maxMemory>`,
      'libvirt requires <maxMemory> for memory devices',
      `write <maxMemory slots='${f.devices}'> with the size of <memory> or more`,
    ),
  'max-memory-without-cells': () =>
    text(
      'the guest has <maxMemory>, but no cells',
      'QEMU needs cells to add memory, and libvirt requires that they are written',
      'run virt-numa transform, or delete <maxMemory>',
    ),
  'device-without-cell': (f) =>
    text(
      `${aDevice(f.model)} names no cell`,
      'libvirt requires a cell for each memory device of a guest with cells',
      `write <node>0</node> in its <target>${f.cells === 1 ? '' : `, or another cell up to ${f.cells - 1}`}`,
    ),
  'device-in-no-cell': (f) =>
    text(
      `${aDevice(f.model)} names cell ${f.cell}`,
      'a device of this model belongs to no cell, and libvirt refuses one',
      `delete <node>${f.cell}</node>`,
    ),
  'memory-slots-few': (f) =>
    text(
      `the guest has ${plural(f.devices, 'memory device')}, but only ${plural(f.slots, 'slot')}`,
      'each dimm and nvdimm needs a slot',
      `write <maxMemory slots='${f.devices}'>`,
    ),
  'memory-slots-older': (f) =>
    text(
      `<maxMemory> has ${plural(f.slots, 'slot')}, but the guest has ${plural(f.devices, 'memory device')}`,
      `libvirt older than ${f.until} requires slots, one for each device; newer versions start the guest`,
      `write <maxMemory slots='${Math.max(1, f.devices)}'>`,
    ),
  'memory-slot-beyond': (f) =>
    text(
      `${aDevice(f.model)} is in slot ${f.slot}, but the guest has only ${plural(f.slots, 'slot')}`,
      'slots are counted from 0',
      `write <maxMemory slots='${f.slot + 1}'>, or use another slot`,
    ),
  'memory-slot-twice': (f) =>
    text(
      `two memory devices are in slot ${f.slot}`,
      'each dimm and nvdimm needs a slot of its own',
      'give one of them another slot, or delete its <address>: libvirt chooses one',
    ),
  'memory-devices-overlap': ({ devices }) =>
    text(
      `${devices.map(atAddresses).join(' and ')} overlap`,
      'libvirt from 9.7 on and QEMU refuse memory devices that share addresses',
      'change one of the addresses, or delete it: QEMU finds a free one',
    ),
  'memory-address-malformed': (f) =>
    text(
      `${short(f.text)} is not a valid address of a memory device`,
      'libvirt reads a hexadecimal number of at most 64 bits',
      'write it like 0x140000000, or delete the address',
    ),
  'memory-address-unaligned': (f) =>
    text(
      `${aDevice(f.model)} is at ${f.address}, which is not a multiple of ${formatKiB(f.unitKiB)}`,
      f.model === 'virtio-mem' ? 'the device starts at one of its blocks' : 'the device starts at a page',
      'correct the address, or delete it: QEMU finds a free one',
    ),
  'memory-device-refused': (f) => text(...deviceText(f)),
  'nvdimm-label': (f) =>
    text(
      `the label of an nvdimm has ${formatKiB(f.labelKiB)}`,
      `libvirt requires at least ${formatKiB(f.leastKiB)}, and less than the size of the device ` +
        `(${formatKiB(f.sizeKiB)})`,
      'correct the size of the label',
    ),
  'virtio-mem-sizes': (f) => text(...virtioMemText(f)),
}

const atAddresses = ({ model, from, to }: MemoryDeviceFacts['memory-devices-overlap']['devices'][number]) =>
  `${aDevice(model)} at ${from} to ${to}`

/** As in "a dimm device" or "an nvdimm device". */
const aDevice = (model: string): string => `${/^(nvdimm|sgx)/.test(model) ? 'an' : 'a'} ${model} device`

function virtioMemText({
  is,
  sizeKiB,
  blockKiB,
  requestedKiB,
}: MemoryDeviceFacts['virtio-mem-sizes']): [string, string, string] {
  switch (is) {
    case 'block-not-power':
      return [
        `a virtio-mem device has blocks of ${formatKiB(blockKiB)}`,
        'a block is a power of two',
        "write <block unit='MiB'>2</block>",
      ]
    case 'block-small':
      return [
        `a virtio-mem device has blocks of ${formatKiB(blockKiB)}`,
        'a block is at least as large as a transparent huge page',
        "write <block unit='MiB'>2</block>",
      ]
    case 'requested-above-size': {
      const [requested, size] = inOneUnit(requestedKiB, sizeKiB)
      return [
        `<requested> of a virtio-mem device is ${requested}, but its size is ${size}`,
        'at most the size of the device can be requested',
        'correct <requested>',
      ]
    }
    case 'requested-not-blocks': {
      const [requested, block] = inOneUnit(requestedKiB, blockKiB)
      return [
        `<requested> of a virtio-mem device is ${requested}, but its blocks are ${block}`,
        'only whole blocks can be requested',
        'correct <requested>',
      ]
    }
  }
}

function deviceText({
  model,
  is,
  types,
}: MemoryDeviceFacts['memory-device-refused']): [string, string, string] {
  switch (is) {
    case 'discard':
      return [
        `${aDevice(model)} has discard='yes'`,
        'its memory is a file, of which nothing may be discarded',
        "delete discard='yes'",
      ]
    case 'not-shared':
      return [
        `${aDevice(model)} is not shared`,
        'libvirt requires shared access for this model',
        "write access='shared'",
      ]
    case 'uuid':
      return [`${aDevice(model)} has a <uuid>`, 'only those of ppc64 have one', 'delete the <uuid>']
    case 'address':
      return [
        `the <address> of ${aDevice(model)} has the wrong type`,
        types.length === 0
          ? 'a device of this model has no address'
          : `it ${types.length === 1 ? 'has to be' : 'can be'} ${or(types)}`,
        'delete the <address>: libvirt chooses one where it is needed',
      ]
  }
}
