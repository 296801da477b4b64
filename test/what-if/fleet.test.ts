// fleet: every host that plan --host reads is a row, also one that cannot be read, and each row says what
// plan says of that host.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { codesOf, folder, HOST, SEED, shell } from '../seed.ts'

t.setTimeout(240_000)

const DOMAIN = `${SEED}/domain.xml`

interface Row {
  readonly host: string
  readonly outcome: string
  readonly nodes?: string
  readonly cells?: number
  readonly localCells?: number
  readonly splitCores?: number
  readonly shortages?: number
  readonly diagnostics: readonly { readonly code: string }[]
}

/** From the best outcome to the worst. */
const RANKS = ['starts', 'short', 'refused', 'unread']

/** Hosts of every kind, and what is none. */
function hosts(place: string): string {
  const all = join(place, 'hosts')
  mkdirSync(join(all, 'rack2'), { recursive: true })
  const seed = JSON.parse(readFileSync(HOST, 'utf8'))
  const write = (name: string, value: unknown): void => writeFileSync(join(all, name), JSON.stringify(value))
  copyFileSync(HOST, join(all, 'host10.json'))
  copyFileSync(HOST, join(all, 'host9.json'))
  copyFileSync(`${SEED}/sys.tar.gz`, join(all, 'rack2/captured.tar.gz'))
  copyFileSync(`${SEED}/capabilities.xml`, join(all, 'rack2/capabilities.xml'))
  const nodes = seed.nodes.map((node: object, at: number) =>
    at === 0 ? node : { ...node, pages: [{ pagesizeKiB: 2048, total: 8, free: 8 }] },
  )
  write('short.json', { ...seed, nodes })
  write('small.json', { nodes: [{ id: 0, cpus: '0', memoryKiB: 0 }] })
  writeFileSync(join(all, 'broken.json'), '{')
  writeFileSync(join(all, 'notes.txt'), 'not a host')
  mkdirSync(join(all, 'tree/sys/devices/system/cpu'), { recursive: true })
  writeFileSync(join(all, 'tree/sys/devices/system/cpu/online'), '0-7\n')
  return all
}

t.test('a row for every host, with what plan says of it', async (t) => {
  const place = folder(t)
  hosts(place)
  const { status, stdout, stderr } = shell(`$N fleet --json ${DOMAIN} hosts`, place)
  t.equal(status, 1)
  t.same(codesOf(stderr), ['fleet-unread'])
  const { rows, ...fleet } = JSON.parse(stdout) as { readonly rows: readonly Row[] } & object
  t.match(fleet, { guest: 'seed', hosts: 8, unread: 1 })
  t.same(
    rows.map(({ host, outcome }) => `${host} ${outcome}`).sort(),
    [
      'rack2/capabilities.xml starts',
      'tree starts',
      'host9.json starts',
      'host10.json starts',
      'rack2/captured.tar.gz short',
      'short.json short',
      'small.json refused',
      'broken.json unread',
    ].sort(),
  )
  const ranks = rows.map(({ outcome }) => RANKS.indexOf(outcome))
  t.same(ranks, [...ranks].sort(), 'the hosts where it starts come first')
  for (const { host, outcome, diagnostics } of rows) {
    const alone = shell(`$N plan --json --host hosts/${host} ${DOMAIN}`, place)
    const planned = JSON.parse(alone.stdout)
    t.equal(alone.status, outcome === 'starts' || outcome === 'short' ? 0 : 1, host)
    t.same(
      diagnostics.map(({ code }) => code),
      planned.diagnostics.map(({ code }: { readonly code: string }) => code),
      `${host}: the findings of plan`,
    )
  }
  t.match(
    rows.find(({ host }) => host === 'host9.json'),
    { nodes: '0-1', cells: 2, localCells: 2, splitCores: 4, shortages: 0 },
  )
})

t.test('the table has 80 columns, the best host first, and counts the reasons', async (t) => {
  const place = folder(t)
  hosts(place)
  const { stdout } = shell(`$N fleet hosts < ${DOMAIN}`, place)
  const lines = stdout.split('\n')
  t.same(
    lines.filter((line) => line.length > 80),
    [],
  )
  t.match(lines[0], /^guest seed, 4 vCPUs, 64 MiB: starts on \d of 8 hosts; 1 could not be read$/)
  t.match(stdout, /^host9.json +yes +0-1 +2\/2 +\d+ +\d+$/m)
  t.match(stdout, /^broken.json +no +json-malformed: /m)
  t.match(stdout, /^ {2}json-malformed +1 host$/m)
  t.notMatch(stdout, 'notes.txt')
})

t.test('status 0 where the guest starts, 1 where it starts nowhere', async (t) => {
  const place = folder(t)
  const fine = shell(`$N fleet ${DOMAIN} $HOST 2n8c2t,64G,2M:64`, place)
  t.same([fine.status, fine.stderr], [0, ''])
  const nowhere = shell(`$N fleet $HOST ${DOMAIN} --cpuset 99`, place)
  t.same([nowhere.status, codesOf(nowhere.stderr)], [1, ['fleet-nowhere']])
  mkdirSync(join(place, 'empty'))
  const empty = shell(`$N fleet ${DOMAIN} empty`, place)
  t.same([empty.status, codesOf(empty.stderr)], [1, ['fleet-empty']])
  for (const words of ['', '-', DOMAIN]) {
    const { status, stderr } = shell(`$N fleet ${words}`, place)
    t.same([status, codesOf(stderr)], [2, ['usage-missing']], `fleet ${words}`)
  }
})

t.test('the HTML is one file that loads nothing, and replaces no other', async (t) => {
  const place = folder(t)
  const all = hosts(place)
  writeFileSync(join(all, 'a&<b>.json'), '{')
  shell(`$N fleet --html fleet.html ${DOMAIN} hosts`, place)
  const html = readFileSync(join(place, 'fleet.html'), 'utf8')
  t.match(html, /^<!DOCTYPE html>\n<html lang="en">/)
  t.notMatch(html, /<script|<link|<img|src=|https?:|url\(|@import/)
  t.match(html, '<td>a&amp;&lt;b&gt;.json<td>')
  t.equal(html.match(/<tr><td>/g)?.length, 9)
  const again = shell(`$N fleet --html fleet.html ${DOMAIN} hosts`, place)
  t.same(codesOf(again.stderr), ['fleet-unread'])
  t.equal(readFileSync(join(place, 'fleet.html'), 'utf8'), html, 'the same bytes')
  const { status, stderr } = shell(`cp ${DOMAIN} db.xml; $N fleet --html db.xml ${DOMAIN} hosts`, place)
  t.same([status, codesOf(stderr)], [1, ['output-kind']])
})

const resource = (name: string, capacity: string, available: string): object => ({
  ...{ name, capacity, available },
  allocatable: capacity,
})
const zone = (id: number, pages: string, free = '8'): object => ({
  name: `node-${id}`,
  type: 'Node',
  costs: [0, 1].map((other) => ({ name: `node-${other}`, value: other === id ? 10 : 21 })),
  resources: [
    resource('cpu', '10', free),
    resource('memory', '64Gi', '60Gi'),
    resource('hugepages-2Mi', '1Gi', pages),
  ],
})
const topology = (name: string, zones: readonly object[]): object => ({
  apiVersion: 'topology.node.k8s.io/v1alpha2',
  kind: 'NodeResourceTopology',
  metadata: { name, managedFields: [{ manager: 'exporter' }] },
  zones,
})

t.test('a list of NodeResourceTopology objects is a fleet', async (t) => {
  const place = folder(t)
  const items = [
    topology('w1', [zone(1, '64Mi'), zone(0, '64Mi'), { name: 'core-0', type: 'Core' }]),
    topology('w2', [zone(0, '2Mi'), zone(1, '2Mi')]),
    topology('w3', [zone(0, '64Mi', '3500m'), zone(1, '64Mi', '500m')]),
    topology('w4', []),
    topology('w5', [{ ...zone(0, '64Mi'), resources: [resource('memory', 'much', '1')] }]),
  ]
  writeFileSync(join(place, 'nrt.json'), JSON.stringify({ apiVersion: 'v1', items, kind: 'List' }))
  const { status, stdout, stderr } = shell(`$N fleet --json ${DOMAIN} nrt.json`, place)
  t.same([status, codesOf(stderr)], [1, ['fleet-unread']])
  const { rows } = JSON.parse(stdout) as { readonly rows: readonly Row[] }
  t.same(
    rows.map(({ host, outcome, diagnostics }) => [host, outcome, diagnostics.map(({ code }) => code).at(-1)]),
    [
      ['w1', 'starts', 'cpus-counted'],
      ['w2', 'short', 'cpus-counted'],
      ['w3', 'refused', 'not-enough-threads'],
      ['w4', 'unread', 'host-malformed'],
      ['w5', 'unread', 'size-malformed'],
    ],
  )
  const several = shell(`$N plan --host nrt.json ${DOMAIN}`, place)
  t.same([several.status, codesOf(several.stderr)], [1, ['host-several']])
  writeFileSync(join(place, 'one.json'), JSON.stringify(items[0]))
  const snapshot = JSON.parse(shell('$N snapshot --host one.json', place).stdout)
  t.match(snapshot, {
    nodes: [
      { id: 0, cpus: '0-9', memoryKiB: 64 << 20, freeKiB: 60 << 20, distances: [10, 21] },
      { id: 1, cpus: '10-19', pages: [{ pagesizeKiB: 2048, total: 512, free: 32 }], distances: [21, 10] },
    ],
    allowed: { cpus: '0-7,10-17', nodes: '0-1' },
  })
})
