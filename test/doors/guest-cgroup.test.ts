// Which cgroup holds the QEMU of a guest that has not been started: that of the daemon, or a partition.

import t from 'tap'
import { type CpuSet, formatSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import { guestAllowed } from '../../src/machine/guest-cgroup.ts'
import { filesOf, MACHINED, NODE, type Tree } from './well-host.ts'

/** The files of a daemon in a pod of node 1 with one page of 1 GiB, and a /machine that allows CPUs 2-7. */
const POD = {
  1: {
    '/proc/self/mountinfo':
      '31 23 0:26 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n' +
      '32 23 0:27 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n',
    '/proc/self/cgroup': '2:cpuset:/pod\n1:hugetlb:/pod\n',
    '/sys/fs/cgroup/cpuset/cpuset.effective_cpus': '0-7\n',
    '/sys/fs/cgroup/cpuset/cpuset.effective_mems': '0-1\n',
    '/sys/fs/cgroup/cpuset/pod/cpuset.effective_cpus': '4-7\n',
    '/sys/fs/cgroup/cpuset/pod/cpuset.effective_mems': '1\n',
    '/sys/fs/cgroup/cpuset/machine/cpuset.effective_cpus': '2-7\n',
    '/sys/fs/cgroup/cpuset/machine/cpuset.effective_mems': '0-1\n',
    '/sys/fs/cgroup/hugetlb/pod/hugetlb.1GB.limit_in_bytes': '1073741824\n',
    '/sys/fs/cgroup/hugetlb/machine/hugetlb.1GB.limit_in_bytes': '3221225472\n',
  },
  2: {
    '/proc/self/mountinfo': '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    '/proc/self/cgroup': '0::/pod\n',
    '/sys/fs/cgroup/cpuset.cpus.effective': '0-7\n',
    '/sys/fs/cgroup/cpuset.mems.effective': '0-1\n',
    '/sys/fs/cgroup/pod/cpuset.cpus.effective': '4-7\n',
    '/sys/fs/cgroup/pod/cpuset.mems.effective': '1\n',
    '/sys/fs/cgroup/pod/hugetlb.1GB.max': '1073741824\n',
    '/sys/fs/cgroup/machine/cpuset.cpus.effective': '2-7\n',
    '/sys/fs/cgroup/machine/cpuset.mems.effective': '0-1\n',
    '/sys/fs/cgroup/machine/hugetlb.1GB.max': '3221225472\n',
  },
} as const

/** What else decides where QEMU is. */
const ROOT = { '/proc/self/status': 'Name:\tsh\nUid:\t0\t0\t0\t0\n' }
const OTHER_USER = { '/proc/self/status': 'Uid:\t107\t107\t107\t107\n' }
const conf = (controllers: string) => ({ '/etc/libvirt/qemu.conf': `cgroup_controllers = ${controllers}\n` })

/** "4-7 on 1, 1 page": what a guest in /machine may use. */
function mayUseIn(version: 1 | 2, more: Tree, confinedBy: 'each' | 'actual' = 'actual'): string {
  const files = filesOf({
    [`${NODE}/has_memory`]: '0-1\n',
    ...(version === 1 ? { ...POD[1] } : { ...POD[2] }),
    ...more,
  })
  const online = parseSet<CpuSet>('0-7', 'test')
  const own = readCgroup(files, { pid: 'self' }, online)
  const place = { partition: '/machine', confinedBy }
  const { cpus = [], nodes = [], pages = [] } = guestAllowed(files, own, place, online)
  return `${formatSet(cpus)} on ${formatSet(nodes)}, ${pages.map(({ max }) => max).join()}`
}

t.test('the cgroup that QEMU will be in decides what a guest may use', (t) => {
  const pod = '4-7 on 1, 1'
  for (const version of [1, 2] as const) {
    const mayUse = (...more: readonly Tree[]) => mayUseIn(version, Object.assign({}, ...more))
    const pages = version === 1 ? 1 : 3
    t.equal(mayUse(ROOT, conf('[]')), pod, 'no controllers: QEMU stays in the cgroup of the daemon')
    t.equal(mayUse(OTHER_USER), pod, 'and so with a daemon that is not root')
    t.equal(mayUse(ROOT), `2-7 on , ${pages}`, 'else in /machine; libvirt leaves the hugetlb of v1 alone')
    t.equal(mayUse(ROOT, conf('[ "cpuset" ]')), `2-7 on , ${pages}`)
    const moved = version === 1 ? pod : '2-7 on , 3'
    t.equal(mayUse(ROOT, conf('[]'), MACHINED), moved, 'systemd-machined moves it, but has no cpuset of v1')
    t.equal(mayUse(ROOT, conf('[ "cpuset"')), pod, 'where it is not known, what both allow')
    t.equal(mayUse(), pod, 'nor is the user')
    const narrow =
      version === 1
        ? '/sys/fs/cgroup/cpuset/machine/cpuset.effective_cpus'
        : '/sys/fs/cgroup/machine/cpuset.cpus.effective'
    t.equal(mayUse({ [narrow]: '2-5\n' }), '4-5 on 1, 1')
    t.equal(mayUse({ [narrow]: '0-3\n' }), pod, 'our own, where they share nothing')
    t.equal(mayUse({ ...ROOT, [narrow]: '0-3\n' }), `0-3 on , ${pages}`)
    t.equal(mayUseIn(version, ROOT, 'each'), pod, 'a placement stays within both')
  }
  t.equal(mayUseIn(1, { ...ROOT, ...conf('[ "cpu", "memory" ]') }), pod, 'no cpuset of v1')
  t.equal(mayUseIn(2, { ...ROOT, ...conf('[ "cpu", "memory" ]') }), '2-7 on , 3', 'v2 is one hierarchy')
  const none = Object.fromEntries(
    Object.keys(POD[2])
      .filter((path) => path.includes('/machine/'))
      .map((path) => [path, '']),
  )
  t.equal(mayUseIn(2, { ...ROOT, ...none }), ' on , ', 'libvirt creates /machine below the root')
  t.equal(
    mayUseIn(2, { ...ROOT, ...none, '/sys/fs/cgroup/cpuset.cpus.effective': '0-5\n' }),
    '0-5 on , ',
    'whose limits it has',
  )
  t.end()
})
