// The native hook: it answers as the Node hook does, to the byte, and it ends with the status of the
// operation's rule whatever happens.

import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { act } from '../../hooks/act.ts'
import { fit, fitSteps } from '../../hooks/fit.ts'
import { readConfig } from '../../hooks/settings.ts'
import { callOf, operations, ruleOf } from '../../src/hook-setup/operations.ts'
import { endOf, startApart } from '../apart.ts'
import { ENV, IDLE, makeHost, REBINDS } from '../doors/hook-host.ts'
import { affordable, program } from './programs.ts'

const HOOK = program('qemu-hook')
const FAULTY = program('test/faulty-hook')
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-native-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

let configs = 0
function config(root: string, lines = ''): string {
  const path = join(folder, `virt-numa-${configs++}.conf`)
  writeFileSync(path, `root = "${root}"\nguests = "all"\nlog_file = "${path}.log"\n${lines}\n`)
  return path
}

const logOf = (path: string): string =>
  (existsSync(`${path}.log`) ? readFileSync(`${path}.log`, 'utf8') : '')
    .replace(/^\S+Z /, '')
    .replace(/\(\d+ ms\)/, '')

const SEED = resolve('golden/2n4c2t-seed')
const seed = readFileSync(`${SEED}/domain.xml`)

interface Run {
  readonly program?: string
  readonly config: string
  readonly input: string | Uint8Array
  readonly fault?: string
}

function run(operation: string, { program = HOOK, config, input, fault }: Run): SpawnSyncReturns<string> {
  return spawnSync(program, ['db1', ...operation.split(' '), '-'], {
    cwd: '/',
    env: { ...ENV, VIRT_NUMA_CONFIG: config, ...(fault !== undefined && { VIRT_NUMA_FAULT: fault }) },
    input,
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** What the hook answers on Node, in this process. */
async function onNode(operation: string, configFile: string, input: Uint8Array): Promise<unknown[]> {
  const printed = ['', '', '']
  let log = ''
  const exit = await act(['db1', ...operation.split(' ')], {
    readConfig: () => readConfig(configFile),
    readInput: async () => input,
    fit: async (task) => fit(task, fitSteps),
    print: async (stream, text) => {
      printed[stream] = text
      return true
    },
    log: async (_file, line) => {
      log = line.replace(/^\S+Z /, '').replace(/\(\d+ ms\)/, '')
    },
    limitTime: () => {},
    elapsedMs: () => 0,
    now: () => new Date(),
  })
  return [exit, printed[1], printed[2], log]
}

async function agree(t: Test, about: string, configFile: string, input: Uint8Array): Promise<void> {
  for (const operation of ['migrate begin', 'prepare begin']) {
    const expected = await onNode(operation, configFile, input)
    rmSync(`${configFile}.log`, { force: true })
    const { status, stdout, stderr } = run(operation, { config: configFile, input })
    t.same([status, stdout, stderr, logOf(configFile)], expected, `${about} at ${operation}`)
  }
}

t.test('the golden cases', async (t) => {
  for (const name of affordable(readdirSync('golden'))) {
    const at = resolve('golden', name)
    if (!existsSync(`${at}/domain.xml`)) continue
    const input = readFileSync(`${at}/domain.xml`)
    for (const host of ['host.json', 'sys.tar.gz', 'capabilities.xml'])
      if (existsSync(`${at}/${host}`)) await agree(t, `${name} on ${host}`, config(`${at}/${host}`), input)
  }
})

t.test('a captured folder, and what cannot be read', async (t) => {
  const captured = join(folder, 'captured')
  mkdirSync(captured)
  execFileSync('tar', ['-xzf', `${SEED}/sys.tar.gz`, '-C', captured])
  await agree(t, 'a folder', config(captured), seed)
  symlinkSync('/', join(captured, 'out'))
  await agree(t, 'a folder with a link that leads out of it', config(captured), seed)
  const [text, half] = [join(folder, 'text'), join(folder, 'half.tar.gz')]
  writeFileSync(text, 'neither')
  writeFileSync(half, readFileSync(`${SEED}/sys.tar.gz`).subarray(0, 900))
  for (const host of [text, half, join(folder, 'missing'), '/dev/null', '/proc/self/mem'])
    await agree(t, `root = ${host}`, config(host), seed)
  const here = config(`${SEED}/host.json`)
  for (const [about, bytes] of [
    ['nothing', []],
    ['bytes that are not UTF-8', [...seed.subarray(0, 300), 0xff, ...seed.subarray(300)]],
    ['a surrogate', [...seed.subarray(0, 300), 0xed, 0xa0, 0x80]],
    ['an overlong form', [...seed.subarray(0, 300), 0xc0, 0xaf]],
    ['a character that is cut', [...seed, 0xf0, 0x9f]],
    ['characters of two, three and four bytes', [...Buffer.from(`<!-- é € 🐧 -->${seed}`)]],
    ['half a document', [...seed.subarray(0, 300)]],
    ['a zero byte', [...seed, 0]],
  ] as const)
    await agree(t, about, here, Uint8Array.from(bytes))
  for (const lines of ['memory = "evn"', 'guests = [ "web1" ]', 'on_error = "keep"', 'memory = "even"', '"'])
    await agree(t, lines, config(`${SEED}/host.json`, lines), seed)
})

// ---- Limits ----

const LATE = /^error\[hook-timeout\]: no answer within 1 s, while fitting the guest to this host /
const FAULTS: Readonly<Record<string, RegExp>> = {
  loop: LATE,
  'loop after a catch': LATE,
  regex: LATE,
  sort: /^error\[hook-(timeout|memory)\]: /,
  memory: /^error\[hook-memory\]: the memory limit of 32 MiB was reached /,
  'one allocation': /./,
  strings: /./,
  stack: /stack overflow/,
  throws: /^broken/,
  blocked: /^$/,
}

t.test('every fault ends with the status of the rule of the operation', (t) => {
  const known = affordable([...new Set([...operations, ...IDLE])])
  for (const [fault, reason] of Object.entries(FAULTS))
    for (const operation of known)
      for (const onError of ['refuse', 'keep']) {
        const timeoutS = fault === 'memory' ? 9 : 1
        const lines = `timeout_s = ${timeoutS}\nmemory_limit_mib = 32\non_error = "${onError}"`
        const path = config(`${SEED}/host.json`, lines)
        const { does, ourFailure } = ruleOf(callOf(['db1', ...operation.split(' ')]))
        if (does === 'nothing' && onError === 'keep') continue
        const cancels = ourFailure === 'as-configured' && onError === 'refuse'
        const began = performance.now()
        const found = run(operation, { program: FAULTY, config: path, input: seed, fault })
        const about = `${fault} at ${operation} with ${onError}`
        t.same([found.status, found.signal, found.stdout], [cancels ? 1 : 0, null, ''], about)
        t.ok(performance.now() - began < 10_000, `${about}: in time`)
        t.equal(found.stderr !== '', cancels, `${about}: a message where the operation is cancelled`)
        if (does === 'nothing') t.equal(logOf(path), '', about)
        else if (fault !== 'blocked') t.match(logOf(path).replace(/^.*? failed: /, ''), reason, about)
      }
  t.end()
})

t.test('an operation needs neither memory nor a configuration to do nothing', (t) => {
  for (const operation of [...IDLE, 'reconnect begin'])
    for (const limit of ['-v 4000', '-s 16', '-n 3', '-d 100']) {
      const line = `ulimit ${limit}; exec "$@"`
      const { status } = spawnSync('/bin/sh', ['-c', line, 'sh', HOOK, 'db1', ...operation.split(' ')])
      t.equal(status, 0, `${operation} with ulimit ${limit}`)
    }
  for (const operation of ['prepare begin', ...REBINDS]) {
    const line = 'ulimit -v 4000; exec "$@"'
    const words = ['-c', line, 'sh', HOOK, 'db1', ...operation.split(' ')]
    const { status, signal } = spawnSync('/bin/sh', words, { input: seed })
    t.same([status, signal], [operation === 'prepare begin' ? 0 : 1, null], `${operation} with little memory`)
  }
  t.end()
})

t.test('streams that stall or are closed', async (t) => {
  for (const operation of ['migrate begin', 'prepare begin']) {
    const isRebind = operation === 'migrate begin'
    const path = config(`${SEED}/host.json`, 'timeout_s = 1')
    const options = { cwd: '/', env: { ...ENV, VIRT_NUMA_CONFIG: path } }
    const stalled = await endOf(startApart(HOOK, ['db1', ...operation.split(' ')], options))
    t.equal(stalled.status, isRebind ? 1 : 0, `${operation}: stdin that never ends`)
    t.match(stalled.stderr, isRebind ? /^error\[hook-timeout\]: no answer within 1 s/ : /^$/)
    t.match(
      logOf(path),
      'failed: error[hook-timeout]: no answer within 1 s, while reading the domain from stdin ',
    )
    for (const closed of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
      const words = ['-c', `exec "$@" ${closed}`, 'sh', HOOK, 'db1', ...operation.split(' ')]
      const { status } = spawnSync('/bin/sh', words, { ...options, input: seed })
      t.equal(status, isRebind && closed !== '2>&-' ? 1 : 0, `${operation} with ${closed}`)
    }
  }
})

t.test('the ledger is that of the Node hook', (t) => {
  const root = makeHost(folder, 'with-ledger')
  const ledger = join(root, 'run/virt-numa')
  mkdirSync(join(root, `proc/${process.pid}`), { recursive: true })
  writeFileSync(join(root, `proc/${process.pid}/stat`), readFileSync('/proc/self/stat'))
  mkdirSync(ledger, { recursive: true })
  const guest = (name: string, mib: number): string =>
    `<domain type='kvm'><name>${name}</name><memory unit='MiB'>${mib}</memory>` +
    '<memoryBacking><hugepages/></memoryBacking><vcpu>1</vcpu><os><type>hvm</type></os></domain>'
  const path = config(root)
  const env = { ...ENV, VIRT_NUMA_CONFIG: path }
  const NODE_HOOK = [process.execPath, resolve('dist/hooks/qemu.cjs')]
  const prepare = ([program = '', ...words]: readonly string[], name: string, mib: number) =>
    spawnSync('env', ['-u', 'NODE_OPTIONS', program, ...words, name, 'prepare', 'begin', '-'], {
      cwd: '/',
      env,
      input: guest(name, mib),
      encoding: 'utf8',
    })
  // A lock that a killed hook left behind is taken over.
  symlinkSync('1.1', join(ledger, 'lock'))
  t.equal(prepare([HOOK], 'a', 1024).status, 0)
  t.same(readdirSync(ledger), ['a.promise'])
  const [ofNode, ofNative] = [prepare(NODE_HOOK, 'b', 1026), prepare([HOOK], 'b', 1026)]
  t.match(ofNode.stderr, 'error[pages-held]: nodes 0-1 have 1024 free 2 MiB pages, but 512 are promised')
  t.same([ofNative.status, ofNative.stderr], [ofNode.status, ofNode.stderr])
  const written = (): string => readFileSync(join(ledger, 'a.promise'), 'utf8').replace(/since \d+/, '')
  const byNative = written()
  prepare(NODE_HOOK, 'a', 1024)
  t.equal(byNative, written(), 'both write the same')
  const THROUGH_SHIM = ['sh', '-c', 'VIRT_NUMA_SHIM=$$ "$0" x "$@"; exit', HOOK]
  t.equal(prepare(THROUGH_SHIM, 'a', 1024).status, 83)
  t.equal(byNative, written(), 'the daemon is the one that started the shim')
  symlinkSync('/etc', join(ledger, 'lock'))
  prepare([HOOK], 'a', 1024)
  t.match(readFileSync(`${path}.log`, 'utf8'), 'note[ledger-unusable]')
  t.end()
})

t.test('a promise ends without the bundle', (t) => {
  // A /run of its own: the ledger of this machine is left alone.
  const script =
    'mount -t tmpfs none /run && mkdir /run/virt-numa && cd /run/virt-numa && ' +
    'for op in "started begin" "stopped end" "release end" "start begin"; do ' +
    'echo x >"a b.promise"; echo x >other.promise; "$1" "a b" $op - || exit 1; ls; done; ' +
    'echo x >../up.promise; "$1" ../up stopped end - && ls ..'
  const { status, stdout } = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', HOOK], {
    encoding: 'utf8',
  })
  const ended = 'other.promise\n'
  t.same([status, stdout], [0, `${ended.repeat(3)}a b.promise\n${ended}up.promise\nvirt-numa\n`])
  t.end()
})

// ---- The build ----

const BUILT = ['', 'aarch64/'].flatMap((architecture) =>
  ['qemu-hook', 'virt-numa'].map((name) => `${architecture}${name}`),
)

t.test('two builds have the same bytes, wherever they are made', (t) => {
  for (const name of readdirSync(join(cache(), 'virt-numa/native'))) {
    const from = join(cache(), 'virt-numa/native', name)
    const other = join(folder, 'cache/virt-numa/native', name)
    mkdirSync(other, { recursive: true })
    for (const tarball of readdirSync(from).filter((each) => each.includes('.tar.')))
      cpSync(join(from, tarball), join(other, tarball))
  }
  const env = { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: join(folder, 'cache') }
  execFileSync(process.execPath, ['packaging/native/build.mjs', '--out', join(folder, 'built')], { env })
  for (const name of BUILT)
    t.ok(readFileSync(join(folder, 'built', name)).equals(readFileSync(`dist/native/${name}`)), name)
  t.end()
})

const cache = (): string => process.env.XDG_CACHE_HOME || join(homedir(), '.cache')

t.test('the programs are static and stripped', (t) => {
  for (const name of BUILT) {
    const headers = execFileSync('readelf', ['-lS', `dist/native/${name}`], { encoding: 'utf8' })
    t.notMatch(headers, /INTERP|\.symtab|\.debug/, name)
  }
  t.end()
})
