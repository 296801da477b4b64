// The pins of vCPUs, of the emulator and of I/O threads.

import t from 'tap'
import type { Diagnostic } from '../../src/base/diagnostic.ts'
import type { NodeSet } from '../../src/base/idset.ts'
import { type CpuSet, formatSet, formatSets, setOf, type VcpuSet } from '../../src/base/idset.ts'
import { reachMemory, type ThreadPins, threadPins } from '../../src/plan/cpus/emulator.ts'
import { type CellOnNodes, vcpuPins } from '../../src/plan/cpus/pins.ts'
import { kubevirtThreads } from '../../src/plan/kubevirt/threads.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { cpus, guest, situationIn } from './fixtures.ts'

/** "0: 1-2" for vCPUs 1 and 2 on node 0, "0+1: " for nodes without vCPUs. */
function cell(text: string): CellOnNodes {
  const [nodes = '', vcpus = ''] = text.split(': ')
  return { nodes: nodes.split('+').map(Number), vcpus: setOf<VcpuSet>(cpus(vcpus || '')) }
}

/** "0=4 1=5" is vCPU 0 on CPU 4 and vCPU 1 on CPU 5. */
function cpuOf(text: string): Map<number, CpuSet> {
  const pairs = text.split(' ').filter((each) => each !== '')
  return new Map(
    pairs.map((each): [number, CpuSet] => {
      const [vcpu = '', cpu = ''] = each.split('=')
      return [Number(vcpu), cpus(cpu)]
    }),
  )
}

// ---- vCPUs ----

const vcpuTable: readonly (readonly [string, string, readonly string[], string, string])[] = [
  ['each on its CPU', '2', ['0: 0-1'], '0=1 1=3', '1 3'],
  ['shared: the CPUs of the node of their cell', '4', ['0: 0-1', '1: 2-3'], '', '0-3 0-3 4-7 4-7'],
  ['a cell on two nodes', '2', ['0+1: 0-1'], '', '0-7 0-7'],
  ['one that is offline gets the CPUs of its cell', '3', ['0: 0-2'], '0=1 1=3', '1 3 1,3'],
  ['a cell that is wholly offline gets its node', '3', ['0: 0-1', '1: 2'], '0=1 1=3', '1 3 4-7'],
  ['in no cell: no pin', '3', ['0: 0-1'], '0=1 1=3', '1 3 -'],
]

for (const [what, vcpus, cells, given, expected] of vcpuTable) {
  t.test(`pins of vCPUs: ${what}`, (t) => {
    const pins = vcpuPins(situationIn(guest(Number(vcpus))), cells.map(cell), cpuOf(given))
    t.equal(
      formatSets(pins)
        .map((pin) => pin || '-')
        .join(' '),
      expected,
    )
    t.end()
  })
}

// ---- The emulator and I/O threads ----

const IOTHREADS = '<iothreads>2</iothreads>'
const PINS = "<emulatorpin cpuset='2'/><iothreadpin iothread='1' cpuset='9'/>"
const PINNED = `${IOTHREADS}<cputune>${PINS}</cputune>`

/** "emulator / I/O threads", with the codes of notes after them. */
function words(pins: ThreadPins, notes: readonly Diagnostic[] = []): string {
  const emulator = pins.emulatorpin === undefined ? '-' : formatSet(pins.emulatorpin)
  const iothreads = formatSets(pins.iothreadpin).map((pin) => pin || '-')
  return [`${emulator} / ${iothreads.join(' ') || '-'}`, ...notes.map(({ code }) => code)].join(' ')
}

/** A guest of two vCPUs with CPUs of their own on the nodes in use, unless it shares the CPUs of its cell. */
const threadTable: readonly (readonly [string, RequestedKeys, string, string, string])[] = [
  ['what is spare on the node in use', { pin: 'cpu' }, '', '0 1', '2-3 / -'],
  ['I/O threads go with the emulator', { pin: 'cpu' }, IOTHREADS, '0 1', '2-3 / 2-3 2-3'],
  ['shared CPUs: those of the vCPUs', { pin: 'cell' }, '', '0-3 0-3', '0-3 / -'],
  ['nothing spare: the nearest other node', { pin: 'cpu' }, '', '0-1 2-3', '4-7 / -'],
  ['no spare CPU', { pin: 'cpu', cpuset: cpus('0-1') }, '', '0 1', '- / - emulator-unpinned'],
  ['emulator=shared', { pin: 'cpu', emulator: 'shared' }, '', '0 1', '0-1 / -'],
  ['emulator=none', { pin: 'cpu', emulator: 'none' }, IOTHREADS, '0 1', '- / -'],
  ['CPUs that are named', { pin: 'cpu', emulator: cpus('6') }, IOTHREADS, '0 1', '6 / 6 6'],
  ['as pinned: what is left of each pin', { pin: 'cpu', cpus: 'as-pinned' }, PINNED, '0 1', '2 / 2 2'],
]

for (const [what, requested, inside, vcpupin, expected] of threadTable) {
  t.test(`pins of the emulator: ${what}`, (t) => {
    const { cpuset } = requested
    const base = situationIn(guest(2, inside), requested)
    const nodes = base.available.nodes.map((node) => ({ ...node, cpus: cpuset ?? node.cpus }))
    const available = { ...base.available, nodes: cpuset === undefined ? nodes : nodes.slice(0, 1) }
    const { pins, notes } = threadPins(
      { ...base, available },
      vcpupin.split(' ').map((each) => cpus(each)),
      [0],
    )
    t.equal(words(pins, notes), expected)
    t.end()
  })
}

// ---- The emulator where huge pages are allocated ----

const reachTable: readonly (readonly [string, string, string, number | undefined, string])[] = [
  ['on the node of the pages', '2-3', '0', 2048, '2-3 / -'],
  ['not on it: what is spare there too', '2-3', '1', 2048, '2-7 / -'],
  ['ordinary pages', '2-3', '1', undefined, '2-3 / -'],
  ['nothing spare there: among the vCPUs', '4-7', '0', 2048, '0-1,4-7 / - emulator-among-vcpus'],
]

for (const [what, emulator, node, pagesizeKiB, expected] of reachTable) {
  t.test(`an emulator that reaches memory: ${what}`, (t) => {
    const base = situationIn(guest(2), { pin: 'cpu' })
    const onlyVcpus = emulator === '4-7'
    const nodes = base.available.nodes.map((each) =>
      onlyVcpus && each.id === 0 ? { ...each, cpus: cpus('0-1') } : each,
    )
    const memnode = {
      nodes: setOf<NodeSet>([Number(node)]),
      mode: 'strict' as const,
      ...(pagesizeKiB !== undefined && { pagesizeKiB }),
    }
    const { pins, notes } = reachMemory(
      { ...base, available: { ...base.available, nodes } },
      { pins: { emulatorpin: cpus(emulator), iothreadpin: [] }, notes: [] },
      { vcpupin: [cpus('0'), cpus('1')], memnodes: [memnode] },
    )
    t.equal(words(pins, notes), expected)
    t.end()
  })
}

// ---- KubeVirt's threads ----

const KUBEVIRT = { isolateEmulator: false, evenParity: false, writtenVcpus: 2, wanted: false, pool: 0 }

const kubevirtTable: readonly (readonly [string, Partial<typeof KUBEVIRT>, string])[] = [
  ['nothing is pinned', {}, '- / - -'],
  ['an isolated emulator has the next CPU', { isolateEmulator: true }, '2 / - -'],
  ['and a second one for even parity', { isolateEmulator: true, evenParity: true }, '2-3 / - -'],
  ['I/O threads share the first CPUs in turn', { wanted: true }, '- / 1 0'],
  [
    'with an isolated emulator the first one shares its CPU',
    { wanted: true, isolateEmulator: true },
    '2 / 2 -',
  ],
  ['a pool has dedicated CPUs', { wanted: true, pool: 2 }, '- / 2 3'],
  ['and the emulator the one after', { wanted: true, pool: 2, isolateEmulator: true }, '4 / 2 3'],
  ['fewer threads than vCPUs: slices', { wanted: true, writtenVcpus: 4 }, '- / 0-1 2-3'],
]

for (const [what, threads, expected] of kubevirtTable) {
  t.test(`KubeVirt's threads: ${what}`, (t) => {
    const base = situationIn(guest(2, IOTHREADS), { like: 'kubevirt' })
    const situation = { ...base, request: { ...base.request, threads: { ...KUBEVIRT, ...threads } } }
    t.equal(words(kubevirtThreads(situation, cpuOf('0=0 1=1'))), expected)
    t.end()
  })
}
