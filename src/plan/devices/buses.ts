// Devices, each with its cell -> expander buses with root ports, and their numbers.
//
// Devices are sorted by their address on the host, as text. Those of one cell share an expander bus, or, with
// devices=root, those of one cell and root complex; a bus has 32 slots, so more devices get a further bus of
// the same cell. Buses ascend by cell, then by root complex. Indices of controllers go on after the highest
// one that is written. Bus numbers go down from 255, or from the lowest bus that is written, each bus with
// one number more than it has ports: the firmware numbers the buses behind the root upwards from 0, one for
// each index at most, so the two must not meet.
// @see KubeVirt pkg/virt-launcher/virtwrap/converter/pci-placement.go

import { groupBy } from '../../base/lists.ts'
import type { FactsOf } from '../../codes/codes.ts'
import type { Controller, ExpanderBus } from '../../model/devices.ts'
import type { DeviceUse } from '../../model/request.ts'

/** A device that gets a root port. */
export interface Placeable {
  readonly hostdev: number
  readonly source: string
  readonly node: number
  readonly root?: string
  readonly cell: number
}

/** New buses with the devices of each, by port; or how far the numbers go. */
export type Numbered =
  | { readonly buses: readonly (ExpanderBus & { readonly devices: readonly Placeable[] })[] }
  | { readonly short: FactsOf<'pci-bus-numbers'> }

const SLOTS = 32
const HIGHEST_BUS = 255

/** Gives every device a root port of its own. */
export function numberBuses(
  devices: readonly Placeable[],
  controllers: readonly Controller[],
  by: DeviceUse,
): Numbered {
  const written = controllers.flatMap(({ busNr }) => busNr ?? [])
  let highest = Math.max(0, ...controllers.flatMap(({ index }) => index ?? []))
  let lowest = Math.min(HIGHEST_BUS, ...written)
  /** The bus number above those that are free. */
  let end = written.length === 0 ? HIGHEST_BUS + 1 : lowest
  const buses = []
  const groups = groupsOf(devices, by)
  const short = { devices: devices.length, need: devices.length + groups.length, highest, lowest }
  for (const group of groups) {
    const index = highest + 1
    // The index of the last port has to stay below the bus numbers that are taken already.
    if (index + group.length > lowest - 1) return { short }
    const ports = group.map((_, slot) => index + 1 + slot)
    const busNr = end - 1 - ports.length
    buses.push({ index, busNr, cell: (group[0] as Placeable).cell, ports, devices: group })
    highest = index + ports.length
    lowest = busNr
    end = busNr
  }
  return { buses }
}

function groupsOf(devices: readonly Placeable[], by: DeviceUse): readonly (readonly Placeable[])[] {
  const sorted = [...devices].sort((a, b) => order(a.source, b.source) || a.hostdev - b.hostdev)
  // Of a device whose root complex is not known its node is taken.
  const keyOf = ({ root, node }: Placeable): string => (by === 'root' ? (root ?? `node ${node}`) : '')
  const groups = [...groupBy(sorted, (each) => `${each.cell} ${keyOf(each)}`).values()] as [
    Placeable,
    ...Placeable[],
  ][]
  return groups
    .sort(([a], [b]) => a.cell - b.cell || order(keyOf(a), keyOf(b)))
    .flatMap((group) =>
      Array.from({ length: Math.ceil(group.length / SLOTS) }, (_, at) =>
        group.slice(at * SLOTS, (at + 1) * SLOTS),
      ),
    )
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
