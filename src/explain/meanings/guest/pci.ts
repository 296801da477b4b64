// PCI devices of the host: the meaning of each code.

import type { PciFacts } from '../../../codes/guest/pci.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const pciMeanings: Meanings<PciFacts> = {
  'device-left': meaning(
    'a PCI device is not placed in a cell',
    'With devices=cell or root, a device without an address gets a root port behind an expander bus of the ' +
      'cell that is on its node. The guest sees no node for any other device.',
    'Follow the fix that is printed, if there is one. With tiers=expose, a node without vCPUs of the guest ' +
      'becomes a cell for its devices.',
  ),
  'pci-strict': meaning(
    'a PCI device cannot be placed as KubeVirt does',
    'With like=kubevirt, devices=cell and guestMappingPassthrough, every PCI device must be placed, as ' +
      'in KubeVirt 1.9.',
    'Request devices=root, which leaves such a device alone, or devices=leave.',
  ),
  'pci-bus-numbers': meaning(
    'PCI bus numbers do not suffice',
    'A guest has 256 bus numbers. Controllers take them from 0 upwards, expander buses and their root ' +
      'ports from 255 downwards.',
    'Remove controllers that are not used, or give the guest fewer devices.',
  ),
  'device-other-cell': meaning(
    'a PCI device is behind the bus of another cell',
    'The guest sees the device on the node of that cell. A device keeps its address when the guest gets ' +
      'other nodes or another host, because it is guest ABI.',
    'Delete the <address> of the device, and fit the guest again before its next start.',
  ),
  'pci-window-small': meaning(
    '64-bit BARs of PCI devices do not fit',
    'A q35 machine has a window of 32 GiB for 64-bit BARs, unless <pcihole64> states another size. The ' +
      'firmware leaves out a BAR that does not fit, or hangs.',
    'Write the <pcihole64> that is printed.',
  ),
}
