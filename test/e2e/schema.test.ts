// Everything that virt-numa writes, before libvirt: each golden answer, and fits of domains that no one here
// wrote. What libvirt accepts before, it must accept after. And what it accepts is what
// test/data/spellings.json says.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, union } from '../../src/base/idset.ts'
import { decodeUtf8 } from '../../src/base/utf8.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { type HostSource, readHostSource } from '../../src/machine/host-source.ts'
import { type Placed, place } from '../../src/place.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { writeElement } from '../../src/xml/build.ts'
import { applyEdits, type Edit } from '../../src/xml/edit.ts'
import { parseXml, type XmlElement } from '../../src/xml/parse.ts'
import { type GoldenCase, readCases } from '../core/golden-case.ts'
import { documentOf, readSpellings, type Spelling, writeSpellings } from '../core/spellings.ts'
import {
  type Judge,
  type Judged,
  judge,
  type Machine,
  openMachine,
  type Pair,
  parser,
  schema,
} from './judges.ts'
import { unpackMachine, writeMachine } from './machines.ts'
import { installPackages } from './packages.ts'
import { askLibvirt } from './parsings.ts'

const CORPORA = `${process.cwd()}/../shared/corpora`
const scratch = mkdtempSync(join(tmpdir(), 'virt-numa-schema-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

/** Two fits of each: at first on one machine, and then moved to the other. */
const DOMAINS = 150

/** Captures with several nodes, all with memory. */
const MACHINES = [
  'hwloc-40intel64-4n10c+pci-conflicts',
  'hwloc-48amd64-4d2n6c-sparse',
  'hwloc-32em64t-2n8c+1mic',
  'hwloc-8amd64-4n2c',
] as const

/** One after the other, so that each is had in as many ways. */
const REQUESTS: readonly RequestedKeys[] = [
  {},
  { pagesize: 2048 },
  { cells: 2, memory: 'even' },
  { existing: 'replace', mode: 'preferred' },
  { existing: 'replace', topology: 'align' },
]

interface Tally extends Record<Judged, number> {
  readonly judge: string
}

async function judgeAll(t: Test, by: Judge, pairs: readonly Pair[]): Promise<Tally> {
  const tally: Tally = {
    judge: by.name,
    accepted: 0,
    'refused before': 0,
    'refused only now': 0,
    'not judged': 0,
  }
  for (const pair of pairs) {
    const { is, verdict } = await judge(by, pair)
    tally[is] += 1
    if (is === 'refused only now') t.fail(`${by.name}: ${pair.name}`, { verdict })
  }
  return tally
}

function report(t: Test, tallies: readonly Tally[]): Tally {
  const sum = (name: Judged): number => tallies.reduce((total, each) => total + each[name], 0)
  const all = {
    judge: (tallies[0]?.judge ?? '').replace(/ on .*/, ''),
    accepted: sum('accepted'),
    'refused before': sum('refused before'),
    'refused only now': sum('refused only now'),
    'not judged': sum('not judged'),
  }
  t.comment(
    `${all.judge}: ${all.accepted} accepted, ${all['refused before']} refused as before, ` +
      `${all['refused only now']} only now, ${all['not judged']} not judged`,
  )
  return all
}

function writePair(name: string, before: string, after: string): Pair {
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/before.xml`, before)
  writeFileSync(`${folder}/after.xml`, after)
  return { name, before: `${folder}/before.xml`, after: `${folder}/after.xml` }
}

const libvirt = join(scratch, 'libvirt')

async function withMachine<T>(
  name: string,
  devices: string,
  use: (machine: Machine) => Promise<T>,
): Promise<T> {
  const machine = await openMachine(name, devices, libvirt)
  try {
    return await use(machine)
  } finally {
    await machine.close()
  }
}

t.before(installPackages)

t.test('golden answers', async (t) => {
  const cases = readCases().filter(({ folder }) => existsSync(`${folder}/expected.xml`))
  const pairs = new Map(
    cases.map((each) => [
      each,
      writePair(each.name, each.domain, readFileSync(`${each.folder}/expected.xml`, 'utf8')),
    ]),
  )
  const all = [...pairs.values()]
  const [bySchema, byParser, byQemu] = await Promise.all([
    judgeAll(t, schema, all),
    judgeAll(t, parser, all),
    judgeOnOwnMachines(t, pairs),
  ])
  for (const tally of [[bySchema], [byParser], byQemu]) {
    const { accepted, 'not judged': left } = report(t, tally)
    t.ok(accepted > 0.9 * (all.length - left), `${accepted} of ${all.length} accepted, ${left} not judged`)
  }
})

/**
 * Those of x86: there is no emulator here for others, which a document hears last of all that is wrong with
 * it.
 */
async function judgeOnOwnMachines(t: Test, pairs: ReadonlyMap<GoldenCase, Pair>): Promise<Tally[]> {
  const hosts = new Map<string, GoldenCase[]>()
  for (const each of [...pairs.keys()].filter(({ domain }) => !/arch=.(s390x|ppc64)/.test(domain))) {
    const key = existsSync(`${each.folder}/sys.tar.gz`) ? each.name : JSON.stringify(each.surroundings.host)
    hosts.set(key, [...(hosts.get(key) ?? []), each])
  }
  const tallies: Tally[] = []
  for (const cases of hosts.values()) {
    const [first] = cases as [GoldenCase]
    const [tar, folder] = [`${first.folder}/sys.tar.gz`, join(scratch, first.name, 'machine')]
    const devices = existsSync(tar)
      ? await unpackMachine(tar, folder)
      : writeMachine(first.surroundings.host, folder)
    const own = cases.map((each) => pairs.get(each) as Pair)
    tallies.push(await withMachine(first.name, devices, ({ judge }) => judgeAll(t, judge, own)))
  }
  return tallies
}

interface Fit {
  readonly pair: Pair
  readonly machine: number
}

t.test('domains that no one here wrote', async (t) => {
  const hosts = MACHINES.map((name) =>
    readHostSource({ host: `${CORPORA}/sysfs/${name}.tar.gz`, whole: true }),
  )
  const fits = fitsOf(hosts)
  t.equal(fits.length, 2 * DOMAINS, `${fits.length} fits`)
  const pairs = fits.map(({ pair }) => pair)
  const [bySchema, byParser, byQemu] = await Promise.all([
    judgeAll(t, schema, pairs),
    judgeAll(t, parser, pairs),
    judgeOnMachines(t, fits),
  ])
  for (const tally of [[bySchema], [byParser], byQemu]) {
    const { accepted, 'not judged': left } = report(t, tally)
    t.ok(
      accepted > 0.5 * (pairs.length - left),
      `${accepted} of ${pairs.length} accepted, ${left} not judged`,
    )
  }
})

async function judgeOnMachines(t: Test, fits: readonly Fit[]): Promise<Tally[]> {
  const tallies: Tally[] = []
  for (const [at, name] of MACHINES.entries()) {
    const devices = await unpackMachine(`${CORPORA}/sysfs/${name}.tar.gz`, join(scratch, 'machines', name))
    const here = fits.filter(({ machine }) => machine === at).map(({ pair }) => pair)
    tallies.push(await withMachine(name, devices, ({ judge }) => judgeAll(t, judge, here)))
  }
  return tallies
}

/**
 * Domains for QEMU on x86 that libvirt 9 has defined, in an order that is always the same and spreads over
 * all sources.
 */
function domains(): { readonly id: string; readonly text: string }[] {
  interface Item {
    readonly kind: string
    readonly id: string
    readonly path: string
    readonly arch: string
    readonly domain_type: string
    readonly virsh9_test_define?: string
  }
  const { items } = JSON.parse(readFileSync(`${CORPORA}/INDEX.json`, 'utf8')) as { items: Item[] }
  const suitable = items
    .filter(
      ({ kind, arch, domain_type }) =>
        kind === 'domain' && ['qemu', 'kvm'].includes(domain_type) && ['x86_64', 'i686'].includes(arch),
    )
    .filter(({ virsh9_test_define }) => virsh9_test_define === 'ok')
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const STRIDE = 397
  return suitable.map((_, at) => {
    const { id, path } = suitable[(at * STRIDE) % suitable.length] as Item
    return { id, text: String(decodeUtf8(readFileSync(`${CORPORA}/${path}`))) }
  })
}

/** Each is fitted to one half of a machine's nodes, and moved to the other half of the next machine's. */
function fitsOf(hosts: readonly HostSource[]): Fit[] {
  const fits: Fit[] = []
  for (const [at, { id, text }] of domains().entries()) {
    if (fits.length === 2 * DOMAINS) break
    const [here, there] = [at % hosts.length, (at + 1) % hosts.length]
    const requested = REQUESTS[Math.floor(at / hosts.length) % REQUESTS.length] as RequestedKeys
    const first = fit(text, hosts[here] as HostSource, {
      ...requested,
      cpuset: cpusOf(hosts[here] as HostSource, 'lower'),
    })
    if (first === undefined || first.edits.length === 0) continue
    const moved = fit(
      first.text,
      hosts[there] as HostSource,
      { cpuset: cpusOf(hosts[there] as HostSource, 'upper') },
      'if-better',
    )
    if (moved === undefined || moved.edits.length === 0) continue
    fits.push({ pair: writePair(`${id}-first`, text, first.text), machine: here })
    fits.push({ pair: writePair(`${id}-moved`, first.text, moved.text), machine: there })
  }
  return fits
}

function cpusOf({ host: { nodes } }: HostSource, half: 'lower' | 'upper'): CpuSet {
  const middle = nodes.length / 2
  return union(...(half === 'lower' ? nodes.slice(0, middle) : nodes.slice(middle)).map(({ cpus }) => cpus))
}

function fit(text: string, from: HostSource, flags: RequestedKeys, move?: 'if-better'): Placed | undefined {
  try {
    return place(readDocument(text), { ...from, flags }, writeElement, move)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

t.test('what each of them refuses', async (t) => {
  const whole = readFileSync('golden/2n4c2t-seed/expected.xml', 'utf8')
  const devices = await unpackMachine('golden/2n4c2t-seed/sys.tar.gz', join(scratch, 'seed'))
  const broken = {
    element: whole.replace('<memnode ', '<memnodes '),
    cell: whole.replace("<memnode cellid='1'", "<memnode cellid='7'"),
    node: whole
      .replaceAll("nodeset='0-1'", "nodeset='0-9'")
      .replace("cellid='1' mode='strict' nodeset='1'", "cellid='1' mode='strict' nodeset='9'"),
  }
  await withMachine('the seed', devices, async (machine) => {
    for (const [by, finds] of [
      [schema, ['element']],
      [parser, ['element', 'cell']],
      [machine.judge, ['cell', 'node']],
    ] as const) {
      for (const [name, text] of Object.entries(broken)) {
        t.not(text, whole, `${name} is broken`)
        const { is, verdict } = await judge(by, writePair(`broken-${name}`, whole, text))
        t.equal(
          is,
          finds.includes(name as never) ? 'refused only now' : 'accepted',
          `${by.name}: ${name}: ${verdict}`,
        )
      }
    }
  })
})

/**
 * With --record what libvirt says now is written down. The words of a refusal differ between versions, and
 * are not compared.
 */
t.test('spellings are recorded as libvirt takes them', async (t) => {
  const spellings = readSpellings()
  const answers = await askLibvirt(spellings, join(scratch, 'spellings'))
  if (process.argv.includes('--record'))
    writeSpellings(spellings.map((each, at) => ({ ...each, ...answers[at] })))
  t.equal(answers.length, spellings.length, `${answers.length} answers`)
  for (const [at, { xml, accepted }] of spellings.entries()) {
    const answer = answers[at]
    if (answer?.accepted !== accepted) t.fail(xml, { recorded: accepted ?? 'refused', libvirt: answer })
  }
})

t.test("what stands twice is what libvirt's schema refuses", async (t) => {
  const doubled = readSpellings().filter(({ part }) => part === 'doubled')
  t.ok(doubled.length > 40, `${doubled.length} elements`)
  await Promise.all(
    doubled.map(async (each, at) => {
      const document = documentOf(each.xml)
      const pair = writePair(`doubled-${at}`, withoutSecond(document, each), document)
      t.equal(await schema.of(pair.before), '', `taken once: ${each.xml}`)
      t.not(await schema.of(pair.after), '', `refused twice: ${each.xml}`)
    }),
  )
})

/** The document without the elements that our reading names. */
function withoutSecond(text: string, { xml }: Spelling): string {
  const document = parseXml(text)
  try {
    readDomain(document)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const starts = new Set(
      error.diagnostics.flatMap(({ code, at }) => (code === 'element-twice' && at ? [at.start] : [])),
    )
    return applyEdits(text, secondsIn(document.root, starts))
  }
  throw new Error(`nothing stands twice: ${xml}`)
}

function secondsIn(element: XmlElement, starts: ReadonlySet<number>): Edit[] {
  if (starts.has(element.start)) return [{ start: element.start, end: element.end, text: '' }]
  return element.children.flatMap((each) => secondsIn(each, starts))
}
