// The cgroups of the four-node host, as kubelet and containerd make them with the systemd driver on cgroup
// v2.

import { mkdirSync, writeFileSync } from 'node:fs'
import type { PodName } from './report.ts'

/** Where cgroup v2 is mounted. */
export const CGROUPS = '/sys/fs/cgroup'
const CONTROLLERS = '+cpuset +cpu +memory +hugetlb +pids'

const scope = (digits: string): string => `cri-containerd-${digits.repeat(16)}.scope`
const slice = (parent: string, uid: string): string => `${parent}-pod${uid.replaceAll('-', '_')}.slice`

const KUBEPODS = 'kubepods.slice'
const BURSTABLE = `${KUBEPODS}/kubepods-burstable.slice`
const BESTEFFORT = `${KUBEPODS}/kubepods-besteffort.slice`

const DATABASE = `${KUBEPODS}/${slice('kubepods', '7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c001')}`
const SMALL = `${KUBEPODS}/${slice('kubepods', '7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c003')}`
const BATCH = `${BURSTABLE}/${slice('kubepods-burstable', '7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c002')}`
const WEB = `${BURSTABLE}/${slice('kubepods-burstable', '7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c004')}`
const BUILD = `${BESTEFFORT}/${slice('kubepods-besteffort', '7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c005')}`

/** The containers that hold a libvirtd. */
export const podScopes: Readonly<Record<PodName, string>> = {
  guaranteed: `${DATABASE}/${scope('a1b2')}`,
  burstable: `${BATCH}/${scope('b3c4')}`,
  'one-node': `${SMALL}/${scope('c5d6')}`,
}

/** Containers with one process that sleeps, by the name of the process. */
export const sleepers: Readonly<Record<string, string>> = {
  sidecar: `${DATABASE}/${scope('a7b8')}`,
  web: `${WEB}/${scope('d9e0')}`,
  builder: `${BUILD}/${scope('e1f2')}/docker/${'f3a4'.repeat(16)}`,
}

const MIB = 1024 * 1024

/**
 * What is written, in this order. Exclusive CPUs and the nodes of pinned memory are on the container, as
 * kubelet's static managers set them; the shared pool (CPU 7) on the others. Pages are limited for the pod,
 * and once more for the container.
 */
const settings: readonly (readonly [folder: string, file: string, text: string])[] = [
  [podScopes.guaranteed, 'cpuset.cpus', '2-5'],
  [podScopes.guaranteed, 'cpuset.mems', '1-2'],
  [DATABASE, 'hugetlb.2MB.max', String(128 * MIB)],
  [podScopes.burstable, 'cpuset.cpus', '4,6'],
  [podScopes.burstable, 'cpuset.mems', '2-3'],
  [BATCH, 'hugetlb.2MB.max', String(192 * MIB)],
  [podScopes.burstable, 'hugetlb.2MB.max', String(128 * MIB)],
  [podScopes.burstable, 'hugetlb.2MB.rsvd.max', String(128 * MIB)],
  [podScopes['one-node'], 'cpuset.cpus', '0-1'],
  [podScopes['one-node'], 'cpuset.mems', '0'],
  [sleepers.sidecar as string, 'cpuset.cpus', '7'],
  [sleepers.sidecar as string, 'hugetlb.2MB.max', '0'],
  [sleepers.builder as string, 'cpuset.cpus', '7'],
]

/** Creates the cgroups of all pods, with their limits. */
export function makeTree(): void {
  const folders = [...Object.values(podScopes), ...Object.values(sleepers)]
  for (const folder of folders) mkdirSync(`${CGROUPS}/${folder}`, { recursive: true })
  const above = new Set(
    folders.flatMap((folder) =>
      folder.split('/').map((_, names) => folder.split('/').slice(0, names).join('/')),
    ),
  )
  for (const folder of [...above].sort())
    writeFileSync(`${CGROUPS}/${folder}/cgroup.subtree_control`, CONTROLLERS)
  for (const [folder, file, text] of settings) writeFileSync(`${CGROUPS}/${folder}/${file}`, text)
}
