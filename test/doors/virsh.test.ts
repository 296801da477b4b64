// define and watch with a virsh that hangs, crashes, or prints too much or garbage: a shell script in its
// place. Its other output is that of virsh 9.0.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { addEvent, dueInMs, listPending, nonePending } from '../../src/libvirt/pending.ts'
import { lineReader } from '../../src/machine/programs/lines.ts'
import { COMMAND, runCommand, startCommand } from '../command.ts'
import { long, sampled } from '../long.ts'
import { pattern } from '../pattern.ts'

t.setTimeout(240_000)

const SCRIPT = `#!/bin/sh
while case "$1" in --quiet|--connect=*) true;; *) false;; esac; do shift; done
echo "$*" >> "$FAKE/calls"
if [ -e "$FAKE/on-$1" ]; then . "$FAKE/on-$1"; fi
for last; do :; done
case "$1" in
uri) echo test:///default ;;
list) case "$*" in *--uuid*) cat "$FAKE/list" ;; *) cat "$FAKE/names" ;; esac ;;
dominfo) cat "$FAKE/$2.info" ;;
domstate) echo 'shut off (unknown)' ;;
dumpxml) cat "$FAKE/$last.xml" ;;
define)
  cat /dev/stdin > "$FAKE/defined"
  mv "$FAKE/defined" "$FAKE/$(sed -n 's/.*<uuid>\\(.*\\)<\\/uuid>.*/\\1/p' /dev/stdin).xml" ;;
event) exec sleep 600 ;;
esac
`

const root = mkdtempSync(join(tmpdir(), 'virt-numa-virsh-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
const BIN = join(root, 'bin')
mkdirSync(BIN)
writeFileSync(join(BIN, 'virsh'), SCRIPT)
chmodSync(join(BIN, 'virsh'), 0o755)

/** The programs that the script calls, without the virsh of this machine. */
const WITHOUT_VIRSH = join(root, 'tools')
mkdirSync(WITHOUT_VIRSH)
for (const name of ['cat', 'sed', 'mv', 'sleep', 'touch', 'head', 'tr', 'grep']) {
  const path = ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find((each) => existsSync(each))
  if (path !== undefined) symlinkSync(path, join(WITHOUT_VIRSH, name))
}

const uuidOf = (at: number): string => `0000000${at}-0000-4000-8000-000000000000`

interface Fake {
  readonly folder: string
  readonly calls: (command: string) => number
}

/** @param on shell code that virsh runs first, by command */
function fake(guests: readonly string[], on: Readonly<Record<string, string>> = {}, pad = 0): Fake {
  const folder = mkdtempSync(join(root, 'fake-'))
  const file = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const seed = readFileSync('golden/2n4c2t-seed/domain.xml', 'utf8')
  guests.forEach((name, at) => {
    file(
      `${uuidOf(at)}.xml`,
      seed.replace(/<name>.*<\/name>/, `<name>${name}</name><uuid>${uuidOf(at)}</uuid>`),
    )
    file(
      `${uuidOf(at)}.info`,
      `Id:             -\nName:           ${name}\nPersistent:     yes\nManaged save:   no\n\n`,
    )
  })
  file('list', guests.map((name, at) => `${uuidOf(at)} ${name.padEnd(pad)}\n`).join(''))
  file('names', guests.map((name) => `${name}\n`).join(''))
  for (const [command, script] of Object.entries(on)) file(`on-${command}`, script)
  const calls = (command: string): number =>
    readFileSync(join(folder, 'calls'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(command)).length
  return { folder, calls }
}

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** Since the start, or since the signal. */
  readonly tookMs: number
  readonly peakMiB: number
}

interface During {
  /** Sent as soon as `when` returns true. */
  readonly signal?: NodeJS.Signals
  readonly when?: () => boolean
  /** The folder of virsh. */
  readonly bin?: string
}

const HOST = ['--host', 'golden/2n4c2t-seed/host.json']

function run(
  { folder }: Fake,
  words: readonly string[],
  { signal, when = () => true, bin = BIN }: During = {},
): Promise<Ran> {
  const env = { ...process.env, PATH: `${bin}:${WITHOUT_VIRSH}`, FAKE: folder }
  const child = startCommand([...words, ...HOST, '--backup', join(folder, 'backup')], { env })
  child.stdin.end()
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk) => {
      said[stream] += chunk
    })
  }
  let from = performance.now()
  let peakMiB = 0
  let isSent = false
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid))
    if (signal === undefined || isSent || !existsSync(join(folder, 'calls')) || !when()) return
    isSent = true
    from = performance.now()
    child.kill(signal)
  }, 50)
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearInterval(timer)
      resolve({ status, ...said, tookMs: performance.now() - from, peakMiB })
    })
  })
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

const DEFINE = ['define', '--guest', 'db1']
const ONCE = ['watch', '--once']
const FIRST = uuidOf(0)

// ---- The definition of a guest, without defining it ----

/** As `run`, without the options that only define and watch have. */
function read(
  virsh: Fake,
  words: readonly string[],
): { stdout: string; stderr: string; status: number | null } {
  const env = { ...process.env, PATH: `${BIN}:${WITHOUT_VIRSH}`, FAKE: virsh.folder }
  return runCommand([...words, ...HOST], { env })
}

t.test('plan, check and transform read the definition that libvirt has', async (t) => {
  const virsh = fake(['db1', 'db2'])
  const file = join(virsh.folder, `${uuidOf(1)}.xml`)
  const ofGuest = (command: string): ReturnType<typeof read> => read(virsh, [command, '--guest', 'db2'])
  for (const command of ['plan', 'transform']) {
    const asked = ofGuest(command)
    t.equal(asked.status, 0, asked.stderr)
    t.equal(asked.stdout, read(virsh, [command, file]).stdout, `${command} prints what it prints of a file`)
  }
  const checked = ofGuest('check')
  const ofFile = read(virsh, ['check', file])
  t.same([checked.status, checked.stdout], [ofFile.status, ofFile.stdout])
  t.match(ofGuest('transform').stdout, /<memnode cellid=['"]1['"] mode=['"]strict/)
  t.equal(virsh.calls(`dumpxml --inactive --security-info ${uuidOf(1)}`), 4)
  t.equal(virsh.calls('define'), 0)
  const out = join(virsh.folder, 'out.xml')
  t.equal(read(virsh, ['transform', '--guest', 'db2', '-o', out]).status, 0)
  t.equal(statSync(out).mode & 0o777, 0o600, 'it holds the passwords of the guest')
  t.equal(readFileSync(out, 'utf8'), ofGuest('transform').stdout)
})

t.test('a guest that libvirt does not have', async (t) => {
  for (const command of ['plan', 'check', 'transform']) {
    const { status, stdout, stderr } = read(fake(['db1']), [command, '--guest', 'db2'])
    t.same([status, stdout], [1, ''], command)
    t.match(stderr, /^error\[guest-missing\]: [\s\S]*db1/)
  }
})

long('a slow call is named on a terminal, and only there', async (t) => {
  const virsh = fake(['db1'], { dumpxml: 'case "$*" in *--security*) sleep 1.5;; esac' })
  const env = { ...process.env, PATH: `${BIN}:${process.env.PATH}`, FAKE: virsh.folder }
  const words = `${COMMAND.join(' ')} check --guest db1 ${HOST.join(' ')}`
  const onTerminal = (options: string): string => {
    const terminal = ['-qec', `${words} ${options} > /dev/null`, '/dev/null']
    return spawnSync('script', terminal, { env, encoding: 'utf8', input: '' }).stdout
  }
  const named = `waiting for: virsh dumpxml --inactive --security-info ${uuidOf(0)}`
  t.match(onTerminal(''), named)
  t.notMatch(onTerminal('--json'), 'waiting')
  t.notMatch(read(virsh, ['check', '--guest', 'db1']).stderr, 'waiting')
})

// ---- The end of virsh, and signals ----

long('a child of virsh that keeps stdout open does not delay the end', async (t) => {
  const virsh = fake(['db1'], { uri: 'sleep 50 &', define: 'sleep 50 &' })
  const defined = await run(virsh, DEFINE)
  t.equal(defined.status, 0, defined.stderr)
  t.match(defined.stdout, /\ndb1 is defined; its previous definition is in /)
  t.ok(defined.tookMs < 20_000, `${defined.tookMs} ms`)
  const watched = await run(fake(['db1'], { list: 'sleep 50 &' }), ONCE)
  t.equal(watched.status, 0)
  t.match(watched.stdout, / watch found db1: fitted: /)
  t.ok(watched.tookMs < 20_000, `${watched.tookMs} ms`)
})

long('output after the end of virsh itself is still read', async (t) => {
  const virsh = fake(['db1'], { list: '(sleep 0.3; cat "$FAKE/list") & exit 0' })
  const { status, stdout } = await run(virsh, ONCE)
  t.equal(status, 0)
  t.match(stdout, / watch found db1: fitted: /)
})

long('a signal ends a call that hangs', async (t) => {
  const hang = 'trap "" TERM; touch "$FAKE/hangs"; sleep 50; sleep 50; exit 0'
  for (const command of ['uri', 'list', 'dumpxml']) {
    for (const [words, signal] of [
      [DEFINE, 'SIGTERM'],
      [['watch'], 'SIGTERM'],
      [ONCE, 'SIGINT'],
    ] as const) {
      const about = `${words.join(' ')}, ${command}, ${signal}`
      const virsh = fake(['db1'], { [command]: hang })
      const ran = await run(virsh, words, { signal, when: () => existsSync(join(virsh.folder, 'hangs')) })
      t.ok(ran.tookMs < 1000, `${about}: ${ran.tookMs} ms`)
      t.equal(ran.status, words[0] === 'watch' ? 0 : 1, about)
      t.match(
        words[0] === 'watch' ? ran.stdout : ran.stderr,
        words[0] === 'watch' ? / watch: ended \(/ : /^error\[virsh-stopped\]: virsh /,
      )
      if (words[0] === 'define')
        t.match(ran.stderr, /SIGTERM ended it\n {3}why: .*; nothing was defined\n {3}fix: run it again\n$/)
      t.notOk(existsSync(join(virsh.folder, 'backup')), 'nothing was started')
    }
  }
})

t.test('a signal while virsh define is under way', async (t) => {
  const hang = 'touch "$FAKE/hangs"; sleep 50; exit 0'
  const virsh = fake(['db1'], { define: hang })
  const when = (): boolean => existsSync(join(virsh.folder, 'hangs'))
  const unknown = await run(virsh, DEFINE, { signal: 'SIGTERM', when })
  t.equal(unknown.status, 1)
  t.ok(unknown.tookMs < 1000, `${unknown.tookMs} ms`)
  t.match(
    unknown.stderr,
    /^error\[define-unknown\]: whether db1 was defined is not known: virsh define: SIGTERM ended it\n/,
  )
  const [copy = ''] = readdirSync(join(virsh.folder, 'backup'))
  t.ok(
    unknown.stderr.includes(
      `virsh define ${join(virsh.folder, 'backup', copy)} restores the previous definition`,
    ),
    unknown.stderr,
  )
  t.equal(
    readFileSync(join(virsh.folder, 'backup', copy), 'utf8'),
    readFileSync(join(virsh.folder, `${FIRST}.xml`), 'utf8'),
  )
  const other = fake(['db1'], { define: hang })
  const watched = await run(other, ['watch'], {
    signal: 'SIGTERM',
    when: () => existsSync(join(other.folder, 'hangs')),
  })
  t.equal(watched.status, 0)
  t.ok(watched.tookMs < 1000, `${watched.tookMs} ms`)
  t.match(watched.stdout, / watch found db1: refused: error\[define-unknown\]: .*\n.* watch: ended \(/)
  const quick = fake(['db1'], { define: 'touch "$FAKE/hangs"; sleep 0.2' })
  const finished = await run(quick, DEFINE, {
    signal: 'SIGTERM',
    when: () => existsSync(join(quick.folder, 'hangs')),
  })
  t.equal(finished.status, 1)
  t.match(
    finished.stderr,
    pattern(
      /^error\[define-unread\]: db1 is defined, but the stored definition could not/,
      / be read: virsh dumpxml .* SIGTERM/,
    ),
  )
  t.match(
    readFileSync(join(quick.folder, `${FIRST}.xml`), 'utf8'),
    /<cell id='1'/,
    'a definition that was sent is completed',
  )
})

long('a virsh that crashes', async (t) => {
  const killed = await run(fake(['db1'], { define: 'kill -9 $$' }), DEFINE)
  t.equal(killed.status, 1)
  t.match(
    killed.stderr,
    /^error\[define-unknown\]: whether db1 was defined is not known: virsh define: SIGKILL ended it\n/,
  )
  const readBack = await run(
    fake(['db1'], { dumpxml: '[ -e "$FAKE/defines" ] && exit 5', define: 'touch "$FAKE/defines"' }),
    DEFINE,
  )
  t.equal(readBack.status, 1)
  t.match(readBack.stderr, /^error\[define-unread\]: db1 is defined, but /)
  for (const command of ['uri', 'list', 'dumpxml', 'dominfo']) {
    const { status, stderr } = await run(fake(['db1'], { [command]: 'kill -9 $$' }), DEFINE)
    t.equal(status, 1)
    t.match(
      stderr,
      pattern(
        /^error\[virsh-failed\]: virsh .* failed: SIGKILL/,
        / ended it\n {3}why: .*; nothing was changed\n {3}fix: /,
      ),
      command,
    )
  }
})

// ---- What it prints ----

t.test('garbage', async (t) => {
  const prints: Readonly<Record<string, readonly [script: string, printed: RegExp]>> = {
    words: ["printf 'gar\\033[31mbage %0200d\\n' 7; exit 0", /printed "gar\\x1b\[31mbage 0{20,60}\.\.\."/],
    nothing: ['exit 0', /printed nothing/],
    'no UTF-8': ["printf 'a\\377b\\n'; exit 0", /printed "a\ufffdb"/],
  }
  for (const command of ['uri', 'list', 'dominfo', 'dumpxml']) {
    for (const [what, [script, printed]] of sampled(Object.entries(prints), 4)) {
      if (command === 'list' && what === 'nothing') continue
      for (const words of [DEFINE, ONCE]) {
        const { status, stdout, stderr } = await run(fake(['db1'], { [command]: script }), words)
        t.equal(status, 1, `${words[0]} ${command} ${what}`)
        t.match(stdout + stderr, new RegExp(`error\\[virsh-output\\]: virsh ${command} ${printed.source}`))
      }
    }
  }
  const secret = await run(
    fake(['db1'], { dumpxml: `echo "<domain><graphics passwd='s3cret'></domain>"; exit 0` }),
    DEFINE,
  )
  t.equal(secret.status, 1)
  t.match(
    secret.stderr,
    pattern(
      /^error\[virsh-output\]: virsh dumpxml printed "<domain\.\.\."\n {3}why:/,
      / expected a complete <domain>; line 1, column \d+: /,
    ),
  )
  t.notMatch(secret.stderr, /s3cret/)
  const page = await run(fake(['db1'], { dumpxml: "echo '<!DOCTYPE html><html/>'; exit 0" }), DEFINE)
  t.match(page.stderr, /^error\[virsh-output\]: virsh dumpxml printed "<!DOCTYPE\.\.\."/)
})

long('too much output', async (t) => {
  for (const [script, words] of [
    ['head -c 100000000 /dev/zero; exit 0', DEFINE],
    ['head -c 100000000 /dev/zero >&2; exit 1', ONCE],
    ['cat /dev/zero', ONCE],
  ] as const) {
    const ran = await run(fake(['db1'], { list: script }), words)
    t.equal(ran.status, 1, script)
    t.match(ran.stderr, /^error\[virsh-failed\]: virsh list --all failed: it printed more than 16 MiB\n/)
    t.ok(ran.peakMiB < 200, `${ran.peakMiB} MiB`)
    t.ok(ran.tookMs < 20_000, `${ran.tookMs} ms`)
  }
})

t.test('a virsh that cannot be run', async (t) => {
  const bin = join(root, 'unusable')
  mkdirSync(bin)
  writeFileSync(join(bin, 'virsh'), 'no program')
  const ran = await run(fake(['db1']), DEFINE, { bin })
  t.equal(ran.status, 1)
  t.match(ran.stderr, /^error\[virsh-failed\]: virsh uri failed: .*EACCES/)
})

// ---- Names ----

long('blanks at the ends of a name', async (t) => {
  for (const pad of [0, 30]) {
    const virsh = fake([' db1', 'db1', 'db1 '], {}, pad)
    for (const [at, name] of [' db1', 'db1', 'db1 '].entries()) {
      const { status, stdout, stderr } = await run(virsh, ['define', '--guest', name])
      t.equal(status, 0, stderr)
      t.match(
        readFileSync(join(virsh.folder, `${uuidOf(at)}.xml`), 'utf8'),
        /<cell id='1'/,
        `"${name}", padded to ${pad}`,
      )
      t.match(stdout, name === 'db1' ? /\ndb1 is defined; / : `\n"${name}" is defined; `)
      t.equal(
        [0, 1, 2].filter((each) =>
          /<cell /.test(readFileSync(join(virsh.folder, `${uuidOf(each)}.xml`), 'utf8')),
        ).length,
        at + 1,
      )
    }
    t.same(
      readdirSync(join(virsh.folder, 'backup')).map((name) => name.split('.')[0]),
      ['%20db1', 'db1%20', 'db1'],
    )
    const missing = await run(virsh, ['define', '--guest', 'db1  '])
    t.match(
      missing.stderr,
      /^error\[guest-missing\]: libvirt has no guest "db1 {2}"\n {3}why: .*\n {3}fix: did you mean "db1 "\?/,
    )
  }
  const plain = fake(['db1', 'db 2'])
  await run(plain, [...DEFINE, '--dry-run'])
  t.equal(plain.calls('list'), 1, 'names are listed again only where one ends with a blank')
})

// ---- Events ----

const event = (name: string): string => `event 'lifecycle' for domain '${name}': Defined Updated`

long('an event line without end', async (t) => {
  const virsh = fake(['db1', 'db2'], { event: "exec tr '\\0' a < /dev/zero" })
  const from = performance.now()
  const ran = await run(virsh, ['watch'], { signal: 'SIGTERM', when: () => performance.now() - from > 4000 })
  t.equal(ran.status, 0)
  t.ok(ran.peakMiB > 20 && ran.peakMiB < 200, `${ran.peakMiB} MiB`)
  t.equal(ran.stdout.match(/virsh event prints lines that are too long or not UTF-8/g)?.length, 1, ran.stdout)
  t.match(ran.stdout, / watch found db1: fitted: .*\n(?:.*\n)*.* watch found db2: fitted: /)
  t.ok(
    virsh.calls('list') >= 2 && virsh.calls('list') <= 4,
    `all guests are looked at again, ${virsh.calls('list')} lists`,
  )
  t.ok(ran.tookMs < 1000, `${ran.tookMs} ms`)
})

long('events of unknown guests', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `${event(at === 19_999 ? 'db1' : `x${at}`)}\n`)
  const isSecond = '[ "$(grep -c ^list "$FAKE/calls")" -gt 1 ] || exit 0'
  const virsh = fake(['db1'], { event: 'sleep 1; cat "$FAKE/events"; exec sleep 600', list: isSecond })
  writeFileSync(join(virsh.folder, 'events'), lines.join(''))
  const from = performance.now()
  const ran = await run(virsh, ['watch'], { signal: 'SIGTERM', when: () => performance.now() - from > 5000 })
  t.equal(ran.status, 0)
  t.match(ran.stdout, / watch (updated|found) db1: fitted: /, 'the new guest is found among them')
  t.ok(virsh.calls('list') <= 9, `${virsh.calls('list')} lists`)
})

long('20,000 events of few guests', async (t) => {
  const virsh = fake(['db1', 'db2'], { event: 'sleep 1; cat "$FAKE/events"; exec sleep 600' })
  writeFileSync(
    join(virsh.folder, 'events'),
    Array.from({ length: 20_000 }, (_, at) => `${event(`db${(at % 2) + 1}`)}\n`).join(''),
  )
  const from = performance.now()
  const ran = await run(virsh, ['watch'], { signal: 'SIGTERM', when: () => performance.now() - from > 4000 })
  t.equal(ran.status, 0)
  t.ok(virsh.calls('dumpxml') <= 10 + 30, `${virsh.calls('dumpxml')} looks`)
  t.ok(virsh.calls('dumpxml') >= 12, 'the guests are read')
})

t.test('lines of a stream', async (t) => {
  const read = lineReader(8)
  const take = (text: string) => read(Buffer.from(text, 'latin1'))
  t.same(take('ab\nc'), { lines: ['ab'], unreadable: false })
  t.same(take('d\n\n12345678\n'), { lines: ['cd', '', '12345678'], unreadable: false })
  t.same(take('123456789\nx\n'), { lines: ['x'], unreadable: true })
  t.same(take('12345'), { lines: [], unreadable: false })
  t.same(take('6789'), { lines: [], unreadable: true })
  t.same(take('more'), { lines: [], unreadable: true }, 'until the line ends')
  t.same(take('\nnext\n'), { lines: ['next'], unreadable: true })
  t.same(take('a\xffb\n\xc3\xa9\n'), { lines: ['\u00e9'], unreadable: true })
  t.same(take('\xc3'), { lines: [], unreadable: false })
  t.same(take('\xa9 \n'), { lines: ['\u00e9 '], unreadable: false }, 'a character in two chunks')
})

t.test('when guests are listed', async (t) => {
  const guests = (...names: string[]) => names.map((name, at) => ({ name, uuid: uuidOf(at) }))
  const pending = nonePending()
  const list = async (who: 'all' | 'named', ...names: string[]) =>
    (await listPending(pending, async () => guests(...names), who)).map(([{ name }, why]) => `${why} ${name}`)
  const due = (afterMs: number): number => Math.round(dueInMs(pending, pending.listedAtMs + afterMs))
  t.equal(dueInMs(pending, 0), Number.POSITIVE_INFINITY, 'nothing is pending')
  t.same(await list('all', 'a', 'b'), ['found a', 'found b'])
  addEvent(pending, { guest: 'x', why: 'added' })
  t.equal(due(0), 1000, 'an unknown guest waits')
  t.equal(due(400), 600)
  t.equal(due(2000), 0)
  addEvent(pending, { guest: 'b', why: 'updated' })
  addEvent(pending, { guest: 'a', why: 'updated' })
  addEvent(pending, { guest: 'b', why: 'stopped' })
  t.equal(due(0), 0, 'a known guest does not')
  t.same(await list('named', 'a', 'b'), ['updated b', 'updated a'], 'in the order of the events, once each')
  t.equal(due(0), Number.POSITIVE_INFINITY)
  for (let at = 0; at < 5000; at++) addEvent(pending, { guest: `y${at}`, why: 'added' })
  addEvent(pending, { guest: 'z'.repeat(5000), why: 'added' })
  t.ok(pending.why.size <= 1000, 'the number of pending events is bounded')
  t.same(
    await list('named', 'a', 'b', 'y4999', 'y3'),
    ['added y3', 'found y4999'],
    'a dropped event is recovered because its guest is new',
  )
  t.equal(due(0), Number.POSITIVE_INFINITY)
  const meanwhile = await listPending(
    pending,
    async () => {
      addEvent(pending, { guest: 'c', why: 'added' })
      return guests('a', 'c')
    },
    'all',
  )
  t.equal(meanwhile.length, 2)
  t.equal(due(0), 0, 'an event during the listing is looked at again')
})
