// A guest's vCPUs against its topology and machine: what libvirt's QEMU driver refuses.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Cell } from '../../model/placement.ts'
import { fittingTopology } from '../cells/fitting-topology.ts'

/** What is looked at. */
export type WithCpus = Pick<DomainView, 'vcpus' | 'online' | 'topology' | 'arch' | 'machine'> & {
  readonly cells: readonly Pick<Cell, 'vcpus'>[]
}

/** More vCPUs need an IOMMU that only q35 has. @see libvirt QEMU_MAX_VCPUS_WITHOUT_EIM */
const MOST_VCPUS_ON_PC = 255

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
  if (vcpus > MOST_VCPUS_ON_PC && isI440fx(machine))
    found.push(diagnostic('vcpus-beyond-machine', { vcpus, machine, max: MOST_VCPUS_ON_PC }))
  return found
}

/** Whether an x86 machine is the one without PCI Express. */
export function isI440fx(machine: string): boolean {
  return /^pc(-i440fx.*|-\d.*)?$/.test(machine)
}
