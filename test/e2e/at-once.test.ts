// Ten guests that start at once on pages for seven: seven start, and the others are refused before QEMU
// runs. None fails later, when QEMU allocates its memory.

import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { LEDGER } from '../../src/host/ledger/promise.ts'
import { isWhole } from '../long.ts'
import { configure, hookLog, installHook } from './hook.ts'
import { type LibvirtHost, openHost } from './libvirtd.ts'
import { installPackages } from './packages.ts'
import { addPages, freePages } from './pages.ts'
import { type Ended, until } from './programs.ts'

const GUESTS = 10
const FIT = 7
const PAGES = 32
/** Some ten seconds each. */
const ROUNDS = isWhole ? 20 : 2

const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-at-once-'))
const unique = randomUUID().slice(0, 8)
const names = Array.from({ length: GUESTS }, (_, at) => `many-${at}-${unique}`)
const undo: (() => unknown)[] = [() => rmSync(scratch, { recursive: true, force: true })]
t.teardown(async () => {
  for (const step of undo.reverse()) await step()
})

/** Its firmware is all that runs. */
const guestXml = (name: string, pages: number): string => `<domain type='qemu'>
  <name>${name}</name>
  <metadata><numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1'/></metadata>
  <memory unit='MiB'>${2 * pages}</memory>
  <memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>
  <vcpu>1</vcpu>
  <numatune>
    <memory mode='strict' nodeset='0'/>
    <memnode cellid='0' mode='strict' nodeset='0'/>
  </numatune>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <cpu mode='custom' match='exact'>
    <model fallback='forbid'>qemu64</model>
    <numa><cell id='0' cpus='0' memory='${2 * pages}' unit='MiB'/></numa>
  </cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
`

async function define(one: LibvirtHost, xml: string): Promise<void> {
  const file = join(scratch, 'guest.xml')
  writeFileSync(file, xml)
  await one.ask('define', file)
}

/** Pages of others are left alone: exactly seven guests' worth is free. */
function poolForSeven(): void {
  const missing = FIT * PAGES - freePages()
  if (missing > 0) undo.push(addPages(missing))
  if (freePages() !== FIT * PAGES) throw new Error(`${freePages()} pages are free, not ${FIT * PAGES}`)
}

/** How a start ended: by the answer of our hook, or later. */
function outcomeOf({ status, stderr }: Ended): string {
  if (status === 0) return 'started'
  const code = /unexpected exit status 1: error\[(pages-held|pages-short)\]/.exec(stderr)?.[1]
  return code ?? stderr
}

let made: LibvirtHost | undefined
const ready = (): LibvirtHost => {
  if (made === undefined) throw new Error('the host is not set up')
  return made
}

t.test('set up', async () => {
  await installPackages()
  const one = await openHost('at-once', join(scratch, 'one'))
  undo.push(one.close)
  await installHook(one)
  // Ten programs that start at once take their time where other tests run.
  configure(one, 'timeout_s = 60\n')
  await one.startDaemon()
  poolForSeven()
  for (const name of names) await define(one, guestXml(name, PAGES))
  made = one
})

/** The guests to which something is promised. */
async function promised(one: LibvirtHost): Promise<string[]> {
  const { stdout } = await one.run('find', [LEDGER, '-name', '*.promise', '-size', '+0'])
  return stdout.split('\n').filter(Boolean)
}

t.test('exactly those start that fit, and the others are refused before', async (t) => {
  const one = ready()
  for (let round = 1; round <= ROUNDS; round++) {
    const began = Date.now()
    const ended = await Promise.all(names.map((name) => one.virsh('start', name)))
    const took = ((Date.now() - began) / 1000).toFixed(1)
    const outcomes = ended.map(outcomeOf)
    const started = outcomes.filter((each) => each === 'started')
    const refused = outcomes.filter((each) => each === 'pages-held' || each === 'pages-short')
    const counts = [started.length, refused.length]
    t.same(counts, [FIT, GUESTS - FIT], `round ${round}, ${took} s: ${outcomes.join(', ')}`)
    for (const { stderr } of ended.filter((each) => outcomeOf(each) === 'pages-held')) {
      const holders = names.filter((name) => stderr.includes(`"${name}"`))
      t.ok(holders.length > 0, `it names who was promised the pages: ${holders.join(', ')}`)
    }
    t.notMatch(hookLog(one), 'ledger-unusable', 'the ledger was used')
    t.same(await promised(one), [], 'no promise is left')
    await Promise.all(names.map((name) => one.virsh('destroy', name)))
    await until(60, 'the pages are free again', () => freePages() === FIT * PAGES)
  }
})

t.test('a guest whose QEMU is still to come has its pages', async (t) => {
  const one = ready()
  const [first, large] = [names[0] as string, `large-${unique}`]
  const waits = join(scratch, 'waits')
  mkdirSync(`${one.etc}/hooks/qemu.d`, { recursive: true })
  writeFileSync(waits, '')
  // Between prepare and QEMU libvirt runs its hooks at start.
  writeFileSync(
    `${one.etc}/hooks/qemu.d/60-waits`,
    `#!/bin/sh\n[ "$1 $2" = '${first} start' ] || exit 0\nwhile [ -e ${waits} ]; do sleep 0.1; done\n`,
    { mode: 0o755 },
  )
  await define(one, guestXml(large, FIT * PAGES))
  const starting = one.virsh('start', first)
  await until(60, 'the guest was promised its pages', async () => (await promised(one)).length > 0)
  const refused = await one.virsh('start', large)
  t.equal(outcomeOf(refused), 'pages-held')
  t.match(refused.stderr, `node 0 has ${FIT * PAGES} free 2 MiB pages, but ${PAGES} are promised`)
  t.match(refused.stderr, `("${first}": ${PAGES})`, 'it names who was promised the pages')
  const checked = await one.run('virsh', ['dumpxml', large])
  writeFileSync(join(scratch, 'large.xml'), checked.stdout)
  const found = await one.virtNuma('check', join(scratch, 'large.xml'))
  t.match([found.status, found.stderr], [1, /error\[pages-held\]/], 'so does check')
  rmSync(waits)
  t.equal((await starting).status, 0, 'and it starts')
  t.same(await promised(one), [], 'then its promise ends')
  await one.ask('destroy', first)
  await until(60, 'the pages are free again', () => freePages() === FIT * PAGES)
  t.equal((await one.virsh('start', large)).status, 0, 'the refused guest can start afterwards')
  await one.ask('destroy', large)
})
