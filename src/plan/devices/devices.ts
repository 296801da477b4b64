// The PCI devices of a guest, once its cells are placed -> where each is, and new buses for those that have
// no address yet. A device with an address is never moved, and no other controller is looked at with a view
// to change it: both are guest ABI.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { has } from '../../base/idset.ts'
import { groupBy } from '../../base/lists.ts'
import { diagnostic, refuse, refuseAll } from '../../codes/codes.ts'
import type { DeviceProblem } from '../../codes/guest/pci.ts'
import type { Controller, DevicePlace, HostDevice, PciDevice } from '../../model/devices.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import type { Placement, PlanInput } from '../../model/placement.ts'
import type { Request } from '../../model/request.ts'
import { numberBuses, type Placeable } from './buses.ts'
import { type CellOfNode, cellsOfNodes } from './node-cells.ts'
import { windowNotes } from './window.ts'

/** The placement with its devices, and what is worth knowing. */
interface WithDevices {
  readonly placement: Placement
  readonly notes: readonly Diagnostic[]
}

/**
 * Places the devices as requested.
 * @param isMoving the guest moves with everything that it sees: nothing is placed or said
 * @throws Refusal `pci-strict`, `pci-bus-numbers`
 */
export function withHostDevices(input: PlanInput, placement: Placement, isMoving: boolean): WithDevices {
  const { view, resources, request } = input
  if (view.hostdevs.length === 0) return { placement, notes: [] }
  const known = view.hostdevs.map((device, hostdev) => knownDevice(input, device, hostdev))
  const cellOf = cellsOfNodes(placement, resources)
  if (isMoving || request.devices === 'leave')
    return {
      placement: { ...placement, devices: { places: known.map(({ place }) => place), buses: [] } },
      notes: isMoving ? [] : [...otherCells(known, cellOf), ...windowNotes(input)],
    }
  const judged = known.map((each) => judge(input, placement, each, cellOf))
  const placeable = judged.flatMap((each) => each.placeable ?? [])
  const numbered = numberBuses(placeable, view.controllers, request.devices)
  const short = 'short' in numbered ? numbered.short : undefined
  const stray = judged.map(({ place, problem, placeable: its }) => ({
    place,
    problem: problem ?? (its !== undefined && short !== undefined ? 'bus-numbers' : undefined),
  }))
  if (request.rules.strayDevices === 'refused') refuseAll(strayNotes('pci-strict', stray, view))
  if (short !== undefined && request.rules.fewBusNumbers === 'refused') refuse('pci-bus-numbers', short)
  const buses = 'buses' in numbered ? numbered.buses : []
  const ports = new Map(
    buses.flatMap(({ cell, ports: all, devices }) =>
      devices.map(({ hostdev }, at) => [hostdev, { cell, port: all[at] as number }] as const),
    ),
  )
  return {
    placement: {
      ...placement,
      devices: {
        places: known.map(({ place }) => ({ ...place, ...ports.get(place.hostdev) })),
        buses: buses.map(({ devices: _, ...bus }) => bus),
      },
    },
    notes: [...strayNotes('device-left', stray, view), ...otherCells(known, cellOf), ...windowNotes(input)],
  }
}

/** A device of the domain, and what the host knows of it. */
interface Known {
  readonly device: HostDevice
  readonly found: PciDevice | undefined
  /** Where it is now. */
  readonly place: DevicePlace
}

function knownDevice({ view, resources }: PlanInput, device: HostDevice, hostdev: number): Known {
  const found = resources.devices?.find(({ address }) => address === device.source)
  const cell = device.address && cellBehind(view.controllers, device.address.bus)
  return {
    device,
    found,
    place: {
      hostdev,
      name: device.source ?? device.alias ?? `device ${hostdev + 1}`,
      ...(found?.node !== undefined && { node: found.node }),
      ...(found?.root !== undefined && { root: found.root }),
      ...(cell !== undefined && { cell }),
    },
  }
}

/** The cell of the expander bus that a bus is, or is behind. */
function cellBehind(controllers: readonly Controller[], bus: number | undefined): number | undefined {
  let at = bus
  // As many steps as there are controllers: a document may hold a loop.
  for (const _ of controllers) {
    const controller = controllers.find(({ type, index }) => type === 'pci' && index === at)
    if (at === undefined || controller === undefined) return undefined
    if (controller.model === 'pcie-expander-bus') return controller.cell
    at = controller.bus
  }
  return undefined
}

interface Judged {
  readonly place: DevicePlace
  readonly placeable?: Placeable | undefined
  readonly problem?: DeviceProblem | undefined
}

/** Whether a device can be placed. One with an address can have none of the other problems. */
function judge(
  { view, resources, request }: PlanInput,
  { cells }: Placement,
  { device, found, place }: Known,
  cellOf: CellOfNode,
): Judged {
  const { hostdev, node } = place
  const is = (problem: DeviceProblem): Judged => ({ place, problem })
  if (device.address !== undefined) return place.cell === undefined ? is('has-address') : { place }
  if (device.source === undefined) return is('no-source')
  if (cells.length === 0) return is('no-cells')
  if (!hasExpanderBuses(view)) return is('machine')
  if (found === undefined) return is('not-found')
  if (node === undefined) return is('no-node')
  const cell = cellOf(node)
  if (cell === undefined)
    return is(mayGetCell(resources, request, node) ? 'node-without-cell' : 'node-outside')
  const { source } = device
  return { place, placeable: { hostdev, source, node, cell, ...(found.root && { root: found.root }) } }
}

/** Whether tiers=expose, which is not requested, would give the node a cell. */
function mayGetCell({ nodes, allowed }: Resources, { tiers }: Request, node: number): boolean {
  const memoryKiB = nodes.find(({ id }) => id === node)?.memoryKiB ?? 0
  return tiers === 'ignore' && memoryKiB > 0 && has(allowed.nodes, node)
}

/** @see libvirt qemuValidateDomainDeviceDefController */
function hasExpanderBuses({ machine = '', arch = '' }: DomainView): boolean {
  return /q35/.test(machine) || (/^(aarch64|armv7l)$/.test(arch) && /^virt(-|$)/.test(machine))
}

/** Devices with the same problem are reported together. */
function strayNotes(
  code: 'device-left' | 'pci-strict',
  judged: readonly Pick<Judged, 'place' | 'problem'>[],
  { machine }: DomainView,
): Diagnostic[] {
  const stray = judged.flatMap(({ place, problem }) => (problem === undefined ? [] : [{ place, problem }]))
  const hasNode = (problem: DeviceProblem): boolean =>
    problem === 'node-without-cell' || problem === 'node-outside'
  const alike = groupBy(stray, ({ place, problem }) =>
    hasNode(problem) ? `${problem} ${place.node}` : problem,
  )
  return [...alike.values()].map((group) => {
    const [{ place, problem }] = group as [(typeof group)[0]]
    return diagnostic(code, {
      devices: group.map((each) => each.place.name),
      because: problem,
      ...(hasNode(problem) && place.node !== undefined && { node: place.node }),
      ...(problem === 'machine' && machine !== undefined && { machine }),
    })
  })
}

/** Devices whose address is behind the bus of another cell than that of their node. */
function otherCells(known: readonly Known[], cellOf: CellOfNode): Diagnostic[] {
  return known.flatMap(({ place: { name, node, cell } }) => {
    if (node === undefined || cell === undefined) return []
    const own = cellOf(node)
    return own === undefined || own === cell
      ? []
      : [diagnostic('device-other-cell', { device: name, node, cell, own })]
  })
}
