// The native command: its answers to the golden cases, to the byte; what it says of itself as the Node
// program does; and what it refuses. The tests of doors/ run with it too (npm run test:native).

import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { commandNames } from '../../src/cli/commands.ts'
import { runApart } from '../apart.ts'
import { type GoldenCase, readCases } from '../core/golden-case.ts'
import { affordable, program } from './programs.ts'

const NATIVE = program('virt-numa')
const NODE = [process.execPath, resolve('dist/virt-numa.cjs')] as const
const folder = mkdtempSync(join(tmpdir(), 'virt-numa-native-command-'))
t.setTimeout(300_000)
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const native = (words: readonly string[], cwd = folder): SpawnSyncReturns<string> =>
  spawnSync(NATIVE, words, { cwd, encoding: 'utf8', env: { PATH: process.env.PATH ?? '' } })

/** Both programs answer alike. */
function agree(t: Test, words: readonly string[], cwd = folder): void {
  const options = { cwd, env: { PATH: process.env.PATH ?? '' } }
  const [own, other] = [native(words, cwd), runApart(NODE[0], [NODE[1], ...words], options)]
  t.same([own.status, own.stdout, own.stderr], [other.status, other.stdout, other.stderr], words.join(' '))
}

// ---- Golden cases ----

/** A folder with the case's files, and the words that name them. */
function laid(each: GoldenCase): { readonly place: string; readonly words: readonly string[] } {
  const place = join(folder, each.name)
  cpSync(each.folder, place, { recursive: true })
  writeFileSync(join(place, 'virt-numa.conf'), each.config)
  return {
    place,
    words: [
      ...['--host', 'host.json', '--config', 'virt-numa.conf'],
      ...(each.surroundings.vmi === undefined ? [] : ['--vmi', 'vmi.json']),
      ...Object.entries(each.keys).map(([key, value]) => `--${key}=${value}`),
      'domain.xml',
    ],
  }
}

const cases = affordable(readCases().filter(({ run }) => !run.startsWith('hook ')))

t.test(`${cases.length} golden cases`, (t) => {
  for (const each of cases) {
    const { place, words } = laid(each)
    const expected = (file: string): string =>
      existsSync(join(place, file)) ? readFileSync(join(place, file), 'utf8') : ''
    const rebind = each.run === 'rebind' ? ['--rebind'] : []
    const refusal = expected('refusal.txt')
    const status = refusal.includes('error[') ? 1 : 0
    if (each.run === 'check') {
      const { status: exit, stderr } = native(['check', ...words], place)
      t.same([exit, stderr], [status, refusal || expected('explain.txt')], each.name)
      continue
    }
    const fitted = native(['transform', ...rebind, ...words], place)
    t.same([fitted.status, fitted.stdout], [status, expected('expected.xml')], `${each.name}: transform`)
    if (status === 1) {
      t.equal(fitted.stderr, refusal, `${each.name}: messages`)
      continue
    }
    const planned = native(['plan', ...rebind, '--svg', 'drawn.svg', ...words], place)
    const notes = planned.stderr === '' ? '' : `\n${planned.stderr}`
    t.same([planned.status, planned.stdout + notes], [0, expected('explain.txt')], `${each.name}: plan`)
    t.equal(fitted.stderr, planned.stderr, `${each.name}: notes`)
    if (expected('plan.svg') !== '')
      t.equal(readFileSync(join(place, 'drawn.svg'), 'utf8'), expected('plan.svg'), `${each.name}: picture`)
  }
  t.end()
})

t.test('hosts of every kind', (t) => {
  const seed = resolve('golden/2n4c2t-seed')
  const captured = join(folder, 'captured')
  mkdirSync(captured)
  execFileSync('tar', ['-xzf', `${seed}/sys.tar.gz`, '-C', captured])
  const hosts = [captured, ...['host.json', 'sys.tar.gz', 'capabilities.xml'].map((name) => join(seed, name))]
  for (const host of hosts) {
    for (const words of [
      ['plan', '--json', `${seed}/domain.xml`],
      ['transform', '--diff', `${seed}/domain.xml`],
      ['snapshot'],
    ])
      agree(t, [...words, '--host', host])
  }
  const vmi = ['--vmi', resolve('packaging/kubevirt/vmi.yaml'), '--host', join(seed, 'host.json')]
  agree(t, ['plan', ...vmi, `${seed}/domain.xml`])
  agree(t, ['verify', 'db1', '--host', captured])
  agree(t, ['doctor', '--host', captured, '--json'])
  t.end()
})

t.test('gzip files, also broken ones', (t) => {
  const tar = gunzipSync(readFileSync('golden/2n4c2t-seed/sys.tar.gz'))
  const half = tar.length >> 1
  const packed = gzipSync(tar)
  const changed = (at: number): Buffer => {
    const bytes = Buffer.from(packed)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at)
    return bytes
  }
  const last = packed.length - 1
  const files: Readonly<Record<string, Uint8Array>> = {
    stored: gzipSync(tar, { level: 0 }),
    'fixed codes': gzipSync(tar, { strategy: constants.Z_FIXED }),
    'two members': Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))]),
    'with zeros behind it': Buffer.concat([packed, Buffer.alloc(600)]),
    'with a text behind it': Buffer.concat([packed, Buffer.from('text')]),
    'the header alone': packed.subarray(0, 10),
    cut: packed.subarray(0, packed.length >> 1),
    'without its end': packed.subarray(0, last),
    'too large': gzipSync(Buffer.alloc(65 << 20)),
    'just not too large': gzipSync(Buffer.alloc(64 << 20)),
  }
  for (const at of [0, 2, 3, 10, 12, 40, 200, last >> 1, last - 6, last - 1])
    writeFileSync(join(folder, `changed-${at}.gz`), changed(at))
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, `${name}.gz`), bytes)
  const names = readdirSync(folder).filter((name) => name.endsWith('.gz'))
  t.equal(names.length, 20)
  for (const name of names) agree(t, ['snapshot', '--host', name])
  t.end()
})

// ---- The hook ----

t.test('install puts the native hook in place, and uninstall removes it', (t) => {
  const app = join(folder, 'app')
  for (const name of ['virt-numa', 'qemu-hook']) cpSync(`dist/native/${name}`, join(app, name))
  const own = (...words: string[]): SpawnSyncReturns<string> =>
    spawnSync(join(app, 'virt-numa'), words, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/bin' } })
  const [root, hook] = [join(folder, 'root'), join(folder, 'root/etc/libvirt/hooks/qemu')]
  mkdirSync(root)
  const installed = own('install', '--root', root, '--watch')
  t.equal(installed.status, 0, installed.stderr)
  t.match(installed.stdout, `hook written: ${hook} runs ${app}/qemu-hook with ${app}/qemu-hook\n`)
  t.match(installed.stdout, /^tested: the hook answered \d\d operations$/m)
  const unit = readFileSync(join(root, 'etc/systemd/system/virt-numa-watch.service'), 'utf8')
  t.match(unit, `\nExecStart="${app}/virt-numa" watch --connect qemu:///system\n`)
  const settings = join(folder, 'hook.conf')
  const seed = resolve('golden/2n4c2t-seed')
  const lines = `root = "${seed}/host.json"\nguests = "all"\nlog_file = "${folder}/hook.log"\n`
  const call = (operation: string, more: string): SpawnSyncReturns<string> => {
    writeFileSync(settings, lines + more)
    const options = { env: { VIRT_NUMA_CONFIG: settings }, encoding: 'utf8' } as const
    const input = readFileSync(`${seed}/expected.xml`, 'utf8')
    return spawnSync(hook, ['db1', ...operation.split(' '), '-'], { ...options, input })
  }
  for (const operation of ['prepare begin', 'migrate begin', 'start begin'])
    t.equal(call(operation, '').status, 0, operation)
  t.equal(call('migrate begin', 'timeout_s = 30\n').status, 0, 'a longer limit than the default')
  const refused = call('migrate begin', 'guests = 7\n')
  t.equal(refused.status, 1, 'a configuration that is refused')
  t.match(refused.stderr, /^error\[/)
  rmSync(join(app, 'qemu-hook'))
  t.match(call('migrate begin', '').stderr, /^error\[hook-missing\]/)
  t.same([call('migrate begin', '').status, call('prepare begin', '').status], [1, 0])
  const removed = own('uninstall', '--root', root)
  t.equal(removed.status, 0, removed.stderr)
  t.notOk(existsSync(hook))
  t.end()
})

// ---- What it says of itself ----

t.test('help, version and manifests', (t) => {
  agree(t, ['--help'])
  agree(t, ['--version'])
  agree(t, ['version'])
  for (const words of [
    [],
    ['pages-short'],
    ['error[bug]'],
    ['pages-shrot'],
    ['--json'],
    ['no-cpus', '--json'],
  ])
    agree(t, ['explain', ...words])
  for (const name of commandNames) agree(t, [name, '--help'])
  for (const of of ['1.9', '1.10', 'sidecar']) agree(t, ['serve', '--print-manifests', of])
  agree(t, ['paln'])
  t.end()
})

t.test('serve needs Node', (t) => {
  const { status, stdout, stderr } = native(['serve', '--socket', join(folder, 'domain.sock')])
  t.same([status, stdout], [1, ''])
  t.match(stderr, /^error\[serve-needs-node\]: this virt-numa has no gRPC server\n/)
  t.end()
})

t.test('called as onDefineDomain it answers the sidecar shim', (t) => {
  const seed = resolve('golden/2n4c2t-seed')
  const own = join(folder, 'onDefineDomain')
  cpSync(NATIVE, own)
  const text = readFileSync(`${seed}/domain.xml`, 'utf8')
  const words = ['--host', `${seed}/host.json`, '--vmi', '{"spec":{"domain":{}}}', '--domain', text]
  const { status, stdout } = spawnSync(own, words, { encoding: 'utf8' })
  t.same([status, stdout], [0, text])
  t.end()
})
