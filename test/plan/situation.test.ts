// The CPUs that are available to a guest, and whether its vCPUs share them.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { formatSet, formatSets } from '../../src/base/idset.ts'
import type { CpuSource } from '../../src/model.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { cpus, guest, HOST, situationIn } from './fixtures.ts'

interface Given {
  readonly allowed?: string
  readonly allowedBy?: CpuSource
  readonly isolated?: string
}

function availableTo(vcpus: number, requested: RequestedKeys, given: Given): string {
  const { allowed = '0-7', allowedBy = 'online', isolated } = given
  const resources = {
    ...HOST,
    allowed: { ...HOST.allowed, cpus: cpus(allowed) },
    allowedBy,
    ...(isolated !== undefined && { isolated: cpus(isolated) }),
  }
  try {
    const { available, sharesCpus } = situationIn(guest(vcpus), requested, resources)
    const nodes = available.nodes.map(
      ({ id, cores }) => `${id}: ${formatSets(cores.map((core) => core.cpus)).join(' ')}`,
    )
    return `${nodes.join('; ')}${sharesCpus ? ' shared' : ''}`
  } catch (error) {
    if (error instanceof Refusal) return error.diagnostics.map(({ code }) => code).join(' ')
    throw error
  }
}

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
  const { guestCores, distance, memoryNodeOf } = situationIn(guest(4, topology))
  t.same(
    guestCores.map(({ online }) => formatSet(online)),
    ['0-1', '2-3'],
  )
  t.same([distance(0, 0), distance(0, 1)], [20, 42], 'both directions together')
  t.equal(formatSet(memoryNodeOf(1)), '1')
  t.end()
})
