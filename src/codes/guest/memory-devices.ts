// Memory devices, <maxMemory> and its slots: the facts and the class of each code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'

/** What is wrong with the sizes of a virtio-mem device. */
export type VirtioMemProblem =
  | 'block-not-power'
  | 'block-small'
  | 'requested-above-size'
  | 'requested-not-blocks'

/** The facts of each code. */
export interface MemoryDeviceFacts {
  readonly 'max-memory-missing': { devices: number }

  readonly 'max-memory-without-cells': object

  readonly 'device-without-cell': { model: string; cells: number }

  readonly 'device-in-no-cell': { model: string; cell: number }

  readonly 'memory-slots-few': { devices: number; slots: number }

  readonly 'memory-slots-older': { devices: number; slots: number; until: string }

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
  'nvdimm-label': 'invalid',
  'virtio-mem-sizes': 'invalid',
}
