// Memory devices, <maxMemory> and its slots: the facts and the class of each code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'

/** What is wrong with the sizes of a virtio-mem device. */
export type VirtioMemProblem =
  | 'block-not-power'
  | 'block-small'
  | 'requested-above-size'
  | 'requested-not-blocks'

/**
 * What libvirt refuses of a device: discard, and access that is not shared, of models that lack the one and
 * need the other; a uuid except on ppc64; an address of another type.
 */
export type MemoryDeviceProblem = 'discard' | 'not-shared' | 'uuid' | 'address'

/** Addresses in hexadecimal; `to` is the last one. */
interface AddressRange {
  readonly model: string
  readonly from: string
  readonly to: string
}

/** The facts of each code. */
export interface MemoryDeviceFacts {
  readonly 'max-memory-missing': { devices: number }

  readonly 'max-memory-without-cells': object

  readonly 'device-without-cell': { model: string; cells: number }

  readonly 'device-in-no-cell': { model: string; cell: number }

  readonly 'memory-slots-few': { devices: number; slots: number }

  readonly 'memory-slots-older': { devices: number; slots: number; until: string }

  readonly 'memory-slot-beyond': { model: string; slot: number; slots: number }

  readonly 'memory-slot-twice': { slot: number }

  readonly 'memory-devices-overlap': { devices: readonly AddressRange[] }

  readonly 'memory-address-malformed': { text: string }

  readonly 'memory-address-unaligned': { model: string; address: string; unitKiB: number }

  /** `types`: those that an address may have. */
  readonly 'memory-device-refused': {
    model: string
    is: MemoryDeviceProblem
    types: readonly string[]
  }

  readonly 'nvdimm-label': { labelKiB: number; leastKiB: number; sizeKiB: number }

  readonly 'virtio-mem-sizes': {
    is: VirtioMemProblem
    sizeKiB: number
    blockKiB: number
    requestedKiB: number
  }
}

/** The class of each code. */
export const memoryDeviceClasses: Readonly<Record<keyof MemoryDeviceFacts, DiagnosticClass>> = {
  'max-memory-missing': 'invalid',
  'max-memory-without-cells': 'invalid',
  'device-without-cell': 'invalid',
  'device-in-no-cell': 'invalid',
  'memory-slots-few': 'invalid',
  'memory-slots-older': 'note',
  'memory-slot-beyond': 'invalid',
  'memory-slot-twice': 'invalid',
  'memory-devices-overlap': 'invalid',
  'memory-address-malformed': 'invalid',
  'memory-address-unaligned': 'invalid',
  'memory-device-refused': 'invalid',
  'nvdimm-label': 'invalid',
  'virtio-mem-sizes': 'invalid',
}
