// PCI controllers of which libvirt refuses that they are in a cell.

import { diagnostic } from '../../codes/codes.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../../xml/parse.ts'
import { cellOf, type Reading } from '../values.ts'

/** Buses of which the guest may have several, each in a cell of its own. */
const MAY_BE_IN_CELL: readonly string[] = ['pci-expander-bus', 'pcie-expander-bus', 'pci-root']

/**
 * Reports controllers that name a cell, but are neither an expander bus nor a further root bus of a pseries
 * machine.
 * @see libvirt virDomainControllerDefValidate, qemuValidateDomainDeviceDefControllerPCI
 */
export function checkControllers(reading: Reading, root: XmlElement): void {
  for (const element of childrenOf(child(root, 'devices'), 'controller')) {
    if (attribute(element, 'type')?.value !== 'pci') continue
    const target = child(element, 'target')
    const node = child(target, 'node')
    const cell = node && cellOf({ problems: [] }, node)
    if (cell === undefined) continue
    const model = attribute(element, 'model')?.value ?? ''
    const index = attribute(element, 'index')?.value.trim() ?? ''
    const isFirst = /^\+?0+$/.test(index) || (model === 'pci-root' && isZero(target))
    if (isFirst || !MAY_BE_IN_CELL.includes(model))
      reading.problems.push(diagnostic('controller-in-cell', { model, index, cell }, tagSpan(element)))
  }
}

const isZero = (target: XmlElement | undefined): boolean =>
  /^\+?0+$/.test(attribute(target, 'index')?.value.trim() ?? '')
