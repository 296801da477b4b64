// The ledger as it is read: the file of a promise, which promises count, and how much of them.

import t from 'tap'
import { type NodeSet, setOf } from '../../src/base/idset.ts'
import type { Files } from '../../src/host/files.ts'
import {
  formatPromise,
  type GuestPromise,
  guestOfFile,
  parsePromise,
  promiseFile,
} from '../../src/host/ledger/promise.ts'
import { readPromised, staleFiles } from '../../src/host/ledger/promised.ts'
import { fake } from './fake-files.ts'

const memory = [
  { nodes: setOf<NodeSet>([0]), pagesizeKiB: 2048, memoryKiB: 8192 },
  { nodes: setOf<NodeSet>([0, 1]), memoryKiB: 4096 },
]
const given: GuestPromise = { boot: 'b-1', since: 5000, daemon: { pid: 812, start: 400 }, memory }

t.test('a promise is read as it was written, and only if it is whole', (t) => {
  const text = formatPromise(given)
  t.same(parsePromise(text), given)
  for (let length = 0; length < text.length; length++)
    if (parsePromise(text.slice(0, length)) !== undefined) t.fail(`${length} of ${text.length} characters`)
  for (const other of [`${text}\n`, text.replace('812', '-1'), text.replace('2048', '0'), 'x', '{}'])
    t.notSame(parsePromise(other), given, JSON.stringify(other.slice(0, 20)))
  t.end()
})

t.test('a name is a file name, whatever its characters', (t) => {
  for (const guest of ['db1', '..', '.', 'lock', 'a b', 'ü', '$(reboot)', '-rf', 'x.promise']) {
    const file = promiseFile(guest)
    t.equal(guestOfFile(file ?? ''), guest, guest)
    t.notMatch(file, '/')
  }
  for (const guest of ['', '../x', 'a/b', 'a\nb', 'a\0b']) t.equal(promiseFile(guest), undefined)
  for (const file of ['lock', 'lock-1.2', '.promise']) t.equal(guestOfFile(file), undefined)
  t.end()
})

// ---- Which promises count ----

const stat = (pid: number, start: number, state = 'S'): string =>
  `${pid} (a) b) ${state} 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`

const MACHINE: Record<string, string> = {
  '/proc/sys/kernel/random/boot_id': 'b-1\n',
  '/proc/uptime': '60.10 100.00\n',
  '/proc/812/stat': stat(812, 400),
  '/run/virt-numa/db2.promise': formatPromise(given),
}
const PAGES = '7f00 bind:0 file=/dev/hugepages/x huge dirty=3 N0=3 kernelpagesize_kB=2048\n'
const QEMU: Record<string, string> = {
  '/run/libvirt/qemu/db2.pid': '950',
  '/proc/950/stat': stat(950, 5100),
  '/proc/950/numa_maps': PAGES,
}

/** "nodes/pagesize:KiB" of what counts; "!" while QEMU allocates. */
const counts = (files: Files): string =>
  readPromised(files)
    .map(
      (each) => `${each.nodes}/${each.pagesizeKiB ?? '-'}:${each.memoryKiB}${each.isAllocating ? '!' : ''}`,
    )
    .join(' ')

const ALL = '0/2048:8192 0,1/-:4096'
const without = (path: string): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...MACHINE, ...QEMU }).filter(([name]) => name !== path))

const rows: readonly (readonly [string, Record<string, string>, string])[] = [
  ['QEMU is still to come', MACHINE, ALL],
  ['the daemon has ended', { ...MACHINE, '/proc/812/stat': '' }, ''],
  ['the daemon has ended, and is not reaped', { ...MACHINE, '/proc/812/stat': stat(812, 400, 'Z') }, ''],
  ['another process has its id', { ...MACHINE, '/proc/812/stat': stat(812, 401) }, ''],
  ['ten minutes', { ...MACHINE, '/proc/uptime': '650.00 0' }, ALL],
  ['more than ten minutes', { ...MACHINE, '/proc/uptime': '651.00 0' }, ''],
  ['another boot', { ...MACHINE, '/proc/sys/kernel/random/boot_id': 'b-2\n' }, ''],
  ['a file that is not whole', { ...MACHINE, '/run/virt-numa/db2.promise': 'boot b-1\n' }, ''],
  ['a file that was emptied', { ...MACHINE, '/run/virt-numa/db2.promise': '' }, ''],
  ['QEMU has some pages', { ...MACHINE, ...QEMU }, '0/2048:2048! 0,1/-:4096!'],
  [
    'QEMU has all pages',
    { ...MACHINE, ...QEMU, '/proc/950/numa_maps': PAGES.replace('N0=3', 'N0=4') },
    '0,1/-:4096!',
  ],
  [
    'QEMU has ordinary memory',
    { ...MACHINE, ...QEMU, '/proc/950/numa_maps': '7f00 default anon=512 N1=512 kernelpagesize_kB=4\n' },
    '0/2048:8192! 0,1/-:2048!',
  ],
  ['QEMU has ended', without('/proc/950/stat'), ''],
  ['QEMU is ending', { ...MACHINE, ...QEMU, '/proc/950/numa_maps': '' }, ''],
  ['QEMU runs without its daemon', without('/proc/812/stat'), '0/2048:2048! 0,1/-:4096!'],
  ['the pid file is of an earlier start', { ...MACHINE, ...QEMU, '/proc/950/stat': stat(950, 4999) }, ALL],
  ['the pid file is being written', { ...MACHINE, ...QEMU, '/run/libvirt/qemu/db2.pid': '' }, ALL],
]

for (const [what, texts, expected] of rows) {
  t.test(`which promises count: ${what}`, (t) => {
    t.equal(counts(fake(texts)), expected)
    const isRemovable = expected === ''
    t.same(staleFiles(fake(texts)), isRemovable ? ['db2.promise'] : [])
    t.end()
  })
}

t.test('other files of the folder, and links, are not read', (t) => {
  const files = fake({ ...MACHINE, '/run/virt-numa/lock': 'x', '/run/virt-numa/new': formatPromise(given) })
  t.equal(counts(files), ALL)
  const linked: Files = {
    ...files,
    readlink: (path) => (path.endsWith('.promise') ? '/etc/shadow' : undefined),
  }
  t.equal(counts(linked), '')
  t.end()
})
