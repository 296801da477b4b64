// What define and watch decide without libvirt: what is secret, what prevents a definition, what an event
// means. The texts of virsh are those of virsh 9.0. Tests that need a libvirt are in e2e/define.test.ts.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { diagnostic } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { masked } from '../../src/explain/diagnostics.ts'
import { backupFolder, keepCopy } from '../../src/libvirt/backup.ts'
import { differencesFrom } from '../../src/libvirt/differences.ts'
import { MOST_REFITS, pauseMs, type Refits, readEvent, turnOf, WITHIN_MS } from '../../src/libvirt/events.ts'
import { readList, readState } from '../../src/libvirt/guests.ts'
import {
  type Guest,
  guestNamed,
  guestOf,
  reasonsAgainst,
  restartNotes,
} from '../../src/libvirt/may-define.ts'
import { failureOf, machineOf } from '../../src/libvirt/virsh.ts'
import type { DomainView } from '../../src/model/domain.ts'
import { hiddenSpans, lostSecrets, redacted, secretSpans } from '../../src/redact/secrets.ts'
import { sameXml } from '../../src/xml/same.ts'
import { runCommand } from '../command.ts'
import { refusedBy, worded } from '../core/worded.ts'
import { pattern } from '../pattern.ts'
import { fakeVirsh } from './fake-virsh.ts'

const UUID = '310937af-7f32-4f44-9dfc-89ad45f59eee'

// ---- A guest as virsh dumpxml --inactive prints it, with --security-info and without ----

interface Shape {
  readonly cells?: readonly number[]
  readonly pin?: string
  readonly image?: string
  readonly page?: string
  readonly secure?: boolean
  readonly graphics?: string
}

const COOKIES = "<cookies><cookie name='session'>c0okie</cookie></cookies>"
const graphicsWith = (passwd: string): string => `<graphics type='vnc' port='-1'${passwd}/>`

function domain({
  cells = [64],
  pin = '0',
  image = 'db1.qcow2',
  page = '',
  secure = true,
  graphics,
}: Shape = {}): string {
  const numa = cells
    .map((mib, id) => `<cell id='${id}' cpus='${id}' memory='${mib * 1024}' unit='KiB'/>`)
    .join('')
  const memnodes = cells.map((_, id) => `<memnode cellid='${id}' mode='strict' nodeset='0'/>`).join('')
  const size = `<page size='${page}' unit='KiB'/>`
  const backing = page === '' ? '' : `<memoryBacking><hugepages>${size}</hugepages></memoryBacking>`
  return `<domain type='qemu'>
  <name>db1</name>
  <uuid>${UUID}</uuid>
  <memory unit='KiB'>65536</memory>
  ${backing}
  <vcpu>2</vcpu>
  <cputune><vcpupin vcpu='0' cpuset='${pin}'/><vcpupin vcpu='1' cpuset='${pin}'/></cputune>
  ${cells.length === 0 ? '' : `<numatune><memory mode='strict' nodeset='0'/>${memnodes}</numatune>`}
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  ${cells.length === 0 ? '' : `<cpu><numa>${numa}</numa></cpu>`}
  <devices>
    <disk type='file'><source file='/images/${image}'/><target dev='vda' bus='virtio'/></disk>
    <disk type='network'>
      <source protocol='https' name='iso'><host name='h'/>${secure ? COOKIES : ''}</source>
      <target dev='vdb'/>
    </disk>
    ${graphics ?? graphicsWith(secure ? " passwd='s3cret'" : '')}
  </devices>
</domain>
`
}

const document = (shape?: Shape) => readDocument(domain(shape))
const view = (shape?: Shape) => readDomain(document(shape))

function guest(facts: Partial<Guest> = {}, shape: Shape = {}): Guest {
  const state = { runs: false, persistent: true, saved: false, snapshots: [], checkpoints: [] }
  const texts = { document: document(shape), shown: document({ ...shape, secure: false }), view: view(shape) }
  return { name: 'db1', uuid: UUID, ...state, ...texts, ...facts }
}

const next = (shape: Shape, atNextStart = false) => ({
  document: document(shape),
  view: view(shape),
  atNextStart,
})
const codesOf = (found: readonly { readonly code: string }[]): string[] => found.map(({ code }) => code)

// ---- What prevents a definition ----

t.test('what prevents a definition', async (t) => {
  const cases: [about: string, guest: Guest, shape: Shape, codes: string[]][] = [
    ['new pins', guest(), { pin: '1' }, []],
    ['new cells', guest(), { cells: [32, 32] }, []],
    ['new pins of a running guest', guest({ runs: true }), { pin: '1' }, []],
    ['new cells of a running guest', guest({ runs: true }), { cells: [32, 32] }, ['guest-runs']],
    ['other pages of a running guest', guest({ runs: true }), { page: '2048' }, ['guest-runs']],
    ['first cells of a running guest', guest({ runs: true }, { cells: [] }), {}, ['guest-runs']],
    ['new pins of a saved guest', guest({ saved: true }), { pin: '1' }, []],
    ['new cells of a saved guest', guest({ saved: true }), { cells: [16, 48] }, ['guest-saved']],
    [
      'a transient guest, for which nothing else is reported',
      guest({ persistent: false, runs: true }),
      { cells: [] },
      ['guest-transient'],
    ],
    ['another image without snapshots', guest(), { image: 'other.qcow2' }, []],
    [
      'another image under a snapshot',
      guest({ snapshots: ['s1'] }),
      { image: 'other.qcow2' },
      ['guest-disks-moved'],
    ],
    [
      'another image under a checkpoint',
      guest({ checkpoints: ['c1'] }),
      { image: 'other.qcow2' },
      ['guest-disks-moved'],
    ],
    ['the same image under a snapshot', guest({ snapshots: ['s1'] }), { pin: '1' }, []],
    ['a document without secrets', guest(), { secure: false }, ['guest-secrets-lost']],
    [
      'all at once',
      guest({ runs: true, saved: true, snapshots: ['s1'] }),
      { cells: [32, 32], image: 'other.qcow2', secure: false },
      ['guest-runs', 'guest-saved', 'guest-secrets-lost', 'guest-disks-moved'],
    ],
  ]
  for (const [about, before, shape, codes] of cases)
    t.same(codesOf(reasonsAgainst(before, next(shape))), codes, about)
  t.same(
    reasonsAgainst(guest({ runs: true }), next({ cells: [32, 32] }, true)),
    [],
    'cells that wait for the next start',
  )
  t.same(
    codesOf(reasonsAgainst(guest({ saved: true }), next({ cells: [32, 32] }, true))),
    ['guest-saved'],
    'a managed save is never deferred',
  )
  t.match(reasonsAgainst(guest({ runs: true }), next({ cells: [32, 32] })).map(worded), [
    { what: 'db1 is running; its definition has 1 cell and would get 2 cells' },
  ])
  t.match(reasonsAgainst(guest({ runs: true }, { cells: [32, 32] }), next({ cells: [16, 48] })).map(worded), [
    { what: 'db1 is running; its definition has 2 cells and would get 2 others' },
  ])
  t.match(reasonsAgainst(guest({ snapshots: ['s1'] }), next({ image: 'other.qcow2' })).map(worded), [
    { what: 'the document has another image for vda, but db1 has a snapshot or checkpoint: s1' },
  ])
})

t.test('when a definition takes effect', async (t) => {
  t.same(restartNotes(guest(), view({ pin: '1' }), undefined), [])
  t.same(
    restartNotes(guest({ runs: true }), view({ pin: '1' }), view({ pin: '1' })),
    [],
    'it runs where it is planned',
  )
  t.same(codesOf(restartNotes(guest({ runs: true }), view({ pin: '1' }), view())), ['guest-needs-start'])
  t.same(codesOf(restartNotes(guest({ saved: true }), view({ pin: '1' }), undefined)), ['guest-saved-stays'])
})

const wordedRefusal = ({ refused }: ReturnType<typeof guestOf>): object =>
  refused === undefined ? {} : worded(refused)

t.test('the guest that a document defines', async (t) => {
  const guests = [
    { name: 'db1', uuid: UUID },
    { name: '7', uuid: '7f6e3923-bc46-42c9-a245-8f5fbcbaf364' },
  ]
  const of = (name: string, uuid: string) =>
    guestOf(
      readDocument(
        `<domain type='kvm'><name>${name}</name>${uuid === '' ? '' : `<uuid>${uuid}</uuid>`}</domain>`,
      ),
      guests,
    )
  t.same(of('db1', UUID), { is: guests[0] })
  t.same(
    of('db1', UUID.toUpperCase().replace(/-/g, '')),
    { is: guests[0] },
    'libvirt accepts a UUID without dashes',
  )
  t.same(of('db2', ''), {})
  t.same(of('db2', '00000000-0000-4000-8000-000000000000'), {})
  t.match(wordedRefusal(of('db1', '')), {
    code: 'guest-uuid',
    what: `db1 exists with UUID ${UUID}, but the document has none`,
  })
  t.match(of('db1', '00000000-0000-4000-8000-000000000000').refused, { code: 'guest-uuid' })
  t.match(wordedRefusal(of('db2', UUID)), {
    code: 'guest-renamed',
    what: `UUID ${UUID} belongs to db1, but the document has the name "db2"`,
  })
  t.equal(guestNamed('7', guests), guests[1], 'a name of digits is not an id')
  t.equal(guestNamed(UUID, guests), guests[0])
  t.equal(guestNamed('1', guests), undefined)
  t.equal(guestNamed(`x${UUID}`, guests), undefined, 'nor is a name that contains a UUID')
  const blanks = [' db1', 'db1', 'db1 '].map((name, at) => ({
    name,
    uuid: `0000000${at}-0000-4000-8000-000000000000`,
  }))
  for (const [at, { name, uuid }] of blanks.entries()) {
    t.equal(guestNamed(name, blanks), blanks[at], 'blanks are part of a name')
    const written = readDocument(`<domain type='kvm'><name>${name}</name><uuid>${uuid}</uuid></domain>`)
    t.same(guestOf(written, blanks), { is: blanks[at] })
    t.equal(readDomain(readDocument(domain().replace('db1', name))).name, name)
  }
  t.match(reasonsAgainst({ ...guest({ runs: true }), name: 'db1 ' }, next({ cells: [32, 32] })).map(worded), [
    { what: /^"db1 " is running; /, fix: /^virsh shutdown 'db1 ' first/ },
  ])
})

// ---- Secrets ----

t.test('secrets', async (t) => {
  const secure = document()
  const shown = document({ secure: false })
  const values = (spans: readonly { start: number; end: number }[]) =>
    spans.map(({ start, end }) => secure.text.slice(start, end))
  t.same(values(hiddenSpans(secure, shown)), ['session', 'c0okie', 's3cret'])
  t.same(values(secretSpans(secure, shown)), ['session', 'c0okie', 's3cret'])
  t.same(values(secretSpans(secure)), ['c0okie', 's3cret'], 'without the other document: by name')
  const at = secure.text.indexOf("cpuset='0'") + 8
  const edit = { start: at, end: at + 1, text: '5' }
  const printed = redacted(secure.text, secretSpans(secure, shown), [edit])
  t.notMatch(printed, /s3cret|c0okie/)
  t.match(printed, /passwd='\*{5}'/)
  t.match(printed, /cpuset='5'/)
  const hidden = masked(secure.text, secretSpans(secure, shown))
  t.equal(hidden.length, secure.text.length, 'every place is where it was')
  t.notMatch(hidden, /s3cret|c0okie/)
  t.doesNotThrow(
    () => redacted(secure.text, secretSpans(secure), [{ start: 0, end: secure.text.length, text: '' }]),
    'a secret that goes',
  )
})

t.test('secrets known only by their names', async (t) => {
  const secret = (inner: string): string[] => {
    const doc = readDocument(
      `<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>${inner}</domain>`,
    )
    return secretSpans(doc).map(({ start, end }) => doc.text.slice(start, end))
  }
  t.same(secret("<a passwd='x' passwdValidTo='y'/>"), ['x', 'y'])
  t.same(secret("<auth username='u'><secret type='ceph' uuid='U'/></auth>"), ['U'])
  t.same(
    secret(
      "<qemu:commandline><qemu:arg value='-object'/><qemu:arg value='secret,id=a,data=b'/>" +
        '</qemu:commandline>',
    ),
    ['secret,id=a,data=b'],
  )
  t.same(secret("<qemu:commandline><qemu:arg value='-password'/><qemu:arg value='b'/></qemu:commandline>"), [
    '-password',
    'b',
  ])
  t.same(secret("<qemu:commandline><qemu:arg value='-cpu'/><qemu:arg value='host'/></qemu:commandline>"), [])
  t.same(secret("<qemu:commandline><qemu:env name='TOKEN' value='b'/></qemu:commandline>"), ['b'])
  t.same(secret("<memory unit='KiB'>1</memory><vcpu>2</vcpu>"), [])
  t.same(secret("<a passwd=''/>"), [], 'an empty value is not secret')
})

t.test('secrets that a document would lose', async (t) => {
  const lost = (shape: Shape) => lostSecrets(document(), document({ secure: false }), document(shape))
  t.same(lost({}), [])
  t.same(lost({ secure: false }), ['<cookie>', 'name of <cookie>', 'passwd of <graphics>'])
  t.same(lost({ graphics: graphicsWith('') }), ['passwd of <graphics>'])
  t.same(lost({ graphics: graphicsWith(" passwd='new'") }), [], 'replacing a password loses none')
  t.same(
    lost({ graphics: graphicsWith(" passwd='*****'") }),
    ['passwd of <graphics>'],
    'libvirt would store the mask as the password',
  )
  t.same(lost({ graphics: '' }), [], 'a display is removed with its password')
  t.same(
    lost({ graphics: graphicsWith(" passwd='s3cret'") + graphicsWith('') }),
    [],
    'a second display needs none',
  )
})

// ---- What libvirt has afterwards ----

t.test('a placement that differs from the plan', async (t) => {
  const differs = (planned: DomainView, actual: DomainView): string[] => {
    const facts = { name: 'db1', differs: differencesFrom(planned, actual), backup: undefined }
    const { what } = worded(diagnostic('guest-placed-otherwise', facts))
    return what.replace('db1 is defined, but not as planned: ', '').split('; ')
  }
  t.same(differencesFrom(view(), view()), [])
  t.same(differencesFrom(view(), view({ pin: '1' }))[0], {
    part: 'vcpupin',
    id: 0,
    actual: { cpus: [1] },
    planned: { cpus: [0] },
  })
  t.same(differs(view(), view({ pin: '1' })), ['vcpupin 0 is 1, planned 0', 'vcpupin 1 is 1, planned 0'])
  t.same(differs(view({ cells: [32, 32] }), view({ cells: [] })), [
    'number of cells is 0, planned 2',
    'memory is missing, planned strict 0',
    'cell 0 is missing, planned vCPU 0, 32 MiB',
    'cell 1 is missing, planned vCPU 1, 32 MiB',
    'memnode 0 is missing, planned strict 0',
    'memnode 1 is missing, planned strict 0',
  ])
  t.same(differs(view({ page: '2048' }), view()), [
    'cell 0 is vCPUs 0-1, 64 MiB, planned vCPUs 0-1, 64 MiB in pages of 2 MiB',
  ])
  t.same(
    differs(view({ cells: [1024, 64] }), view({ cells: [1023, 64] })),
    ['cell 0 is vCPU 0, 1023 MiB, planned vCPU 0, 1024 MiB'],
    'both in one unit',
  )
  const inherits = domain()
    .replace(/<cputune>.*<\/cputune>/, '')
    .replace('<vcpu>', "<vcpu cpuset='0'>")
  t.same(
    differs(view(), readDomain(readDocument(inherits))),
    ['emulatorpin is 0, planned none'],
    'a vCPU without a pin has the cpuset of <vcpu>',
  )
})

t.test('the same XML', async (t) => {
  const same = (one: string, other: string) => sameXml(readDocument(one).root, readDocument(other).root)
  t.ok(same("<a b='1' c='2'>\n <d/>\n</a>", '<a c="2" b="1"><d></d></a>'))
  t.ok(same("<a xmlns:n='urn:n'><n:d/></a>", "<a><m:d xmlns:m='urn:n'/></a>"))
  for (const other of [
    "<a b='2'/>",
    '<a/>',
    "<a b='1' c=''/>",
    "<a b='1'>x</a>",
    "<a b='1'><d/></a>",
    "<e b='1'/>",
  ])
    t.notOk(same("<a b='1'/>", other), other)
})

// ---- What virsh prints ----

t.test('lists and states', async (t) => {
  const other = '7f6e3923-bc46-42c9-a245-8f5fbcbaf364'
  t.same(readList(`${UUID} db1\n${other} we'ird: Defined Added\n\n`), [
    { uuid: UUID, name: 'db1' },
    { uuid: other, name: "we'ird: Defined Added" },
  ])
  const padded = `${UUID} ${'db1 '.padEnd(30)}\n${other} ${' db1'.padEnd(30)}\n`
  t.same(readList(padded, 'db1 \n db1\n'), [
    { uuid: UUID, name: 'db1 ' },
    { uuid: other, name: ' db1' },
  ])
  t.same(readList(''), [])
  for (const names of ['db1 \n', 'db1 \n db1\ndb2\n', ' db1\ndb1 \n', 'db1x\n db1\n'])
    t.equal(readList(padded, names), undefined, names)
  for (const text of ['garbage\n', `${UUID}\n`, `${UUID} \n`, `${UUID} db1\nname\n`, ' Id   Name   State\n'])
    t.match(
      refusedBy(() => readList(text)),
      /^virsh-output: virsh list printed "/,
      text,
    )
  const state = (id: string, persistent: string, saved: string) =>
    readState(
      `Id:             ${id}\nName:           db1\nState:          x\n` +
        `Persistent:     ${persistent}\nManaged save:   ${saved}\n\n`,
    )
  t.same(state('-', 'yes', 'no'), { runs: false, persistent: true, saved: false })
  t.same(state('3', 'no', 'no'), { runs: true, persistent: false, saved: false })
  t.same(state('-', 'yes', 'yes'), { runs: false, persistent: true, saved: true })
  t.same(state('-', 'unknown', 'unknown'), { runs: false, persistent: false, saved: false })
  for (const [id, persistent, saved] of [
    ['', 'yes', 'no'],
    ['x', 'yes', 'no'],
    ['-', 'maybe', 'no'],
    ['-', 'yes', ''],
  ] as const)
    t.match(
      refusedBy(() => state(id, persistent, saved)),
      /^virsh-output: virsh dominfo printed "/,
      `${id} ${persistent} ${saved}`,
    )
})

t.test('the host of a URI', async (t) => {
  for (const uri of [
    'qemu:///system?socket=/run/a',
    'qemu:///session',
    'test:///default',
    'qemu+tcp://localhost/system',
    'qemu+tcp://127.0.0.1:16509/system',
    'qemu+tls://[::1]/system',
  ])
    t.equal(machineOf(uri), undefined, uri)
  t.equal(machineOf('qemu+ssh://root@node7/system'), 'node7')
  t.equal(machineOf('qemu+ssh://root@node7.example:22/system?keyfile=a'), 'node7.example')
  t.equal(machineOf('qemu+tls://[fe80::1]:16514/system'), '[fe80::1]')
})

t.test('why virsh failed', async (t) => {
  const failed = (stderr: string, status: number | undefined = 1) =>
    worded(
      failureOf(['dumpxml', '--inactive', UUID], {
        ...(status !== undefined && { status }),
        stdout: '',
        stderr,
      }),
    )
  t.match(
    failed(
      'error: failed to connect to the hypervisor\n' +
        "error: Failed to connect socket to '/run/x': No such file or directory\n",
    ),
    {
      code: 'libvirt-unreachable',
      what:
        "virsh cannot connect to libvirt: Failed to connect socket to '/run/x': No such file or " +
        'directory',
    },
  )
  t.match(failed('error: Failed to define domain from /dev/stdin\nerror: XML error: a\nb\n'), {
    code: 'virsh-failed',
    what: 'virsh dumpxml --inactive failed: XML error: a b',
    why: 'libvirt refused it; nothing was changed',
  })
  t.match(worded(failureOf(['list'], { stdout: '', stderr: '', reason: 'SIGKILL ended it' })), {
    what: 'virsh list failed: SIGKILL ended it',
    why: 'virsh gave no usable answer; nothing was changed',
  })
  t.equal(
    failed(`error: a\nerror: ${'x'.repeat(1000)}\n`).what.length,
    'virsh dumpxml --inactive failed: '.length + 503,
    'shortened',
  )
  t.match(
    worded(
      failureOf(['define'], { stdout: '', stderr: '', reason: 'Command timed out after 60000 milliseconds' }),
    ),
    {
      code: 'virsh-failed',
      what: 'virsh define failed: Command timed out after 60000 milliseconds',
      why: 'virsh did not end by itself: whether the change was made is not known',
    },
  )
})

t.test('a machine without virsh', async (t) => {
  for (const words of [
    ['define', '--guest', 'db1'],
    ['define', 'golden/2n4c2t-seed/domain.xml'],
    ['watch'],
    ['watch', '--once'],
  ]) {
    const { status, stderr, stdout } = runCommand(words, {
      env: { PATH: '/nonexistent' },
      timeout: 60_000,
    })
    t.equal(status, 1, words.join(' '))
    t.match(
      stderr,
      pattern(
        /^error\[virsh-missing\]: virsh is not installed on this/,
        / machine\n {3}why: .*\n {3}fix: apt install libvirt-clients/,
      ),
    )
    t.equal(stdout, '')
  }
})

// ---- Backups ----

t.test('a backup is kept only of a definition that was replaced', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-define-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const copies = join(folder, 'copies')
  const seed = 'golden/2n4c2t-seed'
  const text = readFileSync(`${seed}/domain.xml`, 'utf8').replace(/<uuid>.*<\/uuid>/, '')
  const defining = (refuses: string) =>
    runCommand(['define', '--guest', 'seed', '--host', `${seed}/host.json`, '--backup', copies], {
      env: fakeVirsh(join(folder, 'virsh'), { name: 'seed', text, refuses }).env,
      timeout: 60_000,
    })
  const refused = defining('error: Failed to define\nerror: XML error: x\n')
  t.equal(refused.status, 1)
  t.match(refused.stderr, /^error\[virsh-failed\]/)
  t.same(readdirSync(copies), [], 'nothing was defined')
  t.equal(defining('').status, 0)
  const kept = readdirSync(copies)
  t.equal(kept.length, 1)
  t.equal(defining('error: x\nerror: y\n').status, 1)
  t.same(readdirSync(copies), kept, 'an earlier copy of the same definition stays')
})

t.test('backups of former definitions', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'virt-numa-define-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const copies = join(folder, 'deep/copies')
  const first = keepCopy(copies, 'db1', 'one', new Date('2026-11-24T03:44:22.120Z'))
  t.equal(first, join(copies, 'db1.20261124T034422.120Z.xml'))
  t.equal(statSync(first).mode & 0o777, 0o600)
  t.equal(statSync(copies).mode & 0o777, 0o700)
  t.equal(
    keepCopy(copies, 'db1', 'one', new Date('2026-11-24T03:44:23Z')),
    first,
    'an equal definition is kept once',
  )
  const second = keepCopy(copies, 'db1', 'two', new Date('2026-11-24T03:44:24Z'))
  t.equal(readFileSync(second, 'utf8'), 'two')
  t.equal(
    keepCopy(join(folder, 'blanks'), 'db1 ', 'one', new Date(0)),
    join(folder, 'blanks/db1%20.19700101T000000.000Z.xml'),
  )
  t.not(
    keepCopy(copies, 'db1.2', 'two', new Date('2026-11-24T03:44:24Z')),
    second,
    'another guest has its own backup',
  )
  t.equal(readdirSync(copies).length, 3)
  const odd = keepCopy(copies, '-a b/../\u00e9', 'x', new Date('2026-11-24T03:44:24Z'))
  t.equal(odd, join(copies, '-a%20b%2f..%2f%c3%a9.20261124T034424.000Z.xml'))
  t.match(
    refusedBy(() => keepCopy(join(first, 'below'), 'db1', 'x', new Date(0))),
    /^unwritable: /,
  )
  t.equal(backupFolder(0, {}), '/var/lib/virt-numa')
  t.equal(backupFolder(1000, { XDG_STATE_HOME: '/s' }), '/s/virt-numa')
  t.match(backupFolder(1000, {}), /\/\.local\/state\/virt-numa$/)
  mkdirSync(join(folder, 'shared'))
  chmodSync(join(folder, 'shared'), 0o755)
  t.equal(statSync(keepCopy(join(folder, 'shared'), 'db1', 'x', new Date(0))).mode & 0o777, 0o600)
})

// ---- Events ----

t.test('events', async (t) => {
  const event = (kind: string, guest: string, detail: string) =>
    readEvent(`2026-11-25 04:11:11.088+0000: event '${kind}' for domain '${guest}': ${detail}`)
  const cases: [kind: string, detail: string, why: string | undefined][] = [
    ['lifecycle', 'Defined Added', 'added'],
    ['lifecycle', 'Defined Updated', 'updated'],
    ['lifecycle', 'Defined Renamed', 'renamed'],
    ['lifecycle', 'Defined Snapshot', 'reverted'],
    ['lifecycle', 'Resumed Migrated', 'migrated'],
    ['lifecycle', 'Started Booted', 'started'],
    ['lifecycle', 'Started Migrated', undefined],
    ['lifecycle', 'Stopped Destroyed', 'stopped'],
    ['lifecycle', 'Stopped Saved', 'stopped'],
    ['lifecycle', 'Undefined Removed', undefined],
    ['lifecycle', 'Suspended Paused', undefined],
    ['lifecycle', 'Resumed Unpaused', undefined],
    ['metadata-change', 'type element, uri urn:virt-numa:1', 'metadata'],
    ['migration-iteration', "iteration: '1'", undefined],
    ['balloon-change', '65536', undefined],
  ]
  for (const [kind, detail, why] of cases)
    t.same(event(kind, 'db1', detail), why && { guest: 'db1', why }, `${kind} ${detail}`)
  for (const odd of [
    "we'ird': Defined Added",
    ' db1',
    'db1 ',
    '  ',
    'a\rb',
    'a\u2028b',
    "event 'lifecycle' for domain 'x': Defined Added",
  ])
    t.same(
      event('lifecycle', odd, 'Defined Renamed'),
      { guest: odd, why: 'renamed' },
      'whatever the name of the guest',
    )
  for (const line of [
    '',
    '\toperation: 2',
    'events received: 6',
    'error: internal error: client socket is closed',
  ])
    t.equal(readEvent(line), undefined, line)
})

t.test('two programs that place a guest differently', async (t) => {
  let refits: Refits = []
  const fitAt = (now: number): string => {
    const turn = turnOf(refits, now)
    refits = turn.may === 'fit' ? [...turn.refits, now] : turn.refits
    return turn.may
  }
  for (let n = 0; n < MOST_REFITS; n++) t.equal(fitAt(1000 * (n + 1)), 'fit')
  t.equal(fitAt(9000), 'leave')
  t.equal(fitAt(9001), 'reported')
  t.equal(fitAt(30_000), 'reported')
  t.equal(fitAt(1000 + WITHIN_MS), 'fit', 'the first fit is a minute ago')
  t.equal(fitAt(1001 + WITHIN_MS), 'leave', 'and only one fit was undone since')
  t.equal(fitAt(10 * WITHIN_MS), 'fit')
  t.equal(refits.length, 1, 'older fits are forgotten')
  t.same([1, 2, 3, 4, 5, 6, 7, 99].map(pauseMs), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})
