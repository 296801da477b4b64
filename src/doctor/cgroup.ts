// The cgroup hierarchy and where libvirt puts guests in it: whether they stay on the CPUs of the daemon.

import type { Diagnostic } from '../base/diagnostic.ts'
import { type CpuSet, subtract, union } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import { cpuWord } from '../explain/texts/words.ts'
import { readCgroup } from '../host/cgroup/cgroup.ts'
import { guestsIn, hasMachined } from '../host/cgroup/guests.ts'
import { type CgroupMount, readLines, readMounts } from '../host/cgroup/mounts.ts'
import { ifReadable, textAt } from '../host/kernel-text.ts'
import { type Inspection, type Item, named } from './inspection.ts'

/** Whether there is a cpuset controller. */
export function cgroupItem({ files, daemon, qemuConf: { controllers } }: Inspection): Item {
  const mounts = readMounts(files, daemon?.pid ?? 'self')
  const name = 'cgroup'
  if (mounts.length === 0)
    return {
      name,
      says: 'no cgroup hierarchy is mounted',
      found: [diagnostic('cpuset-controller-off', { where: 'host' })],
    }
  const v1 = mounts.find((mount) => mount.version === 1 && mount.controllers.includes('cpuset'))
  const v2 = mounts.find(({ version }) => version === 2)
  const controlledBy =
    v1 ??
    (v2 !== undefined && controllersIn(textAt(files, `${v2.point}/cgroup.controllers`)).includes('cpuset')
      ? v2
      : undefined)
  const kinds = [...new Set(mounts.map(({ version }) => version))].sort((a, b) => a - b)
  const controller =
    controlledBy === undefined ? 'no cpuset controller' : `cpuset in v${controlledBy.version}`
  const says = `${kinds.map((version) => `v${version}`).join(' and ')}, ${controller}`
  const found: Diagnostic[] = []
  if (controlledBy === undefined) found.push(diagnostic('cpuset-controller-off', { where: 'host' }))
  else if (controllers !== undefined && !controllers.includes('cpuset'))
    found.push(diagnostic('cpuset-controller-off', { where: 'qemu.conf' }))
  return { name, says, found }
}

const controllersIn = (text = ''): string[] => text.trim().split(/\s+/)

/** Whether guests stay within the CPUs of the daemon. */
export function guestsItem({ files, host, daemon, qemuConf, partition }: Inspection): Item {
  const name = 'guests'
  if (daemon === undefined) return { name, says: 'no libvirt daemon is running', isUnknown: true, found: [] }
  const online = union<CpuSet>(...host.nodes.map(({ cpus }) => cpus))
  const own = ifReadable(() => readCgroup(files, { pid: daemon.pid }, online))
  const cpus = own?.allowed.cpus
  if (own === undefined || cpus === undefined)
    return { name, says: `the cgroup of ${named(daemon)} cannot be read`, isUnknown: true, found: [] }
  const given = `${named(daemon)} may use ${cpuWord(cpus)}`
  if (guestsIn(files, qemuConf) === 'daemon')
    return { name, says: `${given}; guests stay in its cgroup`, found: [] }
  const [daemons, ours] = [`/proc/${daemon.pid}`, '/proc/self'].map((folder) =>
    files.readlink(`${folder}/ns/cgroup`),
  )
  if (daemons !== undefined && ours !== undefined && daemons !== ours)
    return { name, says: `${given}; guests stay in its cgroup namespace`, found: [] }
  const mounts = readMounts(files, daemon.pid)
  const root = busyRoot(
    placeOf(
      mounts,
      readLines(files, daemon.pid).map(({ path }) => path),
    ),
    (path) => textAt(files, path) !== undefined,
  )
  const found: Diagnostic[] =
    root === undefined
      ? []
      : [
          diagnostic('cgroup-root-busy', {
            daemon: named(daemon),
            point: root,
            hasMachined: hasMachined(files),
          }),
        ]
  if (partition === undefined)
    return { name, says: `${given}; the CPUs of guests are not known`, isUnknown: true, found }
  const isOutside = own.confinesCpus && subtract(partition.cpus, cpus).length > 0
  if (isOutside) {
    const facts = {
      daemon: named(daemon),
      own: cpus,
      partition: partition.name,
      theirs: partition.cpus,
      hasMachined: hasMachined(files),
    }
    found.push(diagnostic('guests-outside-pod', facts))
  }
  const theirs = `guests in ${partition.name} may use ${cpuWord(partition.cpus)}`
  return { name, says: `${given}; ${theirs}`, found }
}

interface Place {
  readonly unified: CgroupMount | undefined
  readonly isAtRoot: boolean
}

/** The cgroup of a process. `unified`: the hierarchy, where all controllers are in v2. */
function placeOf(mounts: readonly CgroupMount[], paths: readonly string[]): Place {
  const isUnified = mounts.length > 0 && mounts.every(({ version }) => version === 2)
  return { unified: isUnified ? mounts[0] : undefined, isAtRoot: paths.length === 1 && paths[0] === '/' }
}

/**
 * The real root has no cgroup.type and may hold processes; the root of a cgroup namespace has one and may
 * not.
 */
function busyRoot({ unified, isAtRoot }: Place, isThere: (path: string) => boolean): string | undefined {
  return unified !== undefined && isAtRoot && isThere(`${unified.point}/cgroup.type`)
    ? unified.point
    : undefined
}
