// New expander buses, and the addresses of the devices behind them, to edits of `<devices>`.

import type { ExpanderBus } from '../../model/devices.ts'
import type { Edit } from '../../xml/edit.ts'
import { setAttribute } from '../../xml/edit.ts'
import { insertChildren, type NewElement } from '../../xml/insert.ts'
import { child, type XmlElement } from '../../xml/parse.ts'
import type { Fitting } from '../section.ts'
import { hostdevElements } from './view.ts'

/** What libvirt prints before controllers. */
const DEVICES = ['emulator', 'disk', 'controller']

/** Nothing else in `<devices>` is edited. */
export function deviceEdits({ document, placement, write }: Fitting): Edit[] {
  const { root } = document
  const { buses, places } = placement.devices ?? { buses: [], places: [] }
  const devices = child(root, 'devices')
  if (devices === undefined || buses.length === 0) return []
  const elements = hostdevElements(root)
  const added = buses.flatMap(controllersOf)
  return [
    ...insertChildren(document, devices, { added, order: DEVICES }, write),
    ...places.flatMap(({ hostdev, port }) => {
      const element = elements[hostdev]
      return port === undefined || element === undefined ? [] : addressEdits(element, port)
    }),
  ]

  function addressEdits(element: XmlElement, port: number): Edit[] {
    const written = child(element, 'address')
    const attributes = addressAt(port, 0).attributes
    if (written !== undefined)
      return attributes.flatMap(([name, value]) => setAttribute(document, written, name, value))
    const order = [...element.children.map(({ local }) => local), 'address']
    return insertChildren(document, element, { added: [addressAt(port, 0)], order }, write)
  }
}

function controllersOf({ index, busNr, cell, ports }: ExpanderBus): NewElement[] {
  const node: NewElement = { name: 'node', attributes: [], text: `${cell}` }
  const target: NewElement = { name: 'target', attributes: [['busNr', `${busNr}`]], children: [node] }
  return [
    { ...controller(index, 'pcie-expander-bus'), children: [target] },
    ...ports.map((port, slot) => ({
      ...controller(port, 'pcie-root-port'),
      children: [addressAt(index, slot)],
    })),
  ]
}

function controller(index: number, model: string): NewElement {
  return {
    name: 'controller',
    attributes: [
      ['type', 'pci'],
      ['index', `${index}`],
      ['model', model],
    ],
  }
}

/** As libvirt prints it. */
function addressAt(bus: number, slot: number): NewElement {
  const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`
  return {
    name: 'address',
    attributes: [
      ['type', 'pci'],
      ['domain', '0x0000'],
      ['bus', hex(bus)],
      ['slot', hex(slot)],
      ['function', '0x0'],
    ],
  }
}
