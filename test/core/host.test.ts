// Reading hosts: small machines with every irregularity that a source can have, and every refusal.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, formatSet, type NodeSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { readCapabilities } from '../../src/host/capabilities.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { anonymous, formatSnapshot } from '../../src/host/capture/snapshot-text.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import type { Files } from '../../src/host/files.ts'
import { hostFor, resourcesOf } from '../../src/host/resources.ts'
import { readHost } from '../../src/host/sysfs.ts'
import type { Host } from '../../src/model/host.ts'
import { fake } from './fake-files.ts'
import { worded } from './worded.ts'

const CPU = '/sys/devices/system/cpu'
const NODE = '/sys/devices/system/node'
const cpus = (text: string): CpuSet => parseSet<CpuSet>(text, 'test')
const nodes = (text: string): NodeSet => parseSet<NodeSet>(text, 'test')

function refusalOf(run: () => unknown): { codes: string[]; whats: string[]; fixes: (string | undefined)[] } {
  try {
    run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const diagnostics = error.diagnostics.map(worded)
    return {
      codes: diagnostics.map(({ code }) => code),
      whats: diagnostics.map(({ what }) => what),
      fixes: diagnostics.map(({ fix }) => fix),
    }
  }
  return { codes: [], whats: [], fixes: [] }
}

// ---- sysfs ----

const twoNodes: Record<string, string> = {
  [`${CPU}/online`]: '0-3,8-10\n',
  [`${CPU}/isolated`]: '2-3,11\n',
  [`${CPU}/cpu0/topology/thread_siblings_list`]: '0,8\n',
  [`${CPU}/cpu8/topology/thread_siblings_list`]: '0,8\n',
  [`${CPU}/cpu1/topology/core_cpus_list`]: '1,9\n',
  [`${CPU}/cpu2/topology/thread_siblings`]: '00000404\n',
  [`${CPU}/cpu3/topology/thread_siblings_list`]: '3,11\n',
  [`${CPU}/cpu0/cache/index2/level`]: '2\n',
  [`${CPU}/cpu0/cache/index3/level`]: '3\n',
  [`${CPU}/cpu0/cache/index3/id`]: '0\n',
  [`${CPU}/cpu0/cache/index3/shared_cpu_list`]: '0-1,8-9,11\n',
  [`${CPU}/cpu2/cache/index2/level`]: '3\n',
  [`${CPU}/cpu2/cache/index2/shared_cpu_map`]: '00000404\n',
  [`${CPU}/cpu0/topology/physical_package_id`]: '0\n',
  [`${CPU}/cpu0/topology/package_cpus_list`]: '0-1,8-9\n',
  [`${CPU}/cpu0/topology/die_id`]: '0\n',
  [`${CPU}/cpu0/topology/die_cpus_list`]: '0,8\n',
  [`${CPU}/cpu0/topology/cluster_id`]: '65535\n',
  [`${CPU}/cpu1/topology/physical_package_id`]: '0\n',
  [`${CPU}/cpu1/topology/die_id`]: '1\n',
  [`${CPU}/cpu2/topology/physical_package_id`]: '-1\n',
  [`${CPU}/cpu9/topology/physical_package_id`]: '0\n',
  [`${CPU}/cpu9/topology/die_id`]: '1\n',
  [`${NODE}/online`]: '0,4\n\0',
  [`${NODE}/node0/cpulist`]: '0-1,8-9\n\0\0',
  [`${NODE}/node0/meminfo`]:
    'Node 0 MemTotal:       33554432 kB\nNode 0 MemFree:        30000000 kB\n' +
    'Node 0 Inactive(file):  3000000 kB\nNode 0 SReclaimable:     100000 kB\n',
  [`${NODE}/node0/distance`]: '10 21\n',
  [`${NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages`]: '512\n',
  [`${NODE}/node0/hugepages/hugepages-2048kB/free_hugepages`]: '510\n',
  [`${NODE}/node0/hugepages/hugepages-1048576kB/nr_hugepages`]: '4\n',
  [`${NODE}/node0/hugepages/hugepages-1048576kB/free_hugepages`]: '5\n',
  [`${NODE}/node1/cpulist`]: '3\n',
  [`${NODE}/node4/cpumap`]: '00000000,00000c0c\n',
  [`${NODE}/node4/distance`]: '21 10 30\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages': '3\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages': '64\n',
  '/sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages': '1\n',
  '/proc/meminfo': 'MemTotal: 1 kB\nHugepagesize:       2048 kB\n',
  '/proc/mounts': 'none /dev/hugepages hugetlbfs rw,relatime 0 0\ntmpfs /tmp tmpfs rw,pagesize=1024M 0 0\n',
}

t.test('a machine with a gap in its node ids, an offline CPU and incomplete facts', (t) => {
  t.same(readHost(fake(twoNodes)), {
    nodes: [
      {
        id: 0,
        cpus: [0, 1, 8, 9],
        memoryKiB: 33554432,
        freeKiB: 30000000,
        availableKiB: 33100000,
        pages: [
          { pagesizeKiB: 2048, total: 512, free: 510 },
          { pagesizeKiB: 1048576, total: 4, free: 4 },
        ],
        distances: [10, 21],
      },
      { id: 4, cpus: [2, 3, 10], pages: [] },
    ],
    siblings: [
      [0, 8],
      [1, 9],
      [2, 10],
    ],
    caches: [{ id: 0, cpus: [0, 1, 8, 9] }, { cpus: [2, 10] }],
    sockets: [[0, 1, 8, 9]],
    dies: [
      [0, 8],
      [1, 9],
    ],
    pools: [
      { pagesizeKiB: 2048, reserved: 3, overcommit: 64, surplus: 1, mounted: true },
      { pagesizeKiB: 1048576, mounted: false },
    ],
    defaultPagesizeKiB: 2048,
    isolated: [2, 3],
  })
  t.end()
})

t.test('available memory needs each of its parts, and is at most the total', (t) => {
  const available = (...lines: string[]) => {
    const meminfo = lines.map((line) => `Node 0 ${line} kB\n`).join('')
    return readHost(fake({ [`${NODE}/node0/cpulist`]: '0\n', [`${NODE}/node0/meminfo`]: meminfo })).nodes[0]
      ?.availableKiB
  }
  t.equal(available('MemTotal: 90', 'MemFree: 50', 'Inactive(file): 20', 'SReclaimable: 7'), 77)
  t.equal(available('MemTotal: 60', 'MemFree: 50', 'Inactive(file): 20', 'SReclaimable: 7'), 60)
  t.equal(available('MemFree: 0', 'Inactive(file): 0', 'SReclaimable: 0'), 0)
  t.equal(available('MemTotal: 90', 'MemFree: 50', 'Inactive(file): 20'), undefined)
  t.equal(available('MemTotal: 90', 'MemFree: 50', 'Inactive: 20', 'SReclaimable: 7'), undefined)
  t.equal(available('MemTotal: 90', 'Inactive(file): 20', 'SReclaimable: 7'), undefined)
  t.end()
})

t.test('siblings are read only for the CPUs of the scope, once per core', (t) => {
  const asked: string[] = []
  const host = readHost(fake(twoNodes, asked), cpus('0,8,77'))
  t.same(host.siblings, [[0, 8]])
  t.same(host.caches, [{ id: 0, cpus: [0, 1, 8, 9] }])
  t.same(host.sockets, [[0, 1, 8, 9]])
  t.same(
    asked.filter((path) => path.endsWith('_list')),
    [
      `${CPU}/cpu0/topology/thread_siblings_list`,
      `${CPU}/cpu0/cache/index3/shared_cpu_list`,
      `${CPU}/cpu0/topology/package_cpus_list`,
      `${CPU}/cpu0/topology/die_cpus_list`,
    ],
  )
  t.equal(host.nodes.length, 2, 'the nodes still have all their CPUs')
  const placing: string[] = []
  const { sockets, dies, ...others } = readHost(fake(twoNodes, placing), cpus('0,8,77'), 'for-placement')
  t.same([sockets, dies], [undefined, undefined], 'what no placement looks at is not read')
  t.same(others.caches, host.caches)
  t.notOk(placing.some((path) => /package|die_cpus/.test(path)))
  t.end()
})

t.test('a kernel without NUMA has one node, 0', (t) => {
  const host = readHost(
    fake({
      [`${CPU}/cpu0/topology/thread_siblings_list`]: '0\n',
      [`${CPU}/cpu1/online`]: '1\n',
      [`${CPU}/cpu2/online`]: '0\n',
      [`${NODE}/possible`]: '0\n',
      '/proc/meminfo': 'MemTotal:        2053992 kB\nMemFree:         1000 kB\n',
      '/sys/kernel/mm/hugepages/hugepages-1024kB/nr_hugepages': '7\n',
      '/proc/self/mounts': 'x /a hugetlbfs rw,pagesize=1M 0 0\n',
    }),
  )
  t.same(host, {
    nodes: [
      { id: 0, cpus: [0, 1], memoryKiB: 2053992, freeKiB: 1000, pages: [{ pagesizeKiB: 1024, total: 7 }] },
    ],
    siblings: [],
    pools: [{ pagesizeKiB: 1024, mounted: true }],
  })
  t.end()
})

t.test('without the online files: folders, cpuN/online, links to CPUs; garbage counts as unknown', (t) => {
  const host = readHost(
    fake({
      [`${CPU}/cpu0/x`]: '',
      [`${CPU}/cpu1/online`]: '0',
      [`${CPU}/cpu2/topology/thread_siblings_list`]: '0\n',
      [`${CPU}/cpufreq/x`]: '',
      [`${NODE}/node0/cpu0/x`]: '',
      [`${NODE}/node0/cpu1/x`]: '',
      [`${NODE}/node0/cpu2/x`]: '',
      [`${NODE}/node0/distance`]: '0\n',
      [`${NODE}/node0/meminfo`]: 'rubbish',
      [`${NODE}/node0/hugepages/hugepages-2048kB/nr_hugepages`]: '-1',
      [`${NODE}/node3/cpulist`]: '2-x\n',
      [`${NODE}/node3/cpumap`]: '00000004\n',
      '/proc/mounts': 'x /a hugetlbfs rw 0 0\n',
    }),
  )
  t.same(host, {
    nodes: [
      { id: 0, cpus: [0, 2], pages: [] },
      { id: 3, cpus: [], pages: [] },
    ],
    siblings: [],
  })
  t.end()
})

t.test('a host without any CPU is refused', (t) => {
  t.same(refusalOf(() => readHost(fake({}))).codes, ['host-unreadable'])
  t.same(refusalOf(() => readHost(fake({ '/proc/meminfo': 'MemTotal: 1 kB\n' }))).codes, ['host-unreadable'])
  t.same(
    readHost(fake({ [`${NODE}/node2/cpulist`]: '5\n' })).nodes,
    [{ id: 2, cpus: [5], pages: [] }],
    'node folders alone are enough',
  )
  t.end()
})

// ---- tar ----

interface Member {
  readonly name: string
  readonly type?: string
  readonly target?: string
  readonly text?: string
  readonly prefix?: string
  readonly magic?: string
}

function block({
  name,
  type = '0',
  target = '',
  text = '',
  prefix = '',
  magic = 'ustar\x0000',
}: Member): Buffer {
  const header = Buffer.alloc(512)
  const content = Buffer.from(text)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(target, 157)
  header.write(magic, 257, 'latin1')
  header.write(prefix, 345)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
const tar = (...members: Member[]): Buffer => Buffer.concat([...members.map(block), Buffer.alloc(1024)])
const pax = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  const length = [2, 3]
    .map((digits) => digits + Buffer.byteLength(rest))
    .find((sum) => String(sum).length + Buffer.byteLength(rest) === sum)
  return `${length}${rest}`
}
const textIn = (files: Files, path: string): string | undefined => {
  const bytes = files.read(path)
  return bytes && Buffer.from(bytes).toString()
}

t.test('ustar, GNU and pax names, links of all kinds', (t) => {
  const long = `sys/${'d'.repeat(120)}/file`
  const files = filesOfTar(
    tar(
      { name: './host/', type: '5' },
      { name: './host/sys/a/online', text: '0-3\n' },
      { name: 'b', prefix: 'host/sys', text: 'prefixed' },
      { name: 'host/sys/old', magic: 'ustar  \0', prefix: 'not a prefix', text: 'gnu' },
      { name: '././@LongLink', type: 'L', text: `host/${long}\0` },
      { name: 'cut', text: 'long' },
      { name: 'host/sys/pax', type: 'x', text: pax('path', 'host/sys/päx') + pax('mtime', '1.5') },
      { name: 'host/sys/short', text: 'pax' },
      { name: 'host/sys/link', type: '2', target: '../sys/a' },
      { name: 'host/sys/absolute', type: '2', target: '/sys/a/online' },
      { name: 'host/sys/out', type: '2', target: '../../../../sys/b' },
      { name: 'host/sys/nowhere', type: '2', target: 'missing' },
      { name: 'host/sys/loop', type: '2', target: 'loop' },
      { name: 'x', type: 'K', text: 'a/./online\0' },
      { name: 'host/sys/longlink', type: '2', target: 'cut' },
      { name: 'host/sys/hard', type: '1', target: 'host/sys/a/online' },
      { name: 'host/sys/dead', type: '1', target: 'host/sys/none' },
      { name: 'host/sys/device', type: '3' },
      { name: 'elsewhere/file', text: 'outside of the machine' },
    ),
  )
  t.equal(textIn(files, '/sys/a/online'), '0-3\n')
  t.equal(textIn(files, '/sys/b'), 'prefixed')
  t.equal(textIn(files, '/sys/old'), 'gnu')
  t.equal(textIn(files, `/${long}`), 'long')
  t.equal(textIn(files, '/sys/päx'), 'pax')
  t.equal(textIn(files, '/sys/link/online'), '0-3\n', 'a link in the middle')
  t.equal(textIn(files, '/sys/link/../b'), 'prefixed', '.. is that of the folder that the link leads to')
  t.equal(textIn(files, '/sys/absolute'), '0-3\n')
  t.equal(textIn(files, '/sys/out'), 'prefixed', '.. stops at the root')
  t.equal(textIn(files, '/sys/longlink'), '0-3\n')
  t.equal(textIn(files, '/sys/hard'), '0-3\n')
  for (const path of [
    '/sys/nowhere',
    '/sys/loop',
    '/sys/dead',
    '/sys/device',
    '/sys',
    '/elsewhere/file',
    '/sys/b/under',
  ]) {
    t.equal(files.read(path), undefined, path)
  }
  t.same(files.list('/'), ['sys'])
  t.same(files.list('/sys/a'), ['online'])
  t.same(files.list('/sys/link'), ['online'])
  t.equal(files.list('/sys/b'), undefined)
  t.equal(files.readlink('/sys/link'), '../sys/a')
  t.equal(files.readlink('/sys/a'), undefined)
  t.equal(files.readlink('/'), undefined)
  t.end()
})

t.test('the folder that is taken as the root', (t) => {
  const at = (...names: string[]) => filesOfTar(tar(...names.map((name) => ({ name, text: 'x' }))))
  t.equal(textIn(at('sys/devices/system/cpu/online'), `${CPU}/online`), 'x')
  t.equal(textIn(at('m/devices/system/cpu/online'), `${CPU}/online`), 'x', 'a copy of /sys itself')
  t.equal(textIn(at('m/fsroot/proc/meminfo', 'm/note'), '/proc/meminfo'), 'x')
  t.same(refusalOf(() => at('a/sys/x', 'b/sys/x')).whats, ['the tar has 2 machines: /a/, /b/'])
  t.same(refusalOf(() => at('readme')).whats, ['the tar has neither sys/ nor proc/'])
  t.end()
})

t.test('not a tar, or a truncated one', (t) => {
  const whole = tar({ name: 'sys/a', text: 'x'.repeat(600) })
  const whatOf = (bytes: Uint8Array): string => refusalOf(() => filesOfTar(bytes)).whats.join()
  t.match(whatOf(whole.subarray(0, 900)), /truncated: it has 900 bytes/)
  t.match(
    whatOf(whole.subarray(0, whole.length - 1024)),
    /truncated/,
    'the blocks of zeros at the end are missing',
  )
  t.match(whatOf(whole.subarray(0, 512 + 1024 + 100)), /truncated/)
  t.equal(whatOf(Buffer.alloc(0)), 'the file is not a tar archive')
  t.equal(whatOf(Buffer.from('<capabilities/>')), 'the file is not a tar archive')
  t.equal(whatOf(Buffer.alloc(2048, 65)), 'the file is not a tar archive')
  const packed: [number[], string][] = [
    [[0x1f, 0x8b], 'run gunzip on it first'],
    [[0x42, 0x5a, 0x68], 'run bunzip2 on it first'],
    [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'run unxz on it first'],
    [[0x28, 0xb5, 0x2f, 0xfd], 'run unzstd on it first'],
  ]
  for (const [magic, fix] of packed)
    t.same(refusalOf(() => filesOfTar(Buffer.from([...magic, ...Buffer.alloc(600)]))).fixes, [fix])
  const damaged = tar({ name: 'sys/a', text: 'x' }, { name: 'sys/b', text: 'y' })
  damaged[1024] = 0x7a
  t.match(whatOf(damaged), /header at byte 1024 does not match its checksum/)
  t.match(whatOf(tar({ name: 'sys/a', type: 'S' })), /sys\/a is stored as a sparse file/)
  t.end()
})

// ---- host.json ----

const full: Host = {
  nodes: [
    {
      id: 0,
      cpus: cpus('0-3,8-11'),
      memoryKiB: 33554432,
      freeKiB: 30000000,
      availableKiB: 31000000,
      pages: [{ pagesizeKiB: 2048, total: 512, free: 512 }],
      distances: [10, 21],
    },
    { id: 3, cpus: cpus(''), pages: [{ pagesizeKiB: 1048576, total: 2 }], distances: [21, 10] },
  ],
  siblings: [cpus('0,8'), cpus('1,9'), cpus('2,10')],
  caches: [{ id: 7, cpus: cpus('0-3,8-11') }, { cpus: cpus('12') }],
  sockets: [cpus('0-3,8-11'), cpus('12')],
  dies: [cpus('0-1,8-9'), cpus('2-3,10-11')],
  clusters: [cpus('0,8'), cpus('1,9')],
  pools: [
    { pagesizeKiB: 2048, reserved: 0, overcommit: 0, surplus: 0, mounted: true },
    { pagesizeKiB: 1048576 },
  ],
  defaultPagesizeKiB: 2048,
  isolated: cpus('2-3'),
  libvirt: '9.2.1',
  taken: [{ guest: 'db "1"', cpus: cpus('2,6') }, { cpus: cpus('7') }],
}
const allowed = { cpus: cpus('2-3,77'), nodes: nodes('0-3'), pages: [{ pagesizeKiB: 2048, max: 9 }] }

t.test('a snapshot reads back as it was written', (t) => {
  t.same(parseSnapshot(formatSnapshot(full, allowed), 'a'), { host: full, allowed })
  t.same(parseSnapshot(formatSnapshot(full), 'a'), { host: full })
  const about = {
    tool: '0.1.0',
    kernel: '6.1.0',
    libvirt: '9.0.0',
    cpuModel: 'x "y"',
    date: '2026-11-27T02:14:39Z',
  }
  t.same(parseSnapshot(formatSnapshot(full, allowed, about), 'a'), { host: full, allowed, about })
  t.equal(
    formatSnapshot(full, undefined, about).split('\n').at(-3),
    '  "about": { "tool": "0.1.0", "kernel": "6.1.0", "libvirt": "9.0.0", "cpuModel": "x \\"y\\"", ' +
      '"date": "2026-11-27T02:14:39Z" }',
  )
  const withAbout = (text: string) =>
    parseSnapshot(`{"nodes": [{"id": 0, "cpus": "0"}], "about": ${text}}`, 'a')
  t.same(withAbout('{"tool": "9", "rack": [7]}').about, { tool: '9' }, 'what later versions may add')
  t.throws(() => withAbout('[]'), { message: 'host-malformed' })
  t.throws(() => withAbout('{"kernel": 6}'), { message: 'host-malformed' })
  t.equal(
    formatSnapshot(full, allowed),
    [
      '{',
      '  "nodes": [',
      '    { "id": 0, "cpus": "0-3,8-11", "memoryKiB": 33554432, "freeKiB": 30000000, ' +
        '"availableKiB": 31000000,',
      '      "pages": [{ "pagesizeKiB": 2048, "total": 512, "free": 512 }],',
      '      "distances": [10, 21] },',
      '    { "id": 3, "cpus": "",',
      '      "pages": [{ "pagesizeKiB": 1048576, "total": 2 }],',
      '      "distances": [21, 10] }',
      '  ],',
      '  "siblings": ["0,8", "1,9", "2,10"],',
      '  "caches": [{ "id": 7, "cpus": "0-3,8-11" }, { "cpus": "12" }],',
      '  "sockets": ["0-3,8-11", "12"],',
      '  "dies": ["0-1,8-9", "2-3,10-11"],',
      '  "clusters": ["0,8", "1,9"],',
      '  "pools": [{ "pagesizeKiB": 2048, "reserved": 0, "overcommit": 0, "surplus": 0, "mounted": ' +
        'true }, { "pagesizeKiB": 1048576 }],',
      '  "defaultPagesizeKiB": 2048,',
      '  "isolated": "2-3",',
      '  "libvirt": "9.2.1",',
      '  "taken": [{ "guest": "db \\"1\\"", "cpus": "2,6" }, { "cpus": "7" }],',
      '  "allowed": { "cpus": "2-3,77", "nodes": "0-3", "pages": [{ "pagesizeKiB": 2048, "max": 9 }] }',
      '}',
      '',
    ].join('\n'),
  )
  t.end()
})

t.test('a snapshot without the names of guests', (t) => {
  t.same(anonymous(full).taken, [{ cpus: [2, 6] }, { cpus: [7] }])
  t.same({ ...anonymous(full), taken: full.taken }, full)
  t.end()
})

t.test('nodes in any order, a partial `allowed`', (t) => {
  const text = `\uFEFF{ "caches": ["2", { "id": 4, "cpus": "0-1" }], "sockets": ["2", "0-1"], "nodes": [
    { "id": 2, "cpus": "1", "distances": [10, 30] },
    { "id": 0, "cpus": "0", "memoryKiB": 0, "distances": [31, 10] } ],
    "siblings": ["4,5", "0,1"], "allowed": { "cpus": "1" } }`
  t.same(parseSnapshot(text, 'a'), {
    host: {
      nodes: [
        { id: 0, cpus: [0], memoryKiB: 0, pages: [], distances: [10, 31] },
        { id: 2, cpus: [1], pages: [], distances: [30, 10] },
      ],
      siblings: [
        [0, 1],
        [4, 5],
      ],
      caches: [{ id: 4, cpus: [0, 1] }, { cpus: [2] }],
      sockets: [[0, 1], [2]],
    },
    allowed: { cpus: [1], nodes: [2] },
  })
  t.end()
})

t.test('every mistake is reported with its path', (t) => {
  const text = JSON.stringify({
    nodes: [
      {
        id: 0,
        cpus: '0-3',
        memory: 5,
        freeKiB: 4,
        availableKiB: 5,
        memoryKiB: 3,
        pages: [
          { pagesizeKiB: 2048, total: 1, free: 2 },
          { pagesizeKiB: 2048, total: -1 },
        ],
      },
      { id: 0, cpus: '3-5', distances: [10], memoryKiB: 1.5 },
      { cpus: '6-', colour: 'red', distances: [10, 21, 9], pages: {} },
      { id: 9e15, cpus: 7, pages: [{ pagesizeKiB: 3000, total: '1' }] },
      null,
    ],
    siblings: ['0,1', '1,2', '', 'x'],
    caches: [{ id: 'a', cpus: '0-1' }, '1-2', { id: 3 }, 5],
    sockets: ['0', '0', ''],
    taken: [{ guest: 1, cpus: '1' }, { guest: 'a' }, 4],
    dies: {},
    pools: [{ pagesizeKiB: 2048, mounted: 1 }, { pagesizeKiB: 2048 }],
    allowed: { cpu: '1' },
    defaultPagesizeKiB: 0,
    isolated: [],
    libvirt: '9.0 (Debian)',
  })
  const { codes, whats, fixes } = refusalOf(() => parseSnapshot(text, 'h'))
  t.same([...new Set(codes)].sort(), ['host-malformed', 'set-malformed'])
  const expected = [
    'h: nodes[0].memory is an unknown key',
    'h: nodes[0].pages[1].total is -1',
    'h: nodes[1].memoryKiB is 1.5',
    'h: nodes[2].colour is an unknown key',
    'h: nodes[2].id is missing',
    'h: nodes[2].pages is an object',
    'h: nodes[3].id is 9000000000000000',
    'h: nodes[3].cpus is 7',
    'h: nodes[3].pages[0].pagesizeKiB is 3000',
    'h: nodes[3].pages[0].total is the text "1"',
    'h: nodes[4] is null',
    'h: pools[0].mounted is 1',
    'h: defaultPagesizeKiB is 0',
    'h: isolated is a list',
    'h: libvirt is the text "9.0 (Debian)"',
    'h: allowed.cpu is an unknown key',
    'h: nodes[0].pages[1] has pages of 2048 KiB, the same as nodes[0].pages[0]',
    'h: nodes[0].pages[0].free is 2, more than the total of 1',
    'h: nodes[0].freeKiB is 4, more than memoryKiB 3',
    'h: nodes[0].availableKiB is 5, more than memoryKiB 3',
    'h: nodes[1].id is 0, the same as nodes[0].id',
    'h: nodes[1].distances has 1 number for 5 nodes',
    'h: nodes[2].distances[2] is 9',
    'h: nodes[1].cpus has CPU 3, which nodes[0].cpus has too',
    'h: siblings[1] has CPU 1, which siblings[0] has too',
    'h: siblings[2] is empty',
    'h: caches[0].id is the text "a"',
    'h: caches[1] has CPU 1, which caches[0] has too',
    'h: caches[2].cpus is missing',
    'h: caches[3] is 5',
    'h: sockets[1] has CPU 0, which sockets[0] has too',
    'h: sockets[2] is empty',
    'h: dies is an object',
    'h: taken[0].guest is 1',
    'h: taken[1].cpus is missing',
    'h: taken[2] is 4',
    'h: pools[1] has pages of 2048 KiB, the same as pools[0]',
  ]
  for (const what of expected) t.ok(whats.includes(what), what)
  t.ok(whats.some((what) => what.startsWith('h: nodes[2].cpus: "6-" is not a valid set of ids')))
  t.ok(whats.some((what) => what.startsWith('h: siblings[3]: "x" is not a valid set of ids')))
  t.ok(
    fixes.includes('did you mean memoryKiB?') &&
      fixes.includes('did you mean cpus?') &&
      fixes.includes('delete it or write one of these'),
  )
  t.end()
})

t.test('invalid JSON is refused with its position', (t) => {
  const whatOf = (text: string): string => refusalOf(() => parseSnapshot(text, 'h')).whats.join()
  t.equal(whatOf('{\n  "nodes": [ }'), 'h: line 2, column 14: } where a value is expected')
  t.equal(whatOf(''), 'h: line 1, column 1: the text ends where a value is expected')
  t.equal(whatOf('{"a": 01}'), 'h: line 1, column 7: 01 where a value is expected')
  t.equal(whatOf('{"a": 1,}'), 'h: line 1, column 9: } where a key in double quotes is expected')
  t.equal(whatOf('{"a" 1}'), 'h: line 1, column 6: 1 where a colon is expected')
  t.equal(whatOf('{"a": [1 2]}'), 'h: line 1, column 10: 2 where a comma or ] is expected')
  t.equal(whatOf('{"a": 1, "a": 2}'), 'h: line 1, column 10: the key "a" occurs twice')
  t.equal(whatOf('{"a": "b'), 'h: line 1, column 7: a string without a closing quote')
  t.match(whatOf('{"a": "\\x"}'), /column 7: .*unknown escape/)
  t.equal(whatOf('{} {}'), 'h: line 1, column 4: { after the end of the document')
  t.match(whatOf('['.repeat(100000)), /nested deeper than 100/)
  t.match(whatOf('[1]'), /the document is a list/)
  const proto = refusalOf(() =>
    parseSnapshot('{"__proto__": {"x": 1}, "nodes": [{"id": 0, "cpus": "0", "constructor": 1}]}', 'h'),
  )
  t.same(proto.whats, ['h: __proto__ is an unknown key', 'h: nodes[0].constructor is an unknown key'])
  t.equal(({} as Record<string, unknown>).x, undefined)
  t.equal(whatOf('{"nodes": []}'), 'h: nodes is empty')
  t.equal(whatOf('{}'), 'h: nodes is missing,h: nodes is empty')
  t.end()
})

// ---- resources ----

t.test('the CPUs of the guest itself are not taken from it', (t) => {
  const { taken: _, ...rest } = full
  t.same(hostFor(full, 'db "1"'), { ...rest, taken: [{ cpus: [7] }] })
  t.same(hostFor(full, 'db2'), full)
  t.same(hostFor({ ...rest, taken: [{ guest: 'a', cpus: cpus('1') }] }, 'a'), rest)
  t.end()
})

t.test('without limits everything is allowed', (t) => {
  const host: Host = {
    nodes: [
      { id: 0, cpus: cpus('0-3'), memoryKiB: 0, pages: [] },
      { id: 1, cpus: cpus('4-7'), pages: [] },
    ],
    siblings: [],
  }
  t.same(resourcesOf(host, {}), { ...host, allowed: { cpus: [0, 1, 2, 3, 4, 5, 6, 7], nodes: [1] } })
  const pages = [{ pagesizeKiB: 2048, max: 3 }]
  t.same(resourcesOf(host, { cpus: cpus('3-4,9'), nodes: nodes('0'), pages }).allowed, {
    cpus: [3, 4],
    nodes: [0],
    pages,
  })
  t.end()
})

// ---- capabilities ----

const cell = (id: number, inner: string): string => `<cell id='${id}'>${inner}</cell>`
const caps = (cells: string, cpu = ''): string =>
  `<?xml version='1.0'?><capabilities><host><cpu>${cpu}</cpu><topology><cells>${cells}</cells>` +
  `</topology></host></capabilities>`

t.test('capabilities: caches, sockets, dies and clusters, of online CPUs', (t) => {
  const cpu = (id: number, ids: string): string => {
    const [socket, die, cluster] = ids.split(':')
    return `<cpu id='${id}' socket_id='${socket}' die_id='${die}' cluster_id='${cluster}' siblings='${id}'/>`
  }
  const text = (cpus: string, banks = ''): string =>
    caps(cell(0, `<cpus>${cpus}<cpu id='9'/></cpus>`)).replace('</host>', `<cache>${banks}</cache></host>`)
  const shared = (cpus: string, banks?: string) => {
    const { nodes: _, siblings: __, ...rest } = readCapabilities(text(cpus, banks), 'c')
    return rest
  }
  t.same(
    shared(
      cpu(0, '1:0:0') + cpu(1, '0:1:7') + cpu(2, '0:0:7') + cpu(3, '0:0:8'),
      "<bank id='4' level='3' cpus='1-3,9'/><bank id='2' level='2' cpus='0'/><bank level='3' cpus='0-1'/>",
    ),
    {
      caches: [{ cpus: [0] }, { id: 4, cpus: [1, 2, 3] }],
      sockets: [[0], [1, 2, 3]],
      dies: [[0], [1], [2, 3]],
      clusters: [[0], [1], [2], [3]],
    },
  )
  t.same(shared(cpu(0, '0:0:0') + cpu(1, '0:0:0')), { sockets: [[0, 1]] }, 'one die, one cluster')
  t.same(shared("<cpu id='0' core_id='0' siblings='0'/>"), {}, 'an older libvirt')
  t.same(refusalOf(() => shared(cpu(0, '0:0:0'), "<bank level='3' cpus='x'/>")).codes, ['set-malformed'])
  t.end()
})

t.test('capabilities: units, pages, distances, siblings, offline CPUs', (t) => {
  const first = `<memory unit='MiB'>64</memory><pages unit='KiB' size='64'>1024</pages>
    <pages unit='MiB' size='512'>3</pages>
    <distances><sibling id='4' value='20'/><sibling id='1' value='10'/></distances>
    <cpus><cpu id='9' core_id='1' siblings='8-9'/><cpu id='8' core_id='1' siblings='8-9'/>
    <cpu id='7'/></cpus>`
  const second =
    `<distances><sibling id='1' value='20'/></distances><cpus><cpu id='2' core_id='0' ` +
    `siblings='2, 3'/><cpu id='3' core_id='0' siblings='2, 3'/></cpus>`
  t.same(readCapabilities(caps(cell(4, second) + cell(1, first)), 'c'), {
    nodes: [
      {
        id: 1,
        cpus: [8, 9],
        memoryKiB: 65536,
        pages: [{ pagesizeKiB: 524288, total: 3 }],
        distances: [10, 20],
      },
      { id: 4, cpus: [2, 3], pages: [] },
    ],
    siblings: [
      [2, 3],
      [8, 9],
    ],
  })
  const bare = readCapabilities(
    caps(cell(0, "<pages size='2048' unit='KiB'>1</pages><cpus><cpu id='0'/></cpus>")),
    'c',
  )
  t.same(
    bare.nodes,
    [{ id: 0, cpus: [0], pages: [{ pagesizeKiB: 2048, total: 1 }] }],
    'a libvirt that reports only ids, and only huge pages',
  )
  const based = caps(cell(0, "<pages size='64' unit='KiB'>1</pages><cpus/>"), "<pages size='4' unit='KiB'/>")
  t.same(
    readCapabilities(based, 'c').nodes[0]?.pages,
    [{ pagesizeKiB: 64, total: 1 }],
    '64 KiB is a huge page where the base page is 4 KiB',
  )
  t.end()
})

t.test('malformed capabilities', (t) => {
  const of = (text: string) => refusalOf(() => readCapabilities(text, 'c'))
  t.same(of('<domainCapabilities/>').whats, ['c: the document is <domainCapabilities>, not <capabilities>'])
  t.same(of('<capabilities><host/></capabilities>').codes, ['capabilities-malformed'])
  t.same(of('<capabilities>').codes, ['xml-malformed'])
  t.same(of('node 0 cpus: 0').codes, ['xml-malformed'])
  t.same(of("<!DOCTYPE a [<!ENTITY x 'y'>]><capabilities/>").codes, ['xml-doctype'])
  t.same(of('<capabilities><__proto__/></capabilities>').codes, ['xml-malformed'])
  const wrong = of(
    caps(
      cell(0, "<memory>x</memory><cpus><cpu id='1'/></cpus>") +
        cell(0, "<pages size='4'>-</pages>") +
        cell(3, "<cpus><cpu id='1'/></cpus>"),
    ),
  )
  t.same(wrong.codes.sort(), [
    'capabilities-malformed',
    'capabilities-malformed',
    'capabilities-malformed',
    'size-malformed',
  ])
  t.ok(wrong.whats.includes("c: <cell id='0'> occurs twice"))
  t.ok(wrong.whats.includes("c: CPU 1 is in <cell id='0'> and in <cell id='3'>"))
  t.end()
})

// ---- cgroup ----

const MOUNT_V2 = '30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n'
const v2 = (path: string, more: Record<string, string>): Files =>
  fake({
    '/proc/self/mountinfo': MOUNT_V2,
    '/proc/self/cgroup': `0::${path}\n`,
    [`${NODE}/has_memory`]: '0-1\n',
    [`${NODE}/online`]: '0-2\n',
    ...more,
  })

t.test('cgroup v2: own files, inherited ones, limits of all ancestors', (t) => {
  const files = v2('/pod/guest', {
    '/sys/fs/cgroup/cpuset.cpus.effective': '0-7\n',
    '/sys/fs/cgroup/cpuset.mems.effective': '0-1\n',
    '/sys/fs/cgroup/pod/cpuset.cpus.effective': '2-3,7-9\n',
    '/sys/fs/cgroup/pod/cpuset.mems.effective': '1\n',
    '/sys/fs/cgroup/pod/hugetlb.2MB.max': '20971520\n',
    '/sys/fs/cgroup/pod/hugetlb.2MB.current': '4194304\n',
    '/sys/fs/cgroup/pod/hugetlb.1GB.max': 'max\n',
    '/sys/fs/cgroup/pod/guest/cgroup.controllers': 'memory hugetlb\n',
    '/sys/fs/cgroup/pod/guest/cpuset.cpus.effective': '\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.2MB.max': '41943040\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.2MB.rsvd.max': '8388609\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.1GB.current': '1\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.64KB.max': '0\n',
  })
  t.same(readCgroup(files, { pid: 'self' }, cpus('0-7')), {
    allowed: {
      cpus: [2, 3, 7],
      nodes: [1],
      pages: [
        { pagesizeKiB: 64, max: 0 },
        { pagesizeKiB: 2048, max: 4 },
      ],
    },
    confinesCpus: true,
    confinesNodes: true,
    path: '/sys/fs/cgroup/pod/guest',
    cpusetController: false,
    inV1: { cpuset: false, hugetlb: false },
  })
  for (const path of ['/pod', '/sys/fs/cgroup/pod', '/sys/fs/cgroup/pod/', '/pod/.']) {
    const pod = readCgroup(files, { path }, cpus('0-7'))
    t.same(
      [formatSet(pod.allowed.cpus ?? []), pod.path, pod.cpusetController],
      ['2-3,7', '/sys/fs/cgroup/pod', true],
      path,
    )
    t.same(pod.allowed.pages, [{ pagesizeKiB: 2048, max: 10, used: 2 }])
  }
  const root = readCgroup(files, { path: '/sys/fs/cgroup' }, cpus('0-7'))
  t.same(
    [root.confinesCpus, root.confinesNodes],
    [false, false],
    'node 2 has no memory: leaving it out does not confine',
  )
  t.same(refusalOf(() => readCgroup(files, { path: '/none' }, cpus('0'))).codes, ['cgroup-missing'])
  t.same(refusalOf(() => readCgroup(files, { path: 'pod' }, cpus('0'))).codes, ['cgroup-missing'])
  t.same(refusalOf(() => readCgroup(files, { path: '/proc/self' }, cpus('0'))).codes, ['cgroup-missing'])
  t.end()
})

t.test('the limit that leaves the least counts, and not the lowest one', (t) => {
  const files = v2('/pod/guest', {
    '/sys/fs/cgroup/pod/hugetlb.2MB.max': '20971520\n',
    '/sys/fs/cgroup/pod/hugetlb.2MB.current': '18874368\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.2MB.max': '8388608\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.2MB.current': '0\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.2MB.rsvd.max': '16777216\n',
    '/sys/fs/cgroup/pod/guest/hugetlb.2MB.rsvd.current': '2097152\n',
  })
  const { pages } = readCgroup(files, { pid: 'self' }, cpus('0-7')).allowed
  t.same(pages, [{ pagesizeKiB: 2048, max: 10, used: 9 }])
  t.end()
})

t.test('cgroup v1 and hybrid: each controller at its own mount', (t) => {
  const files = fake({
    '/proc/7/cgroup': '9:hugetlb:/limits\n4:cpu,cpuset:/a b\n1:name=systemd:/x\n0::/unified\n',
    '/proc/self/mountinfo': [
      '1 0 0:1 / /cg/unified rw - cgroup2 none rw',
      '2 0 0:2 / /cg/cpu\\040set rw shared:5 master:1 - cgroup none rw,cpuset,cpu',
      '3 0 0:3 /limits /cg/hugetlb rw - cgroup none rw,hugetlb',
    ].join('\n'),
    '/cg/unified/unified/cgroup.controllers': 'memory\n',
    '/cg/cpu set/cpuset.cpus': '0-3\n',
    '/cg/cpu set/a b/cpuset.cpus': '0-2\n',
    '/cg/cpu set/a b/cpuset.effective_cpus': '1\n',
    '/cg/cpu set/a b/cpuset.mems': '0\n',
    '/cg/hugetlb/hugetlb.2MB.limit_in_bytes': '6291456\n',
    '/cg/hugetlb/hugetlb.2MB.usage_in_bytes': '2097153\n',
    '/cg/hugetlb/hugetlb.1GB.limit_in_bytes': '9223372036854771712\n',
    [`${NODE}/online`]: '0\n',
  })
  t.same(readCgroup(files, { pid: 7 }, cpus('0-3')), {
    allowed: { cpus: [1], nodes: [0], pages: [{ pagesizeKiB: 2048, max: 3, used: 2 }] },
    confinesCpus: true,
    confinesNodes: false,
    path: '/cg/cpu set/a b',
    cpusetController: true,
    inV1: { cpuset: true, hugetlb: true },
  })
  t.end()
})

t.test('namespaces: both paths are relative to the namespace of the reader', (t) => {
  const inside = (root: string, path: string, more: Record<string, string>) => {
    const mountinfo = `30 1 0:26 ${root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n`
    const status = 'Cpus_allowed_list:\t6\nMems_allowed_list:\t1\n'
    const { allowed, path: own } = readCgroup(
      fake({
        '/proc/9/cgroup': `0::${path}\n`,
        '/proc/9/status': status,
        '/proc/self/mountinfo': mountinfo,
        ...more,
      }),
      { pid: 9 },
      cpus('0-7'),
    )
    return [allowed.cpus && formatSet(allowed.cpus), own]
  }
  const below = {
    '/sys/fs/cgroup/other/cpuset.cpus.effective': '4\n',
    '/sys/fs/cgroup/cpuset.cpus.effective': '0-7\n',
  }
  t.same(inside('/../..', '/../../other', below), ['4', '/sys/fs/cgroup/other'])
  t.same(
    inside('/', '/../other', below),
    ['6', undefined],
    'outside of the mount: only the status of the process is left',
  )
  t.same(
    inside('/../..', '/', below),
    ['6', undefined],
    'below the mount, by names that the reader cannot know',
  )
  t.same(inside('/', '/', below), ['0-7', '/sys/fs/cgroup'])
  t.end()
})

t.test('no cgroup files', (t) => {
  const files = fake({
    '/proc/5/status': 'Name: x\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0\n',
    [`${NODE}/online`]: '0-1\n',
  })
  t.same(readCgroup(files, { pid: 5 }, cpus('0-3')), {
    allowed: { cpus: [0, 1], nodes: [0] },
    confinesCpus: true,
    confinesNodes: true,
    cpusetController: false,
    inV1: { cpuset: false, hugetlb: false },
  })
  t.same(refusalOf(() => readCgroup(files, { pid: 6 }, cpus('0-3'))).codes, ['process-missing'])
  t.same(readCgroup(fake({}), { pid: 'self' }, cpus('0-3')), {
    allowed: {},
    confinesCpus: false,
    confinesNodes: false,
    cpusetController: false,
    inV1: { cpuset: false, hugetlb: false },
  })
  t.same(refusalOf(() => readCgroup(fake({}), { path: '/a' }, cpus('0-3'))).codes, ['cgroup-missing'])
  const unmounted = fake({
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset\n',
    '/sys/fs/cgroup/a/cpuset.cpus.effective': '3\n',
  })
  t.same(readCgroup(unmounted, { path: '/a' }, cpus('0-3')).allowed.cpus, [3], 'a capture of /sys alone')
  t.end()
})

t.test('cores ascend by their first CPU, even where only the second one states the core', (t) => {
  const cpu = (id: number, siblings: string): string =>
    `<cpu id='${id}' socket_id='0' core_id='0' siblings='${siblings}'/>`
  const cpus = [cpu(0, '0,4'), cpu(1, '7'), cpu(2, '2,6'), cpu(4, '0,4'), cpu(5, '1,5'), cpu(6, '2,6')].join(
    '',
  )
  const text =
    `<capabilities><host><topology><cells><cell id='0'><cpus>${cpus}</cpus></cell></cells>` +
    `</topology></host></capabilities>`
  t.same(readCapabilities(text, 'capabilities.xml').siblings, [
    [0, 4],
    [1, 5],
    [2, 6],
  ])
  t.end()
})
