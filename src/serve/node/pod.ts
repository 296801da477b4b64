// The UID of a pod -> its virt-launcher and QEMU processes on this node, and what the container's cgroup
// allows.

import type { CpuSet, IdSet, NodeSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { readPageLimits } from '../../host/cgroup/limits.ts'
import type { Files } from '../../host/files.ts'
import { ifReadable, known, listAt, numberedIn, textAt } from '../../host/kernel-text.ts'
import { readCommandOf } from '../../host/qemu/process.ts'
import type { Allowed } from '../../model/host.ts'

/** The processes of a virt-launcher pod. */
export interface Pod {
  readonly launcher: number
  /** Absent before the guest starts. */
  readonly qemu?: number
  readonly allowed: Partial<Allowed>
}

/**
 * The one pod among the UIDs that runs here.
 * @returns undefined where none does, or several do
 */
export function findPod(files: Files, uids: readonly string[]): Pod | undefined {
  const found = uids.flatMap((uid) => podOf(files, uid) ?? [])
  return found.length === 1 ? found[0] : undefined
}

/** kubelet names the cgroup of a pod by its UID; with systemd's driver its dashes are underscores. */
function podOf(files: Files, uid: string): Pod | undefined {
  const names = [`pod${uid}`, `pod${uid.replaceAll('-', '_')}`]
  const inPod = (numberedIn(files, '/proc', '') ?? []).flatMap((pid) => {
    const path = /^0::(.*)$/m.exec(textAt(files, `/proc/${pid}/cgroup`) ?? '')?.[1]
    return path !== undefined && names.some((name) => path.includes(name)) ? [{ pid, path }] : []
  })
  // The container has a monitor, "virt-launcher-monitor", and its child "virt-launcher".
  const launcher = inPod.find(({ pid }) => textAt(files, `/proc/${pid}/comm`)?.startsWith('virt-launcher'))
  if (launcher === undefined) return undefined
  const qemu = inPod.find(({ pid }) => ifReadable(() => readCommandOf(files, pid)) !== undefined)
  return {
    launcher: launcher.pid,
    ...(qemu && { qemu: qemu.pid }),
    allowed: allowedIn(files, launcher.pid, foldersOf(files, launcher.path, names)),
  }
}

/**
 * The folders of a cgroup, from its own up to the container's; the pod's own has the CPUs that all pods
 * share. The kernel shows a path relative to the reader's cgroup namespace, "/../../kubepods-podX.slice/Y",
 * so its start is looked for.
 */
function foldersOf(files: Files, path: string, pods: readonly string[]): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  const inside = parts.length - 1 - parts.findIndex((part) => pods.some((pod) => part.includes(pod)))
  const below = (from: string, depth: number): string | undefined => {
    const at = `${from}/${parts.join('/')}`
    if (files.list(at) !== undefined) return at
    const next = depth === 0 ? [] : (files.list(from) ?? []).filter((name) => name.includes('kube'))
    return next.map((name) => below(`${from}/${name}`, depth - 1)).find((each) => each !== undefined)
  }
  const folder = below('/sys/fs/cgroup', MOST_DEPTH)?.split('/') ?? []
  return Array.from({ length: inside }, (_, up) => folder.slice(0, folder.length - up).join('/')).filter(
    (each) => each !== '',
  )
}

/** kubelet.slice, kubelet-kubepods.slice, kubelet-kubepods-burstable.slice. */
const MOST_DEPTH = 3

/** With cgroup v1 only the process itself says where it may run. */
function allowedIn(files: Files, pid: number, folders: readonly string[]): Partial<Allowed> {
  const status = textAt(files, `/proc/${pid}/status`) ?? ''
  const listed = <Set extends IdSet<string>>(name: string, field: string): Set | undefined =>
    folders
      .map((folder) => listAt<Set>(files, `${folder}/${name}`))
      .find((set) => set !== undefined && set.length > 0) ??
    ifReadable(() => parseSet<Set>(new RegExp(`^${field}:(.*)$`, 'm').exec(status)?.[1] ?? '', field))
  return {
    ...known('cpus', listed<CpuSet>('cpuset.cpus.effective', 'Cpus_allowed_list')),
    ...known('nodes', listed<NodeSet>('cpuset.mems.effective', 'Mems_allowed_list')),
    ...known('pages', readPageLimits(files, folders)),
  }
}
