// What is read of a machine for one placement: the long lists of /proc at most once, and not without need.

import t from 'tap'
import { loadedLibvirt } from '../../src/host/daemon.ts'
import type { Files } from '../../src/host/files.ts'
import { readMachine } from '../../src/machine/host-source.ts'
import { filesOf, NODE, PID, type Tree, WELL } from './well-host.ts'

const MAPS = `${PID}/maps`
const MOUNTED: Tree = {
  ...WELL,
  [MAPS]: '7f00-7f01 r-xp 00000000 08:01 1 /usr/lib64/libvirt.so.0.9002.1\n',
  '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  '/proc/self/cgroup': '0::/pod\n',
  '/proc/self/status': 'Name:\tsh\nUid:\t0\t0\t0\t0\n',
  '/sys/fs/cgroup/cpuset.cpus.effective': '0-7\n',
  '/sys/fs/cgroup/cpuset.mems.effective': '0-1\n',
  '/sys/fs/cgroup/pod/cpuset.cpus.effective': '4-7\n',
  '/sys/fs/cgroup/pod/cpuset.mems.effective': '1\n',
  '/sys/fs/cgroup/machine.slice/cpuset.cpus.effective': '2-7\n',
}

/** How often each file was read for a guest that is placed, and what came out. */
function readFor(tree: Tree, options: Parameters<typeof readMachine>[1]) {
  const files = filesOf(tree)
  const times = new Map<string, number>()
  const counting: Files = {
    ...files,
    read: (path) => {
      times.set(path, (times.get(path) ?? 0) + 1)
      return files.read(path)
    },
  }
  return { source: readMachine(counting, options), timesOf: (path: string): number => times.get(path) ?? 0 }
}

const GUEST = { guest: { partition: '/machine', confinedBy: 'each' } } as const

t.test('the mounts of this process are read once', (t) => {
  const { source, timesOf } = readFor(MOUNTED, GUEST)
  t.same(source.allowed.cpus, [4, 5, 6, 7], 'within the pod and the partition')
  t.equal(timesOf('/proc/self/mountinfo'), 1)
  t.ok(timesOf('/proc/mounts') <= 1)
  t.end()
})

t.test("the daemon's version is read where a node has no CPUs", (t) => {
  t.equal(loadedLibvirt(filesOf(MOUNTED)), '9.2.1', 'the tree states it')
  const everywhere = readFor(MOUNTED, GUEST)
  t.equal(everywhere.timesOf(MAPS), 0, 'every node has CPUs')
  t.notOk('libvirt' in everywhere.source.host)
  const bare = readFor({ ...MOUNTED, [`${NODE}/node1/cpulist`]: '\n' }, GUEST)
  t.equal(bare.timesOf(MAPS), 1, 'a node without CPUs')
  t.equal(bare.source.host.libvirt, '9.2.1')
  t.equal(readFor(MOUNTED, { whole: true }).source.host.libvirt, '9.2.1', 'a snapshot states all')
  t.end()
})
