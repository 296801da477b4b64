// PCI devices of the host that a guest gets: as the host states them, as the domain states them, and where
// they are placed.

/**
 * A PCI device of the host. `node` is its NUMA node, absent where the kernel knows none; `root` the root
 * complex above it, such as "pci0000:3a". `bars64KiB`: its 64-bit prefetchable BARs, in the order of the
 * device.
 */
export interface PciDevice {
  /** Such as "0000:3b:00.0". */
  readonly address: string
  readonly node?: number
  readonly root?: string
  readonly bars64KiB?: readonly number[]
}

/** Reads devices of the host by address, in this order. A device that is not there is left out. */
export type ReadPci = (addresses: readonly string[]) => readonly PciDevice[]

/**
 * A `<hostdev>` of PCI, or an `<interface type='hostdev'>`. `source` is its address on the host, absent where
 * none is written. `address`: the guest's address, absent where libvirt chooses all of it; `bus` is the index
 * of the controller that it names.
 */
export interface HostDevice {
  readonly source?: string
  readonly alias?: string
  readonly address?: { readonly bus?: number }
}

/**
 * A controller. `index` is absent where none is written; `bus` the index of the controller that it is behind;
 * `busNr` and `cell` are those of an expander bus.
 */
export interface Controller {
  readonly type: string
  readonly model: string
  readonly index?: number
  readonly bus?: number
  readonly busNr?: number
  readonly cell?: number
}

/** A new pcie-expander-bus with its root ports, in the order of slots from 0. */
export interface ExpanderBus {
  readonly index: number
  readonly busNr: number
  readonly cell: number
  readonly ports: readonly number[]
}

/**
 * Where one device is, by its position in `DomainView.hostdevs`. `cell`: that of its expander bus. `port`:
 * the index of the new root port that it gets.
 */
export interface DevicePlace {
  readonly hostdev: number
  readonly name: string
  readonly node?: number
  readonly root?: string
  readonly cell?: number
  readonly port?: number
}

/** Every device of a guest in the order of the document, and the buses that are added for them. */
export interface DevicePlacement {
  readonly places: readonly DevicePlace[]
  readonly buses: readonly ExpanderBus[]
}
