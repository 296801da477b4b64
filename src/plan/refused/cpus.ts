// A guest's vCPUs against its topology and machine: what libvirt's QEMU driver refuses.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic, type FactsOf } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Cell } from '../../model/placement.ts'
import { fittingTopology } from '../cells/fitting-topology.ts'

/** What is looked at. */
export type WithCpus = Pick<
  DomainView,
  'vcpus' | 'online' | 'topology' | 'arch' | 'machine' | 'iommu' | 'ioapic'
> & {
  readonly cells: readonly Pick<Cell, 'vcpus'>[]
}

/** More vCPUs need an IOMMU that only q35 has. @see libvirt QEMU_MAX_VCPUS_WITHOUT_EIM */
const MOST_VCPUS_WITHOUT_EIM = 255

/** Findings of class invalid. @see libvirt qemuValidateDomainVCpuTopology */
export function refusedCpus(view: WithCpus): Diagnostic[] {
  const { vcpus, online, topology, arch = '', machine = '' } = view
  const found: Diagnostic[] = []
  if (topology !== undefined) {
    const places = Object.values(topology).reduce((all, each) => all * each, 1)
    if (places !== vcpus) {
      const fits = fittingTopology({ topology, vcpus }, view.cells)
      found.push(diagnostic('topology-mismatch', { vcpus, places, topology, fits }))
    }
    const isPseries = /^ppc64/.test(arch) && /^pseries/.test(machine)
    if (isPseries && online.length % topology.threads !== 0)
      found.push(diagnostic('vcpus-not-cores', { online: online.length, threads: topology.threads }))
  }
  return [...found, ...refusedWithoutEim(view)]
}

/** What guests with many vCPUs need for their interrupts. */
function refusedWithoutEim(view: WithCpus): Diagnostic[] {
  const { vcpus, machine = '', iommu, ioapic } = view
  const max = MOST_VCPUS_WITHOUT_EIM
  if (vcpus <= max || !isX86(view)) return []
  if (!isQ35(machine)) return [diagnostic('vcpus-beyond-machine', { vcpus, machine, max })]
  const report = (is: FactsOf<'vcpus-need-eim'>['is']) => [diagnostic('vcpus-need-eim', { vcpus, max, is })]
  if (iommu !== undefined && iommu.model !== 'intel') return report('model')
  if (iommu?.eim === 'off') return report('eim-off')
  if (iommu?.intremap === 'off') return report('intremap-off')
  return ioapic === 'kvm' ? report('ioapic-kvm') : []
}

/**
 * A note: libvirt before 10.10 adds neither the IOMMU nor what it needs.
 * @see libvirt qemuDomainDefAddDefaultDevices, qemuDomainIOMMUDefPostParse
 */
export function iommuOfOlder(view: WithCpus): Diagnostic[] {
  const { vcpus, machine = '', iommu, ioapic } = view
  const isWhole = iommu?.eim === 'on' && iommu.intremap === 'on' && ioapic === 'qemu'
  if (vcpus <= MOST_VCPUS_WITHOUT_EIM || !isX86(view) || !isQ35(machine) || isWhole) return []
  if (refusedWithoutEim(view).length > 0) return []
  return [diagnostic('vcpus-need-iommu', { vcpus, max: MOST_VCPUS_WITHOUT_EIM, until: '10.10' })]
}

/** Where neither machine nor architecture is stated, they are the host's. */
function isX86({ arch, machine = '' }: WithCpus): boolean {
  if (machine === '') return false
  return arch === undefined ? isI440fx(machine) || isQ35(machine) : /^(x86_64|i686)$/.test(arch)
}

/** @see libvirt qemuDomainMachineIsQ35 */
function isQ35(machine: string): boolean {
  return machine === 'q35' || machine.startsWith('pc-q35-')
}

/** Whether an x86 machine is the one without PCI Express. */
export function isI440fx(machine: string): boolean {
  return /^pc(-i440fx.*|-\d.*)?$/.test(machine)
}
