// The ledger as the hook keeps it: a promise for each guest that may start, one guest at a time, and no
// start that is refused because the ledger cannot be used.

import { type ChildProcess, type SpawnSyncReturns, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { shimText } from '../../src/hook-setup/shim.ts'
import { parsePromise } from '../../src/host/ledger/promise.ts'
import { acquireLock } from '../../src/machine/ledger/lock.ts'
import { endOf, runApart, startApart } from '../apart.ts'
import { long, sampled } from '../long.ts'
import { ASKS, ENV, makeHost, writeIn } from './hook-host.ts'

const PROGRAM = resolve('dist/hooks/qemu.cjs')
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-ledger-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

let hosts = 0

/** A host of two nodes with 512 free pages of 2 MiB each, on which this process is the daemon. */
function hostWithLedger(): { readonly root: string; readonly ledger: string; readonly config: string } {
  hosts += 1
  const root = makeHost(folder, `host-${hosts}`)
  writeIn(root, `proc/${process.pid}/stat`, readFileSync('/proc/self/stat'))
  const ledger = join(root, 'run/virt-numa')
  mkdirSync(ledger, { recursive: true, mode: 0o755 })
  const config = writeIn(folder, `host-${hosts}.conf`, `root = "${root}"\nlog_file = "${root}.log"\n`)
  return { root, ledger, config }
}

interface GuestFacts {
  readonly mib?: number
  readonly asks?: boolean
  readonly backing?: string
}

const PAGES = '<memoryBacking><hugepages/></memoryBacking>'

/** One cell on node 0. */
function domain(name: string, { mib = 512, asks = true, backing = PAGES }: GuestFacts = {}): string {
  return `<domain type='kvm'>
  <name>${name}</name>
  ${asks ? ASKS : ''}
  <memory unit='MiB'>${mib}</memory>
  ${backing}
  <vcpu>1</vcpu>
  <numatune>
    <memory mode='strict' nodeset='0'/>
    <memnode cellid='0' mode='strict' nodeset='0'/>
  </numatune>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <cpu><numa><cell id='0' cpus='0' memory='${mib}' unit='MiB'/></numa></cpu>
</domain>
`
}

function prepare(config: string, name: string, facts?: GuestFacts): SpawnSyncReturns<string> {
  return runApart(process.execPath, [PROGRAM, name, 'prepare', 'begin', '-'], {
    cwd: '/',
    env: { ...ENV, VIRT_NUMA_CONFIG: config },
    input: domain(name, facts),
    timeout: 60_000,
  })
}

const logOf = (root: string): string => (existsSync(`${root}.log`) ? readFileSync(`${root}.log`, 'utf8') : '')
const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8)
const ownStart = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19] as string

t.test('a guest that may start is promised its pages, and the next is checked against them', (t) => {
  const { ledger, config, root } = hostWithLedger()
  t.same(prepare(config, 'db1').status, 0)
  const promise = parsePromise(readFileSync(`${ledger}/db1.promise`, 'utf8'))
  t.match(promise, { memory: [{ nodes: [0], pagesizeKiB: 2048, memoryKiB: 512 * 1024 }] })
  t.same(promise?.daemon, { pid: process.pid, start: Number(ownStart(process.pid)) }, 'by its daemon')
  t.same([modeOf(ledger), modeOf(`${ledger}/db1.promise`)], ['700', '600'])
  t.same(readdirSync(ledger), ['db1.promise'], 'the lock is released')

  const refused = prepare(config, 'db2', { mib: 514 })
  t.equal(refused.status, 1)
  t.match(refused.stderr, 'error[pages-held]: node 0 has 512 free 2 MiB pages, but 256 are promised')
  t.match(refused.stderr, '("db1": 256)')
  t.same(readdirSync(ledger), ['db1.promise'], 'a refused guest is promised nothing')
  t.equal(prepare(config, 'db2').status, 0, 'what is left it can have')
  t.equal(prepare(config, 'db1').status, 0, 'its own promise does not count against a guest')
  t.equal(prepare(config, 'db3', { mib: 2 }).status, 1, 'nothing is left')
  writeFileSync(`${ledger}/db1.promise`, '')
  t.equal(prepare(config, 'db3', { mib: 2 }).status, 0, 'until a promise ends')
  t.same(readdirSync(ledger), ['db2.promise', 'db3.promise'], 'a file that counts no longer is removed')
  t.notMatch(logOf(root), 'ledger-unusable')
  t.end()
})

t.test('guests to which it does not matter leave the ledger alone', (t) => {
  const { ledger, config } = hostWithLedger()
  const past = new Date('2020-01-01')
  utimesSync(ledger, past, past)
  const others: readonly (readonly [string, GuestFacts])[] = [
    ['without huge pages', { backing: '' }],
    ['that did not opt in', { asks: false }],
  ]
  for (const [what, facts] of others) {
    t.equal(prepare(config, 'db1', facts).status, 0, what)
    t.same(lstatSync(ledger).mtime, past, `${what}: nothing was created`)
  }
  prepare(config, 'db1', { backing: "<memoryBacking><allocation mode='immediate'/></memoryBacking>" })
  t.match(readFileSync(`${ledger}/db1.promise`, 'utf8'), 'memory 0 - 524288\n', 'ordinary memory at start')
  rmSync(ledger, { recursive: true })
  t.equal(prepare(config, 'db1').status, 0)
  t.notOk(existsSync(ledger), 'a captured machine without a ledger gets none')
  t.end()
})

t.test('a ledger that cannot be used refuses no start', (t) => {
  const faults: readonly (readonly [string, (ledger: string) => void, RegExp])[] = [
    ['the lock is a file', (ledger) => writeFileSync(`${ledger}/lock`, ''), /invalid argument/],
    ['the lock is a folder', (ledger) => mkdirSync(`${ledger}/lock`), /invalid argument/],
    [
      'the lock leads somewhere',
      (ledger) => symlinkSync('/etc', `${ledger}/lock`),
      /not a link of virt-numa/,
    ],
    [
      'the promise is a folder',
      (ledger) => mkdirSync(`${ledger}/db1.promise`),
      /illegal operation|is a directory|not permitted/,
    ],
    [
      'the ledger is a link',
      (ledger) => {
        rmSync(ledger, { recursive: true })
        mkdirSync(`${ledger}-elsewhere`)
        symlinkSync(`${ledger}-elsewhere`, ledger)
      },
      /not a directory/,
    ],
  ]
  for (const [what, spoil, words] of sampled(faults, 3)) {
    const { ledger, config, root } = hostWithLedger()
    spoil(ledger)
    const { status, stderr } = prepare(config, 'db1')
    t.same([status, stderr], [0, ''], what)
    t.match(logOf(root), /prepare begin db1: ok, note\[ledger-unusable\]: cannot use the ledger in /, what)
    t.match(logOf(root), words, what)
  }
  t.end()
})

t.test('files that are no promises are ignored, and links are not followed', (t) => {
  const { ledger, config, root } = hostWithLedger()
  const target = writeIn(folder, 'target', 'keep me\n')
  symlinkSync(target, `${ledger}/db1.promise`)
  for (const [name, text] of Object.entries({ db2: '\0\0', db3: '{"a":1}', db4: 'boot \nsince 1\n' }))
    writeFileSync(`${ledger}/${name}.promise`, text)
  t.equal(prepare(config, 'db1', { mib: 1024 }).status, 0)
  t.same(readdirSync(ledger), ['db1.promise'], 'they are removed')
  t.ok(lstatSync(`${ledger}/db1.promise`).isFile(), 'the link was replaced')
  t.equal(readFileSync(target, 'utf8'), 'keep me\n')
  t.notMatch(logOf(root), 'ledger-unusable')
  t.end()
})

// ---- The lock ----

/** A process that has ended: "PID.START". */
async function deadOwner(): Promise<string> {
  const child = spawn('sleep', ['60'])
  const owner = `${child.pid}.${ownStart(child.pid as number)}`
  child.kill('SIGKILL')
  await new Promise((done) => child.once('exit', done))
  return owner
}

t.test('a lock whose owner has ended is taken over, and all of it is released', async (t) => {
  const { ledger, config, root } = hostWithLedger()
  const [first, heir] = [await deadOwner(), await deadOwner()]
  symlinkSync(first, `${ledger}/lock`)
  symlinkSync(heir, `${ledger}/lock-${first}`)
  t.equal(prepare(config, 'db1').status, 0)
  t.same(readdirSync(ledger), ['db1.promise'])
  t.notMatch(logOf(root), 'ledger-unusable')
})

long('a lock that another process holds is waited for, but not for ever', (t) => {
  const { ledger, config, root } = hostWithLedger()
  writeFileSync(config, `${readFileSync(config, 'utf8')}timeout_s = 3\n`)
  symlinkSync(`${process.pid}.${ownStart(process.pid)}`, `${ledger}/lock`)
  const { status } = prepare(config, 'db1')
  t.equal(status, 0, 'the guest may start')
  t.match(logOf(root), /ok, note\[ledger-unusable\]: another process has held the lock .* for 1\.2 s/)
  t.ok(existsSync(`${ledger}/db1.promise`), 'and is promised its pages all the same')
  t.equal(readlinkSync(`${ledger}/lock`), `${process.pid}.${ownStart(process.pid)}`, 'the lock stays')
  t.end()
})

t.test('of all that wait for a lock, one has it, whoever is killed', (t) => {
  const at = join(folder, 'lock-alone')
  mkdirSync(at)
  const dead = new Set(['1.1'])
  const asking = (self: string) => ({ self, isAlive: (owner: string) => !dead.has(owner), waitMs: 0 })
  t.type(acquireLock(at, asking('1.1')), 'function')
  t.equal(readlinkSync(`${at}/lock`), '1.1')
  const second = acquireLock(at, asking('2.2'))
  t.type(second, 'function', 'the first has ended')
  t.equal(acquireLock(at, asking('3.3')), undefined, 'the second holds it')
  dead.add('2.2')
  const third = acquireLock(at, asking('3.3'))
  t.same(readdirSync(at), ['lock', 'lock-1.1', 'lock-2.2'])
  t.equal(acquireLock(at, asking('4.4')), undefined)
  third?.()
  t.same(readdirSync(at), [])
  // It saw the owner 1.1 before that chain was released, and wakes up now: "lock" has another owner.
  symlinkSync('5.5', `${at}/lock`)
  t.equal(acquireLock(at, asking('6.6')), undefined)
  t.same(readdirSync(at), ['lock'])
  t.end()
})

long('a hook that is killed while it holds the lock stops no other', async (t) => {
  const { ledger, config, root } = hostWithLedger()
  const env = { ...ENV, VIRT_NUMA_CONFIG: config }
  let kills = 0
  for (let tries = 0; tries < 20 && kills === 0; tries++) {
    const child = startApart(process.execPath, [PROGRAM, 'db1', 'prepare', 'begin', '-'], { cwd: '/', env })
    child.stdin?.end(domain('db1'))
    const ended = endOf(child)
    while (child.exitCode === null && !isLocked(ledger)) await new Promise((next) => setImmediate(next))
    child.kill('SIGKILL')
    await ended
    if (isLocked(ledger)) kills += 1
  }
  t.equal(kills, 1, 'it was killed in time')
  t.equal(prepare(config, 'db2').status, 0)
  t.notOk(isLocked(ledger), 'the next one releases the lock')
  t.notMatch(logOf(root), 'ledger-unusable')
})

const isLocked = (ledger: string): boolean => readdirSync(ledger).includes('lock')

long('guests that start at once get the pages that are there, and no more', async (t) => {
  const { ledger, config, root } = hostWithLedger()
  writeFileSync(config, `${readFileSync(config, 'utf8')}timeout_s = 60\n`)
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const started = names.map((name): ChildProcess => {
    const words = [PROGRAM, name, 'prepare', 'begin', '-']
    const child = startApart(process.execPath, words, { cwd: '/', env: { ...ENV, VIRT_NUMA_CONFIG: config } })
    child.stdin?.end(domain(name, { mib: 256 }))
    return child
  })
  const ended = await Promise.all(started.map((child) => endOf(child)))
  t.same(ended.map(({ status }) => status).sort(), [0, 0, 0, 0, 1, 1])
  for (const { stderr } of ended.filter(({ status }) => status === 1)) t.match(stderr, 'error[pages-held]')
  t.equal(readdirSync(ledger).length, 4)
  t.notMatch(logOf(root), 'ledger-unusable')
})

// ---- The end of a promise ----

t.test('the shim ends a promise without a program', (t) => {
  const ledger = join(folder, 'ended')
  mkdirSync(ledger)
  const shim = writeIn(folder, 'shim', shimText('/no/node', '/no/program', ledger), 0o755)
  for (const name of ['db1', '..', 'a b', "it's", '$(id)', '-n', 'ü', '*']) {
    for (const [operation, ends] of [
      ['started begin', true],
      ['stopped end', true],
      ['release end', true],
      ['start begin', false],
      ['reconnect begin', false],
    ] as const) {
      const file = writeIn(ledger, `${name}.promise`, 'x')
      const other = writeIn(ledger, 'other.promise', 'x')
      const { status, stderr } = runApart(shim, [name, ...operation.split(' '), '-'], { cwd: '/', env: ENV })
      const sizes = [lstatSync(file).size, lstatSync(other).size]
      t.same([status, stderr, sizes], [0, '', [ends ? 0 : 1, 1]], `${name} at ${operation}`)
    }
  }
  const target = writeIn(folder, 'linked', 'keep me\n')
  symlinkSync(target, `${ledger}/link.promise`)
  const words = [...['link', '../linked'], ''].filter(Boolean)
  for (const name of words) runApart(shim, [name, 'stopped', 'end', '-'], { cwd: '/', env: ENV })
  t.equal(readFileSync(target, 'utf8'), 'keep me\n', 'no link is followed, and no path')
  mkdirSync(`${ledger}/folder.promise`)
  const { status } = runApart(shim, ['folder', 'started', 'begin', '-'], { cwd: '/', env: ENV })
  t.equal(status, 0, 'whatever has the name')
  chmodSync(ledger, 0o755)
  t.end()
})
