// The CPUs that are available to a guest, and whether its vCPUs share them.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { formatSet, formatSets, type NodeSet } from '../../src/base/idset.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import type { CpuSource } from '../../src/model/host.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { cpus, guest, HOST, orCodes, situationIn } from './fixtures.ts'

interface Given {
  readonly allowed?: string
  readonly allowedBy?: CpuSource
  readonly isolated?: string
  /** XML below `<domain>`. */
  readonly inside?: string
}

function availableTo(vcpus: number, requested: RequestedKeys, given: Given): string {
  const { allowed = '0-7', allowedBy = 'online', isolated, inside } = given
  const resources = {
    ...HOST,
    allowed: { ...HOST.allowed, cpus: cpus(allowed) },
    allowedBy,
    ...(isolated !== undefined && { isolated: cpus(isolated) }),
  }
  try {
    const { available, sharesCpus } = situationIn(guest(vcpus, inside), requested, resources)
    const nodes = available.nodes.map(
      ({ id, cores }) => `${id}: ${formatSets(cores.map((core) => core.cpus)).join(' ')}`,
    )
    return `${nodes.join('; ')}${sharesCpus ? ' shared' : ''}`
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(({ code }) => code).join(' ')
    throw error
  }
}

const pinned = (...pins: readonly string[]): string =>
  `<cputune>${pins.map((cpuset, vcpu) => `<vcpupin vcpu='${vcpu}' cpuset='${cpuset}'/>`).join('')}</cputune>`
const TWO_THREADS = "<cpu><topology sockets='1' cores='1' threads='2'/></cpu>"
const REALTIME = "<cputune><vcpusched vcpus='1' scheduler='fifo' priority='1'/></cputune>"

const table: readonly (readonly [string, RequestedKeys, Given, string])[] = [
  ['an open host', {}, {}, '0: 0-1 2-3; 1: 4-5 6-7 shared'],
  ['pin=cpu', { pin: 'cpu' }, {}, '0: 0-1 2-3; 1: 4-5 6-7'],
  ['a part of the host is its own', {}, { allowed: '1-4', allowedBy: 'confined' }, '0: 1 2-3; 1: 4'],
  ['a cpuset of all CPUs too', {}, { allowedBy: 'cpuset' }, '0: 0-1 2-3; 1: 4-5 6-7'],
  ['pin=cell', { pin: 'cell' }, { allowed: '1-2', allowedBy: 'cpuset' }, '0: 1 2 shared'],
  ['isolated CPUs are used', {}, { isolated: '0-1' }, '0: 0-1 2-3; 1: 4-5 6-7 shared'],
  ['unless they are to be avoided', { isolated: 'avoid' }, { isolated: '0-1' }, '0: 2-3; 1: 4-5 6-7 shared'],
  ['and not named', { isolated: 'avoid' }, { isolated: '0', allowed: '0,2', allowedBy: 'cpuset' }, '0: 0 2'],
  ['only isolated ones', { isolated: 'avoid' }, { isolated: '0-3', allowed: '0-3' }, 'no-cpus'],
  ["the emulator's CPU is left to it", { emulator: cpus('0') }, {}, '0: 1 2-3; 1: 4-5 6-7 shared'],
  ['unless vCPUs need it', { emulator: cpus('0') }, { allowed: '0-1', allowedBy: 'cpuset' }, '0: 0-1'],
  ['an offline CPU for the emulator', { emulator: cpus('9') }, {}, 'cpus-offline'],
  ['pins that were one to one stay so', {}, { inside: pinned('4', '1') }, '0: 0-1 2-3; 1: 4-5 6-7'],
  ['unless pin=cell', { pin: 'cell' }, { inside: pinned('4', '1') }, '0: 0-1 2-3; 1: 4-5 6-7 shared'],
  ['two vCPUs on one CPU', {}, { inside: pinned('4', '4') }, '0: 0-1 2-3; 1: 4-5 6-7 shared'],
  ['a pin of two CPUs', {}, { inside: pinned('4', '5-6') }, '0: 0-1 2-3; 1: 4-5 6-7 shared'],
  ['a vCPU without a pin', {}, { inside: pinned('4') }, '0: 0-1 2-3; 1: 4-5 6-7 shared'],
  ['a real-time vCPU does not share', {}, { inside: REALTIME }, '0: 0-1 2-3; 1: 4-5 6-7'],
  ['whole cores', { cores: 'whole' }, {}, '0: 0 2; 1: 4 6'],
  ['whole cores for two threads', { cores: 'whole' }, { inside: TWO_THREADS }, '0: 0-1 2-3; 1: 4-5 6-7'],
  [
    'whole cores: a core that is not wholly available is left out',
    { cores: 'whole' },
    { allowed: '1-4,6-7', allowedBy: 'cpuset' },
    '0: 2; 1: 6',
  ],
  ['whole cores to share', { cores: 'whole', pin: 'cell' }, {}, '0: 0 2; 1: 4 6 shared'],
  [
    'KubeVirt leaves it out',
    { like: 'kubevirt', cpuset: cpus('0,9') },
    { allowed: '0', allowedBy: 'cpuset' },
    '0: 0',
  ],
]

for (const [what, requested, given, expected] of table) {
  t.test(`available CPUs: ${what}`, (t) => {
    t.equal(availableTo(2, requested, given), expected)
    t.end()
  })
}

t.test('the rest of a situation', (t) => {
  const topology = "<cpu><topology sockets='1' cores='2' threads='2'/></cpu>"
  const { guestCores, distance, nodesBehind } = situationIn(guest(4, topology))
  t.same(
    guestCores.map(({ online }) => formatSet(online)),
    ['0-1', '2-3'],
  )
  t.same([distance(0, 0), distance(0, 1)], [20, 42], 'both directions together')
  t.same(nodesBehind.later(1), [1])
  t.end()
})

/** Node 1 has no memory, and nodes 0 and 2 are equally near. */
t.test('nodes behind a node without memory', (t) => {
  const near = [
    [10, 21, 31],
    [21, 10, 21],
    [31, 21, 10],
  ]
  const behind = (
    memoryKiB: readonly number[],
    allowed = '0-2',
    distances: readonly number[][] = near,
  ): string => {
    const nodes = memoryKiB.map((kib, id) => ({
      id,
      cpus: cpus(`${id}`),
      memoryKiB: kib,
      pages: [],
      distances: distances[id] as readonly number[],
    }))
    const resources = {
      nodes,
      siblings: [],
      allowed: { cpus: cpus('0-2'), nodes: parseSet<NodeSet>(allowed, 'test') },
    }
    const { nodesBehind } = situationIn(guest(1), {}, resources)
    return orCodes(() => [0, 1, 2].map((node) => nodesBehind.later(node).join('+')).join(' '))
  }
  t.equal(behind([8, 8, 8]), '0 1 2', 'itself')
  t.equal(behind([8, 0, 8]), '0 0+2 2', 'all that are equally near')
  t.equal(behind([8, 0, 8], '0-1'), '0 0 0', 'only allowed ones')
  t.equal(behind([8, 8, 8], '0,2'), '0 0+2 2', 'a node that is not allowed')
  const nearer = near.map((row, a) => row.map((way, b) => (a + b === 3 ? 20 : way)))
  t.equal(behind([8, 0, 8], '0-2', nearer), '0 2 2', 'the nearest alone')
  t.equal(behind([0, 0, 0]), 'no-memory-node')
  t.end()
})
