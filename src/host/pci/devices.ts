// The PCI devices of a running or captured machine, from sysfs and from the files that describe the devices
// of a claim.

import { sum } from '../../base/lists.ts'
import type { PciDevice, ReadPci } from '../../model/devices.ts'
import type { Files } from '../files.ts'
import { known, textAt } from '../kernel-text.ts'
import { readClaimed } from './claims.ts'

const DEVICES = '/sys/bus/pci/devices'

/**
 * Devices by address. What the files of a claim state of a device counts before what sysfs states.
 * @see Documentation/ABI/testing/sysfs-bus-pci
 */
export function pciReader(files: Files): ReadPci {
  return (addresses) => {
    const claimed = readClaimed(files)
    return [...new Set(addresses)].sort().flatMap((address) => {
      const read = readDevice(files, address)
      const stated = claimed.get(address)
      return read === undefined && stated === undefined ? [] : [{ address, ...read, ...stated }]
    })
  }
}

/** Classes of devices that no guest gets: memory, bridges, the parts of a chipset and of a CPU. */
const OF_THE_HOST = /^0x(05|06|08|11)/

/** Every device that a guest could get, for a snapshot. */
export function readAllDevices(files: Files): readonly PciDevice[] | undefined {
  const addresses = files
    .list(DEVICES)
    ?.filter((address) => !OF_THE_HOST.test(textAt(files, `${DEVICES}/${address}/class`) ?? ''))
  return addresses === undefined || addresses.length === 0 ? undefined : pciReader(files)(addresses)
}

function readDevice(files: Files, address: string): Omit<PciDevice, 'address'> | undefined {
  const folder = `${DEVICES}/${address}`
  const numaNode = textAt(files, `${folder}/numa_node`)?.trim()
  const link = files.readlink(folder)
  if (numaNode === undefined && link === undefined) return undefined
  const node = /^\d{1,9}$/.test(numaNode ?? '') ? Number(numaNode) : undefined
  const root = /(?:^|\/)(pci[0-9a-f]{4,8}:[0-9a-f]{2})\//.exec(link ?? '')?.[1]
  const bars64KiB = barsIn(textAt(files, `${folder}/resource`))
  return {
    ...known('node', node),
    ...known('root', root),
    ...(sum(bars64KiB) > 0 && { bars64KiB }),
  }
}

const IS_MEMORY = 0x200n
const IS_PREFETCHED = 0x2000n
const IS_64_BIT = 0x100000n
const NEEDED = IS_MEMORY | IS_PREFETCHED | IS_64_BIT
/** The lines behind these are the ROM, and the windows of bridges and virtual functions. */
const BARS = 6

/**
 * Sizes of the 64-bit prefetchable BARs in KiB: those that a root port maps into the 64-bit window. A line
 * has the start, the end and the flags.
 * @see include/linux/ioport.h, IORESOURCE_MEM_64
 */
function barsIn(resource: string | undefined): number[] {
  const lines = (resource ?? '').split('\n').slice(0, BARS)
  return lines.flatMap((line) => {
    const numbers = line.trim().split(/\s+/)
    if (numbers.length !== 3 || !numbers.every((each) => /^0x[0-9a-f]{1,16}$/i.test(each))) return []
    const [start, end, flags] = numbers.map(BigInt) as [bigint, bigint, bigint]
    return (flags & NEEDED) !== NEEDED || end <= start ? [] : [Number((end - start + 1n + 1023n) / 1024n)]
  })
}
