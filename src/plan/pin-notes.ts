// Pins of vCPUs that a placement gives up for wider ones.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, setOf, union, type VcpuSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import type { Planned } from '../model/placement.ts'
import type { Request } from '../model/request.ts'

/** A note, unless pin=cell requests wide pins; KubeVirt's own pins are what its VMI gets. */
export function pinNotes(view: DomainView, { placement }: Planned, { pin, rules }: Request): Diagnostic[] {
  if (rules.pins === 'kubevirt' || pin === 'cell') return []
  const { vcpupin } = placement.binding
  const wider = [...view.vcpupin]
    .map(([vcpu, before]) => ({ vcpu, before, now: vcpupin[vcpu] ?? setOf<CpuSet>([]) }))
    .filter(({ before, now }) => before.length > 0 && now.length > before.length)
  if (wider.length === 0) return []
  const facts = {
    vcpus: setOf<VcpuSet>(wider.map(({ vcpu }) => vcpu)),
    before: union(...new Set(wider.map((each) => each.before))),
    cpus: union(...new Set(wider.map(({ now }) => now))),
  }
  return [diagnostic('pins-widened', facts)]
}
