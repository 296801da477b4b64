// The hook as libvirt runs it: argv, a minimal environment, cwd /; and with each part of it broken.

import { type ChildProcess, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import { act } from '../../hooks/act.ts'
import { confined } from '../../hooks/confined.ts'
import { fit, fitSteps, type Task } from '../../hooks/fit.ts'
import { logLine } from '../../hooks/log-line.ts'
import type { Steps } from '../../hooks/steps.ts'
import type { CpuSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { callOf, PROGRAM_OPERATIONS, ruleOf } from '../../src/hook-setup/operations.ts'
import { shimText } from '../../src/hook-setup/shim.ts'
import { partitionPaths } from '../../src/machine/guest-cgroup.ts'
import { defaultConfig } from '../../src/request/config.ts'
import { type Ended, endOf, runApart, startApart } from '../apart.ts'
import { long, sampled } from '../long.ts'
import { pattern } from '../pattern.ts'
import { ASKS, ENV, IDLE, makeHost, REBINDS, writeIn } from './hook-host.ts'

const PROGRAM = resolve('dist/hooks/qemu.cjs')
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-hook-'))
chmodSync(folder, 0o777)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

// ---- A captured host, with 512 free 2 MiB pages on each node ----

const write = (path: string, text: string): string => writeIn(folder, path, text)

const host = makeHost(folder, 'host')
const emptyHost = join(folder, 'empty')
mkdirSync(emptyHost)

let configs = 0
/** The log of each configuration is in the same folder, with the suffix .log. */
function config(lines = '', root = host): string {
  configs += 1
  const path = join(folder, `virt-numa-${configs}.conf`)
  writeFileSync(
    path,
    `root = "${root}"\n${lines.includes('log_file') ? '' : `log_file = "${path}.log"\n`}${lines}\n`,
  )
  return path
}

const logOf = (path: string): string => (existsSync(`${path}.log`) ? readFileSync(`${path}.log`, 'utf8') : '')

// ---- Guests of two cells: one placed for another host, one for this host ----

function domain({ at = [2, 3], cpus = ['8', '12'], asks = true, mib = 128, more = '' } = {}): string {
  const pins = [0, 1, 2, 3]
    .map((vcpu) => `    <vcpupin vcpu='${vcpu}' cpuset='${cpus[vcpu >> 1]}'/>\n`)
    .join('')
  const memnodes = at
    .map((node, cell) => `    <memnode cellid='${cell}' mode='strict' nodeset='${node}'/>\n`)
    .join('')
  const cells = at
    .map(
      (_, cell) =>
        `      <cell id='${cell}' cpus='${2 * cell}-${2 * cell + 1}' memory='${mib * 1024}' unit='KiB'/>\n`,
    )
    .join('')
  return `<domain type='kvm'>
  <name>db1</name>
  ${asks ? ASKS : ''}
  <memory unit='KiB'>${2 * mib * 1024}</memory>
  <memoryBacking>
    <hugepages>
      <page size='2048' unit='KiB'/>
    </hugepages>
  </memoryBacking>
  <vcpu placement='static'>4</vcpu>
  <cputune>
${pins}    <emulatorpin cpuset='${cpus.join(',')}'/>
  </cputune>
  <numatune>
    <memory mode='strict' nodeset='${at.join(',')}'/>
${memnodes}  </numatune>
  ${more}
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <cpu>
    <numa>
${cells}    </numa>
  </cpu>
</domain>
`
}

const elsewhere = domain()
const fitting = domain({ at: [0, 1], cpus: ['0-3', '4-7'] })
const notAsking = domain({ asks: false })

// ---- Running it ----

interface Run {
  readonly config?: string
  readonly input?: string | Uint8Array
  readonly uid?: number
  readonly program?: readonly string[]
}

const envWith = (path: string | undefined) => (path === undefined ? ENV : { ...ENV, VIRT_NUMA_CONFIG: path })

function run(
  operation: string,
  { config: path, input = '', uid, program = [process.execPath, PROGRAM] }: Run,
): SpawnSyncReturns<string> {
  const [command, ...args] = [...program, 'db1', ...operation.split(' '), '-']
  return runApart(command as string, args, {
    cwd: '/',
    env: envWith(path),
    input,
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
    ...(uid !== undefined && { uid, gid: uid }),
  })
}

function outcome({ status, stdout, stderr }: SpawnSyncReturns<string>): unknown[] {
  return [status, stdout, stderr]
}

/** `start` may close streams before the hook uses them. */
function runOpen(operation: string, path: string, start: (child: ChildProcess) => void): Promise<Ended> {
  const child = startApart(process.execPath, [PROGRAM, 'db1', ...operation.split(' '), '-'], {
    cwd: '/',
    env: envWith(path),
  })
  const ended = endOf(child, 'unread')
  child.stdin.on('error', () => {})
  start(child)
  return ended
}

const ALL = [...REBINDS, 'prepare begin', ...IDLE]
/** Operations that exit with 0 whatever breaks. */
const NEVER_FAIL = ['prepare begin', ...IDLE]

const firstLine = (text: string): string => text.split('\n')[0] as string
const cellsOf = (text: string): string => /<numa>\s*<cell[\s\S]*<\/numa>/.exec(text)?.[0] ?? 'none'

// ---- What it does ----

t.test('migrate and restore rebind the guest', (t) => {
  for (const operation of REBINDS) {
    const path = config()
    const { status, stdout, stderr } = run(operation, { config: path, input: elsewhere })
    t.equal(status, 0, operation)
    t.equal(stderr, '', 'no message')
    t.match(stdout, "<memnode cellid='0' mode='strict' nodeset='0'/>")
    t.match(stdout, "<memnode cellid='1' mode='strict' nodeset='1'/>")
    t.notMatch(stdout, /cpuset='[^']*(8|12)/, 'no pin is left on a CPU that this host lacks')
    t.equal(cellsOf(stdout), cellsOf(elsewhere), 'the cells stay')
    t.match(
      logOf(path),
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ ${operation} db1: rebound: cells 0-1 on nodes ` +
          `0-1, \\d+ edits; note\\[pins-widened\\]: vCPUs 0-3 were pinned to CPUs 8,12, and may now ` +
          `run on CPUs 0-7 \\(\\d+ ms\\)\\n$`,
      ),
    )
    const again = run(operation, { config: path, input: stdout })
    t.same([again.status, again.stdout, again.stderr], [0, '', ''], 'a second run changes nothing')
    t.match(logOf(path).split('\n')[1], 'db1: placement kept: cells 0-1 on nodes 0-1')
  }
  t.end()
})

t.test('a missing element is added', (t) => {
  const { status, stdout } = run('migrate begin', {
    config: config(),
    input: elsewhere.replace(/ *<emulatorpin[^>]*>\n/, ''),
  })
  t.equal(status, 0)
  t.match(stdout, /<emulatorpin cpuset='[0-7,-]+'\/>/)
  t.end()
})

t.test('a refusal cancels migrate and restore, and prints the reason first', (t) => {
  const wish = elsewhere.replace("urn:virt-numa:1'/>", "urn:virt-numa:1' memory='evn'/>")
  for (const [name, input, reason] of [
    ['not XML', `${ASKS}<domain`, 'error[xml-malformed]:'],
    ['an invalid value', wish, 'error[unknown-value]: metadata of db1: invalid value "evn" for memory'],
    ['not UTF-8', Buffer.from([...Buffer.from(ASKS), 0xff]), 'error[utf8-invalid]:'],
    ['no domain', `<domainx>${ASKS}</domainx>`, 'error[not-domain]:'],
  ] as const) {
    for (const keep of ['', 'on_error = "keep"']) {
      const path = config(keep)
      const { status, stdout, stderr } = run('migrate begin', { config: path, input })
      t.same([status, stdout], [1, ''], `${name} ${keep}`)
      t.equal(firstLine(stderr).startsWith(reason), true, firstLine(stderr))
      t.match(logOf(path), ` migrate begin db1: refused: ${reason}`)
    }
    if (input === wish) continue
    const path = config()
    t.same(
      outcome(run('prepare begin', { config: path, input })),
      [0, '', ''],
      `${name} at prepare proves nothing`,
    )
    t.match(logOf(path), ` prepare begin db1: not checked: ${reason}`)
  }
  t.end()
})

t.test('prepare refuses only starts that are proven to fail', (t) => {
  const path = config()
  const bad = run('prepare begin', { config: path, input: elsewhere })
  t.same([bad.status, bad.stdout], [1, ''])
  t.equal(
    firstLine(bad.stderr),
    'error[node-missing]: <memory nodeset> names nodes 2-3, but this host has nodes 0-1',
  )
  t.match(bad.stderr, 'error[cpus-outside]: the pin of vCPU 0', 'all findings are reported')
  t.match(logOf(path), /^\S+ prepare begin db1: refused: error\[node-missing\]: [^\n]+\n$/, 'in one line')

  const short = run('prepare begin', {
    config: config(),
    input: domain({ at: [0, 1], cpus: ['0-3', '4-7'], mib: 2048 }),
  })
  t.equal(short.status, 1)
  t.match(firstLine(short.stderr), /^error\[pages-short\]: node/)

  const good = config()
  t.same(outcome(run('prepare begin', { config: good, input: fitting })), [0, '', ''])
  t.match(logOf(good), /^\S+ prepare begin db1: ok \(\d+ ms\)\n$/)

  const noted = config()
  const remote = domain({ at: [1, 0], cpus: ['0-3', '4-7'] })
  t.same(
    outcome(run('prepare begin', { config: noted, input: remote })),
    [0, '', ''],
    'a note does not refuse a start',
  )
  t.match(logOf(noted), 'db1: ok, note[pin-remote]: ')
  t.end()
})

t.test('a guest that did not opt in is left alone', (t) => {
  for (const operation of ALL) {
    const path = config()
    t.same(outcome(run(operation, { config: path, input: notAsking })), [0, '', ''], operation)
    t.equal(existsSync(`${path}.log`), false, 'and nothing is logged')
    t.same(outcome(run(operation, { input: notAsking })), [0, '', ''], `${operation} without a configuration`)
  }
  const odd = notAsking.replace("cpuset='8'", "cpuset='x'").trimEnd()
  t.same(
    outcome(run('migrate begin', { config: config(), input: odd })),
    [0, '', ''],
    'its mistakes are not reported',
  )
  const named = config('guests = [ "web1" ]')
  t.same(
    outcome(run('migrate begin', { config: named, input: notAsking })),
    [0, '', ''],
    'the configuration names other guests',
  )
  const covered = notAsking.replace('<domain ', '<!-- urn:virt-numa:1 --><domain ')
  t.same(
    outcome(run('migrate begin', { config: named, input: covered })),
    [0, '', ''],
    'our namespace in a comment is not a request',
  )
  for (const guests of ['"all"', '[ "web1", "db1" ]']) {
    const { status, stdout } = run('migrate begin', {
      config: config(`guests = ${guests}`),
      input: notAsking,
    })
    t.equal(status, 0, guests)
    t.match(stdout, "nodeset='0-1'", 'the configuration covers the guest')
  }
  t.end()
})

t.test('operations that do nothing do not read stdin', async (t) => {
  for (const operation of IDLE) {
    const { status, tookMs } = await runOpen(operation, config('timeout_s = 50'), () => {})
    t.equal(status, 0, operation)
    t.ok(tookMs < 20_000, `${operation} does not wait for stdin: ${tookMs} ms`)
  }
  for (const args of [[], ['db1'], ['db1', 'migrate'], ['', '', '', '']]) {
    const { status, stdout, stderr } = runApart(process.execPath, [PROGRAM, ...args], { cwd: '/', env: ENV })
    t.same([status, stdout, stderr], [0, '', ''], `arguments ${JSON.stringify(args)}`)
  }
})

// ---- What can break ----

t.test('a domain that libvirt did not write whole', (t) => {
  const log =
    '\n   fix: try again; if it recurs, see: virsh dumpxml db1; journalctl -u virtqemud -u libvirtd\n'
  for (const [about, input, what] of [
    ['nothing', '', 'error[xml-malformed]: not well-formed XML: the document is empty'],
    ['half of one', elsewhere.slice(0, 400), 'error[xml-malformed]: not well-formed XML: un'],
    ['an opt-in alone', 'urn:virt-numa:1', 'error[xml-malformed]: not well-formed XML: '],
  ] as const) {
    const { status, stderr } = run('migrate begin', { config: config(), input })
    t.equal(status, 1, about)
    t.match(stderr, what, about)
    t.match(stderr, log, `${about}: the fix is for the reader of libvirt's message, who typed no pipe`)
  }
  t.end()
})

long('stdin that is closed early', async (t) => {
  for (const operation of ALL) {
    const nothing = await runOpen(operation, config(), (child) => child.stdin?.destroy())
    t.equal(
      nothing.status,
      REBINDS.includes(operation) ? 1 : 0,
      `${operation}: it is not known whether the guest opted in`,
    )
    const cut = await runOpen(operation, config(), (child) => child.stdin?.end(elsewhere.slice(0, 400)))
    t.equal(cut.status, REBINDS.includes(operation) ? 1 : 0, `${operation}: half a document that opts in`)
  }
  const closed = runApart(
    '/bin/sh',
    ['-c', 'exec "$@" <&- 2>&-', 'sh', process.execPath, PROGRAM, 'db1', 'reconnect', 'begin', '-'],
    {
      env: ENV,
    },
  )
  t.equal(closed.status, 0, 'stdin and stderr closed')
})

long('stdout without a reader', async (t) => {
  const long = domain({ more: `<description>${'x'.repeat(1_000_000)}</description>` })
  for (const operation of ALL) {
    const isRebind = REBINDS.includes(operation)
    for (const input of [fitting, long]) {
      const { status } = await runOpen(operation, config(), (child) => {
        child.stdout?.destroy()
        child.stdin?.end(input)
      })
      const isRefused = input === long && (isRebind || operation === 'prepare begin')
      t.equal(
        status,
        isRefused ? 1 : 0,
        `${operation}, ${input === long ? 'the new document is lost' : 'nothing to print'}`,
      )
    }
    const closed = runApart(
      '/bin/sh',
      ['-c', 'exec "$@" >&-', 'sh', process.execPath, PROGRAM, 'db1', ...operation.split(' '), '-'],
      {
        env: envWith(config()),
        input: fitting,
      },
    )
    t.equal(closed.status, 0, `${operation}, closed from the start`)
  }
  const lost = config()
  const closed = runApart(
    '/bin/sh',
    ['-c', 'exec "$@" >&-', 'sh', process.execPath, PROGRAM, 'db1', 'migrate', 'begin', '-'],
    {
      env: envWith(lost),
      input: elsewhere,
    },
  )
  t.equal(closed.status, 1)
  t.match(closed.stderr, /^error\[unwritable\]: /)
  t.match(logOf(lost), 'refused: error[unwritable]: ')
  const full = runApart(
    '/bin/sh',
    ['-c', 'exec "$@" >/dev/full', 'sh', process.execPath, PROGRAM, 'db1', 'migrate', 'begin', '-'],
    { env: envWith(config()), input: elsewhere },
  )
  t.match(firstLine(full.stderr), /XML to stdout: no space left on device$/, 'a full disk is reported as one')
  const stuck = await runOpen('migrate begin', config('timeout_s = 2'), (child) => {
    child.stdin?.end(long)
  })
  t.equal(stuck.status, 1, 'a reader that stops reading')
  t.ok(stuck.tookMs < 20_000, `${stuck.tookMs} ms`)
})

long('1 MB of XML', (t) => {
  const many = "<disk type='file' device='disk'><source file='/a'/></disk>\n".repeat(18_000)
  const more = `<devices>${many}</devices>`
  const input = domain({ more })
  t.ok(input.length > 1_000_000)
  const { status, stdout } = run('migrate begin', { config: config(), input })
  t.equal(status, 0)
  t.ok(stdout.includes(more), 'the rest is as it was')
  t.equal(run('prepare begin', { config: config(), input }).status, 1)
  for (const operation of IDLE) t.equal(run(operation, { config: config(), input }).status, 0, operation)
  t.same(outcome(run('migrate begin', { config: config(), input: domain({ more, asks: false }) })), [
    0,
    '',
    '',
  ])
  t.end()
})

long('a host without /sys, and a configuration that is malformed or unreadable', (t) => {
  const broken = config('on_error = "kep"')
  const unknown = config('colour = "red"')
  for (const [name, path, reason] of [
    ['no /sys', config('', emptyHost), 'error[host-unreadable]:'],
    ['no root', config('', join(folder, 'nowhere')), 'error[unreadable]:'],
    ['a value that is none', broken, `error[unknown-value]: ${broken}: invalid value "kep" for on_error`],
    ['a key that is none', unknown, `error[unknown-key]: ${unknown}: unknown key "colour"`],
    ['a folder', folder, `error[unreadable]: cannot read ${folder}`],
    ['a missing file', join(folder, 'none.conf'), `error[unreadable]: cannot read ${folder}/none.conf`],
  ] as const) {
    for (const operation of REBINDS) {
      const { status, stdout, stderr } = run(operation, { config: path, input: elsewhere })
      t.same([status, stdout], [1, ''], `${name} at ${operation}`)
      t.equal(firstLine(stderr).startsWith(reason), true, firstLine(stderr))
    }
    for (const operation of NEVER_FAIL)
      t.same(
        outcome(run(operation, { config: path, input: elsewhere })),
        [0, '', ''],
        `${name} at ${operation}`,
      )
  }
  t.match(
    run('migrate begin', { config: broken }).stderr,
    `    at: ${broken}:3:12   on_error = "kep"`,
    'the line is shown',
  )
  t.match(
    logOf(broken),
    /migrate begin db1: refused: error\[unknown-value\]/,
    'the log that it names is written',
  )
  const pipe = join(folder, 'pipe')
  t.equal(spawnSync('mkfifo', [pipe]).status, 0)
  const { status, stderr } = run('migrate begin', { config: pipe, input: elsewhere })
  t.equal(status, 1)
  t.match(stderr, 'it is not a regular file')
  t.end()
})

/** As a busy disk does: the log opens later than the answer waits for it. */
const SLOW_LOG = `
const files = require('node:fs/promises')
const { open } = files
files.open = async (file, flags, ...rest) => {
  if (flags & ${constants.O_APPEND}) await new Promise((done) => setTimeout(done, 700))
  return open(file, flags, ...rest)
}
`

long('a log that is slow is written, and the status is that of the answer', (t) => {
  const slow = [process.execPath, '-r', write('slow-log.cjs', SLOW_LOG), PROGRAM]
  const path = config('on_error = "refuse"')
  const lacking = domain({ at: [0, 1], cpus: ['0-3', '4-7'], mib: 4096 })
  for (const [status, input] of [
    [0, fitting],
    [1, lacking],
  ] as const) {
    const ended = run('prepare begin', { config: path, input, program: slow })
    t.same([ended.status, ended.signal], [status, null], ended.stderr)
  }
  t.match(logOf(path), / prepare begin db1: ok .*\n.* prepare begin db1: refused: error\[pages-short\]/)
  t.end()
})

long('a log that cannot be written', (t) => {
  const pipe = join(folder, 'log-pipe')
  t.equal(spawnSync('mkfifo', [pipe]).status, 0)
  for (const log of [folder, '/proc/virt-numa.log', join(folder, 'no/such/folder.log'), pipe]) {
    const path = config(`log_file = "${log}"`)
    const rebound = run('migrate begin', { config: path, input: elsewhere })
    t.same([rebound.status, rebound.stderr], [0, ''], log)
    t.match(rebound.stdout, "nodeset='0-1'")
    t.equal(run('prepare begin', { config: path, input: fitting }).status, 0, log)
  }
  t.end()
})

long('user 107 without capabilities', (t) => {
  t.equal(process.getuid?.(), 0, 'this test has to run as root, to become another user')
  const path = config()
  for (const operation of ALL) {
    const { status, stderr } = run(operation, { config: path, input: elsewhere, uid: 107 })
    t.equal(status, operation === 'prepare begin' ? 1 : 0, `${operation}: ${stderr}`)
    t.equal(run(operation, { config: path, input: fitting, uid: 107 }).status, 0, operation)
  }
  t.match(run('migrate begin', { config: path, input: elsewhere, uid: 107 }).stdout, "nodeset='0-1'")
  const secret = config()
  chmodSync(secret, 0o600)
  const hidden = run('migrate begin', { config: secret, input: elsewhere, uid: 107 })
  t.equal(hidden.status, 1)
  t.match(firstLine(hidden.stderr), /^error\[unreadable\]: cannot read .*permission denied/)
  for (const operation of NEVER_FAIL)
    t.equal(run(operation, { config: secret, input: elsewhere, uid: 107 }).status, 0, operation)
  t.end()
})

long('stdin that never ends', async (t) => {
  const late = 'no answer within 1 s, while reading the domain from stdin'
  for (const operation of ['migrate begin', 'restore begin', 'prepare begin']) {
    for (const onError of ['refuse', 'keep']) {
      const path = config(`timeout_s = 1\non_error = "${onError}"`)
      const { status, stderr, tookMs } = await runOpen(operation, path, (child) =>
        child.stdin?.write(elsewhere),
      )
      const isCancelled = operation !== 'prepare begin' && onError === 'refuse'
      t.equal(status, isCancelled ? 1 : 0, `${operation}, ${onError}`)
      t.equal(firstLine(stderr), isCancelled ? `error[hook-timeout]: ${late}` : '')
      t.ok(tookMs >= 900 && tookMs < 20_000, `${tookMs} ms`)
      t.match(logOf(path), `${operation} db1: failed: error[hook-timeout]: ${late} (`)
    }
  }
})

long('out of memory', (t) => {
  const input = domain({ more: `<devices>${'<a/>'.repeat(400_000)}</devices>` })
  for (const [operation, onError, status] of [
    ['migrate begin', 'refuse', 1],
    ['migrate begin', 'keep', 0],
    ['prepare begin', 'refuse', 0],
  ] as const) {
    const path = config(`memory_limit_mib = 1\non_error = "${onError}"`)
    const ended = run(operation, { config: path, input })
    t.same([ended.status, ended.stdout], [status, ''], `${operation}, ${onError}`)
    t.match(logOf(path), 'failed: error[hook-memory]: the memory limit of 16 MiB was reached (')
    const cancelled =
      /^error\[hook-memory\].*\n {3}why: .*was not changed\n {3}fix: raise memory_limit_mib in /
    t.match(ended.stderr, status === 1 ? cancelled : /^$/)
  }
  t.equal(
    run('migrate begin', { config: config('memory_limit_mib = 1'), input: elsewhere }).status,
    0,
    'an ordinary guest fits into the limit',
  )
  t.end()
})

long('a missing part of the program', (t) => {
  const lone = write('lone/hooks/qemu.cjs', readFileSync(PROGRAM, 'utf8'))
  const program = [process.execPath, lone]
  const input = elsewhere.replace(/ *<emulatorpin[^>]*>\n/, '')
  const refused = run('migrate begin', { config: config(), input, program })
  t.same([refused.status, refused.stdout], [1, ''])
  t.match(
    firstLine(refused.stderr),
    /^error\[bug\]: virt-numa failed at migrate: Cannot find module '..\/write.cjs'/,
  )
  const kept = config('on_error = "keep"')
  t.same(outcome(run('migrate begin', { config: kept, input, program })), [0, '', ''])
  t.match(logOf(kept), 'failed: Cannot find module')
  t.end()
})

// ---- A crash at every step ----

interface Played {
  exit: number
  stdout: string
  reached: boolean
}

const crashes: Readonly<Record<string, () => never>> = {
  'an error': () => {
    throw new Error('injected')
  },
  'no error': () => {
    throw undefined
  },
}

interface Call {
  readonly operation: string
  readonly input: string
  /** Of the configuration. */
  readonly lines?: string
  /** The step of act() or of fit() that crashes. */
  readonly broken?: string
  readonly crash?: () => never
}

/** Makes a call of the hook in this process. */
async function play({ operation, input, lines = '', broken, crash }: Call): Promise<Played> {
  const played: Played = { exit: -1, stdout: '', reached: false }
  const breaking = <S extends object>(steps: S): S =>
    broken === undefined || !(broken in steps)
      ? steps
      : {
          ...steps,
          [broken]: () => {
            played.reached = true
            return crash?.()
          },
        }
  const steps: Steps = {
    readConfig: async () => ({ name: 'test.conf', text: `root = "${host}"\n${lines}`, hidden: () => [] }),
    readInput: async () => Buffer.from(input),
    fit: async (task: Task) => fit(task, breaking<typeof fitSteps>(fitSteps)),
    print: async (stream, text) => {
      if (stream === 1) played.stdout += text
      return true
    },
    log: async () => {},
    limitTime: () => {},
    elapsedMs: () => 0,
    now: () => new Date(0),
  }
  played.exit = await act(['db1', ...operation.split(' '), '-'], breaking(steps))
  return played
}

long('a crash at every step', async (t) => {
  const outer = ['readConfig', 'limitTime', 'readInput', 'fit', 'print', 'log', 'elapsedMs', 'now']
  const reached = new Set<string>()
  /** Steps after the answer, which do not change it. */
  const afterwards = ['log', 'now']
  const refusedOne = elsewhere.replace("'urn:virt-numa:1'", "'urn:virt-numa:1' memory='evn'")
  for (const step of [...outer, ...Object.keys(fitSteps)]) {
    for (const [kind, crash] of Object.entries(crashes)) {
      for (const onError of ['refuse', 'keep']) {
        const lines = `on_error = "${onError}"`
        for (const operation of REBINDS) {
          const played = await play({
            operation,
            input: step === 'render' ? refusedOne : elsewhere,
            lines,
            broken: step,
            crash,
          })
          const what = `${operation}, ${kind} in ${step}, ${onError}`
          if (!played.reached) {
            t.ok(['preflight', 'checkAndPromise'].includes(step), `${what} is reached`)
            continue
          }
          reached.add(step)
          if (afterwards.includes(step)) t.match(played, { exit: 0, stdout: "nodeset='0-1'" }, what)
          // Before the configuration is read, on_error is not known. When printing fails, part of the answer
          // may already be out.
          else if (['readConfig', 'elapsedMs', 'print'].includes(step))
            t.match(played, { exit: 1, stdout: /^$/ }, what)
          else t.match(played, { exit: onError === 'refuse' ? 1 : 0, stdout: /^$/ }, what)
        }
        for (const operation of NEVER_FAIL) {
          const played = await play({
            operation,
            input: step === 'render' ? elsewhere : fitting,
            lines,
            broken: step,
            crash,
          })
          if (played.reached) reached.add(step)
          t.match(played, { exit: 0, stdout: '' }, `${operation}, ${kind} in ${step}, ${onError}`)
          if (IDLE.includes(operation)) t.equal(played.reached, false, `${operation} does not reach ${step}`)
        }
      }
    }
  }
  t.same([...reached].sort(), [...outer, ...Object.keys(fitSteps)].sort(), 'every step has crashed once')
  t.match(
    await play({ operation: 'migrate begin', input: elsewhere }),
    { exit: 0, stdout: "nodeset='0-1'", reached: false },
    'without a crash it works',
  )
})

long('an endless loop ends within timeout_s', async (t) => {
  const inThread = "if (!require('node:worker_threads').isMainThread) for (;;);\n"
  const looping = write('looping/hooks/qemu.cjs', `${inThread}${readFileSync(PROGRAM, 'utf8')}`)
  for (const [operation, onError, exit] of [
    ['migrate begin', 'refuse', 1],
    ['restore begin', 'keep', 0],
    ['prepare begin', 'refuse', 0],
  ] as const) {
    const path = config(`timeout_s = 1\non_error = "${onError}"`)
    const { status, stdout, stderr } = run(operation, {
      config: path,
      input: elsewhere,
      program: [process.execPath, looping],
    })
    t.same([status, stdout], [exit, ''], `${operation}, ${onError}`)
    const late = 'no answer within 1 s, while fitting the guest to this host'
    t.match(logOf(path), `${operation} db1: failed: error[hook-timeout]: ${late} (`)
    t.match(
      stderr,
      exit === 1 ? /\n {3}fix: see .*virt-numa snapshot; raise timeout_s in virt-numa\.conf/ : /^$/,
    )
  }
  const silent = write('silent.cjs', '')
  await t.rejects(confined(silent, {}, 64), /without an answer/)
})

// ---- The guest's partition ----

long('a guest may use what its partition allows', (t) => {
  const confinedHost = makeHost(folder, 'confined')
  const slice = 'confined/sys/fs/cgroup'
  write(`${slice}/cgroup.controllers`, 'cpuset memory\n')
  write(`${slice}/machine.slice/cgroup.controllers`, 'cpuset memory\n')
  write(`${slice}/machine.slice/cpuset.cpus.effective`, '0-1,4-5\n')
  write(`${slice}/machine.slice/cpuset.mems.effective`, '0-1\n')
  write(`${slice}/machine.slice/machine-prod.slice/cpuset.cpus.effective`, '2-3,6-7\n')
  write(`${slice}/machine.slice/machine-prod.slice/cpuset.mems.effective`, '0-1\n')
  const prod = '<resource><partition>/machine/prod</partition></resource>'
  const path = config('', confinedHost)
  const pinsOf = (text: string): string[] =>
    [...text.matchAll(/<vcpupin[^>]*cpuset='([^']*)'/g)].map((match) => match[1] as string)
  const cpusUsed = (input: string): string[] =>
    [...new Set(pinsOf(run('migrate begin', { config: path, input }).stdout))].sort()
  t.same(cpusUsed(elsewhere), ['0', '1', '4', '5'], 'machine.slice confines, so each vCPU gets its own CPU')
  t.same(cpusUsed(domain({ more: prod })), ['2', '3', '6', '7'], 'the partition that it names')
  t.same(
    cpusUsed(domain({ more: prod.replace('prod', 'new') })),
    ['0', '1', '4', '5'],
    'one that does not exist yet is created in machine.slice',
  )
  const outside = run('prepare begin', { config: path, input: domain({ at: [0, 1], cpus: ['2-3', '4-5'] }) })
  t.equal(outside.status, 1)
  t.match(
    firstLine(outside.stderr),
    'error[cpus-outside]: the pin of vCPU 0 names CPUs 2-3, but the guest may use only CPUs 0-1,4-5',
  )
  t.match(outside.stderr, '   fix: run virt-numa define --guest db1\n', 'a fix for who starts the guest')
  t.same(partitionPaths('/machine/my-team/db'), [
    '/machine.slice/machine-my\\x2dteam.slice/machine-my\\x2dteam-db.slice',
    '/machine/my-team.partition/db.partition',
    '/machine.slice/machine-my\\x2dteam.slice',
    '/machine/my-team.partition',
    '/machine.slice',
    '/machine',
  ])
  t.same(partitionPaths('/machine/../..'), [], '`..` is ignored')

  t.end()
})

// ---- What a tenant requests in the metadata ----

/** All CPUs that the pins and `<vcpu cpuset>` of a document name. */
function cpusIn(text: string): number[] {
  const sets = [...text.matchAll(/<(?:vcpu|vcpupin|emulatorpin|iothreadpin)\b[^>]*cpuset='([^']*)'/g)].map(
    (match) => match[1] as string,
  )
  return [...new Set(sets.flatMap((set) => [...parseSet<CpuSet>(set, 'test')]))].sort((a, b) => a - b)
}

const asking = (keys: string, text: string): string =>
  text.replace("urn:virt-numa:1'/>", `urn:virt-numa:1' ${keys}/>`)

long('a tenant’s request stays within the cgroup and the configuration', (t) => {
  const confinedHost = makeHost(folder, 'tenant')
  const slice = 'tenant/sys/fs/cgroup'
  for (const path of [slice, `${slice}/machine.slice`]) write(`${path}/cgroup.controllers`, 'cpuset memory\n')
  write(`${slice}/machine.slice/cpuset.cpus.effective`, '0-1,4-5\n')
  write(`${slice}/machine.slice/cpuset.mems.effective`, '0-1\n')
  const cgroup = {
    root: confinedHost,
    lines: '',
    allowed: [0, 1, 4, 5],
    whose: 'the CPUs that the guest was given \\(0-1,4-5\\)',
  }
  const set = {
    root: host,
    lines: 'cpuset = "0-1,4-5"',
    allowed: cgroup.allowed,
    whose: 'cpuset in \\S+ \\(0-1,4-5\\)',
  }
  const both = {
    root: confinedHost,
    lines: 'cpuset = "1-2,5-6"',
    allowed: [1, 5],
    whose: 'cpuset in .* and the CPUs that',
  }
  const of = (cpus: string[]): string => domain({ at: [0, 1], cpus })
  const floating = of(['2-3', '6-7']).replace(/ *<emulatorpin[^>]*>\n/, '')
  const stale = of(['0-1', '4-5']).replace(
    "<vcpu placement='static'>",
    "<vcpu placement='static' cpuset='0-7'>",
  )
  for (const [name, keys, input, bounds, note] of [
    [
      'cpuset',
      "cpuset='0-7'",
      floating,
      cgroup,
      'cpuset-cut]: metadata of db1: cpuset 0-7 is reduced to 0-1,4-5',
    ],
    [
      'cpuset',
      "cpuset='0-7'",
      floating,
      set,
      'cpuset-cut]: metadata of db1: cpuset 0-7 is reduced to 0-1,4-5',
    ],
    [
      'emulator',
      "emulator='2-5'",
      floating,
      cgroup,
      'cpuset-cut]: metadata of db1: emulator 2-5 is reduced to 4-5',
    ],
    [
      'emulator',
      "emulator='2-5'",
      floating,
      set,
      'cpuset-cut]: metadata of db1: emulator 2-5 is reduced to 4-5',
    ],
    [
      'no pin of the emulator',
      "emulator='none'",
      of(['2', '7']),
      set,
      'cpuset-cut]: metadata of db1: emulator none is reduced to 0-1,4-5',
    ],
    [
      'pins outside',
      "cpus='as-pinned'",
      of(['2-3', '6-7']),
      cgroup,
      'pins-moved]: metadata of db1: cpus=as-pinned is not applied',
    ],
    [
      'pins outside',
      "cpus='as-pinned'",
      of(['2-3', '6-7']),
      set,
      'pins-moved]: metadata of db1: cpus=as-pinned is not applied',
    ],
    [
      'pins of another host',
      "cpus='as-pinned'",
      elsewhere,
      cgroup,
      'pins-moved]: metadata of db1: cpus=as-pinned is not applied',
    ],
    [
      'wide pins',
      "cpus='as-pinned'",
      of(['0-3', '4-7']),
      cgroup,
      'pins-cut]: metadata of db1: cpus=as-pinned: the pins of vCPUs 0-3',
    ],
    [
      'wide pins',
      "cpus='as-pinned'",
      of(['0-3', '4-7']),
      set,
      'pins-cut]: metadata of db1: cpus=as-pinned: the pins of vCPUs 0-3',
    ],
    ['pins within its own cpuset', "cpus='as-pinned' cpuset='0-5'", of(['0-3', '4-7']), set, 'pins-cut]'],
    ['a wide <vcpu cpuset>', "cpus='as-pinned'", stale, set, undefined],
  ] as const) {
    for (const operation of REBINDS) {
      const what = `${operation}: ${name}, ${bounds.lines || 'cgroup'}`
      const path = config(bounds.lines, bounds.root)
      const first = run(operation, { config: path, input: asking(keys, input) })
      t.same([first.status, first.stderr], [0, ''], what)
      t.same(cpusIn(first.stdout), bounds.allowed, `${what}: on exactly the allowed CPUs`)
      t.equal(cellsOf(first.stdout), cellsOf(input), `${what}: the cells stay`)
      const line = logOf(path).split('\n')[0] as string
      if (note === undefined) t.notMatch(line, /-cut|-moved/, what)
      else {
        t.ok(line.includes(`note[${note}`), `${what}: ${line}`)
        t.match(line, new RegExp(bounds.whose), `${what}: names the bound`)
      }
      const second = run(operation, { config: path, input: first.stdout })
      t.same([second.status, second.stdout], [0, ''], `${what}: a second run changes nothing`)
    }
  }
  // Two CPUs are enough for four vCPUs only where vCPUs share them.
  const tight = config(both.lines, both.root)
  const shared = run('migrate begin', { config: tight, input: asking("cpuset='0-7' pin='cell'", floating) })
  t.same([shared.status, cpusIn(shared.stdout)], [0, both.allowed], 'both bounds')
  t.match(logOf(tight), new RegExp(both.whose))
  const few = run('migrate begin', { config: tight, input: asking("cpuset='0-7'", floating) })
  t.same([few.status, few.stdout], [1, ''])
  t.match(
    few.stderr,
    /^error\[not-enough-threads\][\s\S]*\nnote\[cpuset-cut\]: .*: cpuset 0-7 is reduced to 1,5\n/,
  )

  for (const [keys, bounds] of [
    ["cpuset='2-3'", cgroup],
    ["cpuset='2-3'", set],
    ["emulator='2,6-7'", cgroup],
    ["emulator='2,6-7'", set],
  ] as const) {
    for (const operation of REBINDS) {
      const path = config(bounds.lines, bounds.root)
      const { status, stdout, stderr } = run(operation, { config: path, input: asking(keys, floating) })
      t.same([status, stdout], [1, ''], `${operation}: nothing is left of ${keys}`)
      t.match(
        firstLine(stderr),
        /^error\[cpuset-unavailable\]: metadata of db1: .* includes none of the allowed CPUs \(0-1,4-5\)$/,
      )
      t.match(stderr, new RegExp(bounds.whose))
      t.match(logOf(path), 'refused: error[cpuset-unavailable]: ')
    }
    const path = config(bounds.lines, bounds.root)
    const input = asking(keys, of(['0', '4']))
    t.same(
      outcome(run('prepare begin', { config: path, input })),
      [0, '', ''],
      `prepare: ${keys} proves nothing`,
    )
    t.match(logOf(path), ' prepare begin db1: ok (')
  }
  const beyond = config(set.lines)
  t.same(
    outcome(run('prepare begin', { config: beyond, input: asking("cpus='as-pinned'", of(['0-3', '4'])) })),
    [0, '', ''],
  )
  t.match(
    logOf(beyond),
    pattern(
      /ok, note\[pins-beyond\]: the pins of vCPUs 0-1 and the/,
      / emulator \(0-4\) are not all within cpuset in \S+ \(0-1,4-5\) \(/,
    ),
  )
  const outside = run('prepare begin', {
    config: config('', confinedHost),
    input: asking("cpus='as-pinned'", of(['2-3', '4'])),
  })
  t.match(
    [outside.status, firstLine(outside.stderr)],
    [1, /^error\[cpus-outside\]: the pin of vCPU 0 names CPUs 2-3/],
  )

  const free = config('cpus = "as-pinned"', confinedHost)
  const own = of(['0-3', '4-7'])
  t.same(
    outcome(run('migrate begin', { config: free, input: own })),
    [0, '', ''],
    'the administrator may keep pins as they are',
  )
  t.match(
    run('migrate begin', {
      config: config('tenant_keys = [ "memory" ]'),
      input: asking("cpus='as-pinned'", own),
    }),
    {
      status: 1,
      stderr: /^error\[tenant-key-refused\]/,
    },
  )
  t.end()
})

// ---- The log ----

t.test('a log entry is one line', (t) => {
  const call = { guest: 'a\nb\u001b[31m\u2028', operation: 'migrate', suboperation: 'begin' }
  t.equal(
    logLine(call, 'kept', new Date(Date.UTC(2026, 10, 24, 3, 44, 22, 987)), 11.6),
    '2026-11-24T03:44:22Z migrate begin a\\x0ab\\x1b[31m\\u2028: kept (12 ms)\n',
  )
  const path = config()
  for (let times = 0; times < 2; times++) run('migrate begin', { config: path, input: elsewhere })
  t.equal(logOf(path).split('\n').length, 3, 'entries are appended')
  t.end()
})

// ---- The shim ----

t.test('the shim', (t) => {
  const odd = join(folder, "it's a $HOME `folder`")
  mkdirSync(odd)
  const node = join(odd, 'no de')
  symlinkSync(process.execPath, node)
  mkdirSync(join(odd, 'hooks'))
  const program = join(odd, 'hooks', 'qemu.cjs')
  copyFileSync(PROGRAM, program)
  copyFileSync(resolve('dist/write.cjs'), join(odd, 'write.cjs'))
  const junk = write('junk', 'no program\u0000')
  chmodSync(junk, 0o755)
  const gone = join(folder, 'gone')

  const [migrate, restore, prepare] = [...REBINDS, 'prepare begin']
  t.same(
    PROGRAM_OPERATIONS,
    [migrate, restore, prepare],
    'it starts the program only for operations that do something',
  )
  for (const operation of ALL)
    t.equal(
      ruleOf(callOf(['db1', ...operation.split(' ')])).does === 'nothing',
      IDLE.includes(operation),
      operation,
    )

  const shells = sampled(['/bin/sh', '/bin/bash', '/bin/dash', '/bin/busybox'], 4).filter((shell) =>
    existsSync(shell),
  )
  t.ok(shells.includes('/bin/sh'))
  for (const shell of shells) {
    const through = (nodePath: string, programPath: string): string[] => {
      const file = write('etc/hooks/qemu', shimText(nodePath, programPath))
      chmodSync(file, 0o755)
      return shell === '/bin/sh'
        ? [file]
        : [shell, ...(shell.endsWith('busybox') ? ['sh'] : shell.endsWith('bash') ? ['--posix'] : []), file]
    }
    const whole = through(node, program)
    const rebound = run('migrate begin', { config: config(), input: elsewhere, program: whole })
    t.same([rebound.status, rebound.stderr], [0, ''], shell)
    t.match(rebound.stdout, "nodeset='0-1'")
    t.equal(
      run('prepare begin', { config: config(), input: elsewhere, program: whole }).status,
      1,
      'the exit status is passed on',
    )
    for (const operation of IDLE)
      t.same(outcome(run(operation, { program: whole, input: elsewhere })), [0, '', ''], operation)
    for (const [name, nodePath, programPath] of [
      ['no program', node, gone],
      ['no node', gone, program],
      ['node is a folder', odd, program],
      ['node is not executable', program, program],
      ['node cannot be executed', junk, program],
    ] as const) {
      const broken = through(nodePath, programPath)
      for (const operation of NEVER_FAIL)
        t.equal(
          run(operation, { config: config(), program: broken, input: elsewhere }).status,
          0,
          `${shell}: ${name} at ${operation}`,
        )
      for (const operation of REBINDS) {
        const { status, stdout, stderr } = run(operation, {
          config: config(),
          program: broken,
          input: elsewhere,
        })
        t.same([status, stdout], [1, ''], `${shell}: ${name} at ${operation}`)
        t.match(
          stderr,
          `error[hook-missing]: cannot run ${programPath} with ${nodePath}; fix: virt-numa install\n`,
        )
      }
    }
    const closed = runApart('/bin/sh', [
      '-c',
      'exec "$@" <&- >&- 2>&-',
      'sh',
      ...through(gone, gone),
      'db1',
      'reconnect',
      'begin',
      '-',
    ])
    t.equal(closed.status, 0, 'with all streams closed')
    t.equal(runApart(whole[0] as string, whole.slice(1)).status, 0, 'without arguments')
  }
  t.end()
})

t.test('the defaults are the documented ones', (t) => {
  t.match(defaultConfig, {
    timeoutS: 10,
    onError: 'refuse',
    guests: 'opted-in',
    logFile: '/var/log/libvirt/virt-numa.log',
  })
  t.end()
})
