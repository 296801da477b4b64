// What must hold for every host, cpuset, guest and request: properties over generated machines and guests.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, formatSet, type NodeSet, range, setOf } from '../../src/base/idset.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import type { Allowed, Host, HostNode, Pool } from '../../src/model/host.ts'
import type { Cell, Placement } from '../../src/model/placement.ts'
import { type Placed, place, type Surroundings } from '../../src/place.ts'
import type { NodeSupply } from '../../src/plan/backing/supply.ts'
import { assignCells } from '../../src/plan/sites/assign-cells.ts'
import type { SiteCost } from '../../src/plan/sites/cost.ts'
import type { AssignmentProblem } from '../../src/plan/sites/partial-assignment.ts'
import type { Site } from '../../src/plan/sites/sites.ts'
import { defaultConfig } from '../../src/request/config.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { writeElement } from '../../src/xml/build.ts'
import { elementsAt, readXml } from '../../src/xml/read.ts'
import { times } from '../long.ts'
import { worded } from './worded.ts'

const RUNS = { numRuns: times(1000), seed: 20_260_117 }
const MiB = 1024
const GiB = 1024 * MiB
const SIZES = [64, 2 * MiB, GiB] as const

// ---- Hosts ----

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })
const some = <T>(values: readonly T[], from = 0): fc.Arbitrary<T[]> =>
  fc.subarray([...values], { minLength: Math.min(from, values.length) })

interface HostParts {
  readonly ids: readonly number[]
  readonly smt: number
  readonly numbering: 'core by core' | 'thread by thread' | 'across nodes'
  readonly cores: readonly number[]
  readonly offline: readonly number[]
  readonly memoryKiB: readonly (number | undefined)[]
  readonly freeShare: readonly (number | undefined)[]
  readonly pages: readonly (readonly { pagesizeKiB: number; total: number; free?: number | undefined }[])[]
  readonly rows: readonly (readonly number[] | undefined)[]
  readonly pools: readonly Pool[] | undefined
  readonly defaultPagesizeKiB: number | undefined
  readonly isolated: readonly number[] | undefined
  /** Of each node: how many cores share a level-3 cache. */
  readonly coresPerCache: number | undefined
}

const perNode = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: 6, maxLength: 6 })

const pagesOfNode = fc
  .tuple(fc.integer({ min: 0, max: 40 }), maybe(fc.nat(40)))
  .map(([total, free]) => ({ total, free: free === undefined ? undefined : Math.min(total, free) }))

const pool = (pagesizeKiB: number): fc.Arbitrary<Pool> =>
  fc
    .record({
      reserved: maybe(fc.nat(6)),
      overcommit: maybe(fc.nat(12)),
      surplus: maybe(fc.nat(4)),
      mounted: maybe(fc.boolean()),
    })
    .map((facts) => ({ pagesizeKiB, ...stated(facts) }))

/** Unknown facts are left out, as the types require. */
function stated<T extends object>(facts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as never
}

const hostParts = (mostNodes: number, mostCores: number): fc.Arbitrary<HostParts> =>
  fc.record({
    ids: fc
      .uniqueArray(fc.nat(11), { minLength: 1, maxLength: mostNodes })
      .map((ids) => ids.sort((a, b) => a - b)),
    smt: fc.constantFrom(1, 2, 4),
    numbering: fc.constantFrom('core by core', 'thread by thread', 'across nodes'),
    cores: perNode(
      fc.oneof(
        { weight: 1, arbitrary: fc.constant(0) },
        { weight: 6, arbitrary: fc.integer({ min: 1, max: mostCores }) },
      ),
    ),
    offline: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.nat(40), { maxLength: 6 }) },
    ),
    memoryKiB: perNode(fc.constantFrom(undefined, 0, 256 * MiB, 4 * GiB, 64 * GiB, 64 * GiB)),
    freeShare: perNode(maybe(fc.constantFrom(0, 0.1, 0.9))),
    pages: perNode(
      fc
        .tuple(...SIZES.map(() => maybe(pagesOfNode)))
        .map((each) => SIZES.flatMap((size, at) => pagesAt(size, each[at]))),
    ),
    rows: perNode(
      maybe(fc.array(fc.constantFrom(11, 12, 16, 20, 21, 21, 32, 254, 255), { minLength: 6, maxLength: 6 })),
    ),
    pools: maybe(fc.tuple(...SIZES.map(pool))),
    defaultPagesizeKiB: maybe(fc.constantFrom(...SIZES)),
    isolated: maybe(fc.array(fc.nat(20), { maxLength: 4 })),
    coresPerCache: maybe(fc.constantFrom(1, 2, 3)),
  })

function pagesAt(pagesizeKiB: number, pages: { total: number; free?: number | undefined } | undefined) {
  return pages === undefined ? [] : [{ pagesizeKiB, ...pages }]
}

function hostOf(parts: HostParts): Host {
  const { ids, smt, numbering, cores } = parts
  const threads = ids.flatMap((_, node) =>
    range(cores[node] as number).flatMap((core) => range(smt).map((thread) => ({ node, core, thread }))),
  )
  const order: Record<HostParts['numbering'], (each: (typeof threads)[number]) => number> = {
    'core by core': ({ node, core, thread }) => node * 10_000 + core * 100 + thread,
    'thread by thread': ({ node, core, thread }) => thread * 10_000 + node * 100 + core,
    'across nodes': ({ node, core, thread }) => thread * 10_000 + core * 100 + node,
  }
  const cpus = threads
    .sort((a, b) => order[numbering](a) - order[numbering](b))
    .map((each, cpu) => ({ ...each, cpu }))
  const online = cpus.filter(({ cpu }) => !parts.offline.includes(cpu))
  const together = (name: (each: (typeof cpus)[number]) => string): CpuSet[] => {
    const found = new Map<string, number[]>()
    for (const each of online) found.set(name(each), [...(found.get(name(each)) ?? []), each.cpu])
    return [...found.values()]
      .map((set) => setOf<CpuSet>(set))
      .sort((a, b) => (a[0] as number) - (b[0] as number))
  }
  const { coresPerCache } = parts
  return {
    nodes: ids.map((id, node): HostNode => {
      const memoryKiB = parts.memoryKiB[node]
      const share = parts.freeShare[node]
      return {
        id,
        cpus: setOf<CpuSet>(online.filter((each) => each.node === node).map(({ cpu }) => cpu)),
        pages:
          memoryKiB === 0
            ? []
            : (parts.pages[node] ?? []).map((each) => ({ ...each, ...stated(each) }) as never),
        ...stated({
          memoryKiB,
          freeKiB: share === undefined || memoryKiB === undefined ? undefined : Math.floor(memoryKiB * share),
          distances: parts.rows[node]?.slice(0, ids.length).map((way, to) => (to === node ? 10 : way)),
        }),
      }
    }),
    siblings: together(({ node, core }) => `${node} ${core}`),
    ...stated({
      caches:
        coresPerCache === undefined
          ? undefined
          : together(({ node, core }) => `${node} ${Math.floor(core / coresPerCache)}`).map((cpus) => ({
              cpus,
            })),
      pools: parts.pools,
      defaultPagesizeKiB: parts.defaultPagesizeKiB,
      isolated: parts.isolated && setOf<CpuSet>(parts.isolated),
    }),
  }
}

/** A host and what is allowed on it. */
type Setting = Pick<Surroundings, 'host' | 'allowed'>

const settingOf = (parts: fc.Arbitrary<HostParts>): fc.Arbitrary<Setting> =>
  parts.map(hostOf).chain((host) =>
    fc
      .record({
        cpus: fc.oneof(
          { weight: 2, arbitrary: fc.constant(undefined) },
          { weight: 1, arbitrary: some(onlineOf(host), 1) },
        ),
        nodes: maybe(
          some(
            host.nodes.map(({ id }) => id),
            1,
          ),
        ),
        pages: maybe(
          fc.tuple(fc.constantFrom(...SIZES), fc.nat(60)).map(([pagesizeKiB, max]) => [{ pagesizeKiB, max }]),
        ),
      })
      .map(({ cpus, nodes, pages }) => ({
        host,
        allowed: stated({
          cpus: cpus && setOf<CpuSet>(cpus),
          nodes: nodes && setOf<NodeSet>(nodes),
          pages,
        }) as Partial<Allowed>,
      })),
  )

const anySetting = settingOf(hostParts(6, 7))

const onlineOf = (host: Host): CpuSet => setOf<CpuSet>(host.nodes.flatMap(({ cpus }) => cpus))

// ---- Guests ----

interface Guest {
  readonly cores: number
  readonly threads: 1 | 2 | 4
  readonly stated: boolean
  readonly offline: 'none' | 'current' | 'each'
  readonly off: readonly number[]
  readonly units: number
  readonly unitKiB: number
  readonly devices: readonly { readonly model: string; readonly sizeKiB: number; readonly cell: number }[]
  readonly hugepages: 'none' | 'bare' | number
  readonly iothreads: number
  readonly pins: readonly number[] | undefined
  readonly stale: boolean
  readonly eol: '' | '\n' | '\r\n'
}

const guest: fc.Arbitrary<Guest> = fc.record({
  cores: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
  ),
  threads: fc.constantFrom(1, 1, 2, 4),
  stated: fc.boolean(),
  offline: fc.constantFrom('none', 'none', 'current', 'each'),
  off: fc.array(fc.nat(23), { maxLength: 5 }),
  units: fc.integer({ min: 1, max: 48 }),
  unitKiB: fc.constantFrom(2 * MiB, 2 * MiB, GiB, 512 * MiB, 64, 1000, 3 * MiB + 64),
  devices: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Guest['devices']>([]) },
    {
      weight: 1,
      arbitrary: fc.array(
        fc.record({
          model: fc.constantFrom('dimm', 'virtio-mem'),
          sizeKiB: fc.constantFrom(2 * MiB, GiB),
          cell: fc.nat(2),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    },
  ),
  hugepages: fc.constantFrom<Guest['hugepages'][]>('none', 'none', 'bare', ...SIZES),
  iothreads: fc.constantFrom(0, 0, 1, 3),
  pins: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.shuffledSubarray(range(24), { minLength: 24 }) },
  ),
  stale: fc.boolean(),
  eol: fc.constantFrom('', '\n', '\n', '\r\n'),
})

const vcpusOf = ({ cores, threads }: Guest): number => Math.min(24, cores * threads)

function domainOf(one: Guest): string {
  const vcpus = vcpusOf(one)
  const off = one.off.filter((vcpu) => vcpu > 0 && vcpu < vcpus)
  const current = one.offline === 'current' && off.length > 0 ? ` current='${Math.min(...off)}'` : ''
  const states = range(vcpus).map(
    (id) => `<vcpu id='${id}' enabled='${off.includes(id) ? 'no' : 'yes'}' hotpluggable='yes'/>`,
  )
  const memoryKiB = one.units * one.unitKiB + one.devices.reduce((sum, { sizeKiB }) => sum + sizeKiB, 0)
  const page =
    typeof one.hugepages === 'number'
      ? `<hugepages><page size='${one.hugepages}' unit='KiB'/></hugepages>`
      : '<hugepages/>'
  const pins = (one.pins ?? [])
    .slice(0, vcpus)
    .map((cpu, vcpu) => `<vcpupin vcpu='${vcpu}' cpuset='${cpu}'/>`)
  const lines = [
    "<domain type='kvm'>",
    '  <name>any</name>',
    ...(one.devices.length === 0
      ? []
      : [`  <maxMemory slots='4' unit='KiB'>${memoryKiB + 8 * GiB}</maxMemory>`]),
    `  <memory unit='KiB'>${memoryKiB}</memory>`,
    ...(one.hugepages === 'none' ? [] : [`  <memoryBacking>${page}</memoryBacking>`]),
    `  <vcpu placement='static'${one.stale ? " cpuset='70-71'" : ''}${current}>${vcpus}</vcpu>`,
    ...(one.offline === 'each' && off.length > 0 ? [`  <vcpus>${states.join('')}</vcpus>`] : []),
    ...(one.iothreads === 0 ? [] : [`  <iothreads>${one.iothreads}</iothreads>`]),
    ...(pins.length === 0 ? [] : ['  <cputune>', `    ${pins.join(`${one.eol}    `)}`, '  </cputune>']),
    "  <os><type arch='x86_64' machine='q35'>hvm</type></os>",
    ...(one.stated
      ? [`  <cpu><topology sockets='1' cores='${vcpus / one.threads}' threads='${one.threads}'/></cpu>`]
      : []),
    '  <devices>',
    ...one.devices.map(
      ({ model, sizeKiB, cell }) =>
        `    <memory model='${model}'><target><size unit='KiB'>${sizeKiB}</size><node>${cell}</node>` +
        `</target></memory>`,
    ),
    '  </devices>',
    '</domain>',
  ]
  return lines.map((line) => (one.eol === '' ? line.trim() : line)).join(one.eol)
}

// ---- Requests ----

const wishesFor = (host: Host): fc.Arbitrary<RequestedKeys> => {
  const cpus = some([...onlineOf(host), ...(onlineOf(host).length > 3 ? [] : [99])], 1).map((set) =>
    setOf<CpuSet>(set),
  )
  return fc
    .record({
      like: fc.constantFrom(undefined, undefined, undefined, 'virt-numa', 'kubevirt'),
      cells: fc.constantFrom(undefined, undefined, undefined, 'per-node', 1, 2, 3, 5),
      existing: fc.constantFrom(undefined, 'keep', 'replace'),
      memory: fc.constantFrom(undefined, 'by-vcpu', 'even', 'by-free-pages'),
      cpus: fc.constantFrom(
        undefined,
        undefined,
        undefined,
        'pack',
        'pack',
        'in-order',
        'in-order',
        'spread',
        'spread',
        'as-pinned',
      ),
      pin: fc.constantFrom(undefined, 'auto', 'cpu', 'cpu', 'cell'),
      pagesize: fc.constantFrom(undefined, undefined, undefined, ...SIZES, 'none'),
      mode: fc.constantFrom(undefined, undefined, 'strict', 'preferred', 'restrictive'),
      distances: fc.constantFrom(undefined, 'host', 'none'),
      emulator: fc.oneof(fc.constantFrom(undefined, 'spare', 'shared', 'none'), cpus),
      isolated: fc.constantFrom(undefined, 'use', 'avoid'),
      cpuset: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: cpus }),
    })
    .map((requested) => stated(requested) as RequestedKeys)
}

const reserveArb = fc.constantFrom([], [], [{ pagesizeKiB: 2 * MiB, kib: 3 * 2 * MiB }])

interface Case extends Setting {
  readonly domain: string
  readonly flags: RequestedKeys
  readonly reserve: readonly { readonly pagesizeKiB: number; readonly kib: number }[]
}

const caseOn = (setting: fc.Arbitrary<Setting>): fc.Arbitrary<Case> =>
  fc
    .tuple(setting, guest, reserveArb)
    .chain(([{ host, allowed }, one, reserve]) =>
      wishesFor(host).map((flags) => ({ host, allowed, domain: domainOf(one), flags, reserve })),
    )

const anyCase = caseOn(anySetting)

// ---- Running ----

type Fit = Omit<Case, 'domain'>
const surroundingsOf = ({ host, allowed, flags, reserve }: Fit): Surroundings => ({
  host,
  allowed,
  flags,
  config: { ...defaultConfig, reserve },
})

/** The placement or the diagnostics of a refusal; anything else fails. */
function attempt(domain: string, fit: Fit, move?: 'if-better'): Placed | readonly string[] {
  try {
    return place(readDocument(domain), surroundingsOf(fit), writeElement, move)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    assert.ok(error.diagnostics.length > 0, 'a refusal has a reason')
    for (const { code, what, why } of error.diagnostics.map(worded))
      assert.ok(
        what.length > 10 && (why ?? what).length > 10 && !/undefined|NaN/.test(`${what}${why ?? ''}`),
        code,
      )
    return error.diagnostics.map(({ code }) => code)
  }
}

/** Counts what was generated, so that a property fails when it held only for lack of cases. */
function tally() {
  const counts = new Map<string, number>()
  return {
    add: (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1),
    of: (what: string): number => counts.get(what) ?? 0,
    all: () => [...counts].sort().map(([what, count]) => `${what} ${count}`),
  }
}

// ---- What every placement keeps ----

const within = (set: readonly number[], whole: readonly number[]): boolean =>
  set.every((id) => whole.includes(id))

function ways(host: Host, a: number, b: number): number {
  const way = (from: number, to: number): number | undefined => {
    const row = host.nodes.find(({ id }) => id === from)?.distances
    return row?.[host.nodes.findIndex(({ id }) => id === to)]
  }
  return a === b ? 20 : (way(a, b) ?? way(b, a) ?? 20) + (way(b, a) ?? way(a, b) ?? 20)
}

function memoryNodes({ host, allowed }: Setting): number[] {
  return host.nodes
    .filter(({ id, memoryKiB }) => memoryKiB !== 0 && (allowed.nodes?.includes(id) ?? true))
    .map(({ id }) => id)
}

/** Nodes where QEMU can allocate memory at start: those with CPUs, unless none has any. */
function allocatingNodes(setting: Setting): number[] {
  const usable = memoryNodes(setting)
  const withCpus = usable.filter((node) =>
    setting.host.nodes.some(({ id, cpus }) => id === node && cpus[0] !== undefined),
  )
  return withCpus.length > 0 ? withCpus : usable
}

/** Whether QEMU allocates the memory of a cell at start. */
function isAllocated({ host }: Setting, { placement, view, request }: Placed, cell: number): boolean {
  const size = placement.binding.memnodes[cell]?.pagesizeKiB
  const pools = [...(host.pools ?? []), ...host.nodes.flatMap(({ pages }) => pages)]
  const isHuge = size !== undefined && (size > 64 || pools.some(({ pagesizeKiB }) => pagesizeKiB === size))
  return isHuge || view.allocation === 'immediate' || request.rules.allocation === 'immediate'
}

/**
 * The nodes that may back a cell on `node`: itself, or the nearest with memory. With a list of page sizes a
 * cell may be where pages would be allocated, and have none.
 */
function backingsOf(setting: Setting, node: number, placed: Placed, cell: number): number[] {
  const allocating = nearestOf(setting, node, allocatingNodes(setting))
  return isAllocated(setting, placed, cell)
    ? allocating
    : [...allocating, ...nearestOf(setting, node, memoryNodes(setting))]
}

function nearestOf(setting: Setting, node: number, usable: readonly number[]): number[] {
  if (usable.includes(node)) return [node]
  const nearest = Math.min(...usable.map((each) => ways(setting.host, node, each)))
  return usable.filter((each) => ways(setting.host, node, each) === nearest)
}

const nodeOfCpu = (host: Host, cpu: number): number =>
  host.nodes.find(({ cpus }) => cpus.includes(cpu))?.id as number

function cpusFor({ host, allowed, flags }: Fit): readonly number[] {
  const online = onlineOf(host)
  if (flags.cpuset !== undefined) return flags.cpuset.filter((cpu) => online.includes(cpu))
  const given = (allowed.cpus ?? online).filter((cpu) => online.includes(cpu))
  return flags.isolated === 'avoid' ? given.filter((cpu) => !host.isolated?.includes(cpu)) : given
}

/** Whether each vCPU gets its own CPU; with pin=auto also where it had one, or is real-time. */
function pinsEachCpu({ host, allowed, flags }: Fit, before: View): boolean {
  const pin = flags.pin ?? (flags.like === 'kubevirt' ? 'cpu' : 'auto')
  const online = onlineOf(host)
  const isItsOwn = flags.cpuset !== undefined || !within(online, allowed.cpus ?? online)
  return pin === 'auto' ? isItsOwn || isOneToOne(before) || before.realtime.length > 0 : pin === 'cpu'
}

type View = ReturnType<typeof readDomain>
const viewOf = (text: string): View => readDomain(readDocument(text))

function isOneToOne(view: View): boolean {
  const shares = (cpu: number): boolean => view.emulatorpin?.includes(cpu) === true
  return haveDistinctPins(view) && !view.online.some((vcpu) => view.vcpupin.get(vcpu)?.some(shares))
}

function haveDistinctPins({ online, vcpupin }: View): boolean {
  const pins = online.map((vcpu) => vcpupin.get(vcpu) ?? [])
  return pins.every((pin) => pin.length === 1) && new Set(pins.flat()).size === pins.length
}

function checkPlaced(placed: Placed, fit: Fit, before: View): void {
  const { placement, text } = placed
  const { cells, binding } = placement
  const isKubevirt = fit.flags.like === 'kubevirt'
  const after = viewOf(text)
  checkRead(text, placement, after)

  for (const { vcpus } of cells)
    assert.ok(
      vcpus.some((vcpu) => before.online.some((each) => each === vcpu)),
      'no cell without an online vCPU',
    )
  const inCells = cells.flatMap(({ vcpus }) => [...vcpus]).sort((a, b) => a - b)
  assert.deepEqual(
    inCells,
    isKubevirt ? [...before.online] : range(before.vcpus),
    'every vCPU is in exactly one cell',
  )
  for (const core of range(Math.ceil(before.vcpus / (before.topology?.threads ?? 1)))) {
    const threads = range(before.topology?.threads ?? 1).map(
      (thread) => core * (before.topology?.threads ?? 1) + thread,
    )
    const cellsOfCore = new Set(
      threads.flatMap((vcpu) => cells.filter(({ vcpus }) => vcpus.includes(vcpu)).map(({ id }) => id)),
    )
    assert.ok(cellsOfCore.size <= 1, `the threads of guest core ${core} are in one cell`)
  }

  const sum = [...cells, ...before.memoryDevices.map(({ sizeKiB }) => ({ memoryKiB: sizeKiB }))].reduce(
    (all, each) => all + each.memoryKiB,
    0,
  )
  assert.equal(sum, before.memoryKiB, 'cells and memory devices add up to the memory')
  for (const [cell, { memoryKiB }] of cells.entries()) {
    const { nodes, pagesizeKiB } = binding.memnodes[cell] ?? assert.fail(`cell ${cell} has a memnode`)
    assert.ok(memoryKiB > 0, 'every cell has memory')
    assert.equal(memoryKiB % (pagesizeKiB ?? 1), 0, 'whole pages')
    if (!isKubevirt && cell < cells.length - 1) assert.equal(memoryKiB % MiB, 0, 'libvirt does not round it')
    assert.ok(
      nodes.length > 0 && within(nodes, memoryNodes(fit)),
      'memnodes within allowed nodes with memory',
    )
  }
  checkPins(placed, fit, before)
  checkDistances(cells, isKubevirt)
}

/** The row that libvirt assumes for a cell without one: the distances that other cells state to it. */
function waysBack(cells: Placement['cells'], id: number): number[] {
  const back = cells.flatMap(({ distances }) => distances[id] ?? [])
  return back.length === 0
    ? []
    : cells.flatMap((other) => (other.id === id ? 10 : (other.distances[id] ?? [])))
}

/** The document states what was planned, by our reader and by another one. */
function checkRead(text: string, { cells, binding }: Placement, after: View): void {
  assert.deepEqual(
    after.cells.map(({ id, memoryKiB, distances }) => [id, memoryKiB, [...distances.values()]]),
    cells.map(({ id, memoryKiB, distances }) => [
      id,
      memoryKiB,
      distances.length > 0 ? distances : waysBack(cells, id),
    ]),
  )
  assert.deepEqual(
    after.tune.memnodes.map(({ cell, nodes, mode }) => [cell, nodes, mode]),
    binding.memnodes.map(({ nodes, mode }, cell) => [cell, nodes, mode]),
  )
  assert.deepEqual(
    after.tune.memory?.nodes,
    setOf<NodeSet>(binding.memnodes.flatMap(({ nodes }) => nodes)),
    '<memory> holds every bound node',
  )
  assert.deepEqual(
    range(after.vcpus).map((vcpu) => after.vcpupin.get(vcpu) ?? []),
    binding.vcpupin,
  )
  assert.deepEqual(after.emulatorpin, binding.emulatorpin)
  const root = readXml(text)
  const values = (path: string[], name: string): (string | undefined)[] =>
    elementsAt(root, ...path).map(({ attributes }) => attributes.get(name))
  assert.deepEqual(
    values(['cpu', 'numa', 'cell'], 'cpus'),
    cells.map(({ vcpus }) => (vcpus.length === 0 ? undefined : formatSet(vcpus))),
  )
  assert.deepEqual(
    values(['numatune', 'memnode'], 'nodeset'),
    binding.memnodes.map(({ nodes }) => formatSet(nodes)),
  )
}

function checkPins(placed: Placed, fit: Fit, before: View): void {
  const { placement, request } = placed
  const { cells, binding } = placement
  const cpus = cpusFor(fit)
  const asPinned = request.cpus === 'as-pinned'
  const taken = new Set<number>()
  for (const [cell, { vcpus }] of cells.entries()) {
    for (const vcpu of vcpus) {
      const pin = binding.vcpupin[vcpu] as CpuSet
      const isOnline = (before.online as readonly number[]).includes(vcpu)
      assert.ok(pin.length > 0, `vCPU ${vcpu} is pinned`)
      if (asPinned && isOnline) assert.deepEqual(pin, before.vcpupin.get(vcpu), 'as-pinned keeps the pins')
      if (asPinned) continue
      assert.ok(within(pin, cpus), `vCPU ${vcpu} is on CPUs of the cpuset`)
      for (const cpu of pin) {
        const nodes = binding.memnodes[cell]?.nodes as readonly number[]
        assert.ok(
          backingsOf(fit, nodeOfCpu(fit.host, cpu), placed, cell).some((node) => nodes.includes(node)),
          `vCPU ${vcpu} is on a node of cell ${cell}`,
        )
      }
      const seated = vcpus
        .filter((each) => (before.online as readonly number[]).includes(each))
        .flatMap((each) => [...(binding.vcpupin[each] ?? [])])
      if (!isOnline) assert.deepEqual(pin, setOf<CpuSet>(seated), 'an offline vCPU has the CPUs of its cell')
      if (!isOnline || !pinsEachCpu(fit, before)) continue
      assert.equal(pin.length, 1, 'one CPU for one vCPU')
      assert.ok(!taken.has(pin[0] as number), 'not shared with another vCPU')
      taken.add(pin[0] as number)
    }
  }
  const { emulator } = fit.flags
  const others = [
    ...(binding.emulatorpin ? [binding.emulatorpin] : []),
    ...binding.iothreadpin.filter((pin) => pin.length > 0),
  ]
  for (const pin of others) {
    if (typeof emulator === 'object') assert.deepEqual(pin, emulator)
    else if (!asPinned)
      assert.ok(pin.length > 0 && within(pin, cpus), 'emulator and I/O threads within the cpuset')
    if (emulator !== 'spare' || !pinsEachCpu(fit, before) || asPinned) continue
    for (const cpu of pin.filter((each) => taken.has(each)))
      assert.ok(
        isNeeded(
          cpu,
          pin.filter((other) => !taken.has(other)),
          binding,
          fit,
        ),
        'a spare CPU belongs to no vCPU',
      )
  }
}

/**
 * Whether the emulator needs a vCPU's CPU: QEMU allocates a node's huge pages from the emulator on that node,
 * and there it has no spare one.
 */
function isNeeded(
  cpu: number,
  spare: readonly number[],
  { memnodes }: Placement['binding'],
  fit: Fit,
): boolean {
  const nodesWith = memnodes.filter(
    ({ pagesizeKiB, nodes }) => pagesizeKiB !== undefined && isOn(fit, nodes, cpu),
  )
  return nodesWith.some(({ nodes }) => !spare.some((other) => isOn(fit, nodes, other)))
}

const isOn = ({ host }: Fit, nodes: readonly number[], cpu: number): boolean =>
  nodes.includes(nodeOfCpu(host, cpu))

function checkDistances(cells: readonly Cell[], isKubevirt: boolean): void {
  if (isKubevirt || cells.every(({ distances }) => distances.length === 0)) return
  for (const { id, distances } of cells) {
    assert.equal(distances.length, cells.length, 'a complete matrix')
    distances.forEach((way, other) => {
      assert.ok(other === id ? way === 10 : way >= 11 && way <= 254, `distance ${way}`)
    })
  }
}

t.test('a placement is consistent, for every host, cpuset, guest and request', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(anyCase, (each) => {
      const placed = attempt(each.domain, each)
      if (!('text' in placed)) {
        for (const code of placed) seen.add(code)
        return
      }
      seen.add('fitted')
      checkPlaced(placed, each, viewOf(each.domain))
    }),
    { ...RUNS, numRuns: times(2000) },
  )
  t.comment(seen.all().join(', '))
  t.ok(seen.of('fitted') > times(150), `${seen.of('fitted')} fitted`)
  t.end()
})

t.test('the same input gives the same bytes, and its own output needs no edit', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(anyCase, (each) => {
      const placed = attempt(each.domain, each)
      assert.deepEqual(attempt(each.domain, structuredClone(each)), placed, 'deterministic')
      if (!('text' in placed)) return
      seen.add('fitted')
      for (const existing of ['keep', 'replace'] as const) {
        const again = attempt(placed.text, { ...each, flags: { ...each.flags, existing } })
        assert.ok('edits' in again, `${existing}: refused: ${again}`)
        assert.deepEqual(again.edits, [], `existing=${existing}`)
      }
      const rebound = attempt(placed.text, each, 'if-better')
      assert.ok('text' in rebound, `rebind: refused: ${rebound}`)
    }),
    { ...RUNS, numRuns: times(2000) },
  )
  t.ok(seen.of('fitted') > times(100), `${seen.of('fitted')} fitted`)
  t.end()
})

// ---- pack ----

/**
 * Small hosts whose nodes all have memory, and guests without offline vCPUs, so that every choice can be
 * tried.
 */
const smallParts = hostParts(5, 3).map(
  (parts): HostParts => ({
    ...parts,
    memoryKiB: parts.memoryKiB.map(() => 64 * GiB),
  }),
)

const packCase = caseOn(
  settingOf(smallParts).map(({ host, allowed }) => ({
    host,
    allowed: stated({ cpus: allowed.cpus }) as Partial<Allowed>,
  })),
).map((each): Case => {
  const { cpuset, isolated } = each.flags
  return { ...each, flags: { pin: 'cpu', pagesize: 'none', ...stated({ cpuset, isolated }) } }
})

interface Packed {
  readonly nodes: readonly number[]
  readonly lacking: number
  readonly apart: number
  readonly caches: number
  readonly splits: number
  readonly cpus: readonly number[]
}

/** What the guest of the pack property has. */
const PACKED_GIB = 4

/**
 * The best of all sets of nodes that hold the guest, by the order of `cpus=pack`: the fewest, then those that
 * lack least memory now, the nearest, the fewest level-3 caches, the fewest split cores, the lowest ids.
 */
function packByForce(each: Fit, cores: number, threads: number): Packed | undefined {
  const cpus = cpusFor(each)
  const nodes = each.host.nodes.filter((node) => node.cpus.some((cpu) => cpus.includes(cpu)))
  const roomOf = (node: HostNode): number =>
    Math.floor(node.cpus.filter((cpu) => cpus.includes(cpu)).length / threads)
  const usable = nodes.filter((node) => roomOf(node) > 0)
  const sets = range(2 ** usable.length).map((bits) => usable.filter((_, at) => (bits >> at) & 1))
  const fitting = sets.filter((set) => set.reduce((sum, node) => sum + roomOf(node), 0) >= cores)
  const fewest = Math.min(...fitting.map((set) => set.length))
  const found = fitting
    .filter((set) => set.length === fewest)
    .map((set): Packed => {
      const ids = set.map(({ id }) => id)
      const apart = ids.reduce(
        (sum, a, at) => sum + ids.slice(at + 1).reduce((rest, b) => rest + ways(each.host, a, b), 0),
        0,
      )
      const shares = evenShares(cores, set.map(roomOf))
      const taken = shares.map((share, at) => {
        const node = set[at] as HostNode
        return fewestSplits(cachesOn(each.host, node), cpus, share * threads, threads)
      })
      return {
        nodes: ids,
        lacking: lackingNow(set, shares),
        apart,
        caches: taken.reduce((sum, { caches }) => sum + caches, 0),
        splits: taken.reduce((sum, { splits }) => sum + splits, 0),
        cpus: taken.flatMap((one) => one.cpus),
      }
    })
  const lowest = (a: readonly number[], b: readonly number[]): number =>
    a.map((id, at) => id - (b[at] as number)).find((way) => way !== 0) ?? 0
  return found.sort(
    (a, b) =>
      a.lacking - b.lacking ||
      a.apart - b.apart ||
      a.caches - b.caches ||
      a.splits - b.splits ||
      lowest(a.nodes, b.nodes),
  )[0]
}

/** KiB that are not free now, when cells get whole MiB in proportion to their guest cores. */
function lackingNow(set: readonly HostNode[], shares: readonly number[]): number {
  const all = shares.reduce((sum, share) => sum + share, 0)
  const mib = shares.map((share) => Math.floor((PACKED_GIB * 1024 * share) / all))
  const odd = PACKED_GIB * 1024 - mib.reduce((sum, each) => sum + each, 0)
  return set.reduce((sum, { freeKiB, memoryKiB }, at) => {
    const kib = ((mib[at] as number) + (at < odd ? 1 : 0)) * MiB
    return sum + Math.max(0, kib - (freeKiB ?? memoryKiB ?? Number.POSITIVE_INFINITY))
  }, 0)
}

/** One by one to the node that has the fewest and has capacity left. */
function evenShares(count: number, rooms: readonly number[]): number[] {
  const got = rooms.map(() => 0)
  for (let dealt = 0; dealt < count; dealt++) {
    const open = got.flatMap((each, at) => (each < (rooms[at] as number) ? [at] : []))
    const least = Math.min(...open.map((at) => got[at] as number))
    const at = open.find((each) => got[each] === least) as number
    got[at] = least + 1
  }
  return got
}

/** The cores of a node, by level-3 cache; all of them where none is stated. */
function cachesOn({ siblings, caches }: Host, { cpus }: HostNode): CpuSet[][] {
  const cores = siblings.filter((core) => core.some((cpu) => cpus.includes(cpu)))
  const groups = caches?.map((cache) => cores.filter(([cpu]) => cache.cpus.includes(cpu as number))) ?? [
    cores,
  ]
  return groups.filter((group) => group.length > 0)
}

/**
 * The best of all ways to take this many CPUs from the cores of a node: fewest caches, fewest split cores,
 * then fewest guest cores over two host cores, then the first caches, and there the first cores.
 */
function fewestSplits(
  groups: readonly (readonly CpuSet[])[],
  given: readonly number[],
  count: number,
  threads: number,
): { caches: number; splits: number; cpus: number[] } {
  const cores = groups.flat()
  const ofGroups = (takes: readonly number[]): number[] => {
    let from = 0
    return groups.map(({ length }) => {
      from += length
      return takes.slice(from - length, from).reduce((sum, take) => sum + take, 0)
    })
  }
  const caches = (takes: readonly number[]): number => ofGroups(takes).filter((take) => take > 0).length
  const offered = cores.map((core) => core.filter((cpu) => given.includes(cpu)))
  const loose = (takes: readonly number[]): number => takes.reduce((sum, take) => sum + (take % threads), 0)
  const splits = (takes: readonly number[]): number =>
    takes.filter((take, at) => take > 0 && take < (cores[at] as CpuSet).length).length
  const ways = offered.reduce<number[][]>(
    (all, cpus) => all.flatMap((takes) => range(cpus.length + 1).map((take) => [...takes, take])),
    [[]],
  )
  const first = (a: readonly number[], b: readonly number[]): number =>
    a.map((take, at) => (b[at] as number) - take).find((way) => way !== 0) ?? 0
  const [best = []] = ways
    .filter((takes) => takes.reduce((sum, take) => sum + take, 0) === count)
    .sort(
      (a, b) =>
        caches(a) - caches(b) ||
        splits(a) - splits(b) ||
        loose(a) - loose(b) ||
        first(ofGroups(a), ofGroups(b)) ||
        first(a, b),
    )
  const taken = best.flatMap((take, at) => (offered[at] as number[]).slice(0, take))
  return { caches: caches(best), splits: splits(best), cpus: taken }
}

t.test(
  'pack takes the fewest nodes, with available memory, the nearest, then the fewest caches and split cores',
  (t) => {
    const seen = tally()
    fc.assert(
      fc.property(
        packCase,
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(1, 1, 2),
        (each, cores, threads) => {
          const domain =
            `<domain type='kvm'><memory unit='GiB'>${PACKED_GIB}</memory><vcpu>${cores * threads}</vcpu>` +
            `<cpu><topology sockets='1' cores='${cores}' threads='${threads}'/></cpu></domain>`
          const placed = attempt(domain, each)
          const best = packByForce(each, cores, threads)
          if (!('text' in placed)) {
            assert.ok(
              best === undefined || placed[0] === 'cpus-offline' || placed[0] === 'no-cpus',
              `refused: ${placed}`,
            )
            return
          }
          assert.ok(best !== undefined, 'some set of nodes holds the guest')
          const cpus = placed.placement.binding.vcpupin.flat()
          assert.deepEqual(setOf(cpus.map((cpu) => nodeOfCpu(each.host, cpu))), best.nodes)
          assert.deepEqual(setOf(cpus), setOf(best.cpus))
          seen.add(`${best.nodes.length} nodes`)
          seen.add(best.splits > 0 ? 'split' : 'whole')
          if (best.lacking > 0) seen.add('memory that is not available')
          if (best.caches > best.nodes.length) seen.add('several caches')
        },
      ),
      RUNS,
    )
    t.comment(seen.all().join(', '))
    const rare = ['memory that is not available', 'several caches']
    for (const shape of ['1 nodes', '2 nodes', '3 nodes', 'split', 'whole', ...rare])
      t.ok(seen.of(shape) > times(5), `${shape}: ${seen.of(shape)}`)
    t.end()
  },
)

// ---- by-free-pages ----

interface Room {
  /**
   * Per node in pages: free pages that are not reserved, and the surplus pages that its free memory would
   * hold.
   */
  readonly free: ReadonlyMap<number, number>
  readonly makeable: ReadonlyMap<number, number>
  /** Surplus pages that overcommit still allows, and the limit of pool and cgroup. */
  readonly extra: number
  readonly total: number
}

function roomOn({ host, allowed, reserve }: Fit, size: number): Room {
  const pool = host.pools?.find(({ pagesizeKiB }) => pagesizeKiB === size)
  const kept = Math.ceil((reserve.find(({ pagesizeKiB }) => pagesizeKiB === size)?.kib ?? 0) / size)
  const pagesOn = ({ pages }: HostNode): number => {
    const found = pages.find(({ pagesizeKiB }) => pagesizeKiB === size)
    return found?.free ?? found?.total ?? 0
  }
  const extra = Math.max(0, (pool?.overcommit ?? 0) - (pool?.surplus ?? 0))
  const inPool = host.nodes.reduce((sum, node) => sum + pagesOn(node), 0) + extra - (pool?.reserved ?? 0)
  const limit =
    allowed.pages?.find(({ pagesizeKiB }) => pagesizeKiB === size)?.max ?? Number.POSITIVE_INFINITY
  return {
    free: new Map(host.nodes.map((node) => [node.id, Math.max(0, pagesOn(node) - kept)])),
    makeable: new Map(
      host.nodes.map(({ id, freeKiB }) => [
        id,
        freeKiB === undefined ? Number.POSITIVE_INFINITY : Math.floor(freeKiB / size),
      ]),
    ),
    extra,
    total: Math.max(0, Math.min(inPool, limit)),
  }
}

const freePagesCase = caseOn(settingOf(hostParts(4, 6))).map((each): Case => {
  const { cells, cpus, cpuset, pin, mode } = each.flags
  return {
    ...each,
    flags: {
      memory: 'by-free-pages',
      ...stated({
        cells,
        cpus: cpus === 'as-pinned' ? undefined : cpus,
        cpuset,
        pin,
        mode: mode === 'restrictive' ? undefined : mode,
      }),
    },
  }
})

t.test('by-free-pages asks no node for more than it has, and refuses only when the sum is short', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(
      freePagesCase,
      fc.constantFrom(...SIZES, 2 * MiB),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(3),
      (each, size, whole, odd) => {
        const unit = Math.max(size, MiB)
        const rest = size === 64 ? odd * 64 : 0
        const pages = whole + (rest > 0 ? 1 : 0)
        const domain =
          `<domain type='kvm'><memory unit='KiB'>${whole * unit + rest}</memory><memoryBacking>` +
          `<hugepages><page size='${size}' unit='KiB'/></hugepages></memoryBacking><vcpu>4</vcpu>` +
          `</domain>`
        const placed = attempt(domain, each)
        const room = roomOn(each, size)
        const perUnit = unit / size
        if ('text' in placed) {
          const asked = new Map<number, number>()
          for (const [cell, { nodes }] of placed.placement.binding.memnodes.entries()) {
            const kib = placed.placement.cells[cell]?.memoryKiB as number
            asked.set(nodes[0] as number, (asked.get(nodes[0] as number) ?? 0) + kib / size)
          }
          let surplus = 0
          for (const [node, count] of asked) {
            const over = Math.max(0, count - (room.free.get(node) ?? 0))
            assert.ok(over <= (room.makeable.get(node) ?? 0), `node ${node} is asked for ${count} pages`)
            surplus += over
          }
          assert.ok(surplus <= room.extra, `${surplus} surplus pages, ${room.extra} allowed`)
          assert.ok((pages * unit) / size <= room.total, 'reserved pages and the limit are respected')
          assert.deepEqual(
            placed.notes.filter(({ code }) => code.startsWith('pages-')),
            [],
            'a guest that fits has no shortage',
          )
          seen.add(surplus > 0 ? 'surplus' : 'free')
          seen.add(asked.size > 1 ? 'several nodes' : 'one node')
          return
        }
        seen.add(placed[0] as string)
        if (placed[0] !== 'pages-short-in-all' && placed[0] !== 'node-without-pages') return
        const even = attempt(domain, { ...each, flags: { ...each.flags, memory: 'even' } })
        if (!('text' in even)) return
        const nodes = even.placement.binding.memnodes.map(({ nodes: [node] }) => node as number)
        const units = (map: ReadonlyMap<number, number>, node: number): number =>
          Math.floor((map.get(node) as number) / perUnit)
        const used = [...new Set(nodes)]
        const free = used.reduce((sum, node) => sum + units(room.free, node), 0)
        const made = used.reduce((sum, node) => sum + units(room.makeable, node), 0)
        const most = Math.min(
          free + Math.min(made, Math.floor(room.extra / perUnit)),
          Math.floor(room.total / perUnit),
        )
        const starving = used.map((node) =>
          Math.max(0, nodes.filter((one) => one === node).length - units(room.free, node)),
        )
        const isStarved =
          starving.some((lack, at) => lack > units(room.makeable, used[at] as number)) ||
          starving.reduce((sum, lack) => sum + lack, 0) * perUnit > room.extra
        if (placed[0] === 'node-without-pages') assert.ok(isStarved, 'no page is available for some cell')
        else assert.ok(most < pages, `${pages} units requested, ${most} available`)
        seen.add('refusals looked at')
      },
    ),
    { ...RUNS, numRuns: times(2000) },
  )
  t.comment(seen.all().join(', '))
  for (const what of ['surplus', 'free', 'several nodes', 'refusals looked at'])
    t.ok(seen.of(what) > times(10), `${what}: ${seen.of(what)}`)
  t.end()
})

// ---- rebind ----

const LACKS = [
  ...['not-enough-threads', 'no-cpus', 'cpus-offline', 'no-memory-node', 'cpuset-unavailable'],
  'allocated-without-cpus',
]

/** What a guest sees, and its page sizes. */
function abiOf(text: string) {
  const { cells, hugepages, memoryKiB, vcpus, online, topology, memoryDevices } = viewOf(text)
  return {
    cells: cells.map((cell) => ({ ...cell, distances: [...cell.distances] })),
    hugepages,
    memoryKiB,
    vcpus,
    online,
    topology,
    memoryDevices,
  }
}

/** What may be requested when a guest moves to another host. */
const moveWishes = (host: Host): fc.Arbitrary<RequestedKeys> =>
  wishesFor(host).map(({ cpus, pin, emulator, isolated, cpuset, mode }) =>
    stated({ cpus: cpus === 'as-pinned' ? undefined : cpus, pin, emulator, isolated, cpuset, mode }),
  )

const target: fc.Arbitrary<Fit> = anySetting.chain((setting) =>
  moveWishes(setting.host).map((flags) => ({ ...setting, flags, reserve: [] })),
)

/** A host that most guests fit on, so that there are cells to move. */
const roomy = caseOn(
  settingOf(
    hostParts(6, 7).map(
      (parts): HostParts => ({ ...parts, offline: [], cores: parts.cores.map((cores) => cores + 2) }),
    ),
  ).map(({ host }) => ({ host, allowed: {} })),
).map((each): Case => {
  const { cells, cpus, pin, mode, distances } = each.flags
  return {
    ...each,
    flags: stated({
      cells,
      cpus: cpus === 'as-pinned' ? undefined : cpus,
      pin,
      mode: mode === 'restrictive' ? undefined : mode,
      distances,
    }),
  }
})

/** Whether a distinct member can be chosen from every set: by augmenting paths. */
function haveOwnCpus(pins: readonly (readonly number[])[]): boolean {
  const owner = new Map<number, number>()
  const seat = (at: number, tried: Set<number>): boolean =>
    (pins[at] ?? []).some((cpu) => {
      if (tried.has(cpu)) return false
      tried.add(cpu)
      const other = owner.get(cpu)
      if (other !== undefined && !seat(other, tried)) return false
      owner.set(cpu, at)
      return true
    })
  return pins.every((_, at) => seat(at, new Set()))
}

function checkMoved(placed: Placed, to: Fit, before: View): void {
  const view = viewOf(placed.text)
  const usable = memoryNodes(to)
  const cpus = cpusFor(to)
  const { emulator } = to.flags
  const own = typeof emulator === 'object' ? emulator : []
  assert.deepEqual(
    view.tune.memnodes.map(({ cell }) => cell),
    view.cells.map(({ id }) => id),
    'a memnode for each cell',
  )
  const isKept = placed.edits.length === 0
  if (pinsEachCpu(to, before))
    assert.ok(haveOwnCpus(view.online.map((vcpu) => view.vcpupin.get(vcpu) ?? [])), 'each has its own CPU')
  for (const { id, vcpus } of view.cells) {
    const nodes = view.tune.memnodes[id]?.nodes ?? assert.fail()
    assert.ok(nodes.length > 0 && within(nodes, usable), `cell ${id} is on ${nodes}`)
    for (const vcpu of vcpus) {
      const pin = view.vcpupin.get(vcpu) ?? assert.fail(`vCPU ${vcpu} is pinned`)
      assert.ok(pin.length > 0 && within(pin, cpus), `vCPU ${vcpu} is on allowed CPUs`)
      for (const cpu of pin)
        assert.ok(
          backingsOf(to, nodeOfCpu(to.host, cpu), placed, id).some((node) => within([node], nodes)),
          `vCPU ${vcpu} is within its cell's nodes`,
        )
      if (pinsEachCpu(to, before) && !isKept && view.online.some((each) => each === vcpu))
        assert.equal(pin.length, 1, `vCPU ${vcpu} has one CPU`)
    }
  }
  for (const pin of [view.emulatorpin, view.vcpuCpuset, ...view.iothreadpin.values()]) {
    if (pin !== undefined)
      assert.ok(
        pin.length > 0 && within(pin, [...cpus, ...own, ...(to.allowed.cpus ?? onlineOf(to.host))]),
        'threads within the cpuset',
      )
  }
  assert.deepEqual(
    [...view.iothreadpin.keys()].filter((id) => !view.iothreads.includes(id)),
    [],
  )
}

t.test('rebind keeps what the guest sees, and places every cell', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(roomy, target, (from, to) => {
      const first = attempt(from.domain, from)
      if (!('text' in first)) return
      const before = abiOf(first.text)
      const moved = attempt(first.text, to, 'if-better')
      if (!('text' in moved)) {
        for (const code of moved) {
          seen.add(code)
          assert.ok(LACKS.includes(code), `refused: ${moved}`)
        }
        const wasPinned = viewOf(first.text)
        // An emulator among the vCPUs, there to reach the memory of a node, leaves their pins one to one.
        const wantsEach = pinsEachCpu(to, wasPinned) || haveDistinctPins(wasPinned)
        const enough = cpusFor(to).length >= before.online.length || !wantsEach
        if (moved[0] === 'not-enough-threads') assert.ok(!enough, 'there are enough CPUs')
        if (moved[0] === 'no-memory-node') assert.deepEqual(memoryNodes(to), [])
        const canAllocate = allocatingNodes(to).some((node) =>
          to.host.nodes.some(({ id, cpus }) => id === node && cpus.length > 0),
        )
        if (moved[0] === 'allocated-without-cpus' && before.memoryDevices.length === 0)
          assert.ok(!canAllocate, 'no node has CPUs to allocate the memory')
        return
      }
      seen.add('moved')
      if (before.cells.length > 1) seen.add('several cells')
      assert.deepEqual(abiOf(moved.text), before, 'the guest sees what it saw')
      checkMoved(moved, to, viewOf(first.text))
      assert.deepEqual(attempt(first.text, to, 'if-better'), moved, 'deterministic')
      const again = attempt(moved.text, to, 'if-better')
      assert.ok('edits' in again, `refused: ${again}`)
      assert.deepEqual(again.edits, [], 'a second run has nothing to do')
    }),
    { ...RUNS, numRuns: times(2000) },
  )
  t.comment(seen.all().join(', '))
  t.ok(seen.of('moved') > times(100), `${seen.of('moved')} moved`)
  t.ok(seen.of('several cells') > times(25), `${seen.of('several cells')} with several cells`)
  t.end()
})

// ---- topology=lock ----

/** What a guest's kernel sees; one without topology has a socket for each vCPU. */
function seenBy(text: string) {
  const { cells, memoryKiB, vcpus, online, topology } = viewOf(text)
  return {
    cells: cells.map(({ id, vcpus, memoryKiB, distances }) => ({ id, vcpus, memoryKiB, distances })),
    topology: topology ?? { sockets: vcpus, dies: 1, clusters: 1, cores: 1, threads: 1 },
    memoryKiB,
    online,
  }
}

const recordIn = (text: string): string | undefined => / shape='([^']*)'/.exec(text)?.[1]

/** The domain as it was before its first fit, with the record that the fit left. */
const withRecord = (domain: string, shape: string): string =>
  domain.replace(
    '</name>',
    `</name><metadata><n:guestMappingPassthrough xmlns:n='urn:virt-numa:1' shape='${shape}'/></metadata>`,
  )

const first = fc
  .tuple(roomy, fc.constantFrom(undefined, undefined, 'kubevirt'), fc.constantFrom(undefined, 'even'))
  .map(
    ([each, like, memory]): Case => ({
      ...each,
      flags: stated({ ...each.flags, like, memory, topology: 'lock' }) as RequestedKeys,
    }),
  )

/** What would build other cells, were the shape not locked. */
const later = fc.record({
  cells: fc.constantFrom(undefined, 1, 2, 3),
  memory: fc.constantFrom(undefined, 'even', 'by-free-pages'),
  distances: fc.constantFrom(undefined, 'none'),
  existing: fc.constantFrom(undefined, 'keep', 'replace'),
})

t.test('a guest whose shape is locked sees the same on every host', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(first, target, later, (from, elsewhere, wishes) => {
      const fitted = attempt(from.domain, from)
      if (!('text' in fitted)) return
      const shape = recordIn(fitted.text) ?? assert.fail('the first fit records the shape')
      const again = attempt(fitted.text, from)
      assert.ok('edits' in again, `refused on the first host: ${again}`)
      assert.deepEqual(again.edits, [], 'a second run has nothing to do')
      const to: Fit = { ...elsewhere, flags: stated({ ...elsewhere.flags, ...wishes }) as RequestedKeys }
      for (const domain of [fitted.text, withRecord(from.domain, shape)]) {
        const moved = attempt(domain, to)
        const what: string = domain === fitted.text ? 'its cells stay' : 'its cells are given'
        if (!('text' in moved)) {
          for (const code of moved) seen.add(code)
          assert.ok(!moved.some((code) => code.startsWith('shape-')), `${what}: ${moved}`)
          continue
        }
        seen.add(what)
        if (moved.placement.cells.length > 1) seen.add('several cells')
        assert.deepEqual(seenBy(moved.text), seenBy(fitted.text), what)
        assert.equal(recordIn(moved.text), shape, 'the record stays')
        const twice = attempt(moved.text, to)
        assert.ok('edits' in twice, `${what}, refused again: ${twice}`)
        assert.deepEqual(twice.edits, [], `${what}: a second run has nothing to do`)
      }
    }),
    { ...RUNS, numRuns: times(2000) },
  )
  t.comment(seen.all().join(', '))
  for (const what of ['its cells stay', 'its cells are given', 'several cells'])
    t.ok(seen.of(what) > times(100), `${what}: ${seen.of(what)}`)
  t.end()
})

t.test('vCPUs keep a shared cpuset as long as there is a CPU for each', (t) => {
  const host = { nodes: [{ id: 0, cpus: setOf<CpuSet>(range(8)), pages: [] }], siblings: [] }
  const fit: Fit = { host, allowed: {}, flags: { pin: 'cpu' }, reserve: [] }
  const floating = (cpuset: string): string => {
    const pins = range(4).map((vcpu) => `<vcpupin vcpu='${vcpu}' cpuset='${cpuset}'/>`)
    const memnode = "<memnode cellid='0' mode='strict' nodeset='0'/>"
    return `<domain type='kvm'><memory>4096</memory><vcpu>4</vcpu><cputune>${pins.join('')}</cputune>
      <numatune><memory mode='strict' nodeset='0'/>${memnode}</numatune>
      <cpu><numa><cell id='0' cpus='0-3' memory='4096'/></numa></cpu></domain>`
  }
  const pinsAfter = (cpuset: string): string => {
    const moved = attempt(floating(cpuset), fit, 'if-better')
    return 'text' in moved ? moved.placement.binding.vcpupin.map(formatSet).join(' ') : `refused: ${moved}`
  }
  t.equal(pinsAfter('4-7'), '4-7 4-7 4-7 4-7', 'four CPUs for four: it stays')
  t.equal(pinsAfter('5-7'), '0 1 2 3', 'three CPUs for four: each gets its own')
  t.end()
})

const searchArb: fc.Arbitrary<AssignmentProblem> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }))
  .chain(([cells, nodes]) => {
    const table = (rows: number, min: number, max: number) =>
      fc.array(fc.array(fc.integer({ min, max }), { minLength: rows, maxLength: rows }), {
        minLength: rows,
        maxLength: rows,
      })
    const lookUp = (rows: readonly number[][]) => (a: number, b: number) => rows[a]?.[b] as number
    const perNode = <T>(arbitrary: fc.Arbitrary<T>) =>
      fc.array(arbitrary, { minLength: nodes, maxLength: nodes })
    const inUnits = (most: number) => fc.nat(most).map((units) => units * 2048)
    return fc
      .record({
        cells: fc.array(
          fc.record({
            cores: fc.nat(4),
            threads: fc.integer({ min: 1, max: 2 }),
            bare: fc.nat(5).map((one) => one === 0),
            pagesizeKiB: fc.constantFrom(0, 2048),
            memoryKiB: fc.integer({ min: 1, max: 8 }).map((units) => units * 2048),
            currentNode: maybe(fc.nat(nodes - 1)),
          }),
          { minLength: cells, maxLength: cells },
        ),
        rooms: perNode(
          fc.record({
            cores: fc.nat(8),
            untaken: fc.nat(8),
            behind: fc.uniqueArray(fc.nat(nodes - 1), { minLength: 1, maxLength: 2 }),
            remote: fc.nat(3),
          }),
        ),
        ordinary: perNode(inUnits(12)),
        now: perNode(inUnits(12)),
        huge: perNode(inUnits(12)),
        makeable: perNode(fc.oneof(fc.constant(Number.POSITIVE_INFINITY), inUnits(4))),
        extra: fc.nat(6),
        overflows: fc.nat(4).map((one) => one === 0),
        guestDistance: table(cells, 11, 15),
        hostDistance: table(nodes, 11, 15),
      })
      .map((parts): AssignmentProblem => {
        const running = parts.rooms.flatMap(({ behind, remote }, run) =>
          [...behind].sort((a, b) => a - b).map((memory): Site => ({ run, memory, node: run, remote })),
        )
        const sites = [
          ...running,
          ...range(nodes).map((memory): Site => ({ run: -1, memory, node: memory, remote: 0 })),
        ]
        const between = lookUp(parts.hostDistance)
        const unlimited = range(nodes).map(() => Number.POSITIVE_INFINITY)
        return {
          cells: parts.cells.map(({ cores, threads, bare, currentNode, ...need }) => {
            const own = sites.flatMap(({ run }, site) => (run < 0 === bare ? [site] : []))
            return {
              ...need,
              cores: bare ? 0 : cores,
              vcpus: bare ? 0 : cores * threads,
              sites: own,
              current: own.filter((site) => sites[site]?.node === currentNode),
            }
          }),
          sites,
          runNodes: parts.rooms,
          supply: new Map([
            [
              0,
              {
                nodesKiB: parts.ordinary,
                makeableKiB: range(nodes).map(() => 0),
                extraKiB: 0,
                availableKiB: parts.now,
              },
            ],
            [
              2048,
              {
                nodesKiB: parts.huge,
                makeableKiB: parts.makeable,
                extraKiB: parts.extra * 2048,
                availableKiB: unlimited,
              },
            ],
          ]),
          overflows: parts.overflows,
          guestDistance: lookUp(parts.guestDistance),
          hostDistance: (a, b) => between(sites[a]?.node as number, sites[b]?.node as number),
        }
      })
  })

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const beyond = (asked: number, has: number): number => Math.max(0, asked - has)

/** The cost that cost.ts defines at its head, computed from the assignment alone, then the sites. */
function costOf(problem: AssignmentProblem, siteOfCell: readonly number[]): number[] {
  const { cells, sites, runNodes, supply, overflows, guestDistance, hostDistance } = problem
  const siteOf = (cell: number): Site => sites[siteOfCell[cell] as number] as Site
  const askedOf = (size: number, node: number): number =>
    sum(
      cells.map((cell, at) => (cell.pagesizeKiB === size && siteOf(at).memory === node ? cell.memoryKiB : 0)),
    )
  const memory = [...supply].map(([size, { nodesKiB, makeableKiB, extraKiB, availableKiB }]) => {
    const asked = nodesKiB.map((_, node) => askedOf(size, node))
    const over = asked.map((kib, node) => beyond(kib, nodesKiB[node] as number))
    if (overflows) {
      const isUsed = (node: number): boolean =>
        cells.some((cell, at) => cell.pagesizeKiB === size && siteOf(at).memory === node)
      const has = sum(nodesKiB.filter((_, node) => isUsed(node)))
      const made = Math.min(sum(makeableKiB.filter((_, node) => isUsed(node))), extraKiB)
      return { missing: beyond(sum(asked), has + made), lacking: sum(over) }
    }
    const made = over.map((kib, node) => Math.min(kib, makeableKiB[node] as number))
    return {
      missing: sum(over) - sum(made) + beyond(sum(made), extraKiB),
      lacking: sum(asked.map((kib, node) => beyond(kib, availableKiB[node] as number))),
    }
  })
  const onNode = (run: number, count: (cell: AssignmentProblem['cells'][number]) => number): number =>
    sum(cells.map((cell, at) => (siteOf(at).run === run ? count(cell) : 0)))
  const bothWays = (way: AssignmentProblem['guestDistance'], a: number, b: number): number =>
    way(a, b) + way(b, a)
  const differing = cells.flatMap((_, a) =>
    cells
      .slice(0, a)
      .map((__, b) =>
        Math.abs(
          bothWays(guestDistance, a, b) -
            bothWays(hostDistance, siteOfCell[a] as number, siteOfCell[b] as number),
        ),
      ),
  )
  return [
    sum(
      runNodes.map((node, run) =>
        beyond(
          onNode(run, ({ cores }) => cores),
          node.cores,
        ),
      ),
    ),
    sum(memory.map(({ missing }) => missing)),
    sum(
      runNodes.map((node, run) =>
        beyond(
          onNode(run, ({ vcpus }) => vcpus),
          node.untaken,
        ),
      ),
    ),
    sum(memory.map(({ lacking }) => lacking)),
    sum(differing) + sum(cells.map((_, at) => siteOf(at).remote)),
    cells.filter(({ current }, at) => !current.includes(siteOfCell[at] as number)).length,
    ...siteOfCell,
  ]
}

const counted = ({ cpus, memory, taken, available, distance, moved }: SiteCost): number[] => [
  cpus,
  memory,
  taken,
  available,
  distance,
  moved,
]
/** How many of them costOf puts before the sites. */
const CRITERIA = 6

const less = (a: readonly number[], b: readonly number[]): number =>
  a.map((value, at) => value - (b[at] as number)).find((way) => way !== 0) ?? 0

/** Every way to give each cell one of its sites. */
const assignments = ({ cells }: Pick<AssignmentProblem, 'cells'>): number[][] =>
  cells.reduce<number[][]>(
    (all, { sites }) => all.flatMap((siteOfCell) => sites.map((site) => [...siteOfCell, site])),
    [[]],
  )

t.test('the sites of cells are the best of all assignments by the whole cost', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(searchArb, (search) => {
      let best: number[] | undefined
      let ties = 0
      for (const siteOfCell of assignments(search)) {
        const cost = costOf(search, siteOfCell)
        const way = best === undefined ? -1 : less(cost.slice(0, CRITERIA), best)
        ties = way === 0 ? ties + 1 : way < 0 ? 0 : ties
        if (best === undefined || less(cost, best) < 0) best = cost
      }
      assert.ok(best !== undefined)
      const { siteOfCell, cost } = assignCells(search)
      assert.deepEqual(costOf(search, siteOfCell), best)
      assert.deepEqual(counted(cost), best.slice(0, CRITERIA))
      if (ties > 0) seen.add('ties')
      if (search.overflows) seen.add('overflow')
      for (const [at, name] of ['cpus', 'memory', 'taken', 'available'].entries())
        if ((best[at] as number) > 0) seen.add(name)
      if (search.cells.some(({ sites: [first] }) => search.sites[first as number]?.run === -1))
        seen.add('bare')
    }),
    RUNS,
  )
  t.comment(seen.all().join(', '))
  for (const what of ['ties', 'overflow', 'memory', 'cpus', 'taken', 'available', 'bare'])
    t.ok(seen.of(what) > times(20), `${what}: ${seen.of(what)}`)
  t.end()
})

/** Hosts whose nodes all back themselves, so that a cell's node is its memnode. */
const plainHost = hostParts(4, 6).map(
  (parts): Host => hostOf({ ...parts, memoryKiB: parts.memoryKiB.map((kib) => kib || 4 * GiB) }),
)

const movable = caseOn(plainHost.map((host) => ({ host, allowed: {} }))).map(
  (each): Case => ({
    ...each,
    flags: stated({ cells: each.flags.cells, pin: 'cpu', distances: each.flags.distances }),
  }),
)

/** The search for a guest on a plain host, from the domain and the host alone. */
function searchOf(text: string, { host, reserve }: Fit): AssignmentProblem {
  const view = viewOf(text)
  const threads = vcpusPerCore(view)
  const nodes = host.nodes.filter(({ cpus }) => cpus.length > 0)
  const sizeOf = (cell: number): number =>
    view.hugepages?.find(({ cells }) => cells?.includes(cell) ?? true)?.pagesizeKiB ??
    (view.hugepages ? (host.defaultPagesizeKiB ?? 0) : 0)
  const row = (one: number, other: number): number | undefined =>
    host.nodes.find(({ id }) => id === one)?.distances?.[host.nodes.findIndex(({ id }) => id === other)]
  const way = (a: number, b: number): number => {
    const [from, to] = [nodes[a]?.id as number, nodes[b]?.id as number]
    return a === b ? 11 : Math.min(254, Math.max(11, row(from, to) ?? row(to, from) ?? 20))
  }
  const statesDistances = view.cells.some(({ distances }) => distances.length > 0)
  return {
    cells: view.cells.map(({ id, vcpus, memoryKiB }) => {
      const currentNode = nodes.findIndex((node) => node.id === view.tune.memnodes[id]?.nodes[0])
      const online = vcpus.filter((vcpu) => view.online.some((each) => each === vcpu))
      return {
        cores: new Set(online.map((vcpu) => Math.floor(vcpu / threads))).size,
        vcpus: online.length,
        pagesizeKiB: sizeOf(id),
        memoryKiB,
        sites: range(nodes.length),
        current: currentNode < 0 ? [] : [currentNode],
      }
    }),
    sites: nodes.map((node, run) => ({ run, memory: host.nodes.indexOf(node), node: run, remote: 0 })),
    runNodes: nodes.map(({ cpus }) => ({ cores: Math.floor(cpus.length / threads), untaken: cpus.length })),
    supply: new Map([0, ...SIZES].map((size) => [size, suppliedBy(host, reserve, size)])),
    overflows: false,
    // Cells that state no distances are as near as can be, but on nodes of their own.
    guestDistance: (a, b) => (statesDistances ? (view.cells[a]?.distances[b] ?? 20) : 0),
    hostDistance: (a, b) => (!statesDistances && a === b ? 254 : way(a, b)),
  }
}

function suppliedBy({ nodes, pools }: Host, reserve: Fit['reserve'], size: number): NodeSupply {
  const all = nodes.map(({ memoryKiB }) => memoryKiB ?? Number.POSITIVE_INFINITY)
  const free = nodes.map(({ freeKiB }) => freeKiB)
  if (size === 0) {
    const availableKiB = free.map((kib, node) => kib ?? (all[node] as number))
    return { nodesKiB: all, makeableKiB: all.map(() => 0), extraKiB: 0, availableKiB }
  }
  const pool = pools?.find(({ pagesizeKiB }) => pagesizeKiB === size)
  const kept = reserve.find(({ pagesizeKiB }) => pagesizeKiB === size)?.kib ?? 0
  return {
    nodesKiB: nodes.map(({ pages }) => {
      const found = pages.find(({ pagesizeKiB }) => pagesizeKiB === size)
      return Math.max(0, (found?.free ?? found?.total ?? 0) * size - kept)
    }),
    makeableKiB: free.map((kib) => (kib === undefined ? Number.POSITIVE_INFINITY : kib - (kib % size))),
    extraKiB: Math.max(0, (pool?.overcommit ?? 0) - (pool?.surplus ?? 0)) * size,
    availableKiB: all.map(() => Number.POSITIVE_INFINITY),
  }
}

const vcpusPerCore = ({ topology, vcpus }: View): number =>
  topology !== undefined && vcpus % topology.threads === 0 ? topology.threads : 1

/** The site of each cell, which on a plain host is its node; undefined where cells span nodes. */
function sitesIn(text: string, { sites }: AssignmentProblem, { nodes }: Host): number[] | undefined {
  const siteOfCell = viewOf(text).tune.memnodes.map((memnode) =>
    memnode.nodes.length === 1 ? sites.findIndex(({ memory }) => nodes[memory]?.id === memnode.nodes[0]) : -1,
  )
  return siteOfCell.includes(-1) ? undefined : siteOfCell
}

t.test('a guest that moves gets the best single nodes', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(movable, plainHost, (from, host) => {
      const to: Fit = { host, allowed: {}, flags: { pin: 'cpu' }, reserve: [] }
      const first = attempt(from.domain, from)
      if (!('text' in first) || first.view.memoryDevices.length > 0) return
      const moved = attempt(first.text, to, 'if-better')
      if (!('text' in moved)) return
      const search = searchOf(first.text, to)
      const costs = assignments(search).map((siteOfCell) => costOf(search, siteOfCell))
      const [best = []] = costs.sort(less)
      if (best[0] !== 0) return
      const siteOfCell = sitesIn(moved.text, search, host) ?? assert.fail('one node holds each cell')
      if (moved.edits.length > 0) assert.deepEqual(costOf(search, siteOfCell), best)
      seen.add(moved.edits.length > 0 ? 'moved' : 'kept')
      if (siteOfCell.length > 1) seen.add('several cells')
    }),
    { ...RUNS, numRuns: times(2000) },
  )
  t.comment(seen.all().join(', '))
  for (const what of ['moved', 'kept', 'several cells'])
    t.ok(seen.of(what) > times(3), `${what}: ${seen.of(what)}`)
  t.end()
})

t.test('after a move to another host and back, a guest is placed as well as before', (t) => {
  const seen = tally()
  fc.assert(
    fc.property(movable, plainHost, (from, other) => {
      const planned = attempt(from.domain, from)
      if (!('text' in planned) || planned.view.memoryDevices.length > 0) return
      const home: Fit = { ...from, flags: { pin: 'cpu' } }
      const first = attempt(planned.text, home, 'if-better')
      assert.ok('text' in first, `refused on the first host: ${first}`)
      const away = attempt(
        first.text,
        { host: other, allowed: {}, flags: { pin: 'cpu' }, reserve: [] },
        'if-better',
      )
      if (!('text' in away)) return
      const back = attempt(away.text, home, 'if-better')
      assert.ok('text' in back, `refused on the way back: ${back}`)
      const search = searchOf(first.text, home)
      const before = costOf(
        search,
        sitesIn(first.text, search, home.host) ?? assert.fail('planned on single nodes'),
      )
      const nodes = sitesIn(back.text, search, home.host)
      // A placement that still fits is kept, as everywhere: then memory and CPUs count, not the distances
      // between cells.
      const isLeft = back.edits.length === 0
      const after = nodes === undefined ? [] : costOf(search, nodes)
      const best = minimum(search)
      if (isLeft)
        assert.ok(
          nodes === undefined || (after[1] as number) <= (before[1] as number),
          'no less memory than before',
        )
      else if (best[0] === 0) assert.deepEqual(after.slice(0, best.length), best, 'the best placement')
      // Where nodes with memory lack CPUs, cells run on several nodes, or at least have all their CPUs.
      else assert.ok(nodes === undefined || after[0] === 0, 'CPUs for all')
      if (nodes !== undefined && best[0] === 0)
        assert.ok((after[1] as number) <= (before[1] as number), `${after} after ${before}`)
      seen.add(isLeft ? 'left' : 'back')
      if (first.placement.cells.length > 1) seen.add('several cells')
    }),
    { ...RUNS, numRuns: times(2000) },
  )
  t.comment(seen.all().join(', '))
  for (const what of ['back', 'several cells']) t.ok(seen.of(what) > times(10), `${what}: ${seen.of(what)}`)
  t.end()
})

/** The least cost of all but staying, which depends on where cells were before. */
function minimum(search: AssignmentProblem): readonly number[] {
  const costs = assignments(search).map((siteOfCell) => costOf(search, siteOfCell).slice(0, CRITERIA - 1))
  return costs.sort(less)[0] as number[]
}
