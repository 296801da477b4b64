// PCI devices of the host: the facts and the class of each code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'

/**
 * Why devices are not placed. `not-found`: the host has no such device, or does not say so. `no-node`: its
 * node is not known. `node-outside`: no cell of the guest can be on its node. `has-address`: it has a guest
 * address elsewhere. `machine`: the machine type has no PCIe expander buses.
 */
export type DeviceProblem =
  | 'no-source'
  | 'not-found'
  | 'no-node'
  | 'node-without-cell'
  | 'node-outside'
  | 'has-address'
  | 'no-cells'
  | 'machine'
  | 'bus-numbers'

/** Devices with the same problem. `node` is their host node, where it matters. */
interface StrayDevices {
  readonly devices: readonly string[]
  readonly because: DeviceProblem
  readonly node?: number
  readonly machine?: string
}

/** The facts of each code. */
export interface PciFacts {
  readonly 'device-left': StrayDevices

  readonly 'pci-strict': StrayDevices

  /** `need`: for buses and ports; `highest` is an index of a controller, `lowest` a bus number. */
  readonly 'pci-bus-numbers': { devices: number; need: number; highest: number; lowest: number }

  /** The bus is in `cell`, the device's node backs `own`. */
  readonly 'device-other-cell': { device: string; node: number; cell: number; own: number }

  /** `needKiB`: what the devices and the rest of the guest need. */
  readonly 'pci-window-small': {
    devices: readonly string[]
    needKiB: number
    windowKiB: number
    valueKiB: number
  }
}

/** The class of each code. */
export const pciClasses: Readonly<Record<keyof PciFacts, DiagnosticClass>> = {
  'device-left': 'note',
  'pci-strict': 'invalid',
  'pci-bus-numbers': 'invalid',
  'device-other-cell': 'note',
  'pci-window-small': 'capacity',
}
