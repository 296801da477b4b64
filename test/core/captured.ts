// The captures of a Kubernetes-like node (test/captures): what its kernel reports of each process, as
// host/ reads it. They were taken on the four-node host of test/e2e, which takes them again in each run and
// compares.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type CpuSet, formatSet } from '../../src/base/idset.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import type { Files } from '../../src/host/files.ts'
import { onlineCpus } from '../../src/host/sysfs.ts'

/** Where they were taken. */
export const places = ['host', 'guaranteed', 'burstable', 'one-node'] as const

/** The tar of a capture. */
export const fileOf = (place: string): string => `test/captures/cgroup-v2-${place}.tar.gz`
/** The files of a capture. */
export const filesOf = (place: string): Files => filesOfTar(gunzipSync(readFileSync(fileOf(place))))

/** Process ids by name; "libvirtd" occurs three times, ordered by what each may use. */
export function processes(files: Files): [name: string, pid: number | 'self'][] {
  const pids = (files.list('/proc') ?? []).filter((name) => /^\d+$/.test(name)).map(Number)
  const named = pids.map((pid): [string, number] => [
    Buffer.from(files.read(`/proc/${pid}/comm`) ?? '')
      .toString()
      .trim(),
    pid,
  ])
  return [...named, ['self', 'self']]
}

/**
 * One line per process, sorted: "web: CPUs 0-15, nodes 0-3; free to use all; /sys/fs/cgroup/..., cpuset on".
 */
export function readings(files: Files): string[] {
  const online = onlineCpus(files) as CpuSet
  return processes(files)
    .map(([name, pid]) => {
      const { allowed, confinesCpus, confinesNodes, path, cpusetController } = readCgroup(
        files,
        { pid },
        online,
      )
      const pages =
        allowed.pages?.map(({ pagesizeKiB, max }) => `${max} of ${pagesizeKiB} KiB`).join(', ') ?? 'no limit'
      const confines =
        [confinesCpus && 'CPUs', confinesNodes && 'nodes'].filter(Boolean).join(' and ') || 'nothing'
      const sets =
        `CPUs ${formatSet(allowed.cpus ?? [])}, nodes ${formatSet(allowed.nodes ?? [])}, ` + `pages ${pages}`
      return (
        `${name}: ${sets}; confines ${confines}; ` +
        `${path ?? 'no folder'}${cpusetController ? ', cpuset' : ''}`
      )
    })
    .sort()
}
