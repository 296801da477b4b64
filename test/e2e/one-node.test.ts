// One machine, a real libvirtd, guests that run: a guest is fitted, started, saved, restored and migrated,
// and what the kernel reports of it matches its XML. The daemons are the test's own, in mount namespaces.

import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { type CpuSet, formatSet, setOf } from '../../src/base/idset.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { DomainView } from '../../src/model/domain.ts'
import { mountDead } from '../faults/mounts.ts'
import {
  cellMemory,
  cellsSeen,
  guestXml,
  makeInitramfs,
  socketsSeen,
  ticksOn,
  vcpuAffinity,
} from './guest.ts'
import { breakHook, configure, defineFitted, hookLog, installHook, installOutsider } from './hook.ts'
import { type LibvirtHost, openHost, qemuPid } from './libvirtd.ts'
import { fetchKernel, installPackages } from './packages.ts'
import { addPages, allowSurplus, freePages, surplusRoom } from './pages.ts'
import { until, waited } from './programs.ts'

const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-one-node-'))
/** libvirt and the kernel's cgroups see the guests of all daemons of this machine. */
const unique = randomUUID().slice(0, 8)
const names = {
  main: `numa-${unique}`,
  short: `short-${unique}`,
  surplus: `surplus-${unique}`,
  quiet: `quiet-${unique}`,
  plain: `plain-${unique}`,
}
const MEMORY_MIB = 256
const CELL_PAGES = MEMORY_MIB / 2 / 2
const REQUESTED = "cells='2' pin='cell' topology='align'"

/** All CPUs of this machine: they are those of its one node. */
const ONLINE = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim()

const console = join(scratch, 'console.log')
const undo: (() => unknown)[] = [() => rmSync(scratch, { recursive: true, force: true })]
const later = (step: () => unknown): void => void undo.push(step)
t.teardown(async () => {
  for (const step of undo.reverse()) await step()
})

let made:
  | {
      readonly kernel: string
      readonly initramfs: string
      readonly one: LibvirtHost
      readonly other: LibvirtHost
    }
  | undefined
const ready = () => {
  if (made === undefined) throw new Error('the hosts are not set up')
  return made
}

async function hostWithPages(name: string): Promise<LibvirtHost> {
  const host = await openHost(name, join(scratch, name))
  later(host.close)
  return host
}

const viewOf = async (host: LibvirtHost, guest: string, ...flags: string[]): Promise<DomainView> =>
  readDomain(readDocument(await host.ask('dumpxml', guest, ...flags)))

const stateOf = async (host: LibvirtHost, guest: string): Promise<string> =>
  (await host.ask('domstate', guest)).trim()
const pinsOf = ({ vcpupin }: DomainView): string[] =>
  [0, 1].map((vcpu) => formatSet(vcpupin.get(vcpu) ?? setOf<CpuSet>([])))

t.test('set up', async (t) => {
  await installPackages()
  const [kernel, initramfs] = [await fetchKernel(), await makeInitramfs(scratch)]
  // Two guests' worth: at a migration both ends hold the guest.
  later(addPages(2 * 2 * CELL_PAGES))
  // Mount namespaces that are made later see it.
  const dead = await mountDead(join(scratch, 'dead'))
  later(dead.end)
  const [one, other] = [await hostWithPages('host-a'), await hostWithPages('host-b')]
  made = { kernel, initramfs, one, other }
  await installHook(one)
  await one.startDaemon()
  t.match(await one.ask('version'), /QEMU/)
  t.notOk(existsSync('/sys/devices/system/node/node1'), 'this machine has one node')
  t.match(ONLINE, /^0-[1-9]/, 'and two CPUs or more')
})

t.test('a guest that opts in is fitted, starts, and sees what was planned', async (t) => {
  const { one, kernel, initramfs } = ready()
  await defineFitted(
    one,
    guestXml({ name: names.main, memoryMiB: MEMORY_MIB, requested: REQUESTED, kernel, initramfs, console }),
  )
  await one.ask('start', names.main)
  const pid = qemuPid(one, names.main)
  const { cells, tune } = await viewOf(one, names.main)
  t.equal(cells.length, 2)
  t.same(
    tune.memnodes.map(({ cell, nodes }) => [cell, nodes]),
    [
      [0, [0]],
      [1, [0]],
    ],
    'both cells on the one node',
  )
  for (const cell of [0, 1]) {
    t.same(
      cellMemory(pid, cell),
      { policy: 'bind:0', pagesizeKiB: 2048, pages: [`N0=${CELL_PAGES}`] },
      `the kernel on the pages of cell ${cell}`,
    )
  }
  const pins = pinsOf(await viewOf(one, names.main))
  t.same(vcpuAffinity(pid), pins, 'the vCPU threads run where the pins say')
  const seen = await cellsSeen(console)
  t.same(
    seen.map(({ cell, vcpus, distances }) => [cell, vcpus, distances]),
    [
      [0, '0', '10 11'],
      [1, '1', '11 10'],
    ],
    "the guest's kernel sees two cells and their distances",
  )
  t.same(socketsSeen(console), [0, 1], 'and a socket for each cell, where it had one')
  for (const { cell, memoryKiB } of seen)
    t.ok(
      memoryKiB > (MEMORY_MIB / 2 - 64) * 1024 && memoryKiB <= (MEMORY_MIB / 2) * 1024,
      `cell ${cell} has ${memoryKiB} KiB`,
    )
  t.match(hookLog(one), `prepare begin ${names.main}: ok`)
  const listed = await one.virtNuma('ps', '--json')
  t.equal(listed.status, 0, listed.stderr)
  const own = JSON.parse(listed.stdout).guests.find(({ guest }: { guest: string }) => guest === names.main)
  t.match(own, { pid, localRatio: 1, misplacedThreads: 0, findings: 0, memoryKiB: MEMORY_MIB * 1024 })
  t.equal((await one.virtNuma('verify', '--all')).status, 0, 'and verify has no findings')
})

t.test('a start that must fail is refused in our words, and one that can do is not', async (t) => {
  const { one, kernel, initramfs } = ready()
  const guest = { requested: REQUESTED, kernel, initramfs, console: join(scratch, 'never.log') }
  const pages = freePages() + surplusRoom() + 512
  const short = await defineFitted(one, guestXml({ ...guest, name: names.short, memoryMiB: 2 * pages }))
  t.match(short, 'warning[pages-short]', 'reported when it is defined')
  const refused = await one.virsh('start', names.short)
  t.not(refused.status, 0)
  t.match(refused.stderr, /unexpected exit status 1: error\[pages-short\]: node 0 has \d+ free 2 MiB pages, /)
  t.match(refused.stderr, /fix: .*nr_hugepages/)
  t.equal(await stateOf(one, names.short), 'shut off')
  t.match(hookLog(one), `prepare begin ${names.short}: refused: error[pages-short]`)

  const beyond = freePages() + 32
  await defineFitted(one, guestXml({ ...guest, name: names.surplus, memoryMiB: 2 * beyond }))
  t.not((await one.virsh('start', names.surplus)).status, 0, 'without surplus pages it is short of 32')
  const takeBack = allowSurplus(512)
  try {
    const started = await one.virsh('start', names.surplus)
    t.same([started.status, started.stderr], [0, ''], 'surplus pages save it')
    t.equal(await stateOf(one, names.surplus), 'running')
    const held = [0, 1].map((cell) =>
      Number(cellMemory(qemuPid(one, names.surplus), cell).pages.join().replace('N0=', '')),
    )
    t.equal((held[0] ?? 0) + (held[1] ?? 0), beyond, 'more than the pool had free')
    await one.ask('destroy', names.surplus)
  } finally {
    takeBack()
  }

  // Whoever did not ask gets libvirt's own words, and a line in no log.
  await one.ask(
    'define',
    writeXml(
      guestXml({ ...guest, name: names.quiet, memoryMiB: 2 * pages }).replace(
        / *<metadata>.*<\/metadata>\n/s,
        '',
      ),
    ),
  )
  const failed = await one.virsh('start', names.quiet)
  t.not(failed.status, 0)
  t.notMatch(failed.stderr, 'error[')
  t.notMatch(hookLog(one), names.quiet)
  for (const name of [names.short, names.surplus, names.quiet]) await one.ask('undefine', name)
})

function writeXml(text: string): string {
  const file = join(scratch, 'domain.xml')
  writeFileSync(file, text)
  return file
}

/** What an upgrade gone wrong, a disk that is full or a host without memory makes of the hook. */
function brokenHooks(): readonly (readonly [
  what: string,
  broken: { readonly node?: string; readonly program?: string },
])[] {
  const written = (name: string, text: string | Uint8Array, mode = 0o644): string => {
    writeFileSync(join(scratch, name), text)
    chmodSync(join(scratch, name), mode)
    return join(scratch, name)
  }
  const whole = readFileSync(resolve('dist/hooks/qemu.cjs'))
  const starved = `#!/bin/sh\nulimit -v 200000\nexec ${process.execPath} "$@"\n`
  return [
    ['a hook made to crash', { program: written('crash.cjs', 'process.abort()\n') }],
    ['its interpreter gone', { node: '/nonexistent/node' }],
    ['its program gone', { program: '/nonexistent/qemu.cjs' }],
    ['its program empty', { program: written('empty.cjs', '') }],
    ['half of its program', { program: written('half.cjs', whole.subarray(0, whole.length / 2)) }],
    ['its program killed', { program: written('killed.cjs', "process.kill(process.pid, 'SIGKILL')\n") }],
    ['no memory for it', { node: written('starved', starved, 0o755) }],
  ]
}

t.test('a hook that is broken refuses no start', async (t) => {
  const { one, kernel, initramfs } = ready()
  const hook = `${one.etc}/hooks/qemu`
  const guest = guestXml({
    name: names.plain,
    memoryMiB: MEMORY_MIB,
    kernel,
    initramfs,
    console: join(scratch, 'plain.log'),
  })
  const plain = guest.replace(/ *<memoryBacking>.*<\/memoryBacking>\n/s, '')
  await one.ask('define', writeXml(plain))
  for (const [what, broken] of brokenHooks()) {
    const repair = breakHook(hook, broken)
    const started = await one.virsh('start', names.plain)
    repair()
    t.same([started.status, started.stderr], [0, ''], what)
    t.equal(await stateOf(one, names.plain), 'running', what)
    t.match(
      hookLog(one),
      new RegExp(`prepare begin ${names.plain}: failed: error\\[hook-`),
      `${what}: the log says so`,
    )
    await one.ask('destroy', names.plain)
  }

  await one.ask('undefine', names.plain)
  const asks = "<metadata><numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1'/></metadata>"
  await one.ask('define', writeXml(plain.replace('  <memory ', `  ${asks}\n  <memory `)))
  configure(one, `timeout_s = 2\nroot = "${join(scratch, 'dead')}"\n`)
  const began = Date.now()
  const waited = await one.virsh('start', names.plain)
  const tookMs = Date.now() - began
  configure(one, '')
  t.same([waited.status, waited.stderr], [0, ''], 'a host that does not answer refuses no start either')
  t.ok(tookMs < 4000, `and holds it for timeout_s, 2 s, and no more: ${tookMs} ms with the start`)
  t.match(hookLog(one), `prepare begin ${names.plain}: failed: error[hook-timeout]: no answer within 2 s`)
  await one.ask('destroy', names.plain)
  await one.ask('undefine', names.plain)
})

t.test('a guest that is saved is rebound where it is restored', async (t) => {
  const { one } = ready()
  const before = await viewOf(one, names.main)
  const saved = join(scratch, 'saved')
  await one.ask('save', names.main, saved)
  configure(one, 'cpuset = "1"\n')
  await one.ask('restore', saved)
  configure(one, '')
  const after = await viewOf(one, names.main)
  t.same(pinsOf(before), [ONLINE, ONLINE], 'at first each vCPU has all CPUs of its cell')
  t.same(pinsOf(after), ['1', '1'], 'its pins are in the new cpuset')
  t.same(vcpuAffinity(qemuPid(one, names.main)), ['1', '1'], 'and so are its threads')
  t.same(after.cells, before.cells, 'what the guest sees stays')
  t.match(hookLog(one), `restore begin ${names.main}: rebound: cells 0-1 on node 0`)
  await ticksOn(console)
})

t.test('the daemon restarts and the guest runs on', async (t) => {
  const { one } = ready()
  const outsider = await installOutsider(one)
  const hook = `${one.etc}/hooks/qemu`
  const pid = qemuPid(one, names.main)
  for (const [what, broken] of [['a hook that is whole', undefined], ...brokenHooks()] as const) {
    const repair = broken === undefined ? () => {} : breakHook(hook, broken)
    const heard = outsider.calls().length
    await one.stopDaemon()
    await one.startDaemon()
    // It answers before it has asked its hooks of each guest, and that before it acts on their answers.
    await until(60, 'the daemon asks its hooks', () => outsider.calls().length > heard)
    repair()
    const status = JSON.parse(await one.ask('qemu-monitor-command', names.main, '{"execute":"query-status"}'))
    t.equal(status.return.status, 'running', what)
    t.equal(await stateOf(one, names.main), 'running', `${what}: libvirt knows it`)
    t.equal(qemuPid(one, names.main), pid, `${what}: the same QEMU`)
    t.same(
      outsider.calls().slice(heard),
      [`${names.main} reconnect begin`],
      `${what}: hooks were run, the outsider's too`,
    )
  }
  await ticksOn(console)
})

t.test('a guest that migrates is rebound on the other side', async (t) => {
  const { one, other } = ready()
  await installHook(other)
  configure(other, 'cpuset = "0"\n')
  await other.startDaemon()
  const [before, kept] = [await viewOf(one, names.main), await viewOf(one, names.main, '--inactive')]
  await one.ask(
    'migrate',
    '--live',
    '--persistent',
    '--undefinesource',
    names.main,
    other.uri,
    '--migrateuri',
    'tcp://127.0.0.1',
  )
  t.not((await one.virsh('domstate', names.main)).status, 0, 'it has left')
  t.equal(await stateOf(other, names.main), 'running')
  const after = await viewOf(other, names.main)
  const pid = qemuPid(other, names.main)
  t.same(pinsOf(after), ['0', '0'], 'its pins are in the cpuset of its new host')
  t.same(vcpuAffinity(pid), ['0', '0'], 'and so are its threads')
  t.same(after.cells, before.cells, 'what the guest sees stays')
  for (const cell of [0, 1])
    t.match(
      cellMemory(pid, cell),
      { policy: 'bind:0', pagesizeKiB: 2048 },
      `the kernel on the pages of cell ${cell}`,
    )
  t.same(
    pinsOf(await viewOf(other, names.main, '--inactive')),
    pinsOf(kept),
    'for its next start libvirt keeps the pins of the source',
  )
  t.match(hookLog(other), `migrate begin ${names.main}: rebound`)
  await ticksOn(console)
})

t.test("an outsider's hook works beside ours", async (t) => {
  const { one, kernel, initramfs } = ready()
  const outsider = await installOutsider(one)
  await defineFitted(
    one,
    guestXml({
      name: names.short,
      memoryMiB: MEMORY_MIB,
      requested: REQUESTED,
      kernel,
      initramfs,
      console: join(scratch, 'beside.log'),
    }),
  )
  outsider.failAt('prepare')
  const refused = await one.virsh('start', names.short)
  t.not(refused.status, 0, 'it can refuse what we let through')
  t.match(refused.stderr, '60-outsider')
  outsider.failAt('')
  await one.ask('start', names.short)
  const saved = join(scratch, 'beside')
  await one.ask('save', names.short, saved)
  configure(one, 'cpuset = "1"\n')
  await one.ask('restore', saved)
  configure(one, '')
  t.same(pinsOf(await viewOf(one, names.short)), ['1', '1'], 'our XML passes through it')
  t.ok(outsider.calls().includes(`${names.short} restore begin`), 'it was asked too')

  outsider.failAt('reconnect')
  await one.stopDaemon()
  await one.startDaemon()
  const isKilled = await waited(60, async () => (await stateOf(one, names.short)) === 'shut off')
  outsider.failAt('')
  t.ok(isKilled, 'a hook that fails at reconnect does kill a guest: the checks above can fail')
  await one.ask('undefine', names.short)
})
