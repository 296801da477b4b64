// Untrusted text never reaches a terminal, log or browser unescaped: every command gets names, values, files
// and arguments with control and invisible characters, and every byte of its output is checked.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { XMLValidator } from 'fast-xml-parser'
import t, { type Test } from 'tap'
import { visible, visibleJson, visibleLines } from '../../src/base/visible.ts'
import { runApart } from '../apart.ts'
import { runCommand } from '../command.ts'
import { long, sampled } from '../long.ts'
import { HOST } from '../seed.ts'
import { fakeVirsh, UUID } from './fake-virsh.ts'

const HOOK = resolve('dist/hooks/qemu.cjs')
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-visible-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
// It runs some hundred programs, and the machine may be busy.
t.setTimeout(180_000)

/** The start of a line that a guest forges. */
const FORGED = 'error[forged]'

/** A name with characters that XML allows, some of them by reference. */
const IN_XML = [
  ...[
    0x09, 0x0a, 0x0d, 0x7f, 0x80, 0x85, 0x9b, 0xad, 0x61c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f,
    0x2028, 0x2029,
  ],
  ...[
    0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0x3164, 0xfe0f, 0xfeff,
    0xfff9,
  ],
  ...[0xe000, 0xe0001, 0xe0041, 0xe0100, 0xf0000],
]
const EVERYWHERE = [0x01, 0x07, 0x08, 0x1b, ...IN_XML]
const textOf = (codes: readonly number[]): string => String.fromCodePoint(...codes)
/** Ends with a separate line. */
const hostile = (codes: readonly number[]): string => `a${textOf(codes)}[31mz\n${FORGED}: b\r${FORGED}`
const NAME = hostile(IN_XML)
const REFERENCES = [...NAME]
  .map((character) => (/[\t\r\n]/.test(character) ? `&#${character.charCodeAt(0)};` : character))
  .join('')

/** Listed here, so that the test does not depend on the code it tests. Line ends are ours. */
function obeyedIn(text: string): string[] {
  const isObeyed = (code: number): boolean =>
    code < 0x20 || (code >= 0x7f && code < 0xa0) || IN_XML.includes(code) || (code >= 0xd800 && code < 0xe000)
  const codes = [...text.replaceAll('\n', '')].map((character) => character.codePointAt(0) as number)
  return codes.flatMap((code) => (isObeyed(code) ? [code.toString(16)] : []))
}

/** A diff contains tabs: its own, and those of the document. */
const withoutTabs = (diff: string): string => diff.replaceAll('\t', ' ')

/** @param shown matches the escaped form, which proves that the hostile text was printed */
function clean(t: Test, about: string, text: string, shown: RegExp | undefined): void {
  t.same(obeyedIn(text), [], `${about}: every character is printable`)
  t.notOk(
    text.split('\n').some((line) => line.startsWith(FORGED)),
    `${about}: no line that is not ours`,
  )
  if (shown !== undefined) t.match(text, shown, `${about}: the hostile text is shown escaped`)
}

const asks = (keys: string): string =>
  `<metadata><numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1'${keys}/></metadata>`

function domain({ isAsking = true, name = REFERENCES, keys = '', vcpu = '4', pin = '' } = {}): string {
  return `<domain type='kvm'>
  <name>${name}</name>
  <uuid>${UUID}</uuid>
  <title>${REFERENCES}</title>
  <description>${REFERENCES}</description>
  ${isAsking ? asks(keys) : ''}
  <memory unit='MiB'>64</memory>
  <vcpu placement='static'>${vcpu}</vcpu>${pin}
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices><disk type='file'><source file='/${REFERENCES}'/><target dev='vda'/></disk></devices>
</domain>
`
}

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  mkdirSync(resolve(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const GUEST = file('guest.xml', domain())

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(
  words: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Ran {
  const { status, stdout, stderr } = runCommand(words, {
    input,
    env: { PATH: process.env.PATH ?? '', ...env },
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

function runHook(operation: string, guest: string, input: string, config: string): Ran {
  const { status, stdout, stderr } = runApart(process.execPath, [HOOK, guest, ...operation.split(' '), '-'], {
    input,
    env: { PATH: process.env.PATH ?? '', VIRT_NUMA_CONFIG: config },
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

// ---- The escaper ----

t.test('the escaper', async (t) => {
  t.equal(
    visible('a\u0000\u001b\u009b\u00ad\u202e\u{e0001}\ud800z'),
    'a\\x00\\x1b\\x9b\\xad\\u202e\\u{e0001}\\ud800z',
  )
  t.equal(visible('tab\tline\nend\r'), 'tab\\x09line\\x0aend\\x0d')
  for (const plain of [
    'db1',
    'C:\\dir\\new',
    'machine-qemu\\x2d1\\x2ddb1.scope',
    'größe 東京 ✓ 😀 a\u00a0b',
    '\\u0041',
    '\\',
  ])
    t.equal(visible(plain), plain, 'ordinary text is not changed')
  const pairs = [
    '\u001b',
    '\\x1b',
    '\\x5cx1b',
    '\u202e',
    '\\u202e',
    '\u{e0001}',
    '\\u{e0001}',
    '\\x5c',
    '\\x5cx5c',
  ]
  t.equal(new Set(pairs.map(visible)).size, pairs.length, 'no two texts look the same')
  t.equal(visibleLines('a\tb\r\nc\rd\n\u001b\\x1b'), 'a\tb\r\nc\\x0dd\n\\x1b\\x1b')
  for (const each of pairs)
    t.equal(visibleLines(visible(each)), visible(each), 'escaped text is not escaped again')
  const value = { [textOf(EVERYWHERE)]: [`${textOf(EVERYWHERE)}\ud800"\\`, 1, null] }
  t.same(JSON.parse(visibleJson(value)), value, 'JSON reads back')
  t.same(obeyedIn(visibleJson(value)), [])
  let escaped = 0
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code)
    const isKept = visible(character) === character
    if (
      /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(character) ||
      (code & 0xfffe) === 0xfffe ||
      (code >= 0xe0000 && code < 0xe1000)
    ) {
      if (isKept) t.fail(`${code.toString(16)} stays`)
      escaped += 1
    } else if (
      /[\p{L}\p{N}\p{P}\p{S}\p{Zs}]/u.test(character) &&
      !/\p{Default_Ignorable_Code_Point}/u.test(character) &&
      !isKept
    )
      t.fail(`${code.toString(16)} is escaped`)
  }
  t.ok(escaped > 4000)
})

// ---- The commands ----

t.test('plan, check and transform', async (t) => {
  const on = ['--host', HOST, GUEST]
  const svg = join(folder, 'plan.svg')
  for (const words of [
    ['plan'],
    ['plan', '--json'],
    ['plan', '--svg', '-'],
    ['check'],
    ['check', '--json'],
    ['transform', '--diff'],
  ]) {
    const { status, stdout, stderr } = run([...words, ...on])
    t.equal(status, 0, words.join(' '))
    clean(
      t,
      words.join(' '),
      words.includes('--diff') ? withoutTabs(stdout) : stdout,
      words.includes('--diff') ? /^\+ .*<vcpupin/m : /\\(x|u00)9b/,
    )
    clean(t, `${words.join(' ')}, stderr`, stderr, undefined)
    if (words[1] === '--json') t.equal(JSON.parse(stdout).guest, NAME, 'JSON contains the exact name')
  }
  t.equal(run(['plan', '--svg', svg, ...on]).status, 0)
  const drawn = readFileSync(svg, 'utf8')
  clean(t, 'svg', drawn, /\\x9b/)
  t.equal(XMLValidator.validate(drawn), true, 'the picture is well-formed XML')
  const { stdout } = run(['transform', ...on])
  const removed = stdout.split('\n').filter((line) => /REFERENCES|title|description|source/.test(line))
  t.same(
    removed,
    readFileSync(GUEST, 'utf8')
      .split('\n')
      .filter((line) => /title|description|source/.test(line)),
    'a document is not changed',
  )
  const json = run(['transform', '--json', ...on])
  clean(t, 'transform --json', json.stdout, /\\u009b/)
  t.equal(JSON.parse(json.stdout).domain, stdout, 'JSON contains the exact document')
  const onLine = file('line.xml', domain().replace(/\n/g, ' '))
  clean(
    t,
    'the diff of one line',
    withoutTabs(run(['transform', '--diff', '--host', HOST, onLine]).stdout),
    /^\+.*\\x9b/m,
  )
})

long('refusals and their positions', async (t) => {
  const value = [...hostile(IN_XML)]
    .map((each) => (/[\t\r\n]/.test(each) ? `&#${each.charCodeAt(0)};` : each))
    .join('')
  const cases: [about: string, text: string][] = [
    ['a number', domain({ vcpu: `4${value}` })],
    ['a key', domain({ keys: ` memory='${value}'` })],
    ['a set', domain({ pin: `<cputune><vcpupin vcpu='0' cpuset='0${value}'/></cputune>` })],
    ['no XML', domain({ vcpu: `4${textOf([0x9b, 0x202e])}</vcpus>` })],
    ['no domain', `<${'network'}>${value}</network>`],
  ]
  for (const [about, text] of cases) {
    const path = file('refused.xml', text)
    for (const command of ['plan', 'check', 'transform']) {
      for (const json of [[], ['--json']]) {
        const { status, stdout, stderr } = run([command, ...json, '--host', HOST, path])
        t.equal(status, 1, `${command}: ${about}`)
        clean(t, `${command} ${json}: ${about}, stdout`, stdout, undefined)
        clean(t, `${command} ${json}: ${about}`, stderr, /^error\[/)
      }
    }
  }
})

t.test('arguments, files and the configuration', async (t) => {
  const word = hostile(EVERYWHERE)
  const absent = `/nonexistent/${word}`
  const there = file(`sub/${word.replaceAll('/', '')}.xml`, domain({ vcpu: 'many' }))
  const config = file(
    'bad.conf',
    `${textOf([0x9b, 0x202e])}\nbad${textOf([0x200b])}key = "x${word.replaceAll('\n', '')}"\n` +
      `memory = "ev${textOf(IN_XML).replaceAll('\n', '')}en"\n`,
  )
  const cases: (readonly string[])[] = [
    [word],
    ['plan', `--${word}`],
    ['plan', word, word],
    ['plan', `--diff=${word}`],
    ['plan', `--memory=${word}`],
    ['plan', `--cpuset=${word}`],
    ['plan', `--pagesize=${word}`],
    ['plan', `--pid=${word}`],
    ['plan', absent],
    ['plan', '--host', absent, GUEST],
    ['plan', '--config', absent, GUEST],
    ['plan', '--config', config, GUEST],
    ['plan', '--vmi', absent, GUEST],
    ['plan', '--host', HOST, there],
    ['plan', '--cgroup', absent, GUEST],
    ['plan', '--svg', absent, '--host', HOST, GUEST],
    ['transform', '-o', absent, '--host', HOST, GUEST],
    ['verify', word],
    ['verify', '--host', absent, 'db1'],
    ['doctor', '--host', absent],
    ['snapshot', '--host', absent],
    ['install', '--dry-run', '--root', absent],
    ['uninstall', '--dry-run', '--root', absent],
    ['onDefineDomain', '--vmi', `{"a": ${word}`, '--domain', domain()],
    [
      'onDefineDomain',
      '--vmi',
      `{"kind": "VirtualMachineInstance", "spec": "${textOf(IN_XML.slice(3))}"}`,
      '--domain',
      domain({ vcpu: word }),
    ],
  ]
  for (const words of sampled(cases, 4)) {
    const { status, stdout, stderr } = run(words)
    const about = visible(words.join(' ').slice(0, 60))
    t.ok(status === 1 || status === 2 || /install/.test(words[0] ?? ''), about)
    clean(t, `${about}, stdout`, stdout, undefined)
    clean(t, about, stderr + stdout, /error\[|remove/)
  }
  clean(
    t,
    'a diff names the file',
    withoutTabs(
      run(['transform', '--diff', '--host', HOST, file(`sub/${word.replaceAll('/', '')}`, domain())]).stdout,
    ),
    /^--- ".*\\033/,
  )
})

t.test('a VMI', async (t) => {
  const vmi = file(
    'vmi.yaml',
    `kind: VirtualMachineInstance\nmetadata:\n  annotations:\n` +
      `    virt-numa.io/memory: "ev\\u009b\\u202e\\nen"\nspec:\n  domain:\n` +
      `    cpu: {dedicatedCpuPlacement: true}\n`,
  )
  for (const json of [[], ['--json']]) {
    const { status, stdout, stderr } = run(['plan', ...json, '--vmi', vmi, '--host', HOST, GUEST])
    t.equal(status, 1)
    clean(t, 'an annotation', stderr, /"ev\\x9b\\u202e\\x0aen"/)
    clean(t, 'an annotation, stdout', stdout, undefined)
  }
  const cpu = JSON.stringify({
    kind: 'VirtualMachineInstance',
    spec: { domain: { cpu: { dedicatedCpuPlacement: true } } },
  })
  const { status, stdout } = run([
    'onDefineDomain',
    '--vmi',
    cpu,
    '--host',
    HOST,
    '--domain',
    domain({ isAsking: false }),
  ])
  t.equal(status, 0)
  t.equal(stdout, domain({ isAsking: false }), 'a guest that did not opt in gets its exact document back')
})

t.test('verify', async (t) => {
  const host = join(folder, 'captured')
  mkdirSync(host)
  execFileSync('tar', ['-xzf', 'test/guests/placed/guest.tar.gz', '-C', host])
  const { run: asked } = JSON.parse(readFileSync('test/guests/placed/case.json', 'utf8')) as { run: string[] }
  const known = asked.find((word) => !word.startsWith('-')) ?? ''
  const name = `g${textOf(IN_XML)}\n${FORGED}`
  const state = join(host, 'run/libvirt/qemu')
  const status = readFileSync(join(state, `${known}.xml`), 'utf8')
  writeFileSync(join(state, `${known}.xml`), status.replace(/state='[^']*'/, `state='${REFERENCES}'`))
  renameSync(join(state, `${known}.xml`), join(state, `${name}.xml`))
  const metrics = join(folder, 'guest.prom')
  const words = ['verify', name, '--host', host]
  const text = run([...words, '--metrics', metrics])
  clean(t, 'the tables', text.stdout, /\\x9b/)
  clean(t, 'the findings', text.stderr, undefined)
  const written = readFileSync(metrics, 'utf8')
  clean(t, 'the metrics', written, /guest_running/)
  const json = run([...words, '--json'])
  clean(t, 'JSON', json.stdout, /\\u009b/)
  t.match(JSON.parse(json.stdout).wantedFrom, name)
  const gone = run(['verify', `gone-${name}`, '--host', host, '--metrics', metrics])
  clean(t, 'a guest that does not run', gone.stderr, /error\[guest-not-running\].*\\x9b/)
  clean(t, 'its metrics', readFileSync(metrics, 'utf8'), /guest="gone-.*\\\\x9b/)
})

// ---- libvirt ----

long('define and watch', async (t) => {
  // virsh prints one guest per line.
  const name = `a${textOf(IN_XML.filter((code) => ![0x0a, 0x0d, 0x2028, 0x2029].includes(code)))}[31mz`
  const written = domain({ name })
  const on = ['--host', HOST, '--backup', join(folder, 'backup')]
  const virsh = fakeVirsh(join(folder, 'virsh-1'), { name, text: written })
  for (const words of [
    ['--dry-run', '--guest', UUID],
    ['--dry-run', '--json', '--guest', UUID],
    ['--guest', UUID],
    ['--guest', `no ${name}`],
  ]) {
    const { stdout, stderr } = run(['define', ...on, ...words], virsh)
    clean(t, `define ${words[0]}`, withoutTabs(stdout + stderr), /\\(x|u00)9b/)
  }
  t.match(readFileSync(virsh.definition, 'utf8'), '<vcpupin', 'it is defined')
  t.ok(readFileSync(virsh.definition, 'utf8').includes(`<name>${name}</name>`), 'with its name unchanged')
  const refusing = (reason: string) =>
    fakeVirsh(join(folder, 'virsh-2'), { name, text: written, refuses: `error: x\nerror: ${reason}\n` })
  const refused = run(['define', ...on, '--guest', UUID], refusing(textOf(EVERYWHERE)))
  clean(t, 'what libvirt says', refused.stderr, /error\[virsh-failed\].*\\x1b/)
  const watched = run(['watch', '--once', ...on], refusing(textOf(EVERYWHERE)))
  clean(
    t,
    'watch, refused',
    watched.stdout + watched.stderr,
    /watch found "a\\x09.*refused: error\[virsh-failed\].*\\x1b/,
  )
  const fitted = run(['watch', '--once', ...on], fakeVirsh(join(folder, 'virsh-3'), { name, text: written }))
  clean(t, 'watch', fitted.stdout + fitted.stderr, /watch found "a\\x09.*\\x9b.*fitted/)
  const other = fakeVirsh(join(folder, 'virsh-4'), { name, text: written })
  const another = run(
    ['define', ...on, file('other.xml', domain({ name }).replace(/310937af/, '410937af'))],
    other,
  )
  clean(t, 'another UUID', another.stderr, /error\[guest-uuid\].*\\x9b/)
})

t.test('the hook', async (t) => {
  let logs = 0
  const calls = [
    ['prepare begin', domain()],
    ['prepare begin', domain({ vcpu: `4${REFERENCES}` })],
    ['migrate begin', domain()],
    ['migrate begin', domain({ vcpu: `4${REFERENCES}` })],
    ['restore begin', domain({ keys: ` memory='${REFERENCES}'` })],
    ['restore begin', domain({ keys: ` cpuset='0-${REFERENCES}'` })],
  ] as const
  for (const [operation, input] of sampled(calls, 3)) {
    const log = join(folder, `log-${logs++}`)
    const config = file('hook.conf', `root = "${HOST}"\nlog_file = "${log}"\n`)
    const { stdout, stderr, status } = runHook(
      operation,
      hostile(EVERYWHERE).replaceAll('\u0000', ''),
      input,
      config,
    )
    const about = `${operation} ${logs}`
    clean(t, `${about}, stderr`, stderr, status === 0 ? undefined : /^error\[/)
    if (status === 0 && operation !== 'prepare begin')
      t.ok(stdout.includes(`<title>${REFERENCES}</title>`), 'the document is not changed')
    else t.equal(stdout, '')
    t.ok(existsSync(log), about)
    const line = readFileSync(log, 'utf8')
    clean(t, `${about}, log`, line, /\\x1b.*\\x9b/)
    t.equal(line.split('\n').length, 2, 'one line')
  }
  const config = file(
    'hook.conf',
    `\u009b\u202e = "x"\nroot = "${HOST}"\nlog_file = "${join(folder, 'log-bad')}"\n`,
  )
  const { stderr } = runHook('migrate begin', 'db1', domain(), config)
  clean(t, 'a configuration', stderr, /error\[config-syntax\]/)
  clean(t, 'a configuration, log', readFileSync(join(folder, 'log-bad'), 'utf8'), /config-syntax/)
})
