// A VirtualMachineInstance, the domain that KubeVirt made of it, and the host to the fitted domain: what
// every program that KubeVirt asks before it defines a domain has in common.

import { type CpuSet, setOf } from './base/idset.ts'
import type { Json } from './base/json.ts'
import { readDomain } from './domain/view.ts'
import type { DomainView } from './model/domain.ts'
import type { Allowed, Host } from './model/host.ts'
import { type Placed, place, type Surroundings } from './place.ts'
import type { Config } from './request/config.ts'
import { optedIn } from './request/sources.ts'
import { readVmi, type Vmi } from './request/vmi.ts'
import { asksFor } from './request/vmi-asks.ts'
import type { Write } from './xml/insert.ts'
import type { XmlDocument } from './xml/parse.ts'

/** What KubeVirt asks: the domain that it is about to define, and the VMI that it made the domain of. */
interface DefineQuestion {
  readonly vmi: Json
  readonly domain: XmlDocument
}

/** What else is known. */
interface VmiSurroundings extends Pick<Surroundings, 'configSource' | 'flags'> {
  readonly config: Config
  /** The host, which is read only for a guest that is fitted. */
  readonly source: () => Pick<Surroundings, 'host' | 'pci'> & {
    /** What a cgroup that was named allows. Absent: the pins in the domain alone say which CPUs it has. */
    readonly allowed?: Partial<Allowed>
  }
}

/**
 * The fitted domain of a VMI.
 * @returns undefined for a guest that asks for no more than KubeVirt does by itself, and that the
 * configuration does not cover: its domain stays as it is, to the byte
 * @throws Refusal of readDomain, readVmi and place
 */
export function fitVmi(
  { vmi, domain }: DefineQuestion,
  { source, ...surroundings }: VmiSurroundings,
  write: Write,
): Placed | undefined {
  const view = readDomain(domain)
  if (!asksFor(vmi) && !optedIn(view, surroundings.config)) return undefined
  const { host, pci, allowed } = source()
  // Without pins nothing is known about the pod: no CPU is allowed, rather than all CPUs of the host.
  const known = allowed ?? { cpus: setOf<CpuSet>([]) }
  const read = withCellsOf(view, readVmi(vmi, 'the VMI'))
  const around = {
    ...surroundings,
    host: withoutMounts(host),
    allowed: known,
    vmi: read,
    ...(pci && { pci }),
  }
  return place(domain, around, write)
}

/**
 * KubeVirt's cells are built anew, except where a device refers to some of them: cells without vCPUs and
 * memory are there for the memory of a device (`<acpi nodeset>`), as on Grace.
 */
function withCellsOf({ cells }: DomainView, vmi: Vmi): Vmi {
  const isDevices = cells.some(({ vcpus, memoryKiB }) => vcpus.length === 0 && memoryKiB === 0)
  return isDevices ? { ...vmi, requested: { ...vmi.requested, existing: 'keep' } } : vmi
}

/** QEMU runs in another container, and its mounts are not those that were read. */
export function withoutMounts(host: Host): Host {
  if (host.pools === undefined) return host
  return { ...host, pools: host.pools.map(({ mounted: _, ...pool }) => pool) }
}
