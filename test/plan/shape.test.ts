// What the guest sees of its cells: vCPUs with those that may be plugged in later, memory and distances.

import t from 'tap'
import { formatSet, type NodeSet, setOf } from '../../src/base/idset.ts'
import { shapeOf } from '../../src/plan/cells/shape.ts'
import type { PlannedCell } from '../../src/plan/cpus/assigned.ts'
import type { RequestedKeys } from '../../src/request/request.ts'
import { guest, situationIn } from './fixtures.ts'

interface Shape {
  /** All vCPUs, and how many of them are online at boot; threads of one guest core. */
  readonly vcpus: number
  readonly online?: number
  readonly threads?: number
  readonly requested?: RequestedKeys
  readonly pagesizeKiB?: number
  /** Per cell its node and how many online guest cores it has. */
  readonly cells: readonly (readonly [node: number, cores: number])[]
}

/** "vCPUs memory in MiB [distances]" of each cell; the guest has 1024 MiB. */
function shape({ vcpus, online = vcpus, threads = 1, requested = {}, pagesizeKiB, cells }: Shape): string {
  const topology = `<cpu><topology sockets='1' cores='${vcpus / threads}' threads='${threads}'/></cpu>`
  const view = { ...guest(vcpus, topology), online: guest(online).online }
  const situation = situationIn(view, { pin: 'cell', ...requested })
  const onlineCores = situation.guestCores.filter((core) => core.online.length > 0)
  let next = 0
  const planned = cells.map(([node, cores]): PlannedCell => {
    const from = next
    next += cores
    return { node, memory: setOf<NodeSet>([node]), cores: onlineCores.slice(from, next) }
  })
  const memory = planned.map((cell) => cell.memory)
  return shapeOf(situation, planned, memory, pagesizeKiB)
    .map((cell) => `${formatSet(cell.vcpus)} ${cell.memoryKiB / 1024} [${cell.distances.join(' ')}]`)
    .join('; ')
}

const two = [
  [0, 2],
  [1, 2],
] as const

const table: readonly (readonly [string, Shape, string])[] = [
  ['one cell', { vcpus: 4, cells: [[0, 4]] }, '0-3 1024 [10]'],
  ['two cells', { vcpus: 4, cells: two }, '0-1 512 [10 21]; 2-3 512 [21 10]'],
  [
    'two cells on one node are as near as cells can be',
    {
      vcpus: 4,
      cells: [
        [0, 2],
        [0, 2],
      ],
    },
    '0-1 512 [10 11]; 2-3 512 [11 10]',
  ],
  ['no distances', { vcpus: 4, requested: { distances: 'none' }, cells: two }, '0-1 512 []; 2-3 512 []'],
  [
    'memory by vCPU',
    {
      vcpus: 4,
      requested: { distances: 'none' },
      cells: [
        [0, 3],
        [1, 1],
      ],
    },
    '0-2 768 []; 3 256 []',
  ],
  [
    'memory in even parts',
    {
      vcpus: 4,
      requested: { distances: 'none', memory: 'even' },
      cells: [
        [0, 3],
        [1, 1],
      ],
    },
    '0-2 512 []; 3 512 []',
  ],
  [
    'cores that are offline make cells even',
    {
      vcpus: 6,
      online: 4,
      requested: { distances: 'none' },
      cells: [
        [0, 3],
        [1, 1],
      ],
    },
    '0-2 512 []; 3-5 512 []',
  ],
  [
    'an offline thread stays with its core',
    {
      vcpus: 4,
      online: 3,
      threads: 2,
      requested: { distances: 'none' },
      cells: [
        [0, 1],
        [1, 1],
      ],
    },
    '0-1 512 []; 2-3 512 []',
  ],
  [
    'KubeVirt leaves offline vCPUs out',
    {
      vcpus: 4,
      online: 2,
      requested: { like: 'kubevirt', distances: 'none' },
      cells: [[0, 2]],
      pagesizeKiB: 2048,
    },
    '0-1 1024 []',
  ],
]

for (const [what, given, expected] of table) {
  t.test(`shape: ${what}`, (t) => {
    t.equal(shape(given), expected)
    t.end()
  })
}
