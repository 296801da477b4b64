// Memory devices, <maxMemory> and its slots: the meaning of each code.

import type { MemoryDeviceFacts } from '../../../codes/guest/memory-devices.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const memoryDeviceMeanings: Meanings<MemoryDeviceFacts> = {
  'max-memory-missing': meaning(
    'memory devices without <maxMemory>',
    'libvirt requires <maxMemory> for memory devices.',
    'Write <maxMemory> with slots and the size of <memory> or more.',
  ),
  'max-memory-without-cells': meaning(
    '<maxMemory> without cells',
    'QEMU needs cells to add memory, and libvirt requires that they are written.',
    'Run virt-numa transform, or delete <maxMemory>.',
  ),
  'device-without-cell': meaning(
    'a memory device names no cell',
    'In a guest with cells, libvirt requires a cell for each memory device.',
    'Write a <node> in its <target>.',
  ),
  'device-in-no-cell': meaning(
    'a device names a cell, but belongs to none',
    'Devices of this model, such as virtio-pmem, belong to no cell, and libvirt refuses one.',
    'Delete its <node>.',
  ),
  'memory-slots-few': meaning(
    'there are fewer slots than memory devices',
    'Each dimm and nvdimm needs a slot of <maxMemory>.',
    'Raise slots of <maxMemory>.',
  ),
  'memory-slots-older': meaning(
    'older versions of libvirt need more slots',
    'libvirt before 9.5 requires a slot for each memory device of any model; newer versions start the guest.',
    'Raise slots of <maxMemory>, if the guest may run on an older host.',
  ),
  'memory-slot-beyond': meaning(
    'a memory device is in a missing slot',
    'Slots are counted from 0 to one less than slots of <maxMemory>.',
    'Raise slots of <maxMemory>, or use another slot.',
  ),
  'memory-slot-twice': meaning(
    'two memory devices are in one slot',
    'Each dimm and nvdimm needs a slot of its own.',
    'Give one of them another slot, or delete its <address>: libvirt chooses one.',
  ),
  'memory-devices-overlap': meaning(
    'memory devices share addresses',
    'The addresses of two memory devices overlap. libvirt from 9.7 on and QEMU refuse that.',
    'Change one of the addresses, or delete it: QEMU finds a free one.',
  ),
  'memory-address-malformed': meaning(
    'the address of a memory device is not valid',
    'libvirt reads a hexadecimal number of at most 64 bits.',
    'Write it like 0x140000000, or delete the address.',
  ),
  'memory-address-unaligned': meaning(
    'a memory device lies at an odd address',
    'A virtio-mem device starts at a multiple of its blocks, a virtio-pmem device at a page.',
    'Correct the address, or delete it: QEMU finds a free one.',
  ),
  'memory-device-refused': meaning(
    'a memory device has a part that it may not have',
    'libvirt refuses discard of nvdimm and virtio-pmem, private access of virtio-pmem, a <uuid> of nvdimm ' +
      'except on ppc64, and addresses of another type.',
    'Change what the message names.',
  ),
  'nvdimm-label': meaning(
    'the label of an nvdimm has the wrong size',
    'libvirt requires at least 128 KiB, and less than the size of the device.',
    'Correct the size of the <label>.',
  ),
  'virtio-mem-sizes': meaning(
    'the sizes of a virtio-mem device do not fit',
    'A block is a power of two and at least a transparent huge page; what is requested is whole ' +
      'blocks, and at most the size of the device.',
    'Correct <block> or <requested>.',
  ),
}
