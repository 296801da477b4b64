// A host of four nodes as a virtual machine without KVM, with three libvirtds in three pods on cgroup v2:
// what restore, live migration and a shortage of pages do to a guest, by what the kernel reports of its
// memory and threads. `--rewrite` regenerates the captures in test/captures.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { machineIn } from '../../src/machine/files.ts'
import { fileOf, filesOf, places, readings } from '../core/captured.ts'
import { type Booted, boot } from './four-node/boot.ts'
import { buildDisk, buildInitramfs } from './four-node/disk.ts'
import {
  cellSizesOf,
  cellsOf,
  memoryOf,
  ordinaryMemoryOf,
  pinsOf,
  scheduledOf,
  threadsOf,
} from './four-node/guest.ts'
import type { CaptureReport, CommandReport, Daemon, GuestReport, Report } from './four-node/report.ts'
import { fetchKernel, installPackages } from './packages.ts'
import { must } from './programs.ts'

const HERE = 'test/e2e/four-node'

/** Twice what it takes on a machine that has nothing else to do. */
const LIMIT_S = 780

async function bootFourNodes(t: Test): Promise<Booted> {
  const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-four-node-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  await installPackages()
  const kernel = await fetchKernel()
  const disk = await buildDisk(scratch, 'dist')
  const initramfs = await buildInitramfs(scratch, kernel, {
    init: `${HERE}/initramfs.sh`,
    'job.sh': `${HERE}/job.sh`,
    'pod.sh': `${HERE}/pod.sh`,
    'capture.sh': `${HERE}/capture.sh`,
    'db1.xml': `${HERE}/db1.xml`,
    'db2.xml': `${HERE}/db2.xml`,
    'plug1.xml': `${HERE}/plug1.xml`,
    'dimm.xml': `${HERE}/dimm.xml`,
    'rt1.xml': `${HERE}/rt1.xml`,
    'cxl1.xml': `${HERE}/cxl1.xml`,
    'tier1.xml': `${HERE}/tier1.xml`,
    'job.cjs': 'dist/e2e/four-node/job.cjs',
  })
  const started = Date.now()
  const hear = (report: Report): void => {
    if (report.is === 'command' || report.is === 'guest')
      t.comment(`${Math.round((Date.now() - started) / 1000)} s: ${report.name}`)
  }
  return boot({ scratch, kernel, initramfs, disk, limitS: LIMIT_S, hear })
}

t.setTimeout((LIMIT_S + 100) * 1000)

t.test('four nodes, three pods', { timeout: (LIMIT_S + 100) * 1000 }, async (t) => {
  const { reports, console: said } = await bootFourNodes(t)
  const last = reports.at(-1)
  const crashes = reports.filter(({ is }) => is === 'crash')
  t.same(crashes, [], 'the job went to its end')
  t.equal(last?.is, 'end', 'and said so')
  if (crashes.length > 0 || last?.is !== 'end') t.comment(said.split('\n').slice(-40).join('\n'))

  t.test('the pod that the guest is fitted to', async (t) => {
    succeeded(t, reports, 'fitted', 'fitted, defined', 'started')
    const guest = guestAt(t, reports, 'started')
    t.same(memoryOf(guest), [
      'cell 0: bind:1, N1=32, pages of 2048 KiB',
      'cell 1: bind:2, N2=32, pages of 2048 KiB',
    ])
    t.same(threadsOf(guest), ['emulator: 2,4', 'vCPU 0: 2', 'vCPU 1: 4'])
    t.ok(
      guest.threads.every(({ cgroup }) => cgroup.startsWith('0::/kubepods.slice/kubepods-pod7c1f7b52')),
      'all threads are in the cgroup of the pod',
    )
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test('saved in one pod, restored in another', async (t) => {
    succeeded(t, reports, 'saved', 'restored in burstable')
    const guest = guestAt(t, reports, 'restored in burstable')
    t.same(memoryOf(guest), [
      'cell 0: bind:3, N3=32, pages of 2048 KiB',
      'cell 1: bind:2, N2=32, pages of 2048 KiB',
    ])
    t.same(threadsOf(guest), ['emulator: 4,6', 'vCPU 0: 6', 'vCPU 1: 4'])
    hasTheCellsOf(t, guest, guestAt(t, reports, 'started'))
    isWhereItsXmlSays(t, reports, guest)
    t.match(logOf(reports, 'burstable'), /restore begin db1: rebound: cells 0-1 on nodes 2-3, \d+ edits/)
  })

  t.test('a thread that somebody moves away is found', async (t) => {
    const verified = commandAt(t, reports, 'moved away, verified')
    t.equal(commandAt(t, reports, 'moved away').status, 0)
    t.equal(verified.status, 1)
    t.match(verified.stderr, 'error[threads-elsewhere]: vCPU 0 may run on CPU 4, expected 6', 'by its name')
  })

  t.test('restored where it was, it stays', async (t) => {
    succeeded(t, reports, 'restored where it was')
    const [before, after] = [guestAt(t, reports, 'started'), guestAt(t, reports, 'restored where it was')]
    t.same(memoryOf(after), memoryOf(before))
    t.same(threadsOf(after), threadsOf(before))
    isWhereItsXmlSays(t, reports, after)
    t.match(logOf(reports, 'guaranteed'), /restore begin db1: placement kept: cells 0-1 on nodes 1-2 /)
  })

  t.test('migrated while it runs', async (t) => {
    succeeded(t, reports, 'migrated')
    const guest = guestAt(t, reports, 'migrated')
    const restored = guestAt(t, reports, 'restored in burstable')
    t.same(memoryOf(guest), memoryOf(restored), 'where a restore puts it')
    t.same(threadsOf(guest), threadsOf(restored))
    hasTheCellsOf(t, guest, guestAt(t, reports, 'started'))
    isWhereItsXmlSays(t, reports, guest)
    t.match(logOf(reports, 'burstable'), /migrate begin db1: rebound: cells 0-1 on nodes 2-3, \d+ edits/)
  })

  t.test('two cells in a pod of one node', async (t) => {
    succeeded(t, reports, 'restored in one-node')
    const guest = guestAt(t, reports, 'restored in one-node')
    t.same(memoryOf(guest), [
      'cell 0: bind:0, N0=32, pages of 2048 KiB',
      'cell 1: bind:0, N0=32, pages of 2048 KiB',
    ])
    t.same(threadsOf(guest), ['emulator: 0-1', 'vCPU 0: 0', 'vCPU 1: 1'])
    hasTheCellsOf(t, guest, guestAt(t, reports, 'started'))
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test('short of pages on one node', async (t) => {
    const refused = commandAt(t, reports, 'short of pages')
    t.equal(refused.status, 1)
    t.match(refused.stderr, 'Hook script execution failed')
    t.match(refused.stderr, 'error[pages-short]: node 2 has 10 free 2 MiB pages, cell 1 needs 32\n   why: ')
    t.match(
      refused.stderr,
      'fix: echo 32 > /sys/devices/system/node/node2/hugepages/hugepages-2048kB/nr_hugepages',
    )
  })

  t.test('memory by free pages starts the same guest', async (t) => {
    succeeded(t, reports, 'fitted by free pages', 'fitted by free pages, defined', 'started by free pages')
    const guest = guestAt(t, reports, 'started by free pages')
    t.same(memoryOf(guest), [
      'cell 0: bind:1, N1=54, pages of 2048 KiB',
      'cell 1: bind:2, N2=10, pages of 2048 KiB',
    ])
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test(
    'one CPU to spare, on one of two nodes: QEMU allocates the pages of both from its emulator',
    async (t) => {
      const name = 'started with one CPU to spare'
      succeeded(t, reports, 'fitted with one CPU to spare', 'fitted with one CPU to spare, defined', name)
      const guest = guestAt(t, reports, name)
      t.same(memoryOf(guest), [
        'cell 0: bind:1, N1=32, pages of 2048 KiB',
        'cell 1: bind:2, N2=16, pages of 2048 KiB',
      ])
      t.same(threadsOf(guest), ['emulator: 2-3,5', 'vCPU 0: 2', 'vCPU 1: 3', 'vCPU 2: 4'])
      isWhereItsXmlSays(t, reports, guest)
    },
  )

  t.test('vCPUs and memory that are plugged in', async (t) => {
    const fitted = 'fitted with vCPUs to plug in'
    succeeded(t, reports, fitted, `${fitted}, defined`, 'started with vCPUs to plug in')
    succeeded(t, reports, 'vCPUs plugged in', 'memory plugged in')
    const guest = guestAt(t, reports, 'plugged in')
    t.same(cellSizesOf(guest), ['vCPUs 0,2, 32 MiB', 'vCPUs 1,3, 32 MiB'], 'cells take turns')
    t.same(threadsOf(guest), ['emulator: 2,4', 'vCPU 0: 2', 'vCPU 1: 4', 'vCPU 2: 2', 'vCPU 3: 4'])
    t.same(memoryOf(guest), [
      'cell 0: bind:1, N1=16, pages of 2048 KiB',
      'cell 1: bind:2, N2=16, pages of 2048 KiB',
      'dimm0: bind:2, N2=16, pages of 2048 KiB',
    ])
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test('a real-time guest on the open host', async (t) => {
    succeeded(t, reports, 'fitted, real-time', 'fitted, real-time, defined', 'started, real-time')
    const guest = guestAt(t, reports, 'started, real-time')
    t.same(memoryOf(guest), [
      'cell 0: bind:0, N0=32, pages of 2048 KiB',
      'cell 1: bind:1, N1=32, pages of 2048 KiB',
    ])
    t.same(threadsOf(guest), ['emulator: 1,3', 'vCPU 0: 0', 'vCPU 1: 2'], 'no thread shares a CPU of a vCPU')
    t.same(scheduledOf(guest), ['vCPU 0: fifo', 'vCPU 1: fifo'])
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test('a second guest goes where the first left pages and CPUs', async (t) => {
    succeeded(t, reports, 'fitted second', 'fitted second, defined', 'started second')
    const guest = guestAt(t, reports, 'started second')
    t.same(memoryOf(guest), ['cell 0: bind:3, N3=64, pages of 2048 KiB'])
    t.same(threadsOf(guest), ['emulator: 6-7', 'vCPU 0: 6', 'vCPU 1: 7'])
    isWhereItsXmlSays(t, reports, guest)
    const { stderr } = commandAt(t, reports, 'fitted second')
    t.notMatch(stderr, 'cpus-taken', 'and takes none from the first')
  })

  t.test('a guest on the CPUs of others is reported with their names', async (t) => {
    succeeded(t, reports, 'on the CPUs of both')
    const { stderr } = commandAt(t, reports, 'on the CPUs of both')
    t.match(stderr, /note\[cpus-taken\]: .*\bCPU 0\b.* "?rt1\b/)
    t.match(stderr, /note\[cpus-taken\]: .*\bCPU 6\b.* "?db1\b/)
    t.equal(stderr.match(/cpus-taken/g)?.length, 2, 'the CPUs of an emulator are not taken')
  })

  t.test('a real-time guest is restored while some of its CPUs are offline', async (t) => {
    succeeded(t, reports, 'saved, real-time', 'restored, real-time')
    const guest = guestAt(t, reports, 'restored, real-time')
    t.same(memoryOf(guest), [
      'cell 0: bind:0, N0=32, pages of 2048 KiB',
      'cell 1: bind:2, N2=32, pages of 2048 KiB',
    ])
    t.same(threadsOf(guest), ['emulator: 1,5', 'vCPU 0: 0', 'vCPU 1: 4'], 'no thread shares a CPU of a vCPU')
    t.same(scheduledOf(guest), ['vCPU 0: fifo', 'vCPU 1: fifo'])
    hasTheCellsOf(t, guest, guestAt(t, reports, 'started, real-time'))
    isWhereItsXmlSays(t, reports, guest)
    t.match(logOf(reports, 'open'), /restore begin rt1: rebound: cells 0-1 on nodes 0,2, \d+ edits \(/)
  })

  t.test('a cell without vCPUs on a node without CPUs', async (t) => {
    const name = 'started on a node without CPUs'
    succeeded(t, reports, 'fitted to a node without CPUs', 'fitted to a node without CPUs, defined', name)
    const guest = guestAt(t, reports, name)
    t.same(memoryOf(guest), ['cell 0: bind:2, N2=32, pages of 2048 KiB'])
    t.same(ordinaryMemoryOf(guest), ['bind:1, on N1'])
    t.same(threadsOf(guest), ['emulator: 5', 'vCPU 0: 4'])
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test('a cell for a node that has memory but no CPUs', async (t) => {
    const name = 'started with a tier'
    succeeded(t, reports, 'fitted with a tier', 'fitted with a tier, defined', name)
    const guest = guestAt(t, reports, name)
    t.same(cellSizesOf(guest), ['vCPUs 0, 80 MiB', 'vCPUs none, 48 MiB'])
    t.same(ordinaryMemoryOf(guest), ['bind:1, on N1', 'bind:2, on N2'])
    t.same(threadsOf(guest), ['emulator: 5', 'vCPU 0: 4'])
    isWhereItsXmlSays(t, reports, guest)
  })

  t.test('the stored captures say what this kernel says', async (t) => {
    for (const place of places) {
      const capture = reports.find(
        (report): report is CaptureReport => report.is === 'capture' && report.from === place,
      )
      if (capture === undefined) throw new Error(`no capture from ${place}`)
      const folder = mkdtempSync(join(tmpdir(), 'virt-numa-capture-'))
      t.teardown(() => rmSync(folder, { recursive: true, force: true }))
      for (const [path, text] of Object.entries(capture.texts)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), text)
      }
      if (process.argv.includes('--rewrite')) await pack(folder, fileOf(place))
      t.same(readings(filesOf(place)), readings(machineIn(folder)), place)
    }
  })
})

/** The same bytes for the same texts. */
function pack(folder: string, file: string): Promise<string> {
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu']
  return must('tar', [...plain, '--use-compress-program=gzip -9n', '-cf', file, '-C', folder, 'proc', 'sys'])
}

// ---- What was reported ----

function commandAt(t: Test, reports: readonly Report[], name: string): CommandReport {
  const found = reports.find(
    (report): report is CommandReport => report.is === 'command' && report.name === name,
  )
  t.ok(found, `${name}: was run`)
  if (found === undefined) throw new Error(`the job did not reach: ${name}`)
  return found
}

function succeeded(t: Test, reports: readonly Report[], ...names: string[]): void {
  for (const name of names) {
    const { status, stderr } = commandAt(t, reports, name)
    t.equal(status, 0, `${name}: ${stderr || 'no message'}`)
  }
}

function guestAt(t: Test, reports: readonly Report[], name: string): GuestReport {
  const found = reports.find((report): report is GuestReport => report.is === 'guest' && report.name === name)
  t.ok(found, `${name}: the guest was there`)
  if (found === undefined) throw new Error(`the job did not see the guest: ${name}`)
  return found
}

function logOf(reports: readonly Report[], daemon: Daemon): string {
  return reports
    .map((report) => (report.is === 'hook-log' && report.daemon === daemon ? report.text : ''))
    .join('')
}

function hasTheCellsOf(t: Test, after: GuestReport, before: GuestReport): void {
  t.match(cellsOf(before), "<cell id='1'", 'there are cells')
  t.equal(cellsOf(after), cellsOf(before), 'the guest sees the cells that it had')
}

/** Our own command and the pins say so. */
function isWhereItsXmlSays(t: Test, reports: readonly Report[], guest: GuestReport): void {
  t.same(threadsOf(guest), pinsOf(guest), 'the threads are where the pins are')
  const { status, stdout, stderr } = commandAt(t, reports, `${guest.name}, verified`)
  t.equal(status, 0, `verify: ${stderr || stdout}`)
}
