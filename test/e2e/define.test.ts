// `define` and `watch` against libvirtds of our own and guests that run (TCG, no kernel: placement needs
// none).

import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { runApart, startApart } from '../apart.ts'
import { pattern } from '../pattern.ts'
import { installPackages } from './packages.ts'
import { type Libvirt, makeFolder, startLibvirt, until } from './private-libvirt.ts'

const PROGRAM = resolve('dist/virt-numa.cjs')
const folder = makeFolder()
const copies = join(folder, 'copies')

// ---- Guests ----

interface Wish {
  /** It opts in. */
  readonly asks?: boolean
  readonly uuid?: string
  readonly disk?: string
  readonly password?: string
}

/** Two vCPUs, 64 MiB, no cells. */
function guestXml(name: string, { asks = false, uuid, disk, password }: Wish = {}): string {
  const lines = [
    "<domain type='qemu'>",
    `  <name>${name}</name>`,
    ...(uuid === undefined ? [] : [`  <uuid>${uuid}</uuid>`]),
    '  <title>kept</title>',
    ...(asks ? ["  <metadata><numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1'/></metadata>"] : []),
    "  <memory unit='MiB'>64</memory>",
    '  <vcpu>2</vcpu>',
    "  <os><type arch='x86_64' machine='q35'>hvm</type></os>",
    '  <on_reboot>destroy</on_reboot>',
    '  <devices>',
    ...(disk === undefined
      ? []
      : [
          `    <disk type='file'><driver name='qemu' type='qcow2'/><source file='${disk}'/>` +
            `<target dev='vda' bus='virtio'/></disk>`,
        ]),
    ...(password === undefined
      ? []
      : [
          `    <graphics type='vnc' passwd='${password}'><listen type='socket' ` +
            `socket='${folder}/${name}.vnc'/></graphics>`,
        ]),
    "    <video><model type='none'/></video>",
    "    <controller type='usb' model='none'/>",
    "    <memballoon model='none'/>",
    '  </devices>',
    '</domain>',
  ]
  return `${lines.join('\n')}\n`
}

function file(name: string, text: string, mode = 0o644): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

function makeDisk(name: string): string {
  const path = join(folder, `${name}.qcow2`)
  const { status, stderr } = runApart('qemu-img', ['create', '-q', '-f', 'qcow2', path, '10M'], {
    timeout: 60_000,
  })
  if (status !== 0) throw new Error(stderr)
  return path
}

// ---- The program ----

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function define(uri: string, ...words: readonly string[]): Ran {
  return runWith({}, 'define', `--connect=${uri}`, `--backup=${copies}`, ...words)
}

function runWith(env: Record<string, string>, ...words: readonly string[]): Ran {
  return runApart(process.execPath, [PROGRAM, ...words], {
    timeout: 120_000,
    env: { ...process.env, ...env },
  })
}

const definition = ({ virsh }: Libvirt, guest: string): string =>
  virsh('dumpxml', '--inactive', '--security-info', guest)

/** "0:0 1:0", the CPUs of each vCPU. */
function pins(xml: string): string {
  return [...xml.matchAll(/<vcpupin vcpu='(\d+)' cpuset='([^']*)'/g)]
    .map(([, vcpu, cpus]) => `${vcpu}:${cpus}`)
    .join(' ')
}

const cells = (xml: string): number => [...xml.matchAll(/<cell id=/g)].length

/** Fits on CPU 0 or CPU 1: every machine of the project has these two, on one node. */
const onCpu = (cpu: number): string[] => ['--cpuset', `${cpu}`, '--pin', 'cell']

t.teardown(() => rmSync(folder, { recursive: true, force: true }))

async function withLibvirt(name: string, uuid: string): Promise<Libvirt> {
  await installPackages()
  return startLibvirt(folder, name, uuid)
}

t.test('define', { timeout: 400_000 }, async (t) => {
  const libvirt = await withLibvirt('hosta', 'aaaaaaaa-1111-4222-8333-444444444444')
  const { uri, virsh } = libvirt
  t.teardown(() => libvirt.remove())

  await t.test('a document', async (t) => {
    const path = file('db1.xml', guestXml('db1', { password: 's3cret' }))
    const dry = define(uri, ...onCpu(0), '--dry-run', path)
    t.equal(dry.status, 0, dry.stderr)
    t.match(dry.stdout, /^\+ +<cell id='0' cpus='0-1' memory='65536' unit='KiB'>$/m)
    t.match(dry.stdout, /\ndb1 is not defined \(dry run\)\n$/)
    t.equal(virsh('list', '--all', '--name').trim(), '')
    const done = define(uri, ...onCpu(0), path)
    t.equal(done.status, 0, done.stderr)
    t.match(done.stdout, /\ndb1 is defined\n$/)
    const defined = definition(libvirt, 'db1')
    t.equal(pins(defined), '0:0 1:0')
    t.equal(cells(defined), 1)
    t.match(defined, /passwd='s3cret'/)
    t.notMatch(dry.stdout + done.stdout + done.stderr, /s3cret/)
    const again = define(uri, ...onCpu(0), '--guest', 'db1')
    t.same(
      [again.status, again.stdout, definition(libvirt, 'db1')],
      [0, 'db1 already fits; nothing to do\n', defined],
    )
    t.same(define(uri, ...onCpu(0), file('same.xml', defined)).stdout, 'db1 already fits; nothing to do\n')
    const second = define(uri, ...onCpu(0), path)
    t.equal(second.status, 1)
    t.match(
      second.stderr,
      /^error\[guest-uuid\]: db1 exists with UUID [0-9a-f-]{36}, but the document has none/,
    )
  })

  await t.test('a guest: all that is not placement stays', async (t) => {
    virsh('autostart', 'db1')
    const before = definition(libvirt, 'db1')
    const { status, stdout, stderr } = define(uri, ...onCpu(1), '--guest', 'db1')
    t.equal(status, 0, stderr)
    t.match(stdout, /^-.*vcpupin vcpu='0' cpuset='0'.*\n/m)
    const after = definition(libvirt, 'db1')
    t.equal(pins(after), '0:1 1:1')
    t.equal(after.replace(/ cpuset='1'/g, " cpuset='0'"), before, 'nothing else changed')
    t.match(virsh('dominfo', 'db1'), /Autostart: +enable/)
    const [, copy = ''] = /its previous definition is in (.*)$/m.exec(stdout) ?? []
    t.equal(statSync(copy).mode & 0o777, 0o600)
    t.equal(statSync(copies).mode & 0o777, 0o700)
    t.equal(readFileSync(copy, 'utf8').trim(), before.trim())
    virsh('define', copy)
    t.equal(definition(libvirt, 'db1'), before, 'the copy brings it back, with its password')
  })

  await t.test('the diff shows no secret', async (t) => {
    // In the third line around the pins, where a diff shows it.
    const argument =
      "<qemu:commandline><qemu:arg value='-object'/><qemu:arg value='secret,id=s0,data=hidd3n'/>" +
      '</qemu:commandline>'
    const xml = guestXml('db2')
      .replace("type='qemu'>", "type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>")
      .replace('  <vcpu>', `  ${argument}\n  <vcpu>`)
    const { status, stdout, stderr } = define(uri, ...onCpu(0), '--dry-run', file('db2.xml', xml))
    t.equal(status, 0, stderr)
    t.match(stdout, /<qemu:arg value='\*{5}'\/>/)
    t.notMatch(stdout + stderr, /hidd3n/)
    const broken = define(uri, file('broken.xml', xml.replace('</qemu:commandline>', '')))
    t.equal(broken.status, 1)
    t.match(broken.stderr, /^error\[xml-malformed\][\s\S]*fix: .*xmllint --noout/)
    t.notMatch(broken.stdout + broken.stderr, /hidd3n/)
  })

  await t.test('a document that would lose the password', async (t) => {
    const before = definition(libvirt, 'db1')
    const { status, stderr, stdout } = define(
      uri,
      ...onCpu(1),
      file('shown.xml', virsh('dumpxml', '--inactive', 'db1')),
    )
    t.equal(status, 1)
    t.match(
      stderr,
      /^error\[guest-secrets-lost\]: the document lacks secrets that db1 has: passwd of <graphics>\n/,
    )
    t.equal(stdout, '')
    t.equal(definition(libvirt, 'db1'), before)
  })

  await t.test('a running guest', async (t) => {
    virsh('start', 'db1')
    t.equal(define(uri, ...onCpu(0), '--guest', 'db1').stdout, 'db1 already fits; nothing to do\n')
    const live = virsh('dumpxml', 'db1')
    const pinned = define(uri, ...onCpu(1), '--guest', 'db1')
    t.equal(pinned.status, 0, pinned.stderr)
    t.match(
      pinned.stderr,
      pattern(
        /^note\[guest-needs-start\]: db1 keeps running as it is; /,
        /the new definition applies from its next start\n/,
      ),
    )
    t.equal(virsh('dumpxml', 'db1'), live)
    const back = define(uri, ...onCpu(0), '--guest', 'db1')
    t.notMatch(back.stderr, /guest-needs-start/, 'it runs there already')
    const replacing = ['--existing', 'replace', '--cells', '2', '--guest', 'db1']
    const half = define(uri, ...onCpu(0), ...replacing)
    t.equal(half.status, 1)
    t.match(
      half.stderr,
      /^error\[guest-runs\]: db1 is running; its definition has 1 cell and would get 2 cells\n/,
    )
    t.equal(cells(definition(libvirt, 'db1')), 1)
    const later = define(uri, ...onCpu(0), ...replacing, '--next-start')
    t.equal(later.status, 0, later.stderr)
    t.match(later.stderr, /note\[guest-needs-start\]/)
    t.same([cells(definition(libvirt, 'db1')), cells(virsh('dumpxml', 'db1'))], [2, 1])
    virsh('destroy', 'db1')
    virsh('start', 'db1')
    t.equal(cells(virsh('dumpxml', 'db1')), 2, 'libvirt starts what was defined')
  })

  await t.test('a managed save', async (t) => {
    virsh('managedsave', 'db1')
    const refused = define(uri, ...onCpu(0), '--existing', 'replace', '--cells', '1', '--guest', 'db1')
    t.equal(refused.status, 1)
    t.match(
      refused.stderr,
      /^error\[guest-saved\]: db1 has a managed save; its definition has 2 cells and would get 1 cell\n/,
    )
    const pinned = define(uri, ...onCpu(1), '--guest', 'db1')
    t.equal(pinned.status, 0, pinned.stderr)
    t.match(pinned.stderr, /note\[guest-saved-stays\]/)
    t.match(virsh('dominfo', 'db1'), /Managed save: +yes/)
    virsh('start', 'db1')
    t.same(
      [pins(virsh('dumpxml', 'db1')), pins(definition(libvirt, 'db1'))],
      ['0:0 1:0', '0:1 1:1'],
      'the saved guest is back',
    )
    virsh('destroy', 'db1')
  })

  await t.test('the chain under a snapshot', async (t) => {
    const disk = makeDisk('db3')
    t.equal(define(uri, ...onCpu(0), file('db3.xml', guestXml('db3', { disk }))).status, 0)
    const old = definition(libvirt, 'db3')
    virsh('snapshot-create-as', 'db3', 's1', '--disk-only')
    const overlay = join(folder, 'db3.s1')
    t.match(definition(libvirt, 'db3'), overlay)
    const refused = define(uri, ...onCpu(1), file('old.xml', old))
    t.equal(refused.status, 1)
    t.match(
      refused.stderr,
      pattern(
        /^error\[guest-disks-moved\]: the document has another/,
        / image for vda, but db3 has a snapshot or checkpoint: s1\n/,
      ),
    )
    t.equal(define(uri, ...onCpu(1), '--guest', 'db3').status, 0)
    t.match(definition(libvirt, 'db3'), overlay)
    t.equal(virsh('snapshot-list', 'db3', '--name').trim(), 's1')
  })

  await t.test('a transient guest', async (t) => {
    virsh('create', file('db4.xml', guestXml('db4')))
    for (const words of [['--guest', 'db4'], [file('db4-live.xml', virsh('dumpxml', 'db4'))]]) {
      const { status, stderr } = define(uri, ...onCpu(0), ...words)
      t.equal(status, 1)
      t.match(stderr, /^error\[guest-transient\]: db4 is transient: it has no definition\n/)
    }
    t.match(virsh('dominfo', 'db4'), /Persistent: +no/)
    virsh('destroy', 'db4')
  })

  await t.test('names', async (t) => {
    for (const name of ["we'ird: Defined Added", '1', '-x', '\u00e9 b', 'blank', 'blank ', ' blank']) {
      const xml = guestXml(name)
      t.equal(define(uri, ...onCpu(0), file('odd.xml', xml)).status, 0, name)
      const { status, stdout, stderr } = define(uri, ...onCpu(1), `--guest=${name}`)
      t.equal(status, 0, stderr)
      const shown = name === name.trim() ? name : `"${name}"`
      t.ok(stdout.includes(`\n${shown} is defined; its previous definition is in ${copies}/`), name)
      const uuid = /^([0-9a-f-]{36}) (.*)$/
      const [, id = ''] =
        virsh('list', '--all', '--uuid', '--name')
          .split('\n')
          .map((line) => uuid.exec(line))
          .find((each) => each?.[2] === name) ?? []
      t.equal(pins(definition(libvirt, id)), '0:1 1:1', name)
    }
  })

  await t.test('somebody else at the same time', async (t) => {
    // The real virsh, behind a door that lets somebody else in at one moment.
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const virshWith = (when: string, then: string): void => {
      const script =
        `#!/bin/sh\nreal() { /usr/bin/virsh -q '--connect=${uri}' "$@" >/dev/null; }\n` +
        `case "$*" in *${when}*) BEFORE=1 ;; esac\n`
      writeFileSync(join(bin, 'virsh'), `${script}${then}\n`)
      chmodSync(join(bin, 'virsh'), 0o755)
    }
    const racing = (cpu: number) =>
      runWith(
        { PATH: `${bin}:${process.env.PATH}` },
        'define',
        `--connect=${uri}`,
        `--backup=${copies}`,
        ...onCpu(cpu),
        '--guest',
        'db3',
      )
    const mark = join(folder, 'mark')
    // What is kept is the second thing that is read with secrets.
    virshWith(
      '--security-info',
      `if [ -n "$BEFORE" ]; then if [ -e ${mark} ]; then real desc db3 --config --title other; fi; ` +
        `touch ${mark}; fi\nexec /usr/bin/virsh "$@"`,
    )
    const changed = racing(0)
    t.equal(changed.status, 1)
    t.match(changed.stderr, /^error\[guest-changed\]: the definition of db3 changed while it was fitted\n/)
    t.equal(pins(definition(libvirt, 'db3')), '0:1 1:1')
    t.match(definition(libvirt, 'db3'), '<title>other</title>')
    virshWith('define', '/usr/bin/virsh "$@" || exit\n[ -z "$BEFORE" ] || real vcpupin db3 1 1 --config')
    const otherwise = racing(0)
    t.equal(otherwise.status, 1)
    t.match(
      otherwise.stderr,
      /^error\[guest-placed-otherwise\]: db3 is defined, but not as planned: vcpupin 1 is 1, planned 0\n/,
    )
    const [, copy = ''] =
      /fix: virsh define (.*) restores the previous definition$/m.exec(otherwise.stderr) ?? []
    t.equal(pins(readFileSync(copy, 'utf8')), '0:1 1:1')
  })

  await t.test('what cannot be reached', async (t) => {
    const missing = define(uri, '--guest', 'db')
    t.equal(missing.status, 1)
    t.match(
      missing.stderr,
      /^error\[guest-missing\]: libvirt has no guest "db"\n.*\n {3}fix: did you mean "db1"\?\n$/,
    )
    const away = define(`qemu:///system?socket=${folder}/nothing`, '--guest', 'db1')
    t.equal(away.status, 1)
    t.match(
      away.stderr,
      /^error\[libvirt-unreachable\]: virsh cannot connect to libvirt: Failed to connect socket/,
    )
    // A relay to the same daemon under another machine's name.
    const relay =
      `const s = require('net').connect('${libvirt.folder}/run/libvirt-sock'); ` +
      `process.stdin.pipe(s); s.pipe(process.stdout)`
    const command = file('relay', `#!/bin/sh\nexec ${process.execPath} -e "${relay}"\n`, 0o755)
    const elsewhere = define(`qemu+ext://node7/system?command=${command}`, '--guest', 'db1')
    t.equal(elsewhere.status, 1)
    t.match(
      elsewhere.stderr,
      pattern(
        /^error\[libvirt-elsewhere\]: the guests of/,
        / qemu\+ext:\/\/node7\/system.* run on node7, not on this machine\n/,
      ),
    )
    const host = file('node7.xml', virsh('capabilities'))
    const fitted = define(
      `qemu+ext://node7/system?command=${command}`,
      '--guest',
      'db1',
      '--host',
      host,
      ...onCpu(1),
      '--dry-run',
    )
    t.equal(fitted.status, 0, fitted.stderr)
  })

  await t.test('as JSON', async (t) => {
    const { status, stdout } = define(uri, ...onCpu(0), '--guest', 'db1', '--json')
    t.equal(status, 0)
    t.match(JSON.parse(stdout), {
      guest: 'db1',
      changed: true,
      defined: true,
      backup: /^\/tmp\//,
      diff: /cpuset='0'/,
      diagnostics: [],
    })
  })
})

// ---- watch ----

interface Watch {
  readonly child: ChildProcessWithoutNullStreams
  readonly log: () => string
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>
}

const WATCH_CONF = 'pin = "cell"\ncpuset = "0"\n'

function startWatch({ uri }: Libvirt, config: string): Watch {
  const words = [PROGRAM, 'watch', `--connect=${uri}`, `--backup=${copies}`, '--config', config]
  const child = startApart(process.execPath, words, { env: process.env })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (data) => (text += data))
  const ended = new Promise<number | null>((done) => child.on('exit', done))
  return {
    child,
    log: () => text,
    end: (signal) => {
      child.kill(signal)
      return Promise.race([ended, sleep(20_000).then(() => null)])
    },
  }
}

t.test('watch', { timeout: 400_000 }, async (t) => {
  const libvirt = await withLibvirt('hosta', 'aaaaaaaa-1111-4222-8333-444444444444')
  const { uri, virsh } = libvirt
  t.teardown(() => libvirt.remove())
  const config = file('watch.conf', WATCH_CONF)
  const put = (name: string, wish?: Wish): string =>
    virsh('define', file(`${name}.xml`, guestXml(name, wish)))

  await t.test('once', async (t) => {
    put('one', { asks: true, password: 's3cret' })
    put('other')
    const before = definition(libvirt, 'other')
    const run = (): Ran =>
      runWith({}, 'watch', '--once', `--connect=${uri}`, `--backup=${copies}`, '--config', config)
    const first = run()
    t.equal(first.status, 0, first.stderr)
    t.match(
      first.stdout,
      pattern(
        /^\d{4}-\d\d-\d\dT[\d:]{8}Z watch found one: fitted: cell 0 on/,
        / node 0, \d edits; previous definition: \/tmp\/.* \(\d+ ms\)\n$/,
      ),
    )
    t.equal(pins(definition(libvirt, 'one')), '0:0 1:0')
    t.match(definition(libvirt, 'one'), /passwd='s3cret'/)
    t.equal(definition(libvirt, 'other'), before, 'who does not ask is left alone')
    t.same([run().stdout, run().status], ['', 0], 'a fitted guest is kept')
    virsh('vcpupin', 'one', '0', '1', '--config')
    t.match(run().stdout, /watch found one: rebound: cell 0 on node 0, 1 edit;/)
    const named = file('named.conf', `${WATCH_CONF}guests = [ "other" ]\n`)
    t.match(
      runWith({}, 'watch', '--once', `--connect=${uri}`, `--backup=${copies}`, '--config', named).stdout,
      /found other: fitted/,
    )
    const away = runWith({}, 'watch', '--once', `--connect=qemu:///system?socket=${folder}/nothing`)
    t.match([away.status, away.stderr], [1, /^error\[libvirt-unreachable\]/])
  })

  await t.test('what is defined, updated, tagged, started, stopped', async (t) => {
    const watch = startWatch(libvirt, config)
    t.teardown(() => watch.child.kill('SIGKILL'))
    const logged = (line: RegExp): Promise<void> =>
      until(() => line.test(watch.log()), 30, `${line} in\n${watch.log()}`)
    await logged(/ watch: started /)
    put('two', { asks: true })
    await logged(/ two: fitted: cell 0 on node 0/)
    t.equal(pins(definition(libvirt, 'two')), '0:0 1:0')
    virsh(
      'define',
      file(
        'two.xml',
        definition(libvirt, 'two').replace(/vcpupin vcpu='1' cpuset='0'/, "vcpupin vcpu='1' cpuset='1'"),
      ),
    )
    await logged(/ two: rebound: cell 0 on node 0, 1 edit/)
    put('three')
    virsh(
      'metadata',
      'three',
      'urn:virt-numa:1',
      '--config',
      '--key',
      'numa',
      '--set',
      '<guestMappingPassthrough/>',
    )
    await logged(/ three: fitted/)

    put('four')
    virsh('start', 'four')
    virsh(
      'metadata',
      'four',
      'urn:virt-numa:1',
      '--config',
      '--key',
      'numa',
      '--set',
      '<guestMappingPassthrough/>',
    )
    await logged(/ four: waits until it stops: error\[guest-runs\]/)
    t.equal(cells(definition(libvirt, 'four')), 0)
    virsh('destroy', 'four')
    await logged(/ four: fitted/)

    virsh('create', file('five.xml', guestXml('five', { asks: true })))
    await logged(/ five: left unchanged: a transient guest has no definition/)
    virsh('suspend', 'five')
    virsh('destroy', 'five')
    virsh(
      'define',
      file(
        'two.xml',
        definition(libvirt, 'two').replace(/vcpupin vcpu='1' cpuset='0'/, "vcpupin vcpu='1' cpuset='1'"),
      ),
    )
    await until(() => watch.log().split(' two: rebound').length === 3, 30)
    await sleep(2000)
    const actions = (name: string): number =>
      watch
        .log()
        .split('\n')
        .filter((line) => line.includes(` ${name}: `)).length
    // Whom looking again finds first is chance; not all of it can be.
    t.match(watch.log(), / watch (added|updated|metadata|started|stopped) /)
    t.same(
      [actions('two'), actions('five'), actions('other')],
      [3, 1, 0],
      `its own definitions make nothing follow\n${watch.log()}`,
    )
    t.equal(await watch.end('SIGTERM'), 0)
    t.match(watch.log(), / watch: ended \(\d+ ms\)\n$/)
  })

  await t.test('the daemon goes and comes', async (t) => {
    const watch = startWatch(libvirt, config)
    t.teardown(() => watch.child.kill('SIGKILL'))
    await until(() => / watch: started /.test(watch.log()), 30)
    await sleep(4000)
    await libvirt.stop()
    await until(
      () => / libvirt cannot be reached: .*; trying again in 1 s /.test(watch.log()),
      30,
      watch.log(),
    )
    await libvirt.start()
    virsh('vcpupin', 'two', '1', '1', '--config')
    await until(() => / found two: rebound: cell 0 on node 0, 1 edit/.test(watch.log()), 60, watch.log())
    put('six', { asks: true })
    await until(() => / six: fitted/.test(watch.log()), 30, watch.log())
    t.equal(await watch.end('SIGINT'), 0)
    t.equal(runApart('pgrep', ['-f', `virsh.*${folder}.*event`]).stdout, '', 'no virsh is left behind')
  })

  await t.test('before there is a daemon', async (t) => {
    await libvirt.stop()
    const watch = startWatch(libvirt, config)
    t.teardown(() => watch.child.kill('SIGKILL'))
    await until(
      () =>
        / libvirt cannot be reached: error\[libvirt-unreachable\].*; trying again in 2 s /.test(watch.log()),
      30,
      watch.log(),
    )
    await libvirt.start()
    virsh('vcpupin', 'two', '1', '1', '--config')
    await until(() => / two: rebound/.test(watch.log()), 60, watch.log())
    t.equal(await watch.end('SIGTERM'), 0)
  })

  await t.test('two programs that want it differently', async (t) => {
    const watch = startWatch(libvirt, config)
    t.teardown(() => watch.child.kill('SIGKILL'))
    await until(() => / watch: started /.test(watch.log()), 30)
    const other = file(
      'fight.xml',
      definition(libvirt, 'two').replace(/vcpupin vcpu='1' cpuset='0'/, "vcpupin vcpu='1' cpuset='1'"),
    )
    const isLeft = (): boolean =>
      / two: left unchanged: another program keeps redefining it/.test(watch.log())
    for (let n = 0; n < 20 && !isLeft(); n++) {
      virsh('define', other)
      await until(() => isLeft() || pins(definition(libvirt, 'two')) === '0:0 1:0', 30, watch.log())
    }
    t.ok(isLeft(), watch.log())
    virsh('define', other)
    await sleep(2000)
    t.equal(pins(definition(libvirt, 'two')), '0:0 1:1', 'it is left as the other one wants it')
    const done = watch
      .log()
      .split('\n')
      .filter((line) => / two: (rebound|error)/.test(line)).length
    t.equal(done, 5, watch.log())
    t.equal(watch.log().split(' two: left unchanged').length, 2, 'reported once')
    t.equal(await watch.end('SIGTERM'), 0)
  })
})

t.test('watch after a migration', { timeout: 300_000 }, async (t) => {
  const source = await withLibvirt('hosta', 'aaaaaaaa-1111-4222-8333-444444444444')
  t.teardown(() => source.remove())
  const destination = await withLibvirt('hostb', 'bbbbbbbb-1111-4222-8333-444444444444')
  t.teardown(() => destination.remove())
  t.equal(define(source.uri, ...onCpu(1), file('moves.xml', guestXml('moves', { asks: true }))).status, 0)
  source.virsh('start', 'moves')
  const watch = startWatch(destination, file('destination.conf', WATCH_CONF))
  t.teardown(() => watch.child.kill('SIGKILL'))
  await until(() => / watch: started /.test(watch.log()), 30)
  await sleep(4000)
  source.virsh(
    'migrate',
    '--live',
    '--persistent',
    '--undefinesource',
    'moves',
    destination.uri,
    '--migrateuri',
    'tcp://127.0.0.1',
  )
  await until(
    () =>
      / moves: rebound: cell 0 on node 0, \d edits?; takes effect at its next cold start/.test(watch.log()),
    60,
    watch.log(),
  )
  t.equal(
    pins(definition(destination, 'moves')),
    '0:0 1:0',
    "the destination's definition no longer has the source's pins",
  )
  t.equal(pins(destination.virsh('dumpxml', 'moves')), '0:1 1:1', 'the running guest is the hook’s to move')
  t.notMatch(watch.log(), /transient/)
  t.match(destination.virsh('domstate', 'moves'), /running/)
  t.equal(await watch.end('SIGTERM'), 0)
  t.ok(readdirSync(copies).some((name) => name.startsWith('moves.')))
})
