// The bounds of a tenant's request: for every request and document, and at every command.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { type Diagnostic, Refusal } from '../../src/base/diagnostic.ts'
import {
  type CpuSet,
  formatSet,
  intersect,
  type NodeSet,
  setOf,
  subtract,
  union,
} from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { DomainView } from '../../src/model/domain.ts'
import type { Host } from '../../src/model/host.ts'
import { type Placed, place, type Surroundings } from '../../src/place.ts'
import { type Config, defaultConfig } from '../../src/request/config.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import type { Vmi } from '../../src/request/vmi.ts'
import { writeElement } from '../../src/xml/build.ts'
import { runApart } from '../apart.ts'
import { long, sampled, times } from '../long.ts'
import { pattern } from '../pattern.ts'

const cpus = (text: string): CpuSet => parseSet<CpuSet>(text, 'test')

const HOST: Host = {
  nodes: [
    { id: 0, cpus: cpus('0-7'), memoryKiB: 2 ** 25, freeKiB: 2 ** 24, pages: [], distances: [10, 21] },
    { id: 1, cpus: cpus('8-15'), memoryKiB: 2 ** 25, freeKiB: 2 ** 24, pages: [], distances: [21, 10] },
  ],
  siblings: [],
  isolated: cpus('3,11'),
}
const ONLINE = cpus('0-15')

// ---- For every request ----

/** CPUs 16-19 and nodes 2-3 do not exist on this host; another host has them. */
const cpusFrom = (all: readonly number[], least = 1): fc.Arbitrary<CpuSet> =>
  fc.subarray([...all], { minLength: least }).map((ids) => setOf<CpuSet>(ids))
const anywhere = cpusFrom(Array.from({ length: 20 }, (_, id) => id))
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })

const keys = fc.record({
  cpuset: maybe(anywhere.map(formatSet)),
  emulator: maybe(fc.oneof(anywhere.map(formatSet), fc.constantFrom('spare', 'shared', 'none'))),
  cpus: fc.constantFrom(undefined, 'as-pinned', 'as-pinned', 'as-pinned', 'spread', 'in-order'),
  isolated: fc.constantFrom(undefined, 'use', 'avoid'),
  pin: fc.constantFrom(undefined, undefined, 'cpu', 'cell'),
  like: fc.constantFrom(undefined, undefined, undefined, 'kubevirt'),
  mode: fc.constantFrom(undefined, 'preferred', 'restrictive'),
  existing: fc.constantFrom(undefined, undefined, 'replace'),
  cells: fc.constantFrom(undefined, undefined, '2'),
})

const guest = fc.record({
  vcpus: fc.constantFrom(1, 2, 4),
  cells: fc.boolean(),
  pins: fc.array(maybe(fc.oneof(anywhere, cpusFrom(ONLINE), cpusFrom([1, 2, 9, 10]))), {
    minLength: 4,
    maxLength: 4,
  }),
  emulatorpin: maybe(anywhere),
  iothreadpin: maybe(anywhere),
  vcpuCpuset: maybe(anywhere),
  nodes: fc.array(fc.constantFrom(0, 1, 2), { minLength: 2, maxLength: 2 }),
})

const bounds = fc.record({
  given: maybe(cpusFrom(ONLINE, 3)),
  nodes: fc.constantFrom('0-1', '0-1', '0', '1'),
  configured: fc.boolean(),
  avoid: fc.boolean(),
  half: fc.integer({ min: 0, max: 3 }),
})

const request = fc.record({
  keys,
  guest,
  bounds,
  by: fc.constantFrom('metadata', 'metadata', 'annotations'),
  move: fc.constantFrom(undefined, 'if-better'),
})

type Case = typeof request extends fc.Arbitrary<infer T> ? T : never

function documentOf({ vcpus, cells, nodes, ...pins }: Case['guest'], metadata: string): string {
  const pin = (name: string, set: CpuSet | undefined): string =>
    set === undefined ? '' : `<${name} cpuset='${formatSet(set)}'/>`
  const vcpupins = pins.pins.slice(0, vcpus).map((set, vcpu) => pin(`vcpupin vcpu='${vcpu}'`, set))
  const iothreadpin = pin("iothreadpin iothread='1'", pins.iothreadpin)
  const allPins = [...vcpupins, pin('emulatorpin', pins.emulatorpin), iothreadpin]
  const kinds = cells && vcpus > 1 ? [0, 1] : []
  const half = vcpus / 2
  const numa = kinds.map(
    (id) => `<cell id='${id}' cpus='${id * half}-${(id + 1) * half - 1}' memory='1048576'/>`,
  )
  const memnodes = kinds.map((id) => `<memnode cellid='${id}' mode='strict' nodeset='${nodes[id]}'/>`)
  const cpuset = pins.vcpuCpuset === undefined ? '' : ` cpuset='${formatSet(pins.vcpuCpuset)}'`
  return `<domain type='kvm'>
  <name>db1</name>
  ${metadata}
  <memory unit='KiB'>2097152</memory>
  <vcpu${cpuset}>${vcpus}</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    ${allPins.join('')}
  </cputune>
  <numatune>
    <memory mode='strict' nodeset='${nodes.join(',')}'/>${kinds.length === 0 ? '' : memnodes.join('')}
  </numatune>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  ${kinds.length === 0 ? '' : `<cpu><numa>${numa.join('')}</numa></cpu>`}
</domain>
`
}

const VMI: Vmi = {
  source: 'vmi.json',
  dedicated: true,
  passthrough: false,
  transparentPages: false,
  requested: {},
  annotations: new Map(),
  threads: { isolateEmulator: false, evenParity: false, writtenVcpus: 0, wanted: false, pool: 0 },
  elements: { hintDedicated: false, pmuOff: false, nosharepages: false, memfd: false },
  notes: [],
}

interface Asked {
  readonly text: string
  readonly around: Surroundings
  readonly move: Case['move']
  /** What the guest was given, and what its tenant may choose from. */
  readonly given: CpuSet
  readonly within: CpuSet
  readonly nodes: NodeSet
}

function ask({ keys: wanted, guest: written, bounds: bound, by, move }: Case): Asked {
  const stated = Object.entries(wanted).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const attributes = by === 'metadata' ? stated.map(([key, value]) => ` ${key}='${value}'`).join('') : ''
  const metadata = `<metadata><n:guestMappingPassthrough xmlns:n='urn:virt-numa:1'${attributes}/></metadata>`
  const text = documentOf(written, metadata)
  const vmi = by === 'metadata' ? {} : { vmi: { ...VMI, annotations: new Map(stated) } }
  const pins = pinsIn(readDomain(readDocument(text)))
  const isPod = by === 'annotations' && move === undefined && pins.length > 0
  const given = intersect(isPod ? pins : (bound.given ?? ONLINE), ONLINE)
  // The administrator's own request is not bounded, so the configured cpuset is part of it.
  const own = setOf<CpuSet>(given.filter((_, index) => index % 4 !== bound.half))
  const configured: RequestedKeys = {
    ...(bound.configured && own.length > 0 && { cpuset: own }),
    ...(bound.avoid && { isolated: 'avoid' }),
  }
  const config: Config = { ...defaultConfig, requested: configured }
  const nodes = parseSet<NodeSet>(bound.nodes, 'test')
  const allowed = { nodes, ...(bound.given !== undefined && { cpus: bound.given }) }
  const shared = bound.avoid ? subtract(given, HOST.isolated as CpuSet) : given
  return {
    text,
    around: { host: HOST, allowed, config, configSource: 'our.conf', ...vmi },
    move,
    given,
    within: configured.cpuset ?? shared,
    nodes,
  }
}

function pinsIn({ vcpupin, emulatorpin, iothreadpin }: DomainView): CpuSet {
  return union(...vcpupin.values(), ...(emulatorpin ? [emulatorpin] : []), ...iothreadpin.values())
}

function answerTo({ text, around, move }: Asked): Placed | readonly Diagnostic[] {
  try {
    return place(readDocument(text), around, writeElement, move)
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics
    throw error
  }
}

const isWithin = (set: readonly number[], limit: readonly number[]): boolean =>
  set.every((id) => limit.includes(id))

t.test('no pin and no node leaves the bounds, and every cut is reported', (t) => {
  const seen: Record<string, number> = {}
  const see = (what: string): void => {
    seen[what] = (seen[what] ?? 0) + 1
  }
  fc.assert(
    fc.property(request, (each) => {
      const asked = ask(each)
      const placed = answerTo(asked)
      const codes = ('text' in placed ? placed.notes : placed).map(({ code }) => code)
      for (const code of codes) see(code)
      const before = readDomain(readDocument(asked.text))
      const { cpuset, emulator, cpus: policy } = each.keys
      const leaves = (text: string | undefined): boolean =>
        text !== undefined && /^\d/.test(text) && !isWithin(cpus(text), asked.within)
      if (leaves(cpuset) || leaves(emulator)) {
        see('sets that leave')
        assert.ok(
          codes.includes('cpuset-cut') || codes.includes('cpuset-unavailable'),
          `not reported: ${codes}`,
        )
      }
      if (!('text' in placed)) return
      see('placed')
      if (policy === 'as-pinned' && !isWithin(pinsIn(before), asked.within)) {
        see('pins that leave')
        assert.ok(codes.includes('pins-cut') || codes.includes('pins-moved'), `not reported: ${codes}`)
      }
      const after = readDomain(readDocument(placed.text))
      for (const [vcpu, pin] of after.vcpupin)
        assert.ok(isWithin(pin, asked.within), `vCPU ${vcpu} on ${pin}`)
      // The document's emulatorpin may name isolated CPUs: only a tenant's request must not.
      const threads = each.bounds.avoid ? asked.given : asked.within
      assert.ok(isWithin(pinsIn(after), threads), `threads on ${pinsIn(after)}`)
      assert.ok(isWithin(after.vcpuCpuset ?? [], threads), `<vcpu cpuset> ${after.vcpuCpuset}`)
      for (const { nodes } of after.tune.memnodes)
        assert.ok(isWithin(nodes, asked.nodes), `memory on ${nodes}`)
      // In a pod the pins state which CPUs are allowed, so a second run starts from other ones.
      const again = answerTo({ ...asked, text: placed.text })
      if (each.by === 'metadata')
        assert.equal(
          'text' in again ? again.text : again[0]?.code,
          placed.text,
          'a second run changes nothing',
        )
      if (after.cells.length > 0 && placed.placement.cells.length > 0)
        assert.ok(isWithin(after.tune.memory?.nodes ?? [], asked.nodes), 'memory')
    }),
    { numRuns: times(3000), seed: 20_260_118 },
  )
  for (const what of [
    'placed',
    'sets that leave',
    'pins that leave',
    'cpuset-cut',
    'pins-cut',
    'pins-moved',
    'pin-outside',
  ])
    t.ok((seen[what] ?? 0) > times(50), `${what}: ${seen[what]}`)
  for (const what of ['cpuset-unavailable', 'isolated-avoided'])
    t.ok((seen[what] ?? 0) > times(20), `${what}: ${seen[what]}`)
  t.end()
})

// ---- At every command ----

const folder = mkdtempSync(join(tmpdir(), 'virt-numa-tenant-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o755 })
  return join(folder, name)
}

const conf = write('virt-numa.conf', 'cpuset = "2-3,10-11"\n')
const isolatedConf = write('isolated.conf', 'isolated = "avoid"\n')
const ownConf = write('own.conf', 'cpuset = "2-3,10-11"\ncpus = "as-pinned"\nemulator = "0-1"\n')

/** The cgroup gives CPUs 0-3 and 8-11; CPUs 3 and 11 are isolated. */
const hostFile = write(
  'host.json',
  JSON.stringify({
    nodes: [
      { id: 0, cpus: '0-7', memoryKiB: 33554432, distances: [10, 21] },
      { id: 1, cpus: '8-15', memoryKiB: 33554432, distances: [21, 10] },
    ],
    siblings: [],
    isolated: '3,11',
    allowed: { cpus: '0-3,8-11', nodes: '0-1' },
  }),
)

const UUID = '7c1b0a52-5a5b-4a39-9ae5-1f0d3c1f2a10'

interface Written {
  readonly keys?: string
  readonly pins?: readonly string[]
  readonly emulatorpin?: string
  readonly cells?: 'has cells'
}

function domain({ keys = '', pins = [], emulatorpin, cells }: Written): string {
  const vcpupins = pins.map((pin, vcpu) => `<vcpupin vcpu='${vcpu}' cpuset='${pin}'/>`).join('')
  const emulator = emulatorpin === undefined ? '' : `<emulatorpin cpuset='${emulatorpin}'/>`
  const metadata = `<metadata><n:guestMappingPassthrough xmlns:n='urn:virt-numa:1' ${keys}/></metadata>`
  const tune = `<numatune><memory mode='strict' nodeset='0-1'/><memnode cellid='0' mode='strict' nodeset='0'/>
    <memnode cellid='1' mode='strict' nodeset='1'/></numatune>`
  const numa =
    "<cpu><numa><cell id='0' cpus='0' memory='32768'/><cell id='1' cpus='1' memory='32768'/></numa></cpu>"
  return `<domain type='kvm'>
  <name>db1</name>
  <uuid>${UUID}</uuid>
  ${keys === 'none' ? '' : metadata}
  <memory unit='KiB'>65536</memory>
  <vcpu>2</vcpu>
  <cputune>${vcpupins}${emulator}</cputune>
  ${cells === undefined ? '' : tune}
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  ${cells === undefined ? '' : numa}
</domain>
`
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const PROGRAM = `${process.cwd()}/dist/virt-numa.cjs`

function run(words: readonly string[], input = ''): Ended {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder }
  const { status, stdout, stderr } = runApart(process.execPath, [PROGRAM, ...words], {
    input,
    cwd: folder,
    env,
  })
  return { status, stdout, stderr }
}

const around = (config: string): string[] => ['--host', hostFile, '--config', config]

/** "vcpu 0 vcpu 1 / emulator". */
function placesIn(text: string): string {
  const { vcpupin, emulatorpin } = readDomain(readDocument(text))
  const vcpus = [...vcpupin.values()].map(formatSet).join(' ')
  return emulatorpin === undefined ? vcpus : `${vcpus} / ${formatSet(emulatorpin)}`
}

/**
 * The document, its configuration, the resulting pins, and the reported codes other than emulator-unpinned.
 */
const requests: Readonly<
  Record<string, readonly [written: Written, config: string, places: string, codes: string]>
> = {
  'a cpuset wider than the configuration': [{ keys: "cpuset='0-15'" }, conf, '2 3 / 10-11', 'cpuset-cut'],
  'a cpuset that the configuration leaves one CPU of': [
    { keys: "cpuset='2,8-9'" },
    conf,
    '',
    'not-enough-threads cpuset-cut',
  ],
  'a cpuset wider than the cgroup': [
    { keys: "cpuset='1,7,9,15' cpus='in-order'" },
    '/dev/null',
    '1 9',
    'cpuset-cut',
  ],
  'a cpuset with isolated CPUs': [
    { keys: "cpuset='2-3,10-11' cpus='in-order'" },
    isolatedConf,
    '2 10',
    'cpuset-cut',
  ],
  'a cpuset of other CPUs': [{ keys: "cpuset='0-1'" }, conf, '', 'cpuset-unavailable'],
  'an emulator wider than the configuration': [{ keys: "emulator='0,8,10'" }, conf, '2 3 / 10', 'cpuset-cut'],
  'an emulator wider than the cgroup': [{ keys: "emulator='4-9'" }, '/dev/null', '0 1 / 8-9', 'cpuset-cut'],
  'an emulator on other CPUs': [{ keys: "emulator='0,8'" }, conf, '', 'cpuset-unavailable'],
  'an emulator that may run anywhere': [{ keys: "emulator='none'" }, conf, '2 3 / 2-3,10-11', 'cpuset-cut'],
  'isolated CPUs': [{ keys: "isolated='use' cpus='in-order'" }, isolatedConf, '0 1 / 2', 'isolated-avoided'],
  'wide pins': [
    { keys: "cpus='as-pinned'", pins: ['1-2', '9-10'], emulatorpin: '0-3' },
    conf,
    '2 10 / 2-3',
    'pins-cut',
  ],
  'wide pins and the cgroup': [
    { keys: "cpus='as-pinned'", pins: ['3-4', '11-12'] },
    '/dev/null',
    '3 11',
    'pins-cut',
  ],
  'pins on isolated CPUs': [
    { keys: "cpus='as-pinned'", pins: ['2-3', '10-11'] },
    isolatedConf,
    '2 10',
    'pins-cut',
  ],
  'pins outside': [{ keys: "cpus='as-pinned'", pins: ['0', '8'] }, conf, '', 'pin-outside pin-outside'],
  'pins that leave one CPU': [
    { keys: "cpus='as-pinned'", pins: ['1-2', '0,2'] },
    conf,
    '',
    'not-enough-threads pins-cut',
  ],
  'pins outside of cells': [
    { keys: "cpus='as-pinned'", pins: ['0', '8'], cells: 'has cells' },
    conf,
    '2 10 / 3,11',
    'pins-moved',
  ],
  'pins of another host': [
    { keys: "cpus='as-pinned'", pins: ['40', '41'], cells: 'has cells' },
    '/dev/null',
    '0 8 / 1-3,9-11',
    'pins-moved',
  ],
  'wide pins of cells': [
    { keys: "cpus='as-pinned'", pins: ['0-3', '10'], cells: 'has cells' },
    conf,
    '2-3 10',
    'pins-cut',
  ],
  'an emulator outside': [
    { keys: "cpus='as-pinned'", pins: ['2', '10'], emulatorpin: '0', cells: 'has cells' },
    conf,
    '2 10 / 3,11',
    'pins-moved',
  ],
  "the administrator's own word": [
    { keys: "memory='even'", pins: ['2', '10'], emulatorpin: '0', cells: 'has cells' },
    ownConf,
    '2 10 / 0',
    '',
  ],
  'what is within': [{ keys: "cpuset='2,10' cpus='in-order'" }, conf, '2 10', ''],
}

function codesIn(stderr: string): string {
  const found = [...stderr.matchAll(/^(?:error|warning|note)\[([a-z-]+)\]/gm)].map((match) => match[1])
  return found.filter((code) => code !== 'emulator-unpinned').join(' ')
}

t.test('transform and plan', (t) => {
  for (const [name, [written, config, places, codes]] of sampled(Object.entries(requests), 16)) {
    const transformed = run(['transform', ...around(config)], domain(written))
    t.equal(transformed.status, places === '' ? 1 : 0, name)
    t.equal(codesIn(transformed.stderr), codes, name)
    if (places === '') t.equal(transformed.stdout, '', name)
    else t.equal(placesIn(transformed.stdout), places, name)
    const planned = run(['plan', '--json', ...around(config)], domain(written))
    if (places === '') t.equal(planned.status, 1, name)
    else {
      const { diagnostics } = JSON.parse(planned.stdout) as { diagnostics: { code: string }[] }
      const found = diagnostics.map(({ code }) => code).filter((code) => code !== 'emulator-unpinned')
      t.equal(found.join(' '), codes, `${name}: plan`)
    }
  }
  t.end()
})

long('a flag takes precedence over metadata and configuration', (t) => {
  const flagged = (flags: readonly string[], written: Written): [number | null, string, string] => {
    const { status, stdout, stderr } = run(['transform', ...around(conf), ...flags], domain(written))
    return [status, status === 0 ? placesIn(stdout) : '', codesIn(stderr)]
  }
  t.same(flagged(['--cpuset', '0,8', '--cpus', 'in-order'], { keys: "cpuset='2-3'" }), [0, '0 8', ''])
  t.same(
    flagged(['--cpuset', '0,8', '--cpus', 'in-order'], { keys: "cpuset='14'" }),
    [0, '0 8', ''],
    'although it is not available',
  )
  t.same(
    flagged(['--cpuset', '0-1,8'], { keys: "emulator='2,8'" }),
    [0, '0 1 / 8', 'cpuset-cut'],
    'and bounds the other keys',
  )
  t.same(flagged(['--emulator', '0'], { keys: "emulator='14'" }), [0, '2 3 / 0', ''])
  t.same(flagged(['--cpus', 'as-pinned', '--cpuset', '4,12'], { keys: 'none', pins: ['4', '12'] }), [
    0,
    '4 12',
    '',
  ])
  const free = run(
    ['transform', '--host', hostFile, '--config', '/dev/null', '--cpus', 'as-pinned'],
    domain({ pins: ['4', '12'] }),
  )
  t.same(
    [free.status, placesIn(free.stdout), codesIn(free.stderr)],
    [0, '4 12', ''],
    'pins are on the CPUs that the administrator named',
  )
  const words = ['transform', ...around(conf), '--emulator', '1-2', '--pin', 'cell']
  const once = run(words, domain({ keys: "cpus='as-pinned'", pins: ['2', '99'], cells: 'has cells' }))
  t.equal(once.status, 0, once.stderr)
  t.match(once.stdout, "<emulatorpin cpuset='1-2'/>", 'the flag names a CPU that no tenant may use')
  t.equal(run(words, once.stdout).stdout, once.stdout, 'and a second run does not cut it')
  t.end()
})

t.test('check', (t) => {
  const checked = (
    config: string,
    written: Written,
    more: readonly string[] = [],
  ): [number | null, string] => {
    const { status, stderr } = run(
      ['check', ...around(config), ...more],
      domain({ cells: 'has cells', ...written }),
    )
    return [status, codesIn(stderr)]
  }
  const pinned = { keys: "cpus='as-pinned'", pins: ['0', '10'] }
  t.same(checked(conf, pinned), [1, 'cpus-outside'], 'pins do not count as allowed CPUs')
  t.same(checked('/dev/null', { ...pinned, pins: ['4', '10'] }), [1, 'cpus-outside'])
  t.same(checked('/dev/null', { ...pinned, pins: ['3-4', '10'] }), [0, 'pins-beyond'])
  t.same(checked('/dev/null', { keys: "memory='even'", pins: ['3-4', '10'] }), [0, ''], 'the kernel cuts it')
  t.same(
    checked(conf, { keys: "memory='even'", pins: ['1-2', '10'] }),
    [0, 'pins-beyond'],
    'the kernel does not',
  )
  t.same(checked(conf, { keys: "cpuset='0-3,10'", pins: ['2', '10'] }), [0, 'cpuset-cut'])
  t.same(checked(conf, { keys: "cpuset='0'", pins: ['2', '10'] }), [1, 'cpuset-unavailable'])
  t.same(checked(conf, { pins: ['2', '10'] }), [0, ''])
  t.same(
    checked(conf, pinned, ['--cpus', 'as-pinned', '--cpuset', '0,10']),
    [0, ''],
    'the administrator allows it',
  )
  t.end()
})

// ---- KubeVirt ----

t.test('onDefineDomain', (t) => {
  const asked = (
    key: string,
    value: string,
    written: Written,
    config: string,
  ): [number | null, string, string] => {
    const vmi = {
      kind: 'VirtualMachineInstance',
      metadata: { name: 'db1', annotations: { [`virt-numa.io/${key}`]: value } },
      spec: { domain: { cpu: { cores: 2, dedicatedCpuPlacement: true }, memory: { guest: '64Mi' } } },
    }
    const words = [
      'onDefineDomain',
      ...around(config),
      '--vmi',
      JSON.stringify(vmi),
      '--domain',
      domain({ ...written, keys: 'none' }),
    ]
    const { status, stdout, stderr } = run(words)
    return [status, status === 0 ? placesIn(stdout) : '', codesIn(stderr)]
  }
  const pod = { pins: ['2', '10'], emulatorpin: '4' }
  t.same(asked('cpuset', '0-15', pod, '/dev/null'), [0, '2 4', 'cpuset-cut'], 'the CPUs of its pod')
  t.same(asked('cpuset', '0-15', pod, conf), [0, '2 10', 'cpuset-cut'], 'and of the configuration')
  t.same(asked('cpuset', '0,4', pod, conf), [1, '', 'cpuset-unavailable'])
  t.same(asked('emulator', '0,4', pod, '/dev/null'), [0, '2 10 / 4', 'cpuset-cut'])
  const roomy = { pins: ['2-3', '10-11'], emulatorpin: '4' }
  t.same(asked('emulator', '4,10', roomy, conf), [0, '2 3 / 10', 'cpuset-cut'])
  t.same(asked('emulator', '4', pod, conf), [1, '', 'cpuset-unavailable'])
  t.same(asked('cpus', 'as-pinned', { pins: ['1-2', '10-12'] }, conf), [0, '2 10-11', 'pins-cut'])
  t.same(asked('cpus', 'as-pinned', { pins: ['4', '12'] }, conf), [1, '', 'pin-outside pin-outside'])
  t.same(
    asked('cpus', 'as-pinned', { pins: ['4', '12'] }, '/dev/null'),
    [0, '4 12', ''],
    'the pins are those of its pod',
  )
  const shared = {
    metadata: { annotations: { 'virt-numa.io/cpuset': '0' } },
    spec: { domain: { cpu: { cores: 2 } } },
  }
  const text = domain({ keys: 'none' })
  const untouched = run([
    'onDefineDomain',
    ...around(conf),
    '--vmi',
    JSON.stringify(shared),
    '--domain',
    text,
  ])
  t.same([untouched.status, untouched.stdout], [0, text], 'a guest without dedicated CPUs has nothing to cut')
  t.end()
})

// ---- What libvirt has ----

/** A libvirt of one guest, whose definition is a file. */
const definition = join(folder, 'db1.xml')
const VIRSH = `#!/bin/sh
while [ $# -gt 0 ]; do case "$1" in --quiet|--connect=*) shift;; *) break;; esac; done
case "$1" in
  uri) echo qemu:///system;;
  list) echo '${UUID} db1';;
  dominfo) printf 'Id:             %s\nPersistent:     yes\nManaged save:   no\n' "$(cat '${folder}/id')";;
  dumpxml) cat '${definition}';;
  define) cat /dev/stdin > '${definition}';;
  snapshot-list|checkpoint-list) ;;
  *) echo "error: unknown $1" >&2; exit 1;;
esac
`

long('define and watch', (t) => {
  write('virsh', VIRSH)
  const guestWith = (written: Written, id = '-'): void => {
    write('id', id)
    write('db1.xml', domain({ cells: 'has cells', ...written }))
  }
  const now = (): string => placesIn(readFileSync(definition, 'utf8'))
  const backup = ['--backup', join(folder, 'backup')]

  guestWith({ keys: "cpuset='0-15'", pins: ['0', '8'] })
  const defined = run(['define', '--guest', 'db1', ...around(conf), ...backup])
  t.same([defined.status, now(), codesIn(defined.stderr)], [0, '2 10 / 3,11', 'cpuset-cut'])
  guestWith({ keys: "cpus='as-pinned'", pins: ['0', '8'] })
  const moved = run(['define', '--guest', 'db1', ...around(conf), ...backup])
  t.same([moved.status, now(), codesIn(moved.stderr)], [0, '2 10 / 3,11', 'pins-moved'])
  guestWith({ keys: "cpuset='0'", pins: ['0', '8'] })
  const refused = run(['define', '--guest', 'db1', ...around(conf), ...backup])
  t.same([refused.status, now(), codesIn(refused.stderr)], [1, '0 8', 'cpuset-unavailable'])

  for (const id of ['-', '3']) {
    guestWith({ keys: "cpus='as-pinned'", pins: ['0-2', '8-10'] }, id)
    const watched = run(['watch', '--once', ...around(conf), ...backup])
    t.same([watched.status, now()], [0, '2 10'], watched.stderr)
    t.match(
      watched.stdout,
      pattern(
        /note\[pins-cut\]: metadata of db1: .* are reduced to 2,10: the/,
        / request of a guest is limited to cpuset in \S+ \(2-3,10-11\)/,
      ),
      id === '-' ? 'watch reports the cut' : 'of a running guest too',
    )
    const again = run(['watch', '--once', ...around(conf), ...backup])
    t.same([again.status, now(), again.stdout], [0, '2 10', ''], 'once')
  }
  guestWith({ keys: "emulator='0'", pins: ['0', '8'] })
  const left = run(['watch', '--once', ...around(conf), ...backup])
  t.match(
    left.stdout,
    'refused: error[cpuset-unavailable]: metadata of db1: emulator 0 ' +
      'includes none of the allowed CPUs (2-3,10-11)',
  )
  t.equal(now(), '0 8', 'and the guest is unchanged')
  t.end()
})
