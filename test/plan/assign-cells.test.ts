// A site for each cell that a guest has: the fewest missing CPUs, the least missing memory, the fewest CPUs
// of other guests, memory that is available now, distances that differ least, the fewest moves, the lowest
// ids.

import t from 'tap'
import { assignCells } from '../../src/plan/sites/assign-cells.ts'
import { NOWHERE, type Site } from '../../src/plan/sites/sites.ts'

/** Guest cores, the node that the cell is on now, memory and page size in KiB: 0 is ordinary memory. */
type Cell = readonly [cores: number, on?: number | undefined, memoryKiB?: number, pagesizeKiB?: number]

/** Of a cell without vCPUs, in place of its guest cores. */
const BARE = -1

interface Given {
  readonly cells: readonly Cell[]
  /** The distance that the guest was given between any two cells. */
  readonly guest?: number
  /** The capacity of each node in guest cores; 4 each by default. A node with 0 runs no vCPUs. */
  readonly cores?: readonly number[]
  /** Per node how many of its CPUs no other guest has; all by default. */
  readonly untaken?: readonly number[]
  /** Distances between nodes; 21 between any two by default. */
  readonly host?: readonly (readonly number[])[]
  /** Per node the nodes that may back it; itself by default. */
  readonly backedBy?: readonly (readonly number[])[]
  /** Per page size the KiB of each node; a size that is absent is not counted. */
  readonly memory?: Readonly<Record<number, readonly number[]>>
  /** KiB of ordinary memory of each node that are available now; all by default. */
  readonly available?: readonly number[]
  /** KiB of surplus pages that any node may get, and how many each node can make; no limit by default. */
  readonly extraKiB?: number
  readonly makeableKiB?: readonly number[]
  /** mode=preferred */
  readonly overflows?: boolean
}

/** "run/memory" of each cell, or one number where both are the same; "-/memory" of a cell without vCPUs. */
function assigned({
  cells,
  guest = 21,
  cores = [4, 4],
  untaken = cores,
  host,
  backedBy = cores.map((_, node) => [node]),
  memory = {},
  available,
  extraKiB = 0,
  makeableKiB,
  overflows = false,
}: Given): string {
  const distance = (a: number, b: number): number => host?.[a]?.[b] ?? (a === b ? 10 : 21)
  const running = cores.flatMap((capacity, run): Site[] =>
    capacity === 0
      ? []
      : (backedBy[run] ?? []).map((memory) => ({
          run,
          memory,
          node: run,
          remote: distance(run, memory) - distance(run, run),
        })),
  )
  const bare = cores.map((_, memory): Site => ({ run: NOWHERE, memory, node: memory, remote: 0 }))
  const sites = cells.some(([count]) => count === BARE) ? [...running, ...bare] : running
  const { siteOfCell } = assignCells({
    cells: cells.map(([count, on, memoryKiB = 0, pagesizeKiB = 0]) => {
      const own = sites.flatMap(({ run }, site) => ((run === NOWHERE) === (count === BARE) ? [site] : []))
      return {
        cores: Math.max(0, count),
        vcpus: Math.max(0, count),
        pagesizeKiB,
        memoryKiB,
        sites: own,
        current: own.filter((site) => sites[site]?.node === on),
      }
    }),
    sites,
    runNodes: cores.map((cores, node) => ({ cores, untaken: untaken[node] as number })),
    supply: new Map(
      Object.entries(memory).map(([size, nodesKiB]) => [
        Number(size),
        {
          nodesKiB,
          makeableKiB: makeableKiB ?? nodesKiB.map(() => Number.POSITIVE_INFINITY),
          extraKiB,
          availableKiB: size === '0' ? (available ?? nodesKiB) : nodesKiB.map(() => Number.POSITIVE_INFINITY),
        },
      ]),
    ),
    overflows,
    guestDistance: () => guest,
    hostDistance: (a, b) => distance(sites[a]?.node as number, sites[b]?.node as number),
  })
  return siteOfCell
    .map((index) => {
      const { run, memory } = sites[index] as Site
      if (run === NOWHERE) return `-/${memory}`
      return run === memory ? `${run}` : `${run}/${memory}`
    })
    .join(' ')
}

/** Node 2 is far from nodes 0 and 1. */
const FAR = [
  [10, 12, 30],
  [12, 10, 30],
  [30, 30, 10],
]

/** Node 0 has no memory, and nodes 1 and 2 are equally near; only node 0 runs vCPUs. */
const MEMORYLESS = { cores: [4, 0, 0], backedBy: [[1, 2], [1], [2]] } as const

const table: readonly (readonly [string, Given, string])[] = [
  [
    'cells stay where they are',
    {
      cells: [
        [2, 1],
        [2, 0],
      ],
    },
    '1 0',
  ],
  ['cells on no node here get the lowest ones', { cells: [[2], [2]] }, '0 1'],
  ['cells that are near in the guest share a node', { cells: [[2], [2]], guest: 10 }, '0 0'],
  [
    'cells that are far apart in the guest',
    { cells: [[4], [4]], guest: 30, cores: [4, 4, 4], host: FAR },
    '0 2',
  ],
  ['the fewest cells move', { cells: [[4, 2], [4]], cores: [4, 4, 4] }, '2 0'],
  [
    'distances come before staying',
    {
      cells: [
        [2, 0],
        [2, 0],
      ],
    },
    '0 1',
  ],
  ['CPUs come before distances', { cells: [[3], [3]], guest: 10 }, '0 1'],
  ['CPUs come before memory', { cells: [[4, 1, 8]], cores: [4, 1], memory: { 0: [1, 8] } }, '0'],
  [
    'of the assignments that have the CPUs the one that lacks least',
    {
      cells: [
        [2, 0, 32],
        [1, 0, 16],
      ],
      cores: [3, 1],
      memory: { 0: [8, 20] },
    },
    '0 1',
  ],
  ['CPUs come before those of other guests', { cells: [[3, 1]], cores: [4, 2], untaken: [0, 2] }, '0'],
  ['CPUs of other guests are used last', { cells: [[2, 0]], untaken: [1, 4] }, '1'],
  ['as few of them as possible', { cells: [[2], [2]], untaken: [1, 2], guest: 10 }, '0 1'],
  [
    'memory that a node lacks comes before them',
    { cells: [[2, 0, 8]], untaken: [4, 0], memory: { 0: [4, 8] } },
    '1',
  ],
  [
    'what is available now comes before distances',
    {
      cells: [
        [1, 0, 8],
        [1, 0, 8],
      ],
      guest: 10,
      memory: { 0: [16, 16] },
      available: [8, 16],
    },
    '1 1',
  ],
  [
    'CPUs of other guests come before what is available now',
    { cells: [[2, 0, 8]], untaken: [4, 0], memory: { 0: [8, 8] }, available: [0, 8] },
    '0',
  ],
  [
    'cells swap where each fits only on the other node',
    {
      cells: [
        [4, 0],
        [2, 1],
      ],
      cores: [2, 4],
    },
    '1 0',
  ],
  [
    'nodes that one node backs share its memory, and that node itself is nearest to it',
    {
      cells: [
        [2, undefined, 8],
        [2, undefined, 8],
      ],
      cores: [4, 4, 4],
      backedBy: [[1], [1], [2]],
      memory: { 0: [0, 8, 8] },
    },
    '1 2',
  ],
  [
    'only pages of the requested size count',
    { cells: [[2, 0, 2048, 2048]], memory: { 0: [8, 0], 2048: [0, 2048] } },
    '1',
  ],
  ['too few pages: it moves', { cells: [[2, 0, 8, 4]], memory: { 4: [4, 8] } }, '1'],
  [
    'unless surplus pages make up for them',
    { cells: [[2, 0, 8, 4]], memory: { 4: [4, 8] }, extraKiB: 4 },
    '0',
  ],
  [
    'as far as its node can make them',
    { cells: [[2, 0, 8, 4]], memory: { 4: [4, 8] }, extraKiB: 4, makeableKiB: [3, 0] },
    '1',
  ],
  [
    'two cells cannot both have the same surplus pages',
    {
      cells: [
        [2, 0, 8, 4],
        [2, 1, 8, 4],
      ],
      cores: [4, 4, 4],
      memory: { 4: [4, 4, 8] },
      extraKiB: 4,
    },
    '0 2',
  ],
  [
    'a node without memory: of equally near nodes the one that has the pages',
    { cells: [[2, undefined, 8, 4]], ...MEMORYLESS, memory: { 4: [0, 4, 8] } },
    '0/2',
  ],
  ['else the lowest', { cells: [[2, undefined, 8, 4]], ...MEMORYLESS, memory: { 4: [0, 8, 8] } }, '0/1'],
  [
    'two cells on it are backed by both',
    {
      cells: [
        [2, undefined, 8],
        [2, undefined, 8],
      ],
      guest: 10,
      ...MEMORYLESS,
      memory: { 0: [0, 8, 8] },
    },
    '0/1 0/2',
  ],
  [
    'its own memory is nearer',
    { cells: [[2]], cores: [4, 4], backedBy: [[1], [1]], memory: { 0: [0, 8] } },
    '1',
  ],
  [
    'a cell without vCPUs: the node that has the memory, which runs none',
    {
      cells: [
        [2, 0, 8],
        [BARE, undefined, 8],
      ],
      cores: [4, 0, 0],
      memory: { 0: [8, 4, 8] },
    },
    '0 -/2',
  ],
  [
    'a cell without vCPUs stays where it is',
    {
      cells: [
        [2, 0, 8],
        [BARE, 2, 8],
      ],
      cores: [4, 0, 0],
      memory: { 0: [16, 8, 8] },
    },
    '0 -/2',
  ],
  [
    'cells that overflow: enough on all nodes in use',
    {
      cells: [
        [2, 0, 8],
        [2, 1, 8],
      ],
      cores: [4, 4, 4],
      memory: { 0: [4, 12, 8] },
      overflows: true,
    },
    '2 1',
  ],
  [
    'only what these lack together is missing',
    {
      cells: [
        [2, 0, 8],
        [2, 1, 8],
      ],
      cores: [4, 4],
      memory: { 0: [4, 12] },
      overflows: true,
    },
    '0 1',
  ],
  [
    'not on one node that has too little for both',
    {
      cells: [
        [2, 0, 8],
        [2, 0, 8],
      ],
      guest: 10,
      memory: { 0: [12, 4] },
      overflows: true,
    },
    '0 1',
  ],
]

for (const [what, given, expected] of table) {
  t.test(`assignment: ${what}`, (t) => {
    t.equal(assigned(given), expected)
    t.end()
  })
}
