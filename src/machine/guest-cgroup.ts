// Which cgroup will hold a guest that has not been started, and so what it may use: our own, or the guest's
// partition.
//
// In a pod's virt-launcher the guest stays in the cgroup that the hook runs in. The system daemon puts it
// into its partition (machine.slice), outside of the daemon's own cgroup.

import { Refusal } from '../base/diagnostic.ts'
import { type CpuSet, type IdSet, intersect } from '../base/idset.ts'
import { leftOf } from '../base/memory.ts'
import { type CgroupFacts, readCgroup } from '../host/cgroup/cgroup.ts'
import { type GuestsIn, guestsIn } from '../host/cgroup/guests.ts'
import { readMounts } from '../host/cgroup/mounts.ts'
import type { Files } from '../host/files.ts'
import { known, textAt } from '../host/kernel-text.ts'
import type { Allowed, PageLimit, QemuConf } from '../model/host.ts'
import { readQemuConf } from './read/qemu-conf.ts'

/**
 * `partition` is the guest's `<resource><partition>`. A placement stays within `each` cgroup that may hold
 * QEMU, as far as they overlap. A proof that the guest cannot start takes the `actual` one, where that is
 * known; our own cgroup and user are then those of the daemon.
 */
export interface GuestPlace {
  readonly partition: string
  readonly confinedBy: 'each' | 'actual'
}

/** Limits; an absent one does not confine. */
type Confinement = Partial<Allowed>

/** @param own our own cgroup; undefined where it says nothing of this host, a captured one */
export function guestAllowed(
  files: Files,
  own: CgroupFacts | undefined,
  { partition, confinedBy }: GuestPlace,
  online: CpuSet,
): Confinement {
  const conf = readQemuConf(files)
  const statedBy = guestsIn(files, conf)
  if (own === undefined) return statedBy === 'daemon' ? {} : readPartition(files, partition, online)
  const holder = confinedBy === 'actual' ? holderBy(files, statedBy) : statedBy
  const ours = confinement(own)
  if (holder === 'daemon') return ours
  const theirs = movedTo(readPartition(files, partition, online), own, conf)
  return holder === 'partition' && confinedBy === 'actual' ? theirs : narrowed(ours, theirs)
}

/** A daemon that does not run as root has no cgroups to give. @see libvirt virDomainCgroupInitCgroup */
function holderBy(files: Files, statedBy: GuestsIn): GuestsIn {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(textAt(files, '/proc/self/status') ?? '')?.[1]
  if (uid === undefined) return statedBy === 'daemon' ? 'daemon' : 'unknown'
  return uid === '0' ? statedBy : 'daemon'
}

/**
 * What confines QEMU when it is moved to the partition. Of v1 libvirt uses the hierarchies that it may use,
 * never that of hugetlb; in the others QEMU stays where the daemon is.
 */
function movedTo(partition: Confinement, own: CgroupFacts, { controllers }: QemuConf): Confinement {
  const ours = confinement(own)
  const staysOnCpus = own.inV1.cpuset && controllers !== undefined && !controllers.includes('cpuset')
  const { cpus, nodes } = staysOnCpus ? ours : partition
  const { pages } = own.inV1.hugetlb ? ours : partition
  return { ...known('cpus', cpus), ...known('nodes', nodes), ...known('pages', pages) }
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
 * The limits of the nearest existing cgroup of the partition, at last those of the hierarchy's root: a cgroup
 * that is created below it starts with them.
 */
function readPartition(files: Files, partition: string, online: CpuSet): Confinement {
  const roots = readMounts(files, 'self').map(({ root }) => root)
  for (const path of [...partitionPaths(partition), ...new Set(roots)]) {
    try {
      return confinement(readCgroup(files, { path }, online))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
  }
  return {}
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

/** The limits that both set; where they share nothing, those of the first. */
function narrowed(one: Confinement, other: Confinement): Confinement {
  return {
    ...known('cpus', shared(one.cpus, other.cpus)),
    ...known('nodes', shared(one.nodes, other.nodes)),
    ...known('pages', tightest([...(one.pages ?? []), ...(other.pages ?? [])])),
  }
}

function shared<Set extends IdSet<string>>(one: Set | undefined, other: Set | undefined): Set | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const both = intersect(one, other)
  return both.length > 0 ? both : one
}

/** Of each page size the limit that leaves the least. */
function tightest(limits: readonly PageLimit[]): Allowed['pages'] {
  const sizes = [...new Set(limits.map(({ pagesizeKiB }) => pagesizeKiB))].sort((a, b) => a - b)
  const pages = sizes.map((size) =>
    limits
      .filter(({ pagesizeKiB }) => pagesizeKiB === size)
      .reduce((least, each) => (leftOf(each) < leftOf(least) ? each : least)),
  )
  return pages.length === 0 ? undefined : pages
}
