// ps and verify --all on a captured host with several guests, made of the captures of test/guests; and that
// the dashboard and the alert rules of packaging/monitoring use metrics that exist.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { setOf } from '../../src/base/idset.ts'
import { cellWords } from '../../src/explain/guests/text.ts'
import { runApart } from '../apart.ts'
import { COMMAND, runCommand, startCommand } from '../command.ts'
import { fakeVirsh } from './fake-virsh.ts'

const EXPECTED = 'test/data/ps'
const isRewriting = process.argv.includes('--rewrite')

/** The guest of each capture, on one host: a process id and a name of its own. */
const GUESTS = ['placed', 'moved', 'migrated', 'no-cells', 'preferred', 'restrictive'] as const

const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-ps-'))
t.teardown(() => rmSync(scratch, { recursive: true }))

const STATUS = 'run/libvirt/qemu'

/** Adds the guest of a capture to a captured host. */
function addGuest(host: string, capture: string, pid: number): void {
  const own = mkdtempSync(join(scratch, 'capture-'))
  execFileSync('tar', ['-xzf', `test/guests/${capture}/guest.tar.gz`, '-C', own])
  const [file = ''] = readdirSync(join(own, STATUS)).filter((name) => name.endsWith('.xml'))
  const status = readFileSync(join(own, STATUS, file), 'utf8')
  const before = /<domstatus [^>]*pid='(\d+)'/.exec(status)?.[1] ?? ''
  mkdirSync(join(host, 'proc'), { recursive: true })
  mkdirSync(join(host, STATUS), { recursive: true })
  renameSync(join(own, 'proc', before), join(host, 'proc', `${pid}`))
  const named = status
    .replace(/(<domstatus [^>]*pid=')\d+/, `$1${pid}`)
    .replace(/<name>[^<]*<\/name>/, `<name>${capture}</name>`)
  writeFileSync(join(host, STATUS, `${capture}.xml`), named)
  execFileSync('cp', ['-r', join(own, 'sys'), host])
}

function hostWith(name: string, guests: readonly string[]): string {
  const host = join(scratch, name)
  for (const [index, guest] of guests.entries()) addGuest(host, guest, 1000 + index)
  return host
}

const host = hostWith('six', GUESTS)

function expected(file: string, text: string): void {
  const path = `${EXPECTED}/${file}`
  if (isRewriting) writeFileSync(path, text)
  t.equal(text, readFileSync(path, 'utf8'), path)
}

t.test('table, JSON and metrics of several guests', async (t) => {
  const ps = runCommand(['ps', '--host', host])
  expected('ps.txt', `${ps.stdout}${ps.stderr}exits with ${ps.status}\n`)
  const json = runCommand(['ps', '--json', '--host', host])
  expected('ps.json', json.stdout)
  const metrics = join(scratch, 'all.prom')
  const all = runCommand(['verify', '--all', '--host', host, '--metrics', metrics])
  expected('verify.txt', `${all.stdout}${all.stderr}exits with ${all.status}\n`)
  expected('metrics.prom', readFileSync(metrics, 'utf8'))
  t.equal(all.status, 1, 'some guests have findings')
  t.equal(ps.status, 0, 'ps judges no guest')
  const { guests } = JSON.parse(json.stdout)
  const verified = JSON.parse(runCommand(['verify', '--all', '--json', '--host', host]).stdout)
  t.same(
    verified.guests.map((each: { guest: string; findings: number }) => [each.guest, each.findings]),
    guests.map((each: { guest: string; findings: number }) => [each.guest, each.findings]),
    'both count the same findings',
  )
  for (const each of ['placed', 'moved']) {
    const { status } = runCommand(['verify', each, '--host', host])
    const { findings } = guests.find(({ guest }: { guest: string }) => guest === each)
    t.equal(status, findings === 0 ? 0 : 1, `${each}: verify alone agrees`)
  }
})

t.test('guests that end meanwhile, or cannot be read', async (t) => {
  const two = hostWith('two', ['placed', 'moved'])
  rmSync(join(two, 'proc/1001'), { recursive: true })
  const gone = runCommand(['ps', '--host', two])
  t.equal(gone.status, 0)
  t.notMatch(gone.stdout, /^moved/m, 'a process that is gone is left out')
  t.match(gone.stdout, /^placed/m)
  t.equal(gone.stderr, '')
  writeFileSync(join(two, STATUS, 'broken.xml'), '<domain/>')
  mkdirSync(join(two, STATUS, 'unread.xml'))
  const broken = runCommand(['ps', '--host', two])
  t.equal(broken.status, 1)
  t.match(broken.stdout, /^placed/m, 'the others are shown')
  t.match(broken.stderr, 'error[status-malformed]')
  t.match(broken.stderr, 'error[guests-unread]')
  t.equal(runCommand(['verify', '--all', '--host', two]).status, 1)
  const none = join(scratch, 'none')
  mkdirSync(join(none, 'proc'), { recursive: true })
  t.match(runCommand(['ps', '--host', none]), { stdout: 'no running guests\n', stderr: '', status: 0 })
})

t.test('--watch looks again until a signal', async (t) => {
  const started = startCommand(['ps', '--watch', '--interval', '.1', '--host', host], {})
  let printed = ''
  await new Promise<void>((resolve) => {
    started.stdout.on('data', (chunk) => {
      printed += chunk
      if (printed.split('guest  ').length > 3) resolve()
    })
  })
  started.kill('SIGTERM')
  const status = await new Promise((resolve) => started.on('close', resolve))
  t.equal(status, 0, 'ends as requested')
  const [first, second] = printed.split('\n\n')
  t.equal(first, second?.trimEnd().split('\n\n')[0], 'the same table, after an empty line')
  t.notMatch(printed, '\x1b', 'no control sequences where no terminal is')
})

t.test('cells in few words', async (t) => {
  const cells = (...nodes: readonly (number[] | undefined)[]) =>
    nodes.map((each, cell) => ({ cells: [cell], ...(each && { nodes: setOf<never>(each) }) }))
  t.equal(cellWords(cells([1], [2]), true), '0 -> 1, 1 -> 2')
  t.equal(cellWords(cells([4], [5], [6], [7]), true), '0-3 -> 4-7 one by one')
  t.equal(cellWords(cells([1], [1], [3]), true), '0-1 -> 1, 2 -> 3')
  t.equal(cellWords(cells([0, 1], [0, 1]), true), '0-1 -> 0-1')
  t.equal(cellWords(cells(undefined, []), true), '0 -> unknown, 1 -> none yet')
  t.equal(cellWords(cells([0, 1]), false), 'all -> 0-1')
})

t.test('without status files, virsh lists the guests', async (t) => {
  const domain = '<domain type="kvm"><name>fake1</name><memory>65536</memory><vcpu>1</vcpu></domain>'
  const { env } = fakeVirsh(join(scratch, 'virsh'), { name: 'fake1', text: domain })
  const qemu = startFakeQemu('fake1')
  try {
    const [program = '', ...words] = [...withoutStatusFiles(), ...COMMAND, 'ps']
    const { stdout, status } = runApart(program, words, { env: { ...process.env, ...env } })
    t.match(stdout, new RegExp(`^fake1 +${qemu.pid} `, 'm'))
    t.equal(status, 0)
  } finally {
    qemu.kill()
  }
})

/** What hides the status files of this machine, where there are any: a mount that only the command sees. */
function withoutStatusFiles(): string[] {
  if (!existsSync('/run/libvirt')) return []
  const unshare = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])]
  return [...unshare, 'sh', '-c', 'mount -t tmpfs none /run/libvirt && exec "$@"', 'sh']
}

/** A process with the command line of a QEMU. */
function startFakeQemu(guest: string): ChildProcess {
  const script = 'read nothing'
  return spawn('sh', ['-c', script, '-name', `guest=${guest}`], {
    argv0: 'qemu-system-x86_64',
    stdio: 'pipe',
  })
}

// ---- packaging/monitoring ----

const MONITORING = 'packaging/monitoring'

/** The metrics that the golden file has, and what the node exporter adds. */
const metrics = new Set([
  ...[...readFileSync(`${EXPECTED}/metrics.prom`, 'utf8').matchAll(/^# TYPE (\S+)/gm)].map(
    ([, name]) => name,
  ),
  'node_textfile_mtime_seconds',
])

const named = (expr: string): string[] => expr.match(/\b(?:virt_numa|node)_[a-z_]+/g) ?? []

t.test('metrics have the form of their kind', async (t) => {
  const text = readFileSync(`${EXPECTED}/metrics.prom`, 'utf8')
  for (const name of metrics) {
    if (!name?.startsWith('virt_numa_')) continue
    t.match(text, new RegExp(`^# HELP ${name} [A-Z].*\\.$`, 'm'), `${name} has a help`)
    t.notMatch(name, /_total$/, `${name} is a gauge, and no counter by its name`)
  }
})

t.test('alert rules', async (t) => {
  interface Rule {
    readonly alert: string
    readonly expr: string
    readonly for: string
    readonly labels: { readonly severity: string }
    readonly annotations: { readonly summary: string; readonly description: string }
  }
  const { groups } = parse(readFileSync(`${MONITORING}/virt-numa.rules.yaml`, 'utf8')) as {
    groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
  }
  const rules = groups.flatMap(({ rules: own }) => own)
  t.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length, 'every name once')
  t.ok(rules.length >= 5)
  for (const { alert, expr, for: since, labels, annotations } of rules) {
    t.match(alert, /^VirtNuma[A-Za-z]+$/)
    t.match(since, /^\d+[smh]$/, `${alert}: for`)
    t.match(labels.severity, /^(info|warning|critical)$/)
    t.ok(annotations.summary.length > 0 && annotations.description.length > 0, `${alert}: annotations`)
    t.ok(named(expr).length > 0, `${alert}: names a metric`)
    for (const name of named(expr)) t.ok(metrics.has(name), `${alert}: ${name} exists`)
    t.ok(areBalanced(expr), `${alert}: brackets`)
  }
})

const areBalanced = (expr: string): boolean =>
  ['()', '{}', '[]'].every(([open = '', close = '']) => expr.split(open).length === expr.split(close).length)

t.test('the dashboard', async (t) => {
  const dashboard = JSON.parse(readFileSync(`${MONITORING}/virt-numa-dashboard.json`, 'utf8'))
  for (const key of ['uid', 'title', 'schemaVersion', 'panels', 'templating', 'time', 'refresh'])
    t.ok(key in dashboard, key)
  const variables: string[] = dashboard.templating.list.map(({ name }: { name: string }) => name)
  t.same(variables, ['datasource', 'instance', 'guest'])
  const ids = new Set<number>()
  const taken = new Set<string>()
  for (const { id, type, title, gridPos, datasource, targets, fieldConfig, options } of dashboard.panels) {
    t.notOk(ids.has(id), `${title}: its own id`)
    ids.add(id)
    t.match(type, /^(stat|timeseries|table)$/)
    t.ok(fieldConfig && options, title)
    t.equal(datasource.uid, `\${datasource}`, title)
    t.ok(gridPos.x + gridPos.w <= 24 && gridPos.h > 0, `${title} is within the grid`)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        t.notOk(taken.has(`${x},${y}`), `${title} covers no other panel`)
        taken.add(`${x},${y}`)
      }
    for (const { expr, refId } of targets) {
      t.ok(refId, title)
      t.ok(named(expr).length > 0 && areBalanced(expr), expr)
      for (const name of named(expr)) t.ok(metrics.has(name), `${title}: ${name} exists`)
      for (const [, variable = ''] of expr.matchAll(/\$(\w+)/g)) t.ok(variables.includes(variable), variable)
    }
  }
})
