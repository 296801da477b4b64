// `<devices>` to the PCI devices of the host that the guest gets, and its controllers. What libvirt would
// refuse of them is libvirt's to report: a number that cannot be read is absent.

import type { Controller, HostDevice } from '../../model/devices.ts'
import { attribute, child, childrenOf, type XmlElement } from '../../xml/parse.ts'
import { cellOf, optional, type Reading, sizeOf } from '../values.ts'

/** The elements of the PCI devices, in the order of the document. */
export function hostdevElements(root: XmlElement): readonly XmlElement[] {
  return (child(root, 'devices')?.children ?? []).filter((each) => each.uri === '' && isPci(each))
}

function isPci(element: XmlElement): boolean {
  const type = attribute(element, 'type')?.value
  if (element.local === 'interface') return type === 'hostdev'
  const mode = attribute(element, 'mode')?.value ?? 'subsystem'
  return element.local === 'hostdev' && type === 'pci' && mode === 'subsystem'
}

/** The devices of hostdevElements. */
export function readHostdevs(root: XmlElement): HostDevice[] {
  return hostdevElements(root).map((element) => {
    const alias = attribute(child(element, 'alias'), 'name')?.value
    return {
      ...optional('source', pciAddress(child(child(element, 'source'), 'address'))),
      ...optional('alias', alias),
      ...optional('address', guestAddress(child(element, 'address'))),
    }
  })
}

const PARTS = ['domain', 'bus', 'slot', 'function']

/** Any part of an address, or another type than PCI, is somebody's choice. */
function guestAddress(element: XmlElement | undefined): HostDevice['address'] {
  if (element === undefined) return undefined
  const isPlain = (attribute(element, 'type')?.value ?? 'pci') === 'pci'
  const hasPart = PARTS.some((name) => attribute(element, name) !== undefined)
  return isPlain && !hasPart ? undefined : optional('bus', numberOf(element, 'bus'))
}

/** "0000:3b:00.0" */
function pciAddress(element: XmlElement | undefined): string | undefined {
  const [domain = 0, bus, slot, fn = 0] = PARTS.map((name) => numberOf(element, name))
  if (bus === undefined || slot === undefined) return undefined
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${hex(fn, 1)}`
}

/** Hexadecimal, octal or decimal, as libvirt reads the parts of an address. @see strtoul(3), base 0 */
function numberOf(element: XmlElement | undefined, name: string): number | undefined {
  const text = attribute(element, name)?.value.trim() ?? ''
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return Number(text)
  if (/^0[0-7]{1,8}$/.test(text)) return Number.parseInt(text, 8)
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** All controllers, in the order of the document. */
export function readControllers(reading: Reading, root: XmlElement): Controller[] {
  return childrenOf(child(root, 'devices'), 'controller').map((element) => {
    const target = child(element, 'target')
    return {
      type: attribute(element, 'type')?.value ?? '',
      model: attribute(element, 'model')?.value ?? '',
      ...optional('index', numberOf(element, 'index')),
      ...optional('bus', numberOf(child(element, 'address'), 'bus')),
      ...optional('busNr', numberOf(target, 'busNr')),
      ...optional('cell', cellOf(reading, child(target, 'node'))),
    }
  })
}

/** `<pcihole64>` of the root: the window for 64-bit BARs. Its unit is KiB where none is written. */
export function readHole64(reading: Reading, root: XmlElement): number | undefined {
  const pcie = childrenOf(child(root, 'devices'), 'controller').find(
    (each) => attribute(each, 'model')?.value === 'pcie-root',
  )
  const hole = child(pcie, 'pcihole64')
  const isNumber = hole !== undefined && /^\s*\d{1,15}\s*$/.test(hole.text)
  return isNumber ? sizeOf(reading, hole)?.kib : undefined
}
