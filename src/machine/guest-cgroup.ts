// Which cgroup will hold a guest that has not been started, and so what it may use: our own, or the guest's
// partition.
//
// In a pod's virt-launcher the guest stays in the cgroup that the hook runs in. The system daemon puts it
// into its partition (machine.slice), outside of the daemon's own cgroup.

import { Refusal } from '../base/diagnostic.ts'
import { type CpuSet, union } from '../base/idset.ts'
import { type CgroupFacts, readCgroup } from '../host/cgroup/cgroup.ts'
import type { Files } from '../host/files.ts'
import type { Allowed } from '../model.ts'

/**
 * `partition` is the guest's `<resource><partition>`. A placement takes `strongest`: our own cgroup where it
 * confines, else the partition's. A proof that the guest cannot start takes `any`: what at least one of the
 * cgroups that may hold the guest allows.
 */
export interface GuestPlace {
  readonly partition: string
  readonly confinedBy: 'strongest' | 'any'
}

type Confinement = Partial<Allowed>

/** @param own what our own cgroup confines to; undefined when it says nothing of this host, a captured one */
export function guestAllowed(
  files: Files,
  own: Confinement | undefined,
  { partition, confinedBy }: GuestPlace,
  online: CpuSet,
): Confinement {
  if (confinedBy === 'strongest' && own !== undefined && Object.keys(own).length > 0) return own
  const other = readPartition(files, partition, online)
  if (own === undefined || confinedBy === 'strongest') return other ?? {}
  // systemd creates a slice for its first guest: until then nothing is known to confine it.
  if (other === undefined) return files.list('/run/systemd/system') === undefined ? own : {}
  return eitherOf(own, other)
}

/** The limits that really confine. */
export function confinement({
  allowed: { cpus, nodes, pages },
  confinesCpus,
  confinesNodes,
}: CgroupFacts): Confinement {
  return {
    ...(confinesCpus && cpus && { cpus }),
    ...(confinesNodes && nodes && { nodes }),
    ...(pages && { pages }),
  }
}

/**
 * The limits of the nearest existing cgroup of the partition: a cgroup that is created below it starts with
 * them.
 */
function readPartition(files: Files, partition: string, online: CpuSet): Confinement | undefined {
  for (const path of partitionPaths(partition)) {
    try {
      return confinement(readCgroup(files, { path }, online))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
  }
  return undefined
}

/**
 * The cgroups of a partition and of its parents, itself first, each as systemd names it and as libvirt does
 * without systemd: "/machine/production" is machine.slice/machine-production.slice or
 * machine/production.partition.
 * @see libvirt cgroups.html, "Using custom partitions"; systemd.slice(5)
 */
export function partitionPaths(partition: string): string[] {
  const names = partition.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..')) return []
  return names.flatMap((_, up) => {
    const own = names.slice(0, names.length - up)
    const slices = own.map(
      (_, last) =>
        `${own
          .slice(0, last + 1)
          .map(sliceName)
          .join('-')}.slice`,
    )
    const plain = own.map((name, at) => (at === 0 || name.includes('.') ? name : `${name}.partition`))
    return [`/${slices.join('/')}`, `/${plain.join('/')}`]
  })
}

/** systemd reads "-" in the name of a slice as a level. @see systemd-escape(1) @see systemd-escape(1) */
function sliceName(name: string): string {
  return name.replace(
    /^\.|[^A-Za-z0-9:_.]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function eitherOf(one: Confinement, other: Confinement): Confinement {
  const pages = one.pages?.flatMap(({ pagesizeKiB, max }) => {
    const limit = other.pages?.find((each) => each.pagesizeKiB === pagesizeKiB)
    return limit === undefined ? [] : [{ pagesizeKiB, max: Math.max(max, limit.max) }]
  })
  return {
    ...(one.cpus && other.cpus && { cpus: union(one.cpus, other.cpus) }),
    ...(one.nodes && other.nodes && { nodes: union(one.nodes, other.nodes) }),
    ...(pages && pages.length > 0 && { pages }),
  }
}
