// Where a guest sits, against brute force on small hosts: an assignment without a shortage is found where
// there is one, and of existing cells one that lacks least; a rebind of a fresh plan changes nothing, and no
// rebind takes away what the guest had.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { range } from '../../src/base/idset.ts'
import { preflight } from '../../src/check.ts'
import { classOf } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { type Placed, place } from '../../src/place.ts'
import { type RequestedKeys, readKeys } from '../../src/request/request.ts'
import { writeElement } from '../../src/xml/build.ts'
import { times } from '../long.ts'

const RUNS = { numRuns: times(1500), seed: 20_261_126, includeErrorInReport: true }
const PAGE = 2048
/** `units` of a node: pages, or MiB of ordinary memory, that it has with nothing in use. */
const ALL = 8
const UNIT = { pages: PAGE, ordinary: 1024 } as const

type Kind = keyof typeof UNIT

interface SmallNode {
  readonly cpus: number
  /** Units that are there: none, half or all of them. */
  readonly units: 0 | 4 | 8
}

interface SmallHost {
  readonly kind: Kind
  /** Of these versions the ones between 8.10 and 9.2 allocate no pages on nodes without CPUs. */
  readonly libvirt: undefined | '8.9.0' | '9.0.0' | '9.2.0'
  readonly nodes: readonly SmallNode[]
  /** Between any two, by the sum of their indices. */
  readonly distances: readonly number[]
}

const smallHost: fc.Arbitrary<SmallHost> = fc.record({
  kind: fc.constantFrom<Kind>('pages', 'ordinary'),
  libvirt: fc.constantFrom(undefined, '8.9.0', '9.0.0', '9.2.0'),
  nodes: fc.array(
    fc.record({ cpus: fc.constantFrom(0, 2, 3, 4), units: fc.constantFrom<0 | 4 | 8>(0, 4, 8, 8) }),
    { minLength: 1, maxLength: 4 },
  ),
  distances: fc.array(fc.constantFrom(12, 16, 16, 21), { minLength: 6, maxLength: 6 }),
})

const between = ({ distances }: SmallHost, a: number, b: number): number =>
  a === b ? 10 : (distances[(a + b + Math.min(a, b)) % 6] as number)

/** host.json; node ids have gaps, and a memory-less node has no pages. */
function jsonOf(host: SmallHost, order = [...host.nodes.keys()]): string {
  const first = host.nodes.map((_, node) =>
    host.nodes.slice(0, node).reduce((sum, { cpus }) => sum + cpus, 0),
  )
  const nodes = order.map((node) => {
    const { cpus, units } = host.nodes[node] as SmallNode
    const isOrdinary = host.kind === 'ordinary'
    return {
      id: node * 2,
      cpus: range(cpus)
        .map((cpu) => (first[node] as number) + cpu)
        .join(','),
      memoryKiB: isOrdinary ? units * UNIT.ordinary : 64 * PAGE,
      pages: isOrdinary ? [] : [{ pagesizeKiB: PAGE, total: ALL, free: units }],
      distances: order.map((other) => between(host, node, other)),
    }
  })
  const siblings = range(first.length === 0 ? 0 : totalCpus(host)).map(String)
  return JSON.stringify({ nodes, siblings, ...(host.libvirt !== undefined && { libvirt: host.libvirt }) })
}

const totalCpus = ({ nodes }: SmallHost): number => nodes.reduce((sum, { cpus }) => sum + cpus, 0)

/** Nodes that may back a cell: those with memory, and CPUs where libvirt needs them to allocate pages. */
function withMemory({ kind, libvirt, nodes }: SmallHost): number[] {
  const anywhere = libvirt === '8.9.0' || libvirt === '9.2.0'
  return [...nodes.keys()].filter((each) => {
    const { cpus, units } = nodes[each] as SmallNode
    return kind === 'pages' ? anywhere || cpus > 0 : units > 0
  })
}

/** Nodes that may back a cell on this node: the nearest of these. */
function behind(host: SmallHost, node: number): number[] {
  const with_ = withMemory(host)
  const far = (each: number): number => (each === node ? 0 : between(host, node, each))
  const least = Math.min(...with_.map(far))
  return with_.filter((each) => far(each) === least)
}

const backingXml = (kind: Kind): string =>
  kind === 'pages' ? "<memoryBacking><hugepages><page size='2048'/></hugepages></memoryBacking>" : ''

function fitted(text: string, host: string, keys: RequestedKeys, move?: 'if-better'): Placed {
  const { host: read, allowed = {} } = parseSnapshot(host, 'host.json')
  return place(readDocument(text), { host: read, allowed, flags: keys }, writeElement, move)
}

const SHORTAGES = ['pages-short', 'memory-short', 'memory-over-node', 'pages-limit', 'pages-promised']

/** What the answer lacks on the host; it is checked with the host alone. It is never refused. */
function shortagesIn({ text, resources }: Placed): string[] {
  const found = preflight(readDomain(readDocument(text)), resources)
  assert.deepEqual(
    found.filter((each) => classOf(each.code) === 'invalid'),
    [],
  )
  return found.map(({ code }) => code).filter((code) => SHORTAGES.includes(code))
}

/** All ways to take one of each list. */
function product(lists: readonly (readonly number[])[]): number[][] {
  return lists.reduce<number[][]>(
    (all, list) => all.flatMap((way) => list.map((each) => [...way, each])),
    [[]],
  )
}

const subsets = (count: number): number[][] =>
  range(2 ** count - 1).map((bits) => range(count).filter((bit) => ((bits + 1) >> bit) & 1))

function fits(host: SmallHost, asked: readonly (readonly [node: number, units: number])[]): boolean {
  return host.nodes.every(
    ({ units }, node) => asked.reduce((sum, [at, own]) => sum + (at === node ? own : 0), 0) <= units,
  )
}

// ---- New cells ----

/** One by one to the cell that has least, as long as its node has a CPU; undefined where they do not fit. */
function sharedEvenly(count: number, room: readonly number[]): number[] | undefined {
  const got = room.map(() => 0)
  for (const _ of range(count)) {
    const open = got.flatMap((each, cell) => (each < (room[cell] as number) ? [cell] : []))
    if (open.length === 0) return undefined
    const least = Math.min(...open.map((cell) => got[cell] as number))
    const cell = open.find((each) => got[each] === least) as number
    got[cell] = (got[cell] as number) + 1
  }
  return got
}

function unitsOf(memory: string, units: number, vcpus: readonly number[]): number[] {
  const weights = memory === 'even' ? vcpus.map(() => 1) : vcpus
  const all = weights.reduce((sum, each) => sum + each, 0)
  const shares = weights.map((weight) => Math.floor((units * weight) / all))
  const odd = units - shares.reduce((sum, each) => sum + each, 0)
  const got = shares.map((share, cell) => share + (cell < odd ? 1 : 0))
  for (let bare = got.indexOf(0); bare >= 0; bare = got.indexOf(0)) {
    const largest = got.indexOf(Math.max(...got))
    got[largest] = (got[largest] as number) - 1
    got[bare] = 1
  }
  return got
}

interface NewGuest {
  readonly host: SmallHost
  readonly vcpus: number
  readonly units: number
  readonly memory: 'by-vcpu' | 'even' | 'by-free-pages'
}

const newGuest: fc.Arbitrary<NewGuest> = fc.record({
  host: smallHost,
  vcpus: fc.integer({ min: 1, max: 6 }),
  units: fc.integer({ min: 4, max: 20 }),
  memory: fc.constantFrom('by-vcpu', 'even', 'by-free-pages'),
})

const newGuestXml = ({ host, vcpus, units }: NewGuest): string =>
  `<domain type='kvm'><name>db1</name><memory unit='KiB'>${units * UNIT[host.kind]}</memory>` +
  `${backingXml(host.kind)}<vcpu>${vcpus}</vcpu><os><type arch='x86_64'>hvm</type></os></domain>`

/** Whether any set of nodes, with any of the nodes behind them, backs the guest. */
function canBeBacked({ host, vcpus, units, memory }: NewGuest): boolean {
  return subsets(host.nodes.length).some((set) => {
    const shares = sharedEvenly(
      vcpus,
      set.map((node) => (host.nodes[node] as SmallNode).cpus),
    )
    if (shares === undefined || shares.includes(0) || units < set.length) return false
    return product(set.map((node) => behind(host, node))).some((backing) => {
      if (memory !== 'by-free-pages' || host.kind === 'ordinary') {
        const own = unitsOf(memory, units, shares)
        return fits(
          host,
          backing.map((node, cell) => [node, own[cell] as number] as const),
        )
      }
      const free = [...new Set(backing)].reduce((sum, node) => sum + (host.nodes[node] as SmallNode).units, 0)
      return (
        free >= units &&
        fits(
          host,
          backing.map((node) => [node, 1] as const),
        )
      )
    })
  })
}

/** The answer, or undefined where it is refused for a lack of CPUs or memory. */
function orRefused(decide: () => Placed): Placed | string {
  try {
    return decide()
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(({ code }) => code).join(' ')
    throw error
  }
}

t.test('a new guest has no shortage where any set of nodes backs it', (t) => {
  let backed = 0
  let short = 0
  fc.assert(
    fc.property(newGuest, (guest) => {
      fc.pre(totalCpus(guest.host) >= guest.vcpus)
      const keys = readKeys(Object.entries({ pin: 'cpu', memory: guest.memory }), 'test')
      const answer = orRefused(() => fitted(newGuestXml(guest), jsonOf(guest.host), keys))
      if (!canBeBacked(guest)) {
        short += 1
        return
      }
      backed += 1
      if (typeof answer === 'string') assert.fail(`refused: ${answer}`)
      assert.deepEqual(shortagesIn(answer), [])
    }),
    RUNS,
  )
  t.ok(backed > times(200) && short > times(50), `${backed} can be backed, ${short} cannot`)
  t.end()
})

t.test('a rebind of a fresh plan changes nothing, nor does a second run or another order of nodes', (t) => {
  let fits = 0
  fc.assert(
    fc.property(newGuest, fc.constantFrom('cpu', 'cell', 'auto'), (guest, pin) => {
      const keys = readKeys(Object.entries({ pin, memory: guest.memory }), 'test')
      const host = jsonOf(guest.host)
      const answer = orRefused(() => fitted(newGuestXml(guest), host, keys))
      const turned = jsonOf(guest.host, [...guest.host.nodes.keys()].reverse())
      const other = orRefused(() => fitted(newGuestXml(guest), turned, keys))
      const textOf = (each: Placed | string): string => (typeof each === 'string' ? each : each.text)
      assert.equal(textOf(other), textOf(answer))
      if (typeof answer === 'string') return
      fits += 1
      assert.equal(fitted(answer.text, host, keys).text, answer.text)
      assert.equal(fitted(answer.text, host, keys, 'if-better').text, answer.text)
    }),
    RUNS,
  )
  t.ok(fits > times(200), `${fits} fit`)
  t.end()
})

// ---- Existing cells ----

interface Cell {
  readonly vcpus: number
  readonly units: number
}

interface OldGuest {
  readonly host: SmallHost
  readonly cells: readonly Cell[]
  /** Where it was pinned one to one, and bound to these nodes (indices); some are not here. */
  readonly pinned: boolean
  readonly bound: readonly number[]
  readonly realtime: boolean
}

const oldGuest: fc.Arbitrary<OldGuest> = fc.record({
  host: smallHost,
  cells: fc
    .array(fc.record({ vcpus: fc.constantFrom(0, 1, 2, 2, 3), units: fc.integer({ min: 1, max: 7 }) }), {
      minLength: 1,
      maxLength: 4,
    })
    .filter((cells) => cells.some(({ vcpus }) => vcpus > 0)),
  pinned: fc.boolean(),
  bound: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 4, maxLength: 4 }),
  realtime: fc.boolean(),
})

const vcpusOf = ({ cells }: Pick<OldGuest, 'cells'>): number =>
  cells.reduce((sum, { vcpus }) => sum + vcpus, 0)

function oldGuestXml({ host, cells, pinned, bound, realtime }: OldGuest): string {
  const vcpus = vcpusOf({ cells })
  const kib = UNIT[host.kind]
  const firsts = cells.map((_, cell) => vcpusOf({ cells: cells.slice(0, cell) }))
  const list = cells.map(({ vcpus: own, units }, id) => {
    const ids = own === 0 ? '' : ` cpus='${firsts[id]}-${(firsts[id] as number) + own - 1}'`
    return `<cell id='${id}'${ids} memory='${units * kib}' unit='KiB'/>`
  })
  const nodes = cells.map((_, cell) => (bound[cell] as number) * 2)
  const pins = pinned ? range(vcpus).map((vcpu) => `<vcpupin vcpu='${vcpu}' cpuset='${vcpu + 2}'/>`) : []
  const sched = realtime ? `<vcpusched vcpus='0-${vcpus - 1}' scheduler='fifo' priority='1'/>` : ''
  const memory = cells.reduce((sum, { units }) => sum + units, 0) * kib
  return (
    `<domain type='kvm'><name>db1</name><memory unit='KiB'>${memory}</memory>${backingXml(host.kind)}` +
    `<vcpu>${vcpus}</vcpu><cputune>${pins.join('')}${sched}</cputune>` +
    `<numatune><memory mode='strict' nodeset='${[...new Set(nodes)].join(',')}'/>` +
    nodes.map((node, cell) => `<memnode cellid='${cell}' mode='strict' nodeset='${node}'/>`).join('') +
    `</numatune><os><type arch='x86_64'>hvm</type></os><cpu><numa>${list.join('')}</numa></cpu></domain>`
  )
}

/** Every way to back the cells (indices of nodes) with CPUs for all of them on the nodes that are near. */
function backingsWithCpus({ host, cells }: OldGuest): number[][] {
  const nodes = [...host.nodes.keys()]
  const runs = nodes.filter((node) => (host.nodes[node] as SmallNode).cpus > 0)
  return product(cells.map(({ vcpus }) => (vcpus === 0 ? [-1] : runs))).flatMap((places) => {
    const hasCpus = nodes.every((node) => {
      const used = cells.reduce((sum, { vcpus }, cell) => sum + (places[cell] === node ? vcpus : 0), 0)
      return used <= (host.nodes[node] as SmallNode).cpus
    })
    return hasCpus ? product(places.map((place) => (place < 0 ? withMemory(host) : behind(host, place)))) : []
  })
}

/** Units that nodes lack for cells on them. */
function missingOn({ host, cells }: OldGuest, backing: readonly number[]): number {
  return host.nodes.reduce((sum, { units }, node) => {
    const asked = cells.reduce((all, cell, at) => all + (backing[at] === node ? cell.units : 0), 0)
    return sum + Math.max(0, asked - units)
  }, 0)
}

t.test('existing cells lack as little as any assignment with CPUs for all, and keep what they had', (t) => {
  let backed = 0
  let short = 0
  let moved = 0
  fc.assert(
    fc.property(oldGuest, (guest) => {
      const vcpus = vcpusOf(guest)
      fc.pre(totalCpus(guest.host) >= vcpus)
      const isOwn = guest.pinned || guest.realtime
      const keys = readKeys(Object.entries(isOwn ? {} : { pin: 'cpu' }), 'test')
      const answer = orRefused(() => fitted(oldGuestXml(guest), jsonOf(guest.host), keys, 'if-better'))
      if (typeof answer !== 'string') {
        moved += 1
        keepsWhatItHad(answer, guest)
        assert.equal(fitted(answer.text, jsonOf(guest.host), keys, 'if-better').text, answer.text)
      }
      const ways = backingsWithCpus(guest).map((backing) => missingOn(guest, backing))
      if (ways.length === 0) return
      const least = Math.min(...ways)
      if (typeof answer === 'string') assert.fail(`refused: ${answer}`)
      const nodes = answer.placement.binding.memnodes.map((memnode) => (memnode.nodes[0] as number) / 2)
      assert.equal(missingOn(guest, nodes), least, 'no assignment lacks less')
      assert.equal(shortagesIn(answer).length > 0, least > 0)
      if (least > 0) short += 1
      else backed += 1
    }),
    RUNS,
  )
  t.ok(backed > times(150) && moved > backed, `${backed} of ${moved} can be backed`)
  t.ok(short > times(50), `${short} lack as little as they can`)
  t.end()
})

/** One CPU for each vCPU, on a node behind whose CPUs the memory of its cell is; the emulator on others. */
function keepsWhatItHad({ view, placement, resources, notes }: Placed, { host }: OldGuest): void {
  const { vcpupin, emulatorpin, memnodes } = placement.binding
  const used = vcpupin.map((pin) => pin[0])
  assert.ok(
    vcpupin.every((pin) => pin.length === 1),
    'one CPU each',
  )
  assert.equal(new Set(used).size, used.length, 'each has its own')
  // It allocates huge pages from a CPU of their node, so it shares one where none is spare there.
  const mustShare = notes.some(({ code }) => code === 'emulator-among-vcpus')
  assert.ok(mustShare || !(emulatorpin ?? []).some((cpu) => used.includes(cpu)), 'which the emulator has not')
  for (const { id, vcpus } of view.cells) {
    for (const vcpu of vcpus) {
      const node = resources.nodes.find(({ cpus }) => cpus.includes(used[vcpu] as number))?.id as number
      const near = behind(host, node / 2).map((each) => each * 2)
      assert.ok(
        near.some((each) => memnodes[id]?.nodes.includes(each)),
        `vCPU ${vcpu} is near its memory`,
      )
    }
  }
}
