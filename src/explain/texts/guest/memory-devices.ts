// Memory devices, <maxMemory> and its slots: the text of each code.

import { formatKiB, inOneUnit } from '../../../base/memory.ts'
import type { MemoryDeviceFacts } from '../../../codes/guest/memory-devices.ts'
import { plural, type Texts, text } from '../words.ts'

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
      `a ${f.model} device names no cell`,
      'libvirt requires a cell for each memory device of a guest with cells',
      `write <node>0</node> in its <target>${f.cells === 1 ? '' : `, or another cell up to ${f.cells - 1}`}`,
    ),
  'device-in-no-cell': (f) =>
    text(
      `a ${f.model} device names cell ${f.cell}`,
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
  'nvdimm-label': (f) =>
    text(
      `the label of an nvdimm has ${formatKiB(f.labelKiB)}`,
      `libvirt requires at least ${formatKiB(f.leastKiB)}, and less than the size of the device ` +
        `(${formatKiB(f.sizeKiB)})`,
      'correct the size of the label',
    ),
  'virtio-mem-sizes': (f) => text(...virtioMemText(f)),
}

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
