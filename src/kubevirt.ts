// A VirtualMachineInstance, the domain that KubeVirt made of it, and the host to the fitted domain: what
// every program that KubeVirt asks before it defines a domain has in common.

import { type CpuSet, setOf } from './base/idset.ts'
import { readDomain } from './domain/view.ts'
import type { Allowed } from './model.ts'
import { type Placed, place, type Surroundings } from './place.ts'
import type { Config } from './request/config.ts'
import { optedIn } from './request/sources.ts'
import { readVmi } from './request/vmi.ts'
import { asksFor } from './request/vmi-asks.ts'
import type { Value } from './request/vmi-value.ts'
import type { Write } from './xml/edit.ts'
import type { XmlDocument } from './xml/parse.ts'

/** What KubeVirt gives: the VMI as data, and the domain that it is about to define. */
export interface VmiDomain {
  readonly vmi: Value
  readonly document: XmlDocument
}

/** What else is known. */
export interface VmiSurroundings extends Pick<Surroundings, 'host' | 'configSource' | 'flags'> {
  readonly config: Config
  /**
   * What a cgroup that was named allows. Absent: the pins in the domain alone say which CPUs are the guest's.
   */
  readonly allowed?: Partial<Allowed>
}

/**
 * Whether the guest asks for more than KubeVirt does by itself, or the configuration covers it.
 * @throws Refusal of readDomain, where the VMI itself does not ask
 */
export function concernsUs({ vmi, document }: VmiDomain, config: Config): boolean {
  return asksFor(vmi) || optedIn(readDomain(document), config)
}

/**
 * The fitted domain of a VMI. A migration's target is not fitted (isMigrationTarget): KubeVirt drops that
 * answer.
 * @throws Refusal of readVmi and place
 */
export function fitVmi(
  { vmi, document }: VmiDomain,
  { allowed, ...surroundings }: VmiSurroundings,
  write: Write,
): Placed {
  // Without pins nothing is known about the pod: no CPU is allowed, rather than all CPUs of the host.
  const known = allowed ?? { cpus: setOf<CpuSet>([]) }
  return place(document, { ...surroundings, allowed: known, vmi: readVmi(vmi, 'the VMI') }, write)
}
