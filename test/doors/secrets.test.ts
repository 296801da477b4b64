// No secret in diffs, in the lines that diagnostics quote, in errors or logs. Every value of a large domain
// that has no part in a placement is a canary, and the output of every command is searched; then again with
// the document broken at every position.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { applyPatch } from 'diff'
import t, { type Test } from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { parseJson } from '../../src/base/json.ts'
import { readDocument } from '../../src/document.ts'
import { masked, renderDiagnostics } from '../../src/explain/diagnostics.ts'
import { failureOf, withoutPassword } from '../../src/libvirt/virsh.ts'
import { domainSource, hiddenOf, redacted, withoutValues } from '../../src/redact/secrets.ts'
import { privateSpans } from '../../src/redact/shown.ts'
import { parseConfig } from '../../src/request/config.ts'
import { hiddenInConfig } from '../../src/request/config-shown.ts'
import type { XmlElement } from '../../src/xml/parse.ts'
import { readXml } from '../../src/xml/read.ts'
import { runApart } from '../apart.ts'
import { runCommand } from '../command.ts'
import { refusedBy, worded } from '../core/worded.ts'
import { long, sampled } from '../long.ts'
import { HOST } from '../seed.ts'
import { fakeVirsh, UUID } from './fake-virsh.ts'

const HOOK = resolve('dist/hooks/qemu.cjs')
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-secrets-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
// It runs some hundred programs, and the machine may be busy.
t.setTimeout(180_000)

/** The elements of libvirt that are known to hold secrets, and those that may. */
const RICH = `<?xml version='1.0' encoding='utf-8'?>
<!-- the password is s -->
<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' xmlns:other='urn:other'>
  <name>db1</name>
  <uuid>${UUID}</uuid>
  <genid>g</genid>
  <title>t</title>
  <description>d
    over two lines</description>
  <metadata><other:app token='t' user='u'>m<other:key>k</other:key></other:app>
    <numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1' memory='even'/></metadata>
  <memory unit='MiB'>64</memory>
  <memtune><hard_limit unit='G'>1</hard_limit></memtune>
  <vcpu placement='static'>4<!-- c --></vcpu>
  <iothreads>1</iothreads>
  <resource><partition>/machine</partition><fibrechannel appid='a'/></resource>
  <sysinfo type='smbios'>
    <system><entry name='serial'>s</entry></system>
    <oemStrings><entry>io.systemd.credential:passwd=hash</entry></oemStrings>
  </sysinfo>
  <sysinfo type='fwcfg'><entry name='opt/user-data'>#cloud-config</entry><entry name='f' file='/f'/></sysinfo>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='y' secure='y'>/l</loader>
    <nvram template='/t'><source file='/n?auth=a'/></nvram>
    <kernel>/k</kernel>
    <initrd>/i</initrd>
    <cmdline>root=/dev/vda luks=key</cmdline>
    <bootmenu enable='y' timeout='3'/>
  </os>
  <features><hyperv><vendor_id state='o' value='v'/></hyperv><ioapic driver='d'/></features>
  <cpu mode='host-passthrough'>
    <topology sockets='1' cores='4' threads='1'/>
  </cpu>
  <clock offset='v' adjustment='1'><timer name='n' tickpolicy='t'/></clock>
  <keywrap><cipher name='aes' state='o'/></keywrap>
  <launchSecurity type='sev'><dhCert>c</dhCert><session>s</session><policy>1</policy></launchSecurity>
  <devices>
    <emulator>/opt/e</emulator>
    <disk type='n' device='d'>
      <driver name='q' type='r'/>
      <auth username='u'><secret type='c' uuid='u'/></auth>
      <source protocol='https' name='n' query='sig=s'><host name='user:pw@h' port='1'/>
        <cookies><cookie name='c'>v</cookie></cookies></source>
      <encryption format='luks'><secret type='passphrase' uuid='u'/></encryption>
      <target dev='vda' bus='v'/><serial>s</serial><wwn>w</wwn><![CDATA[x]]>
    </disk>
    <interface type='n'><mac address='m'/><source network='n'/>
      <portprofile><parameters profileid='p'/></portprofile></interface>
    <serial type='tcp'><source mode='c' host='h' service='s'/><log file='l'/></serial>
    <channel type='s'><target type='v' name='n'/></channel>
    <graphics type='vnc' port='1' listen='l' passwd='p' passwdValidTo='v' keymap='k'>
      <listen type='a' address='a'/></graphics>
    <filesystem type='m'><source dir='s'/><target dir='t'/></filesystem>
    <tpm model='m'><backend type='e'><encryption secret='s'/></backend></tpm>
    <rng model='m'><backend model='e'>/d<?app secret?></backend></rng>
    <hostdev mode='s' type='p'><source><address domain='d' bus='b'/></source></hostdev>
  </devices>
  <seclabel type='s' model='m'><label>l</label></seclabel>
  <qemu:commandline><qemu:arg value='-object'/><qemu:arg value='secret,id=a,data=b'/>
    <qemu:env name='N' value='v'/></qemu:commandline>
  <qemu:override><qemu:device alias='a'>
    <qemu:frontend><qemu:property name='n' type='t' value='v'/></qemu:frontend></qemu:device></qemu:override>
</domain>
<!-- end -->
`

/** Elements that have a part in a placement, listed here again; the rest are canaries. */
const OURS = [
  'name',
  'uuid',
  'memory',
  'vcpu',
  'iothreads',
  'partition',
  'type',
  'topology',
  'cpu',
  'domain',
  'guestMappingPassthrough',
]
const CANARY = 'Canary='

/** Every other value as a canary of its own, and so are comments and text between elements. */
function withCanaries(text: string): string {
  const { root } = readDocument(text)
  const edits: { start: number; end: number }[] = []
  const walk = (element: XmlElement): void => {
    const isOurs = OURS.includes(element.local)
    for (const { name, start, end } of element.attributes)
      if (!isOurs && !name.startsWith('xmlns') && end > start) edits.push({ start, end })
    if (
      !isOurs &&
      element.children.length === 0 &&
      element.contentEnd > element.tagEnd &&
      !text.slice(element.tagEnd).startsWith('<')
    )
      edits.push({ start: element.tagEnd, end: text.indexOf('<', element.tagEnd) })
    element.children.forEach(walk)
  }
  walk(root)
  let count = 0
  const canary = (): string => `x${count++}/${CANARY}`
  const changed = edits
    .sort((a, b) => b.start - a.start)
    .reduce((before, { start, end }) => before.slice(0, start) + canary() + before.slice(end), text)
  return changed
    .replace(/<!-- [^>]* -->/g, () => `<!-- ${canary()} -->`)
    .replace('<?app secret?>', () => `<?app ${canary()}?>`)
    .replace('<![CDATA[x]]>', () => `<![CDATA[${canary()}]]>`)
    .replace('<other:app', () => `<other:app\n    more="${canary()}"`)
    .replace("xmlns:other='urn:other'", () => `xmlns:other='${canary()}'`)
    .replace('</other:key>', () => `</other:key>${canary()}`)
}

const SECRET = withCanaries(RICH)
const AMOUNT = SECRET.split(CANARY).length - 1
const ONE_LINE = SECRET.replace(/\n */g, ' ')

function silent(t: Test, about: string, text: string): void {
  const at = text.indexOf('Canary')
  t.equal(at < 0 ? '' : text.slice(Math.max(0, at - 60), at + 20), '', `${about}: no canary`)
}

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  mkdirSync(resolve(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = runCommand(words, {
    env: { PATH: process.env.PATH ?? '', ...env },
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

t.ok(AMOUNT > 100, `${AMOUNT} canaries`)

// ---- Whole documents ----

long('diffs and plans', async (t) => {
  for (const [about, text] of [
    ['lines', SECRET],
    ['one line', ONE_LINE],
    ['CRLF', SECRET.replaceAll('\n', '\r\n')],
  ] as const) {
    const path = file('rich.xml', text)
    for (const words of [
      ['transform', '--diff'],
      ['transform', '--diff', '--json'],
      ['plan'],
      ['plan', '--json'],
      ['plan', '--svg', '-'],
      ['check'],
      ['check', '--json'],
    ]) {
      const { status, stdout, stderr } = run([...words, '--host', HOST, path])
      t.equal(status, 0, `${words.join(' ')}, ${about}: ${stderr}`)
      silent(t, `${words.join(' ')}, ${about}`, stdout + stderr)
    }
    const { stdout } = run(['transform', '--host', HOST, path])
    t.equal(stdout.split(CANARY).length - 1, AMOUNT, 'a requested document contains all of them')
  }
})

long('a diff can be applied unless a line is masked', async (t) => {
  const seed = 'golden/2n4c2t-seed/domain.xml'
  const text = readFileSync(seed, 'utf8')
  const fitted = run(['transform', '--host', HOST, seed]).stdout
  t.equal(applyPatch(text, run(['transform', '--diff', '--host', HOST, seed]).stdout), fitted)
  const path = file('rich.xml', SECRET)
  const diff = run(['transform', '--diff', '--host', HOST, path]).stdout
  t.match(diff, /^ .*\*{5}/m, 'a line of context is masked')
  t.equal(applyPatch(SECRET, diff), false, 'a masked hunk does not apply, so no mask is written')
  t.match(diff, /^\+ +<vcpupin vcpu='0' cpuset='2'\/>$/m, 'the changes are shown')
  t.match(diff, /^ {3}<vcpu placement='static'>4<!--\*{5}-->|^ {3}<vcpu placement='static'>4<!-- \*{5} -->/m)
  t.equal((diff.match(/^@@ .* @@$/gm) ?? []).length > 0, true)
  const lines = redacted(SECRET, hiddenOf(readDocument(SECRET)))
  t.equal(lines.split('\n').length, SECRET.split('\n').length, 'every line keeps its number')
  t.match(lines, /<oemStrings><entry>\*{5}<\/entry><\/oemStrings>/)
})

long('define and watch', async (t) => {
  const on = ['--host', HOST, '--backup', join(folder, 'backup')]
  for (const [about, text] of [
    ['lines', SECRET],
    ['one line', ONE_LINE],
  ] as const) {
    const virsh = (refuses = '') => fakeVirsh(join(folder, 'virsh'), { name: 'db1', text, refuses }).env
    for (const words of [
      ['--guest', 'db1', '--dry-run'],
      ['--guest', 'db1', '--dry-run', '--json'],
      ['--guest', 'db1'],
    ]) {
      const { status, stdout, stderr } = run(['define', ...on, ...words], virsh())
      t.equal(status, 0, stderr)
      t.match(stdout, /\*{5}/)
      silent(t, `define ${words.join(' ')}, ${about}`, stdout + stderr)
    }
    const document = run(['define', ...on, '--dry-run', file('rich.xml', text)], virsh())
    silent(t, `define of a document, ${about}`, document.stdout + document.stderr)
    const values = privateSpans(text).map(({ start, end }) => text.slice(start, end))
    const said =
      `error: Failed to define\nerror: XML error: ` +
      `${values.map((value) => `'${value.replaceAll('\n', ' ')}'`).join(' and ')}\n`
    const refused = run(['define', ...on, '--guest', 'db1'], virsh(said))
    t.match(refused.stderr, /error\[virsh-failed\]: virsh define \/dev\/stdin failed: XML error: ' ?\*{5} ?'/)
    silent(t, `what libvirt says, ${about}`, refused.stderr)
    const watched = run(['watch', '--once', ...on], virsh(said))
    t.match(watched.stdout, /refused: error\[virsh-failed\]/)
    silent(t, `watch, ${about}`, watched.stdout + watched.stderr)
  }
  t.equal(
    withoutValues("no 'ab/cd/ef' in '/x/y'", '<a b="ab/cd/ef">/x/y</a>', [
      { start: 6, end: 14 },
      { start: 16, end: 20 },
    ]),
    "no '*****' in '/x/y'",
  )
})

// ---- A fault on the line of a secret ----

const FAULTS: readonly (readonly [about: string, from: string | RegExp, to: string, doors?: 'all'])[] = [
  ['a number', '>4<', '>many<', 'all'],
  ['a key', "memory='even'", "memory='odd'"],
  ['an unknown key', "memory='even'", `memory='even' password='x${CANARY}'`, 'all'],
  ['a second element', '</metadata>', "<n:guestMappingPassthrough xmlns:n='urn:virt-numa:1'/></metadata>"],
  ['a topology', "cores='4'", "cores='0'"],
  ['a prefix', '<features>', '<features><bad:e/>'],
  ['a doctype', /<domain /, '<!DOCTYPE d><domain '],
  ['no end', '</devices>', ''],
  ['a quote too few', "passwd='", 'passwd=', 'all'],
  ['a quote too many', "sockets='1'", "sockets='1''"],
  ['a bare <', `/${CANARY}</title>`, `<${CANARY}</title>`, 'all'],
  ['an end tag in a text', '</title>', `</${CANARY}></title>`],
  ['an entity', '</title>', `&${CANARY};</title>`],
  ['a comment that does not end', '</title>', '</title><!-- '],
]

t.test('a fault on the line of a secret, at every command', async (t) => {
  const host = join(folder, 'captured')
  mkdirSync(host)
  execFileSync('tar', ['-xzf', 'test/guests/placed/guest.tar.gz', '-C', host])
  const { run: asked } = JSON.parse(readFileSync('test/guests/placed/case.json', 'utf8')) as { run: string[] }
  const known = asked.find((word) => !word.startsWith('-')) ?? ''
  const status = join(host, 'run/libvirt/qemu', `${known}.xml`)
  const kept = readFileSync(status, 'utf8')
  const pid = /pid='(\d+)'/.exec(kept)?.[1] ?? ''
  let logs = 0
  const vmi =
    '{"kind": "VirtualMachineInstance", "metadata": {"annotations": {"virt-numa.io/memory": "even"}}}'
  for (const [about, from, to, doors = 'some'] of sampled(FAULTS, 20)) {
    for (const whole of [SECRET, ONE_LINE]) {
      const text = whole.replace(from, to)
      t.not(text, whole, about)
      const path = file('faulty.xml', text)
      const virsh = fakeVirsh(join(folder, 'virsh-fault'), { name: 'db1', text }).env
      const isWhole = doors === 'all' && whole === SECRET
      const some: (readonly string[])[] = [
        ['plan', '--host', HOST, path],
        ['define', '--host', HOST, '--dry-run', path],
      ]
      const others: (readonly string[])[] = [
        ['check', '--host', HOST, path],
        ['transform', '--host', HOST, path],
        ['define', '--host', HOST, '--dry-run', '--guest', 'db1'],
        ['watch', '--once', '--host', HOST, '--backup', folder],
        ['verify', '--pid', pid, '--host', host, path],
        ['onDefineDomain', '--vmi', vmi, '--host', HOST, '--domain', text],
      ]
      for (const words of isWhole ? [...some, ...others] : some) {
        const { stdout, stderr } = run(words, virsh)
        if (some.includes(words)) t.match(stderr, /^error\[/, `${about}: ${words.join(' ')}`)
        silent(
          t,
          `${words.slice(0, -1).join(' ')}: ${about}`,
          words[0] === 'onDefineDomain' ? stderr : stdout + stderr,
        )
      }
      if (isWhole) {
        writeFileSync(
          status,
          `<domstatus state='running' pid='${pid}'>${text.replace(/^<\?xml.*?\?>/, '')}</domstatus>`,
        )
        silent(t, `a status file: ${about}`, run(['verify', known, '--host', host]).stderr)
      }
      for (const operation of isWhole ? ['prepare begin', 'migrate begin'] : ['migrate begin']) {
        const log = join(folder, `log-${logs++}`)
        const config = file('hook.conf', `root = "${HOST}"\nlog_file = "${log}"\n`)
        const ran = runApart(process.execPath, [HOOK, 'db1', ...operation.split(' '), '-'], {
          input: text,
          env: { PATH: process.env.PATH ?? '', VIRT_NUMA_CONFIG: config },
          timeout: 60_000,
        })
        silent(t, `${operation}: ${about}`, ran.stderr + readFileSync(log, 'utf8'))
      }
    }
  }
})

t.test('a document broken at any position', async (t) => {
  let refused = 0
  const listen = (about: string, text: string, isParsed: boolean): void => {
    const shown = masked(text, privateSpans(text))
    if (shown.includes('Canary')) silent(t, about, shown)
    if (!isParsed) return
    try {
      readDocument(text, 'd.xml')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refused += 1
      const rendered = renderDiagnostics(error.diagnostics, 'capacity-fails', [domainSource('d.xml', text)])
      if (rendered.includes('Canary')) silent(t, about, rendered)
    }
  }
  const broken = (text: string, at: number, sign: string): string =>
    text.slice(0, at) + sign + text.slice(at + 1)
  for (const [text, step] of [
    [SECRET, 1],
    [ONE_LINE, 11],
  ] as const) {
    const signs = [...text].flatMap((character, at) => (/[<>/='" ?!]/.test(character) ? [at] : []))
    // A character of markup is missing, doubled or replaced.
    for (const at of signs.filter((_, index) => index % step === 0)) {
      for (const sign of ['', `${text[at]}${text[at]}`, '<', '"'])
        listen(`${at}: ${JSON.stringify(sign)}`, broken(text, at, sign), at % 7 === 0)
    }
  }
  t.ok(refused > 300, `${refused} were refused`)
})

// ---- Other documents ----

t.test('the configuration', async (t) => {
  const lines = [
    `api_token = "${CANARY}"`,
    `cpuset = "0-" # ${CANARY}`,
    `memory = "even" # ${CANARY}`,
    `memory ="odd" # ${CANARY}`,
    'hunterCanary',
    `password ${CANARY}`,
    `password: "${CANARY}"`,
    `password = ${CANARY}`,
    `password = "${CANARY}`,
    `password = [ "${CANARY}" "b" ]`,
    `password = [\n "a",\n "${CANARY}" x\n]`,
    `"${CANARY}"`,
    `cpuset = "0-3" "x" # ${CANARY}`,
  ]
  for (const line of lines) {
    const text = `# ${CANARY}\n${line}\n`
    try {
      parseConfig(text, 'virt-numa.conf')
      t.match(line, /even|^cpuset/)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const rendered = renderDiagnostics(error.diagnostics, 'capacity-fails', [
        { name: 'virt-numa.conf', text, hidden: hiddenInConfig },
      ])
      silent(t, line, rendered)
      t.match(rendered, /at: virt-numa.conf:\d+:\d+/)
    }
  }
  const shown = (text: string): string => masked(text, hiddenInConfig(text))
  t.equal(
    shown('cpuset = 2-3\nguests = [\n  "a", # b\n  "c"\n]\nx = "y"\n'),
    'cpuset = 2-3\nguests = [\n  "a", * *\n  "c"\n]\nx = ***\n',
  )
  const long = `memory = "${'e'.repeat(100)}"`
  t.match(
    refusedBy(() => parseConfig(long, 'c')),
    /invalid value "e{37}\.\.\." for memory/,
  )
})

t.test('VMI, JSON and capabilities', async (t) => {
  const vmis = [
    `{"kind": "VirtualMachineInstance", "metadata": {"annotations": {"a": ${CANARY}}}}`,
    `{"a": "x"${CANARY}"}`,
    `{"a": "${CANARY}\\q"}`,
    '{"kind": "VirtualMachineInstance", "metadata": {"annotations": {"pin": 4711777}}}',
    `kind: VirtualMachineInstance\nmetadata:\n  annotations:\n` +
      `    virt-numa.io/secret: ${CANARY}\nspec: {domain: {cpu: {dedicatedCpuPlacement: true}}}\n`,
    `a: "x\n  ${CANARY}: "y" ${CANARY}\n`,
    `a: *${CANARY}\n`,
    `a: !${CANARY} x\n`,
    `a: |${CANARY}\n  b\n`,
    `a: "\\q${CANARY}"\n`,
    `a: {b: ${CANARY}\n`,
    `%${CANARY}\n---\na: b\n`,
    `a: @${CANARY}\n`,
    `? [${CANARY}]\n: b\n`,
  ]
  for (const [index, text] of sampled([...vmis.entries()], 6)) {
    const { status, stdout, stderr } = run([
      'plan',
      '--vmi',
      file(`vmi-${index}.yaml`, text),
      '--host',
      HOST,
      'golden/2n4c2t-seed/domain.xml',
    ])
    t.equal(status, 1, text)
    silent(t, text, stdout + stderr)
    t.notMatch(stderr, '4711777')
    const { stderr: shim } = run(['onDefineDomain', '--vmi', text, '--host', HOST, '--domain', SECRET])
    silent(t, `onDefineDomain: ${text}`, shim)
  }
  t.match(
    refusedBy(() => parseJson('{"a": secretword}', 'x')),
    /a bare word where a value is expected/,
  )
  for (const text of [
    `<capabilities><host a="${CANARY}"${CANARY}"/></capabilities>`,
    `<a b='x ${CANARY}'c='${CANARY}'/>`,
    SECRET.replace("passwd='", 'passwd='),
    `<a>${CANARY}</b>`,
  ]) {
    try {
      readXml(text)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      silent(t, text.slice(0, 40), error.diagnostics.map((each) => worded(each).what).join())
    }
  }
})

t.test('a password in the URI of a daemon', async (t) => {
  const uri = 'qemu+tcp://root:hunter2@x@node7/system'
  t.equal(
    withoutPassword(`failed: ${uri}, qemu:///system`),
    'failed: qemu+tcp://root:*****@node7/system, qemu:///system',
  )
  t.match(
    worded(
      failureOf(['uri'], { stdout: '', stderr: '', reason: `Command timed out: virsh --connect=${uri}` }),
    ).what,
    /root:\*{5}@node7/,
  )
  const { env } = fakeVirsh(join(folder, 'virsh-uri'), { name: 'db1', text: SECRET })
  const script = join(folder, 'virsh-uri', 'virsh')
  const text = readFileSync(script, 'utf8')
  rmSync(script)
  renameSync(file('virsh-new', text.replace('qemu:///system', uri)), script)
  execFileSync('chmod', ['755', script])
  const { stderr } = run(['define', '--dry-run', '--guest', 'db1'], env)
  t.match(stderr, /error\[libvirt-elsewhere\]: the guests of qemu\+tcp:\/\/root:\*{5}@node7/)
  t.notMatch(stderr, /hunter2|x@/)
})
