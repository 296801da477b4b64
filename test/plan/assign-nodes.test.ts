// A node for each cell that a guest has: the least missing memory, the fewest missing CPUs, distances that
// are bent least, the fewest moves, the lowest nodes.

import t from 'tap'
import { assignNodes } from '../../src/plan/sites/assign-nodes.ts'

/** Guest cores, the node that the cell is on now, memory and page size in KiB: 0 is ordinary memory. */
type Cell = readonly [cores: number, on?: number | undefined, memoryKiB?: number, pagesizeKiB?: number]

interface Given {
  readonly cells: readonly Cell[]
  /** The distance that the guest was given between any two cells. */
  readonly guest?: number
  /** Per node how many guest cores it has room for; 4 each by default. */
  readonly cores?: readonly number[]
  /** Distances between nodes; 21 between any two by default. */
  readonly host?: readonly (readonly number[])[]
  /** Per node the index of the node that backs it; itself by default. */
  readonly backedBy?: readonly number[]
  /** Per page size the KiB of each node; a size that is absent is not counted. */
  readonly memory?: Readonly<Record<number, readonly number[]>>
  /** KiB of surplus pages that any node may get. */
  readonly extraKiB?: number
}

function assigned({
  cells,
  guest = 21,
  cores = [4, 4],
  host,
  backedBy,
  memory = {},
  extraKiB = 0,
}: Given): string {
  const { nodeOfCell } = assignNodes({
    cells: cells.map(([cores, currentNode, memoryKiB = 0, pagesizeKiB = 0]) => ({
      cores,
      pagesizeKiB,
      memoryKiB,
      currentNode,
    })),
    nodes: cores.map((cores, id) => ({ id, cores, memoryNode: backedBy?.[id] ?? id })),
    supply: new Map(Object.entries(memory).map(([size, nodes]) => [Number(size), { nodes, extraKiB }])),
    guestDistance: () => guest,
    hostDistance: (a, b) => host?.[a]?.[b] ?? (a === b ? 10 : 21),
  })
  return nodeOfCell.join(' ')
}

/** Node 2 is far from nodes 0 and 1. */
const FAR = [
  [10, 12, 30],
  [12, 10, 30],
  [30, 30, 10],
]

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
  ['memory comes before CPUs', { cells: [[4, 0, 8]], cores: [4, 1], memory: { 0: [1, 8] } }, '1'],
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
    'nodes that one node backs share its memory',
    {
      cells: [
        [2, undefined, 8],
        [2, undefined, 8],
      ],
      cores: [4, 4, 4],
      backedBy: [1, 1, 2],
      memory: { 0: [0, 8, 8] },
    },
    '0 2',
  ],
  [
    'pages of its own size count',
    { cells: [[2, 0, 2048, 2048]], memory: { 0: [8, 0], 2048: [0, 2048] } },
    '1',
  ],
  ['too few pages: it moves', { cells: [[2, 0, 8, 4]], memory: { 4: [4, 8] } }, '1'],
  [
    'unless surplus pages make up for them',
    { cells: [[2, 0, 8, 4]], memory: { 4: [4, 8] }, extraKiB: 4 },
    '0',
  ],
]

for (const [what, given, expected] of table) {
  t.test(`assignment: ${what}`, (t) => {
    t.equal(assigned(given), expected)
    t.end()
  })
}
