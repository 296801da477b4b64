// A Kubernetes-like node on cgroup v2, captured four times: from the host, and from three pods with a cgroup
// namespace each. What we report of its processes and cgroups must be what its kernel
// reports.

import t from 'tap'
import { type CpuSet, formatSet } from '../../src/base/idset.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import { onlineCpus } from '../../src/host/sysfs.ts'
import { runApart } from '../apart.ts'
import { podScopes, sleepers } from '../e2e/four-node/tree.ts'
import { fileOf, filesOf, processes, readings } from './captured.ts'

const ROOT = '/sys/fs/cgroup'
const { guaranteed, burstable, 'one-node': oneNode } = podScopes
const { sidecar, web, builder } = sleepers as Record<'sidecar' | 'web' | 'builder', string>
const qemu = 'machine/qemu-1-db1.libvirt-qemu/emulator'

t.test('from the host', (t) => {
  t.same(readings(filesOf('host')), [
    `builder: CPUs 7, nodes 0-3, pages no limit; confines CPUs; ${ROOT}/${builder}, cpuset`,
    `libvirtd: CPUs 0-1, nodes 0, pages no limit; confines CPUs and nodes; ${ROOT}/${oneNode}, cpuset`,
    `libvirtd: CPUs 2-5, nodes 1-2, pages 64 of 2048 KiB; confines CPUs and nodes; ` +
      `${ROOT}/${guaranteed}/init, cpuset`,
    `libvirtd: CPUs 4,6, nodes 2-3, pages 64 of 2048 KiB; confines CPUs and nodes; ` +
      `${ROOT}/${burstable}, cpuset`,
    `qemu-system-x86: CPUs 2,4, nodes 1-2, pages 64 of 2048 KiB; confines CPUs and nodes; ` +
      `${ROOT}/${guaranteed}/${qemu}, cpuset`,
    `self: CPUs 0-7, nodes 0-3, pages no limit; confines nothing; ${ROOT}, cpuset`,
    `sidecar: CPUs 7, nodes 0-3, pages 0 of 2048 KiB; confines CPUs; ${ROOT}/${sidecar}, cpuset`,
    `web: CPUs 0-7, nodes 0-3, pages no limit; confines nothing; ${ROOT}/${web}, cpuset`,
  ])
  t.end()
})

t.test(
  'from a pod that mounts its own cgroup namespace: the limit of the pod above the container is not visible',
  (t) => {
    const at = (place: string) =>
      readings(filesOf(place)).filter((line) => /^(self|qemu)/.test(line) || line.includes(`; ${ROOT}`))
    t.same(at('guaranteed'), [
      `libvirtd: CPUs 2-5, nodes 1-2, pages no limit; confines CPUs and nodes; ${ROOT}/init, cpuset`,
      `qemu-system-x86: CPUs 2,4, nodes 1-2, pages no limit; confines CPUs and nodes; ` +
        `${ROOT}/${qemu}, cpuset`,
      `self: CPUs 2-5, nodes 1-2, pages no limit; confines CPUs and nodes; ${ROOT}/init, cpuset`,
    ])
    t.same(
      at('burstable'),
      [
        `libvirtd: CPUs 4,6, nodes 2-3, pages 64 of 2048 KiB; confines CPUs and nodes; ${ROOT}, cpuset`,
        'qemu-system-x86: CPUs 2,4, nodes 1-2, pages no limit; confines CPUs and nodes; no folder',
        `self: CPUs 4,6, nodes 2-3, pages 64 of 2048 KiB; confines CPUs and nodes; ${ROOT}, cpuset`,
      ],
      'of a process in another pod, only its status can be read',
    )
    t.end()
  },
)

t.test('from a pod that sees the host’s mount: cgroups below the namespace cannot be found by name', (t) => {
  t.same(
    readings(filesOf('one-node')).filter((line) => line.startsWith('self')),
    ['self: CPUs 0-1, nodes 0, pages no limit; confines CPUs and nodes; no folder'],
  )
  t.end()
})

t.test('CPUs and nodes are those of the process itself', (t) => {
  for (const place of ['host', 'guaranteed', 'burstable', 'one-node']) {
    const files = filesOf(place)
    const online = onlineCpus(files) as CpuSet
    for (const [name, pid] of processes(files)) {
      const status = Buffer.from(files.read(`/proc/${pid}/status`) ?? '').toString()
      const { allowed } = readCgroup(files, { pid }, online)
      const said = (key: string): string | undefined =>
        new RegExp(`^${key}:\\s*(\\S+)$`, 'm').exec(status)?.[1]
      t.equal(formatSet(allowed.cpus ?? []), said('Cpus_allowed_list'), `${name}, seen from ${place}: CPUs`)
      t.equal(formatSet(allowed.nodes ?? []), said('Mems_allowed_list'), `${name}, seen from ${place}: nodes`)
    }
  }
  t.end()
})

t.test('snapshot of a process and of a cgroup', (t) => {
  const snapshot = (place: string, ...words: string[]): Record<string, unknown> => {
    const { status, stdout, stderr } = runApart(process.execPath, [
      'dist/virt-numa.cjs',
      'snapshot',
      '--host',
      fileOf(place),
      ...words,
    ])
    t.equal(status, 0, `${place} ${words.join(' ')}: ${stderr || 'nothing on stderr'}`)
    return JSON.parse(stdout)
  }
  const limit = { pagesizeKiB: 2048, max: 64 }
  const [, pid] = processes(filesOf('host')).find(([name]) => name === 'qemu-system-x86') ?? []
  const whole = snapshot('host', '--pid', String(pid))
  t.same(
    whole.allowed,
    { cpus: '2,4', nodes: '1-2', pages: [{ ...limit, used: 64 }] },
    'the guest uses all pages of its limit',
  )
  t.same(
    (whole.nodes as { cpus: string; pages: unknown[] }[]).map((node) => [node.cpus, node.pages[0]]),
    [
      ['0-1', { pagesizeKiB: 2048, total: 64, free: 64 }],
      ['2-3', { pagesizeKiB: 2048, total: 64, free: 32 }],
      ['4-5', { pagesizeKiB: 2048, total: 64, free: 32 }],
      ['6-7', { pagesizeKiB: 2048, total: 64, free: 64 }],
    ],
    'while the guest runs on nodes 1 and 2',
  )
  t.same(snapshot('host', '--cgroup', `/${burstable}`).allowed, { cpus: '4,6', nodes: '2-3', pages: [limit] })
  t.same(
    snapshot('host', '--cgroup', `${ROOT}/${builder}`).allowed,
    { cpus: '7', nodes: '0-3' },
    'a container in a container',
  )
  t.same(snapshot('guaranteed', '--cgroup', ROOT).allowed, { cpus: '2-5', nodes: '1-2' })
  t.same(snapshot('host').allowed, undefined, 'the cgroup of the caller does not apply to a captured machine')
  t.end()
})
