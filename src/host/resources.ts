// A host and what a cgroup, pins or flags allow -> Resources. What they do not state is allowed entirely.

import { type CpuSet, intersect, type NodeSet, setOf, union } from '../base/idset.ts'
import type { Allowed, Host, Resources } from '../model/host.ts'

/**
 * The host with the given limits. No `cpus`: every online CPU. No `nodes`: every node that has memory or
 * whose memory is unknown. Offline CPUs are left out, as the kernel does with a cpuset.
 */
export function resourcesOf(
  host: Host,
  allowed: { cpus?: CpuSet; nodes?: NodeSet; pages?: Allowed['pages'] },
): Resources {
  const online = union<CpuSet>(...host.nodes.map(({ cpus }) => cpus))
  const withMemory = host.nodes.filter(({ memoryKiB }) => memoryKiB !== 0).map(({ id }) => id)
  return {
    ...host,
    allowed: {
      cpus: allowed.cpus === undefined ? online : intersect(allowed.cpus, online),
      nodes: allowed.nodes ?? setOf<NodeSet>(withMemory),
      ...(allowed.pages && { pages: allowed.pages }),
    },
  }
}

/**
 * The host as it is to one guest: what the guest itself has pinned or was promised is not taken from it.
 */
export function hostFor(host: Host, guest: string): Host {
  const { taken = [], promised = [], ...rest } = host
  const others = taken.filter((each) => each.guest !== guest)
  const toOthers = promised.filter((each) => each.guest !== guest)
  return {
    ...rest,
    ...(others.length > 0 && { taken: others }),
    ...(toOthers.length > 0 && { promised: toOthers }),
  }
}
