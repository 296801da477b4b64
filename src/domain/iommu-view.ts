// The IOMMU of the guest and its I/O APIC, which guests with many vCPUs depend on.

import type { DomainView, WrittenIommu } from '../model/domain.ts'
import { attribute, child, type XmlElement } from '../xml/parse.ts'
import { optional, type Reading, wordIn } from './values.ts'

/** @see libvirt virDomainIOMMUDefParseXML */
export function readIommu(reading: Reading, root: XmlElement): Pick<DomainView, 'iommu' | 'ioapic'> {
  const element = child(child(root, 'devices'), 'iommu')
  const ioapic = attribute(child(child(root, 'features'), 'ioapic'), 'driver')?.value
  return { ...optional('iommu', element && iommuOf(reading, element)), ...optional('ioapic', ioapic) }
}

function iommuOf(reading: Reading, element: XmlElement): WrittenIommu {
  const driver = child(element, 'driver')
  const onOff = (name: string) => wordIn(reading, driver, name, ['on', 'off'])
  return {
    model: attribute(element, 'model')?.value ?? '',
    ...optional('eim', onOff('eim')),
    ...optional('intremap', onOff('intremap')),
  }
}
