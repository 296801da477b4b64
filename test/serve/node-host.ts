// A node with a virt-launcher pod, as a DaemonSet sees it below /host: the captured guest "placed" of
// test/guests, in the cgroup of a pod whose UID is in the VMI's status.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { folder } from '../seed.ts'
import { vmi } from './guest.ts'

/** Its name. */
export const NODE = 'node7'
const UID = '7c1f7b52-6d1e-4a5c-9d43-0f1e64a2c003'
const QEMU = 231

/** kubelet's systemd driver, and the kernel's view from another cgroup namespace. */
const CONTAINER = `kubepods-pod${UID.replaceAll('-', '_')}.slice/cri-containerd-${'c5d6'.repeat(16)}.scope`
const CGROUP = `sys/fs/cgroup/kubepods.slice/${CONTAINER}`

/** CPUs 2-5 of nodes 1 and 2 are the container's; the pod itself may use all. */
const FILES: Readonly<Record<string, string>> = {
  'proc/200/comm': 'virt-launcher\n',
  'proc/200/cgroup': `0::/../../${CONTAINER}\n`,
  'proc/200/status': 'Name:\tvirt-launcher\nCpus_allowed_list:\t0-7\nMems_allowed_list:\t0-3\n',
  'proc/201/cgroup': '0::/../../system.slice/sshd.service\n',
  [`proc/${QEMU}/cgroup`]: `0::/../../${CONTAINER}\n`,
  [`${CGROUP}/cpuset.cpus.effective`]: '2-5\n',
  [`${CGROUP}/cpuset.mems.effective`]: '1-2\n',
  [`${dirname(CGROUP)}/cpuset.cpus.effective`]: '0-7\n',
  [`${dirname(CGROUP)}/cpuset.mems.effective`]: '0-3\n',
}

/** Free pages of 2 MiB by node; others keep what was captured. */
type FreePages = Readonly<Record<number, number>>

/** The folder with the node's proc/ and sys/. libvirt's status file is in the pod, not on the node. */
export function nodeFolder(t: Test): string {
  const root = folder(t)
  execFileSync('tar', ['-xzf', 'test/guests/placed/guest.tar.gz', '-C', root])
  for (const [path, text] of Object.entries(FILES)) write(root, path, text)
  mkdirSync(join(root, `proc/${QEMU}/root/var`), { recursive: true })
  renameSync(join(root, 'run'), join(root, `proc/${QEMU}/root/var/run`))
  return root
}

/** Changes the pools of some nodes. */
export function setFreePages(root: string, free: FreePages): void {
  for (const [node, pages] of Object.entries(free)) {
    const at = `sys/devices/system/node/node${node}/hugepages/hugepages-2048kB`
    write(root, `${at}/nr_hugepages`, '64\n')
    write(root, `${at}/free_hugepages`, `${pages}\n`)
  }
}

/** Moves what QEMU has of one node to another. */
export function moveMemory(root: string, from: number, to: number): void {
  const path = `proc/${QEMU}/numa_maps`
  const text = readFileSync(join(root, path), 'utf8')
  write(root, path, text.replaceAll(new RegExp(` N${from}=`, 'g'), ` N${to}=`))
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** The guest of test/serve/guest.ts in that pod. */
export function vmiOnNode(annotations?: object, status: object = { activePods: { [UID]: NODE } }): string {
  return JSON.stringify({ ...JSON.parse(vmi(annotations)), status })
}
