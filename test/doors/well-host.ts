// The files of a captured host on which doctor's only finding is that the hook is not installed.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CpuSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import type { Inspection } from '../../src/doctor/inspection.ts'
import { folder as emptyFolder, filesOfTree, put } from '../../src/host/capture/tree.ts'
import { selinuxMode } from '../../src/host/confinement.ts'
import { readDaemon } from '../../src/host/daemon.ts'
import type { Files } from '../../src/host/files.ts'
import { parts } from '../../src/host/paths.ts'
import { readHost } from '../../src/host/sysfs.ts'
import { readQemuConf } from '../../src/machine/read/qemu-conf.ts'

/** Files by path. */
export type Tree = Readonly<Record<string, string>>

/** The folder of the nodes. */
export const NODE = '/sys/devices/system/node'
/** The folder of the daemon. */
export const PID = '/proc/812'

/** Two nodes, each with four CPUs and 512 pages of 2 MiB; cgroup v2; a libvirtd without problems. */
export const WELL: Tree = {
  '/sys/devices/system/cpu/online': '0-7\n',
  [`${NODE}/online`]: '0-1\n',
  [`${NODE}/has_memory`]: '0-1\n',
  [`${NODE}/node0/cpulist`]: '0-3\n',
  [`${NODE}/node1/cpulist`]: '4-7\n',
  [`${NODE}/node0/meminfo`]: 'Node 0 MemTotal: 4194304 kB\n',
  [`${NODE}/node1/meminfo`]: 'Node 1 MemTotal: 4194304 kB\n',
  [`${NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages`]: '512\n',
  [`${NODE}/node0/hugepages/hugepages-2048kB/free_hugepages`]: '500\n',
  [`${NODE}/node1/hugepages/hugepages-2048kB/nr_hugepages`]: '512\n',
  [`${NODE}/node1/hugepages/hugepages-2048kB/free_hugepages`]: '512\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages': '3\n',
  '/proc/meminfo': 'MemTotal: 8388608 kB\nHugepagesize: 2048 kB\n',
  '/proc/sys/kernel/osrelease': '6.1.0\n',
  '/proc/stat': 'cpu 1 2 3\nbtime 1000000\n',
  '/proc/mounts': 'none /dev/hugepages hugetlbfs rw,pagesize=2M 0 0\n',
  '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu memory hugetlb\n',
  '/sys/fs/cgroup/cpuset.cpus.effective': '0-7\n',
  '/sys/fs/cgroup/system.slice/libvirtd.service/cpuset.cpus.effective': '0-7\n',
  '/run/libvirtd.pid': '812\n',
  [`${PID}/comm`]: 'libvirtd\n',
  [`${PID}/stat`]: `812 (lib) virtd) S 1 812 812 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 17 0 5050 1 2\n`,
  [`${PID}/status`]: 'Name:\tlibvirtd\nCapBnd:\t000001ffffffffff\nSeccomp:\t0\n',
  [`${PID}/cgroup`]: '0::/system.slice/libvirtd.service\n',
  [`${PID}/mounts`]: 'none /dev/hugepages hugetlbfs rw,pagesize=2M 0 0\n',
  [`${PID}/root/dev/hugepages/libvirt/qemu/empty`]: '',
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nlibvirt-qemu:x:64055:108::/var/lib/libvirt:/bin/false\n',
  '/etc/group': 'root:x:0:\nkvm:x:105:db1,libvirt-qemu\nlibvirt-qemu:x:108:\n',
}

/** An empty text removes a file: no captured file is empty here. */
export function filesOf(tree: Tree): Files {
  const root = emptyFolder()
  for (const [path, text] of Object.entries(tree)) {
    if (text !== '' || path.endsWith('/empty'))
      put(root, parts(path), { kind: 'file', content: Buffer.from(text) })
  }
  return filesOfTree(root)
}

/** systemd-machined, which moves guests whatever qemu.conf says. */
export const MACHINED: Tree = {
  '/run/systemd/system/empty': '',
  '/usr/share/dbus-1/system-services/org.freedesktop.machine1.service': '[D-BUS Service]\n',
}

/** The hook, correctly installed. */
export const HOOK = {
  path: '/etc/libvirt/hooks/qemu',
  mode: 0o755,
  node: '/usr/bin/node',
  program: '/opt/virt-numa/dist/hooks/qemu.cjs',
  missing: [],
  exposed: [],
}

/** The input of doctor for this host, with some files and findings replaced. */
export function inspectionOf(change: Tree = {}, more: Partial<Inspection> = {}): Inspection {
  const files = filesOf({ ...WELL, ...change })
  const daemon = readDaemon(files)
  return {
    files,
    host: readHost(files),
    isThisHost: true,
    versions: { libvirt: '9.0.0', qemu: '7.2.22', node: '20.20.0' },
    ...(daemon && { daemon }),
    config: { path: '/etc/libvirt/virt-numa.conf', isThere: true, found: [] },
    qemuConf: readQemuConf(files),
    hooksFolder: '/etc/libvirt/hooks',
    hooks: [HOOK],
    otherHooks: [],
    isHookSeen: true,
    selinux: selinuxMode(files),
    policy: [],
    partition: { name: 'machine.slice', cpus: parseSet<CpuSet>('0-7', 'test') },
    kvm: { uid: 0, gid: 105, mode: 0o20660 },
    ...more,
  }
}

/** Writes the files below a folder, and returns it. */
export function writeTree(folder: string, tree: Tree): string {
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
