// The installed hook at every operation of libvirt's, with everything broken that can break around it: real
// files, signals, limits and file systems. Of each combination the exit status, what is printed and the time
// are named.
//
// A fault is described by what it does to the hook; what has to follow from that for a guest that asks and
// for one that does not is decided in one place (`expected`).

import { spawn, spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { DROPS } from '../../src/hook-setup/operations.ts'
import { shimText } from '../../src/hook-setup/shim.ts'
import { type Ended, endOf } from '../apart.ts'
import { ASKS, ENV, IDLE, makeHost, REBINDS, writeIn } from '../doors/hook-host.ts'
import { makeGroup, mountDead, mountFrozen, mountSmall, must } from './mounts.ts'

// ---- What the hook is run on ----

const folder = mkdtempSync(join(tmpdir(), 'virt-numa-faults-'))
const at = (name: string): string => join(folder, name)

const write = (name: string, text: string | Uint8Array, mode?: number): string =>
  writeIn(folder, name, text, mode)

/** On nodes 2 and 3, which the host lacks: it can be rebound, and must not start. */
function domain(asks: boolean, more = ''): string {
  return `<domain type='kvm'>
  <name>db1</name>
  ${asks ? ASKS : ''}
  <memory unit='KiB'>262144</memory>
  <vcpu placement='static'>2</vcpu>
  <cputune>
    <vcpupin vcpu='0' cpuset='8'/>
    <vcpupin vcpu='1' cpuset='12'/>
  </cputune>
  <numatune>
    <memory mode='strict' nodeset='2-3'/>
    <memnode cellid='0' mode='strict' nodeset='2'/>
    <memnode cellid='1' mode='strict' nodeset='3'/>
  </numatune>
  ${more}
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <cpu>
    <numa>
      <cell id='0' cpus='0' memory='131072' unit='KiB'/>
      <cell id='1' cpus='1' memory='131072' unit='KiB'/>
    </numa>
  </cpu>
</domain>
`
}

const LONG = `<description>${'x'.repeat(300_000)}</description>`

// ---- Faults ----

/** What becomes of the hook. */
type Effect =
  /** It answers as if nothing were wrong. */
  | 'works'
  /**
   * Its program gives no verdict: migrate and restore are refused, prepare goes on, and the log may say so.
   */
  | 'no-verdict'
  /** Its program says that it failed: `on_error` decides. */
  | 'fails'
  /** What it was given cannot be used: migrate and restore are refused, prepare goes on. */
  | 'refuses'
  /** The new document cannot be handed over: migrate and restore are refused whatever on_error says. */
  | 'unprinted'
  /** As `works` or as `no-verdict`: how many threads a Node needs is not ours to say. */
  | 'either'

interface Fault {
  readonly name: string
  readonly effect: Effect
  /** Of a guest that does not ask, where it is another: its document is read before the host is. */
  readonly unasked?: Effect
  readonly node?: string
  readonly program?: string
  readonly config?: string
  /** Lines of the configuration. */
  readonly lines?: string
  /** Run in a shell before the hook replaces it. */
  readonly before?: string
  readonly input?: (asks: boolean) => string | Uint8Array | undefined
  readonly stdin?: 'open' | number
  readonly stdout?: 'closed' | 'unread' | number
  readonly signal?: NodeJS.Signals
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** It ends only when its time is up: timeout_s, or the default where the configuration cannot be read. */
  readonly waits?: 'timeout' | 'default'
  /** The log cannot be read by the test, or cannot have been written. */
  readonly logless?: boolean
}

/** What has to be taken away again, the last first. */
const ends: (() => void | Promise<void>)[] = []

const NODE = process.execPath
const PROGRAM = resolve('dist/hooks/qemu.cjs')
const host = makeHost(folder, 'host')

/** Beside the parts that it loads. */
function makeProgram(name: string, text: string | Uint8Array, parts = ['write.cjs']): string {
  for (const part of parts) {
    mkdirSync(at(name), { recursive: true })
    copyFileSync(resolve('dist', part), at(`${name}/${part}`))
  }
  return write(`${name}/hooks/qemu.cjs`, text)
}

function programFaults(): Fault[] {
  const whole = readFileSync(PROGRAM)
  const inThread = "if (!require('node:worker_threads').isMainThread)"
  const statuses = [0, 1, 2, 9, 13, 100, 126, 127, 134, 137, 139, 255]
  const signals = ['SIGKILL', 'SEGV', 'SIGABRT', 'SIGTERM', 'SIGHUP', 'SIGXFSZ'].map((name) =>
    name.replace(/^(SIG)?/, 'SIG'),
  )
  const faults: readonly (readonly [name: string, fault: Omit<Fault, 'name' | 'effect'>])[] = [
    ['the program is missing', { program: at('gone') }],
    ['the program is a folder', { program: folder }],
    ['the program is empty', { program: makeProgram('empty', '') }],
    ['a byte of the program', { program: makeProgram('byte', whole.subarray(0, 1)) }],
    ['half of the program', { program: makeProgram('half', whole.subarray(0, whole.length / 2)) }],
    [
      'all of the program but its last line',
      { program: makeProgram('most', whole.subarray(0, whole.length - 120)) },
    ],
    ['a program of zeros', { program: makeProgram('zeros', new Uint8Array(whole.length)) }],
    ['another program', { program: makeProgram('other', 'process.stdout.write("<domain/>")') }],
    ['node is missing', { node: at('gone') }],
    ['node is a folder', { node: folder }],
    ['node may not be executed', { node: PROGRAM }],
    ['node is not a program', { node: write('junk', 'not a program\u0000', 0o755) }],
    ['node without its interpreter', { node: write('uninterpreted', '#!/no/such/sh\n', 0o755) }],
    [
      'node without its library',
      {
        node: write('library', '#!/bin/sh\necho error while loading shared libraries >&2\nexit 127\n', 0o755),
      },
    ],
    ...statuses.map((status) => {
      const program = makeProgram(`status-${status}`, `process.exit(${status})`)
      return [`the program ends with ${status}`, { program }] as const
    }),
    ...signals.map((signal) => {
      const program = makeProgram(signal, `process.kill(process.pid, '${signal}'); for (;;);`)
      return [`the program is ended by ${signal}`, { program }] as const
    }),
    [
      'half of an answer, then the end',
      { program: makeProgram('part', "process.stdout.write('<domain>'); process.exitCode = 0") },
    ],
    [
      'half of an answer, then SIGKILL',
      {
        program: makeProgram(
          'killed',
          "require('fs').writeSync(1, '<domain>'); process.kill(process.pid, 9)",
        ),
      },
    ],
    ['a program that computes for ever', { program: makeProgram('loop', 'for (;;);'), waits: 'timeout' }],
    [
      'a program that waits for ever',
      {
        program: makeProgram('wait', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"),
        waits: 'timeout',
      },
    ],
    [
      'a program that is stopped',
      { program: makeProgram('stop', "process.kill(process.pid, 'SIGSTOP'); for (;;);"), waits: 'timeout' },
    ],
  ]
  return [
    ...faults.map(([name, fault]) => ({ name, effect: 'no-verdict' as const, ...fault })),
    {
      name: 'its thread computes for ever',
      effect: 'fails',
      unasked: 'works',
      program: makeProgram('looping', `${inThread} for (;;);\n${whole}`),
      waits: 'timeout',
    },
    {
      name: 'its thread needs all memory',
      effect: 'fails',
      unasked: 'works',
      program: makeProgram(
        'greedy',
        `${inThread} { const all = []; for (;;) all.push(new Array(1e6).fill({})) }\n${whole}`,
      ),
      lines: 'memory_limit_mib = 32',
    },
    {
      name: 'its thread throws',
      effect: 'fails',
      unasked: 'works',
      program: makeProgram('throwing', `${inThread} throw new Error('x')\n${whole}`),
    },
    {
      name: 'its thread ends',
      effect: 'fails',
      unasked: 'works',
      program: makeProgram('ending', `${inThread} process.exit(0)\n${whole}`),
    },
  ]
}

function limitFaults(): Fault[] {
  const limits: readonly (readonly [limit: string, effect: Effect])[] = [
    ['-v 100000', 'no-verdict'],
    ['-v 600000', 'no-verdict'],
    ['-n 14', 'either'],
    ['-s 64', 'either'],
    ['-c 0', 'works'],
    ['-f 0', 'works'],
  ]
  const groups = [
    ...[1, 2, 3, 4, 6, 9].map((limit) => ['pids', limit, 'either'] as const),
    ...[32, 64].map((mib) => ['memory', mib * 1024 * 1024, 'either'] as const),
  ]
  return [
    ...limits.map(([limit, effect]) => ({
      name: `ulimit ${limit}`,
      effect,
      before: `ulimit ${limit}`,
      logless: true,
    })),
    ...groups.map(([controller, limit, effect]) => {
      const group = makeGroup(controller, `virt-numa-faults-${process.pid}-${limit}`, limit)
      ends.push(group.end)
      // A shell that is gone leaves its place to the hook, which replaces it.
      return {
        name: `${controller} ${limit}`,
        effect,
        before: `echo $$ > ${group.path}/cgroup.procs`,
        logless: true,
      }
    }),
  ]
}

function environmentFaults(): Fault[] {
  const all: readonly (readonly [name: string, env: Fault['env']])[] = [
    ['NODE_OPTIONS that no Node knows', { NODE_OPTIONS: '--no-such-option' }],
    ['NODE_OPTIONS that load a file that is gone', { NODE_OPTIONS: `--require=${at('gone')}` }],
    [
      'OPENSSL_CONF that is broken',
      { OPENSSL_CONF: write('openssl.cnf', 'openssl_conf = [\n.include /no/such\n') },
    ],
    ['no PATH', { PATH: undefined }],
    ['a PATH that leads nowhere', { PATH: '/no/such' }],
    ['no HOME', { HOME: undefined }],
    ['no LC_ALL', { LC_ALL: undefined }],
    ['an LC_ALL that does not exist', { LC_ALL: 'xx_XX.UTF-8' }],
    ['IFS', { IFS: 'a/' }],
    ['a library that is to be loaded first and is gone', { LD_PRELOAD: '/no/such.so' }],
    ['an empty VIRT_NUMA_SHIM', { VIRT_NUMA_SHIM: '' }],
    ['ENV', { ENV: '/no/such', BASH_ENV: '/no/such' }],
  ]
  return [
    ...all.map(([name, env]) => ({ name, effect: 'works' as const, env })),
    {
      name: 'a folder that is gone',
      effect: 'works',
      before: `mkdir ${folder}/cwd-$$ && cd ${folder}/cwd-$$ && rmdir ${folder}/cwd-$$`,
    },
  ]
}

function streamFaults(small: string): Fault[] {
  const opened = (path: string, flags = 'r'): number => {
    const file = openSync(path, flags)
    ends.push(() => closeSync(file))
    return file
  }
  const utf16 = (text: string): Uint8Array => Buffer.from(`\ufeff${text}`, 'utf16le')
  const inputs: readonly (readonly [name: string, input: NonNullable<Fault['input']>])[] = [
    ['nothing', () => ''],
    ['white space', () => ' \n\n'],
    ['a byte', () => '<'],
    ['a document that ends before what asks', (asks) => domain(asks).slice(0, 30)],
    ['a document that ends early', (asks) => domain(asks).slice(0, -10)],
    ['two documents', (asks) => domain(asks) + domain(asks)],
    ['the end of a document', (asks) => domain(asks).slice(100)],
    ['UTF-16', (asks) => utf16(domain(asks))],
    ['zeros', () => new Uint8Array(4096)],
    ['another document', () => '<domainsnapshot><domain></domain></domainsnapshot>\n'],
    ['what libvirt says elsewhere', () => 'error: failed to get domain\n'],
  ]
  return [
    ...inputs.map(([name, input]) => ({ name: `stdin is ${name}`, effect: 'refuses' as const, input })),
    { name: 'stdin is closed', effect: 'refuses', before: 'exec <&-' },
    { name: 'stdin is /dev/null', effect: 'refuses', stdin: opened('/dev/null') },
    { name: 'stdin is a folder', effect: 'refuses', stdin: opened(folder) },
    { name: 'stdin never ends', effect: 'fails', stdin: 'open', waits: 'timeout' },
    { name: 'stdout is closed', effect: 'unprinted', unasked: 'works', before: 'exec >&-' },
    { name: 'stdout is /dev/null', effect: 'unprinted', unasked: 'works', stdout: opened('/dev/null', 'w') },
    { name: 'stdout is full', effect: 'unprinted', unasked: 'works', stdout: opened('/dev/full', 'w') },
    {
      name: 'stdout is a file on a small disk',
      effect: 'unprinted',
      unasked: 'works',
      stdout: opened(join(small, 'out'), 'w'),
      input: (asks) => domain(asks, LONG),
    },
    {
      name: 'stdout without a reader',
      effect: 'unprinted',
      unasked: 'works',
      stdout: 'unread',
      input: (asks) => domain(asks, LONG),
      waits: 'timeout',
    },
    {
      name: 'stdout was closed by its reader',
      effect: 'unprinted',
      unasked: 'works',
      stdout: 'closed',
      input: (asks) => domain(asks, LONG),
    },
    { name: 'stderr is closed', effect: 'works', before: 'exec 2>&-' },
    { name: 'stderr is full', effect: 'works', before: 'exec 2>/dev/full' },
    { name: 'all streams are closed', effect: 'refuses', before: 'exec <&- >&- 2>&-' },
  ]
}

function fileFaults({
  dead,
  frozen,
  small,
}: {
  readonly dead: string
  readonly frozen: string
  readonly small: string
}): Fault[] {
  const pipe = at('pipe')
  must('mkfifo', [pipe])
  const withPipe = makeHost(folder, 'with-pipe')
  rmSync(join(withPipe, 'sys/devices/system/node/node0/meminfo'))
  must('mkfifo', [join(withPipe, 'sys/devices/system/node/node0/meminfo')])
  const inDead = makeHost(folder, 'in-dead')
  mkdirSync(join(inDead, 'sys/fs/cgroup'), { recursive: true })
  must('mount', ['--bind', dead, join(inDead, 'sys/fs/cgroup')])
  ends.push(() => must('umount', ['--lazy', join(inDead, 'sys/fs/cgroup')]))
  const roots: readonly (readonly [name: string, root: string, effect: Effect, waits?: 'timeout'])[] = [
    ['root is missing', at('gone'), 'refuses'],
    ['root is a pipe', pipe, 'refuses'],
    ['root is a device', '/dev/zero', 'refuses'],
    ['root has no host in it', write('bare/file', '').replace('/file', ''), 'refuses'],
    ['root does not answer', dead, 'fails', 'timeout'],
    ['a cgroup does not answer', inDead, 'fails', 'timeout'],
    ['root does not answer below', join(dead, 'host'), 'fails', 'timeout'],
  ]
  const logs: readonly (readonly [name: string, file: string])[] = [
    ['a pipe', pipe],
    ['a folder', folder],
    ['in a folder that is missing', at('no/such.log')],
    ['in /proc', '/proc/virt-numa.log'],
    ['on a disk that is full', join(small, 'full.log')],
    ['on a file system that is frozen', join(frozen, 'frozen.log')],
    ['on one that does not answer', join(dead, 'dead.log')],
  ]
  const configs: readonly (readonly [name: string, config: string, effect: Effect, waits?: 'default'])[] = [
    ['is missing', at('gone.conf'), 'refuses'],
    ['is a folder', folder, 'refuses'],
    ['is a pipe', pipe, 'refuses'],
    ['is a device', '/dev/zero', 'refuses'],
    [
      'cannot be parsed',
      write('broken.conf', `log_file = "${at('broken.log')}"\non_error = keep"\n`),
      'refuses',
    ],
    ['has a log that is stdout', write('stdout.conf', 'log_file = "/dev/stdout"\n'), 'refuses'],
    ['is not UTF-8', write('bytes.conf', new Uint8Array([0xff, 0xfe, 0x0a])), 'refuses'],
    ['does not answer', join(dead, 'dead.conf'), 'refuses', 'default'],
  ]
  return [
    ...roots.map(
      ([name, root, effect, waits]): Fault => ({
        name,
        effect,
        unasked: 'works',
        lines: `root = "${root}"`,
        ...(waits && { waits }),
      }),
    ),
    { name: 'a file of the host is a pipe', effect: 'works', lines: `root = "${withPipe}"` },
    ...logs.map(
      ([name, file]): Fault => ({
        name: `the log is ${name}`,
        effect: 'works',
        lines: `log_file = "${file}"`,
        logless: true,
      }),
    ),
    ...configs.map(
      ([name, config, effect, waits]): Fault => ({
        name: `the configuration ${name}`,
        effect,
        config,
        logless: true,
        ...(waits && { waits }),
      }),
    ),
    { name: 'nothing', effect: 'works' },
    ...(['SIGTERM', 'SIGHUP', 'SIGINT'] as const).map(
      (signal): Fault => ({
        name: `the hook gets ${signal}`,
        effect: 'no-verdict',
        program: makeProgram(`hung-${signal}`, 'setInterval(() => {}, 1000)'),
        signal,
      }),
    ),
  ]
}

// ---- What has to follow ----

const PREPARE = 'prepare begin'

interface Case {
  readonly fault: Fault
  readonly operation: string
  readonly asks: boolean
  readonly onError: 'refuse' | 'keep'
}

interface Expected {
  readonly statuses: readonly number[]
  /** Of stdout when the status is 0. */
  readonly stdout: 'rebound' | 'nothing' | 'either'
}

const PASSES: Expected = { statuses: [0], stdout: 'nothing' }
const REFUSED: Expected = { statuses: [1], stdout: 'nothing' }

function expected({ fault, operation, asks, onError }: Case): Expected {
  if (IDLE.includes(operation)) return PASSES
  const effect = asks ? fault.effect : (fault.unasked ?? fault.effect)
  const isRebind = REBINDS.includes(operation)
  switch (effect) {
    case 'works':
      if (!asks) return PASSES
      return isRebind ? { statuses: [0], stdout: 'rebound' } : REFUSED
    case 'unprinted':
      return REFUSED
    case 'fails':
      return isRebind && onError === 'refuse' ? REFUSED : PASSES
    case 'either':
      if (isRebind) return { statuses: [0, 1], stdout: asks ? 'rebound' : 'nothing' }
      return asks ? { statuses: [0, 1], stdout: 'nothing' } : PASSES
    case 'no-verdict':
    case 'refuses':
      return isRebind ? REFUSED : PASSES
  }
}

// ---- Running them ----

const TIMEOUT_S = 2
/** The default of timeout_s. */
const DEFAULT_S = 10
/** What a machine that is busy with other tests may take to start a Node. */
const SLACK_MS = 3000

/** In a ledger that only the shim knows: the program uses that of its root. */
const PROMISE = 'boot -\nsince 1\ndaemon 1 1\nmemory 0 2048 65536\nend\n'

let runs = 0

interface Found extends Ended {
  readonly log: string
  /** The file of the guest's promise in the ledger, which was there before. */
  readonly promise: string
}

function run({ fault, operation, asks, onError }: Case): Promise<Found> {
  runs += 1
  const log = at(`logs/${runs}.log`)
  mkdirSync(dirname(log), { recursive: true })
  const { lines = '' } = fault
  const own = [
    `timeout_s = ${TIMEOUT_S}`,
    `on_error = "${onError}"`,
    ...(lines.includes('root') ? [] : [`root = "${host}"`]),
  ]
  const config =
    fault.config ??
    write(
      `configs/${runs}.conf`,
      [...own, ...(lines.includes('log_file') ? [] : [`log_file = "${log}"`]), lines, ''].join('\n'),
    )
  const promise = write(`ledgers/${runs}/db1.promise`, PROMISE, 0o600)
  const shim = shimText(fault.node ?? NODE, fault.program ?? PROGRAM, dirname(promise))
  const hook = write(`hooks/${runs}/qemu`, shim, 0o755)
  const { stdin, stdout, before = ':' } = fault
  const env = Object.fromEntries(
    Object.entries({ ...ENV, VIRT_NUMA_CONFIG: config, ...fault.env }).filter(
      ([, value]) => value !== undefined,
    ),
  )
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const child = spawn(
    '/bin/sh',
    ['-c', `${before}; exec env -i "$@"`, 'sh', ...words, hook, 'db1', ...operation.split(' '), '-'],
    {
      cwd: '/',
      env: ENV,
      stdio: [
        typeof stdin === 'number' ? stdin : 'pipe',
        typeof stdout === 'number' ? stdout : 'pipe',
        'pipe',
      ],
    },
  )
  const ended = endOf(child, stdout === 'unread' ? 'unread' : 'read')
  child.stdin?.on('error', () => {})
  if (stdout === 'closed') child.stdout?.destroy()
  if (stdin === 'open') child.stdin?.write(domain(asks))
  else child.stdin?.end(fault.input?.(asks) ?? domain(asks))
  const { signal } = fault
  if (signal !== undefined) setTimeout(() => child.kill(signal), 700)
  return ended.then((end) => ({
    ...end,
    log: fault.logless ? '' : readIfThere(log),
    promise: readIfThere(promise),
  }))
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** What is wrong with an end; empty when it is as it has to be. */
function wrongWith(each: Case, { status, signal, stdout, stderr, tookMs, log, promise }: Found): string[] {
  const { fault, operation, asks } = each
  const { statuses, stdout: printed } = expected(each)
  const found: string[] = []
  if (!statuses.includes(status as number))
    found.push(`status ${status ?? signal}, expected ${statuses.join(' or ')}`)
  const isSeen = fault.stdout === undefined
  const isRebound = /<memnode cellid='1' mode='strict' nodeset='1'\/>[\s\S]*<\/domain>\n$/.test(stdout)
  const mustBeRebound = printed === 'rebound' && REBINDS.includes(operation)
  if (status === 0 && isSeen && (mustBeRebound ? !isRebound : REBINDS.includes(operation) && stdout !== ''))
    found.push(`printed ${JSON.stringify(stdout.slice(0, 80))}`)
  const hears = !/2>|exec <&- >&-/.test(fault.before ?? '')
  if (status === 1 && hears && !/^error\[/m.test(stderr))
    found.push(`said ${JSON.stringify(stderr.slice(0, 200))}`)
  const isNoVerdict = (asks ? fault.effect : (fault.unasked ?? fault.effect)) === 'no-verdict'
  if (isNoVerdict && !fault.logless && !IDLE.includes(operation) && !/ failed: error\[hook-/.test(log))
    found.push('nothing in the log')
  const limitS = fault.waits === 'default' ? DEFAULT_S : TIMEOUT_S
  const mostMs = (IDLE.includes(operation) ? 0 : limitS * 1000 + 1000) + SLACK_MS
  if (tookMs > mostMs && !/^(pids|ulimit)/.test(fault.name))
    found.push(`took ${Math.round(tookMs)} ms, at most ${mostMs}`)
  if (promise !== (DROPS.includes(operation) ? '' : PROMISE))
    found.push(`left the promise ${JSON.stringify(promise)}`)
  return found
}

/** How many run at once; most of them wait. */
const AT_ONCE = 4

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

t.test('every operation under every fault', async (t) => {
  t.equal(process.getuid?.(), 0, 'this test mounts file systems and limits processes: it has to run as root')
  const [dead, frozen, small] = [at('dead'), at('frozen'), at('small')]
  for (const { end } of [await mountDead(dead), mountFrozen(frozen, at('frozen.img')), mountSmall(small)])
    ends.push(end)
  spawnSync('dd', ['if=/dev/zero', `of=${small}/filling`, 'bs=1k'])
  const faults = [
    ...programFaults(),
    ...limitFaults(),
    ...environmentFaults(),
    ...streamFaults(small),
    ...fileFaults({ dead, frozen, small }),
  ]
  const cases = faults.flatMap((fault) => [
    ...[...REBINDS, PREPARE].flatMap((operation) =>
      [true, false].flatMap((asks) =>
        (['refuse', 'keep'] as const).map((onError) => ({ fault, operation, asks, onError })),
      ),
    ),
    ...IDLE.map((operation) => ({ fault, operation, asks: true, onError: 'refuse' as const })),
  ])
  let worst = 0
  try {
    await inParallel(cases, async (each) => {
      const ended = await run(each)
      const { fault, operation, asks, onError } = each
      const limitS = fault.waits === 'default' ? DEFAULT_S : TIMEOUT_S
      if (fault.waits !== undefined && !IDLE.includes(operation))
        worst = Math.max(worst, ended.tookMs - limitS * 1000)
      const name = `${fault.name}, ${operation}, ${asks ? 'asks' : 'does not ask'}, ${onError}`
      t.same(
        wrongWith(each, ended),
        [],
        `${name}: status ${ended.status} after ${Math.round(ended.tookMs)} ms`,
      )
    })
  } finally {
    for (const end of ends.reverse()) await end()
    rmSync(folder, { recursive: true, force: true })
  }
  t.ok(
    cases.length >= 1000,
    `${cases.length} combinations of ${faults.length} faults; at most ${Math.round(worst)} ms ` +
      `beyond a time limit`,
  )
})
