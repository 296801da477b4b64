// PCI devices of the host: the text of each code.

import { formatKiB } from '../../../base/memory.ts'
import type { PciFacts } from '../../../codes/guest/pci.ts'
import { isOrAre, plural, type Texts, text } from '../words.ts'

/** What, why and fix of each code. */
export const pciTexts: Texts<PciFacts> = {
  'device-left': (f, { ask: { use } }) => {
    const [why, fix] = strayWords(f)
    return text(
      `${devicesNamed(f.devices)} ${isOrAre(f.devices)} not placed in a cell`,
      why,
      f.because === 'node-without-cell' ? `${use('tiers', 'expose')} to give node ${f.node} a cell` : fix,
    )
  },
  'pci-strict': (f, { ask: { use } }) =>
    text(
      `${devicesNamed(f.devices)} cannot be placed in a cell`,
      `${strayWords(f)[0]}; KubeVirt starts no guest with guestMappingPassthrough then`,
      use('devices', 'leave', 'root'),
    ),
  'pci-bus-numbers': (f, { ask: { use } }) =>
    text(
      `${plural(f.devices, 'PCI device')} need${f.devices === 1 ? 's' : ''} ${f.need} bus numbers, too many`,
      `the written controllers take them up to ${f.highest}, and they end at ${f.lowest}`,
      `remove controllers that are not used, or ${use('devices', 'leave')}`,
    ),
  'device-other-cell': (f) =>
    text(
      `PCI device ${f.device} is on node ${f.node}, but behind the bus of cell ${f.cell}`,
      `cell ${f.own} is the guest's cell for that node; a device with an address is never moved`,
      'to place it anew before the next start, delete its <address>, which is guest ABI',
    ),
  'pci-window-small': (f) =>
    text(
      `the 64-bit window of the guest has ${formatKiB(f.windowKiB)}, its PCI devices need ` +
        formatKiB(f.needKiB),
      `these are the 64-bit BARs of ${devicesNamed(f.devices)}, and 1 GiB for other devices; a BAR that ` +
        'does not fit is not mapped',
      `write <pcihole64 unit='KiB'>${f.valueKiB}</pcihole64> into the controller with model='pcie-root'`,
    ),
}

/** "PCI device 0000:3b:00.0", "PCI devices 0000:3b:00.0, 0000:3b:00.1 and 6 more". */
function devicesNamed(devices: readonly string[]): string {
  const MOST = 4
  const rest = devices.length > MOST ? ` and ${devices.length - MOST} more` : ''
  return `PCI device${devices.length === 1 ? '' : 's'} ${devices.slice(0, MOST).join(', ')}${rest}`
}

/** Why and fix. */
function strayWords({
  because,
  node,
  machine = 'of the guest',
}: PciFacts['device-left']): readonly [why: string, fix?: string] {
  switch (because) {
    case 'no-source':
      return ['no host address is written', 'write an <address> into its <source>']
    case 'not-found':
      return ['the host has no such device, or the host file does not state it']
    case 'no-node':
      return ['the host does not state a NUMA node for it']
    case 'node-without-cell':
      return [`no cell of the guest is on node ${node}`]
    case 'node-outside':
      return [`it is on node ${node}, whose memory the guest may not use`]
    case 'has-address':
      return [
        'it has a guest address, and a device with an address is never moved',
        'to place it anew before the next start, delete its <address>, which is guest ABI',
      ]
    case 'no-cells':
      return ['the guest has no cells']
    case 'machine':
      return [`machine ${machine} has no PCIe expander buses`, "use machine='q35', on aarch64 machine='virt'"]
    case 'bus-numbers':
      return ['there are too few bus numbers', 'remove controllers that are not used']
  }
}
