// Which nodes hold a new guest: those that have the memory, then free CPUs, the fewest, the nearest to each
// other and to the memory behind them, the fewest level-3 caches and split cores, the lowest.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { chooseNodes } from '../../src/plan/sites/choose-nodes.ts'
import { decidedBy } from '../../src/plan/sites/cost.ts'
import type { NodeProblem } from '../../src/plan/sites/node-problem.ts'
import { times } from '../long.ts'
import { PAIRS } from './fixtures.ts'

interface Given {
  /** How many guest cores nodes 0, 1, ... can run. */
  readonly capacities: readonly number[]
  readonly need: number
  /** Exactly this many cells. */
  readonly count?: number
  /** Without them all nodes are equally far apart. */
  readonly distances?: readonly (readonly number[])[]
  /** Per node the cores that are split there, whatever the number of CPUs; and the caches in use. */
  readonly splits?: readonly number[]
  readonly caches?: readonly number[]
  /** Per node how many of its CPUs no other guest has; all by default. */
  readonly untaken?: readonly number[]
  /** Per node the nodes that may back it; itself by default. */
  readonly backedBy?: readonly (readonly number[])[]
  /** KiB per node; each guest core needs 1 KiB. Absent: memory does not count. */
  readonly memory?: readonly number[]
  readonly available?: readonly number[]
  /** KiB of surplus pages in all, and what each node can make of them. */
  readonly extraKiB?: number
  readonly makeableKiB?: readonly number[]
  /** memory=by-free-pages; mode=preferred */
  readonly fitsSupply?: boolean
  readonly overflows?: boolean
}

function problemOf({
  capacities,
  need,
  count,
  distances,
  splits,
  caches,
  untaken = capacities,
  backedBy = capacities.map((_, node) => [node]),
  memory,
  available = memory,
  extraKiB = 0,
  makeableKiB,
  fitsSupply = false,
  overflows = false,
}: Given): NodeProblem {
  const distance = (a: number, b: number): number => distances?.[a]?.[b] ?? (a === b ? 10 : 21)
  return {
    nodes: capacities.map((capacity, id) => ({
      id,
      capacity,
      untaken: untaken[id] as number,
      sites: (backedBy[id] ?? []).map((node) => ({
        run: id,
        memory: node,
        node: id,
        remote: distance(id, node) - distance(id, id),
      })),
      cpusCost: (cpus) => ({ caches: cpus === 0 ? 0 : (caches?.[id] ?? 0), split: splits?.[id] ?? 0 }),
    })),
    cores: need,
    vcpusOfFirst: Array.from({ length: need + 1 }, (_, cores) => cores),
    threads: 1,
    cells: count ?? 'per-node',
    usesEveryNode: false,
    distance,
    ...(memory && {
      memory: {
        pagesizeKiB: 2048,
        supply: {
          nodesKiB: memory,
          makeableKiB: makeableKiB ?? memory.map(() => Number.POSITIVE_INFINITY),
          extraKiB,
          availableKiB: available as readonly number[],
        },
        overflows,
        ofCells: (cores) => cores,
        fitsSupply,
        totalKiB: need,
        unitKiB: 1,
      },
    }),
  }
}

/** "0,1" for nodes; "0/2,1" where node 0 is backed by node 2; in the order of cells. */
function chosen(given: Given): string {
  const found = chooseNodes(problemOf(given))
  if (found === undefined) return 'none'
  const { nodeOfCell, sites } = found.best
  return nodeOfCell
    .map((node, cell) => {
      const memory = sites[cell]?.memory ?? node
      return memory === node ? `${node}` : `${node}/${memory}`
    })
    .join()
}

/** Four nodes in a row, of which the last two are nearest. */
const ROW = [
  [10, 15, 20, 30],
  [15, 10, 15, 20],
  [20, 15, 10, 12],
  [30, 20, 12, 10],
]

const table: readonly (readonly [string, Given, string])[] = [
  ['of nodes alike the lowest', { capacities: [4, 4, 4], need: 3 }, '0'],
  ['a node that is too small is left out', { capacities: [2, 4, 4], need: 3 }, '1'],
  ['one large node before two small ones', { capacities: [2, 2, 4], need: 4 }, '2'],
  ['the nearest two', { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS }, '2,3'],
  ['of pairs that are equally near the lowest', { capacities: [2, 2, 2, 2], need: 4 }, '0,1'],
  [
    'far apart, where only these have the capacity',
    { capacities: [4, 2, 4, 2], need: 7, distances: PAIRS },
    '0,2',
  ],
  ['the sum over all pairs counts', { capacities: [2, 2, 2, 2], need: 6, distances: ROW }, '1,2,3'],
  ['the fewest split cores', { capacities: [2, 2, 2], need: 4, splits: [1, 1, 0] }, '0,2'],
  [
    'near before few split cores',
    { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS, splits: [0, 0, 2, 2] },
    '2,3',
  ],
  ['the fewest level-3 caches', { capacities: [2, 2, 2], need: 2, caches: [2, 1, 1] }, '1'],
  ['few caches before few split cores', { capacities: [2, 2], need: 2, caches: [2, 1], splits: [0, 1] }, '1'],
  [
    'near before few caches',
    { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS, caches: [1, 1, 2, 2] },
    '2,3',
  ],
  ['free CPUs before taken ones', { capacities: [4, 4], need: 3, untaken: [2, 3] }, '1'],
  ['more nodes before taken CPUs', { capacities: [4, 4, 4], need: 4, untaken: [3, 2, 2] }, '0,1'],
  [
    'the fewest taken CPUs where all have some',
    { capacities: [4, 4], need: 4, count: 1, untaken: [1, 2] },
    '1',
  ],
  [
    'memory before taken CPUs',
    { capacities: [4, 4], need: 4, count: 1, untaken: [4, 0], memory: [3, 4] },
    '1',
  ],
  ['the node that has the memory', { capacities: [4, 4], need: 3, memory: [2, 3] }, '1'],
  [
    'memory before few nodes: two where no single one has it',
    { capacities: [4, 4, 4], need: 4, memory: [1, 2, 2] },
    '1,2',
  ],
  [
    'memory before near ones',
    { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS, memory: [2, 2, 1, 2] },
    '0,1',
  ],
  ['cells=1: the one that lacks least', { capacities: [4, 4, 4], need: 4, count: 1, memory: [1, 3, 2] }, '1'],
  [
    'cells=2 with a node that lacks pages: the other one holds both',
    { capacities: [4, 4], need: 4, count: 2, memory: [1, 8] },
    '1,1',
  ],
  ['cells=3 on two of three nodes', { capacities: [4, 4, 4], need: 3, count: 3, memory: [2, 0, 1] }, '0,2,0'],
  [
    'surplus pages that can be made',
    { capacities: [4, 4], need: 4, memory: [2, 3], extraKiB: 2, makeableKiB: [2, 0] },
    '0',
  ],
  [
    'not more of them than overcommit allows',
    { capacities: [4, 4], need: 4, memory: [1, 3], extraKiB: 2, makeableKiB: [9, 1] },
    '1',
  ],
  [
    'by free pages: a node with enough',
    { capacities: [4, 4], need: 4, memory: [3, 4], fitsSupply: true },
    '1',
  ],
  [
    'by free pages: as many nodes as have enough together',
    { capacities: [4, 4, 4], need: 4, memory: [2, 1, 1], fitsSupply: true },
    '0,1,2',
  ],
  [
    'by free pages: not a node without pages',
    { capacities: [4, 4, 4], need: 4, memory: [3, 0, 1], fitsSupply: true },
    '0,2',
  ],
  [
    'by free pages: uneven nodes where even shares would lack some',
    { capacities: [4, 4], need: 4, memory: [3, 1], fitsSupply: true },
    '0,1',
  ],
  [
    'few nodes before memory that is available now',
    { capacities: [4, 4], need: 4, memory: [4, 4], available: [2, 2] },
    '0',
  ],
  [
    'memory that is available now before near ones',
    { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS, memory: [2, 2, 2, 2], available: [2, 2, 1, 2] },
    '0,1',
  ],
  [
    'a node with memory before one without',
    { capacities: [4, 4], need: 4, backedBy: [[1], [1]], memory: [0, 8] },
    '1',
  ],
  [
    'of memory that is equally near that which is there',
    { capacities: [4, 0, 0], need: 4, backedBy: [[1, 2], [1], [2]], memory: [0, 3, 4] },
    '0/2',
  ],
  [
    'two cells on a node without memory are backed by two nodes',
    { capacities: [4, 0, 0], need: 4, count: 2, backedBy: [[1, 2], [1], [2]], memory: [0, 2, 2] },
    '0/1,0/2',
  ],
  [
    'overflow: nodes that have enough together',
    { capacities: [2, 2, 2], need: 4, memory: [1, 1, 3], overflows: true },
    '0,2',
  ],
  [
    'overflow before nothing but the nodes: the fewer, where one has enough',
    { capacities: [4, 4, 4], need: 4, memory: [1, 3, 4], overflows: true },
    '2',
  ],
  ['as many nodes as cells are requested', { capacities: [4, 4, 4], need: 3, count: 2 }, '0,1'],
  ['a node without a limit', { capacities: [2, Number.POSITIVE_INFINITY], need: 9 }, '1'],
  ['too little capacity', { capacities: [2, 2], need: 5 }, 'none'],
  [
    'more cells than nodes: cells go to the nodes in turn',
    { capacities: [4, 4], need: 3, count: 3 },
    '0,1,0',
  ],
  ['more cells than nodes have capacity for', { capacities: [1, 1], need: 3, count: 3 }, 'none'],
]

for (const [what, given, expected] of table) {
  t.test(`node choice: ${what}`, (t) => {
    t.equal(chosen(given), expected)
    t.end()
  })
}

t.test('node choice: among more than 16 nodes sets are grown', (t) => {
  const distances = Array.from({ length: 17 }, (_, a) =>
    Array.from({ length: 17 }, (__, b) => (a >= 15 && b >= 15 ? 11 : 21)),
  )
  t.equal(chosen({ capacities: distances.map(() => 1), need: 2, distances }), '15,16')
  t.end()
})

/** Nodes 0 to 19, of which 0 and 1 are nearest. */
const MANY = Array.from({ length: 20 }, (_, a) =>
  Array.from({ length: 20 }, (__, b) => (a === b ? 10 : a < 2 && b < 2 ? 11 : a >= 10 && b >= 10 ? 15 : 31)),
)

const manyTable: readonly (readonly [string, Omit<Given, 'capacities'>, string])[] = [
  ['nothing lacks: the nearest', { need: 8 }, '0,1'],
  ['pages only on the last two', { need: 8, memory: MANY.map((_, id) => (id >= 18 ? 4 : 3)) }, '18,19'],
  [
    'pages for all only on four',
    { need: 8, memory: MANY.map((_, id) => ([3, 7, 12, 19].includes(id) ? 2 : 0)) },
    '3,7,12,19',
  ],
  ['free CPUs only on the far ones', { need: 8, untaken: MANY.map((_, id) => (id >= 17 ? 4 : 2)) }, '17,18'],
  [
    'by free pages: together enough on the far ones',
    { need: 8, memory: MANY.map((_, id) => (id >= 17 ? 4 : 0)), fitsSupply: true },
    '17,18',
  ],
]

for (const [what, given, expected] of manyTable) {
  t.test(`node choice among 20 nodes: ${what}`, (t) => {
    t.equal(chosen({ capacities: MANY.map(() => 4), distances: MANY, ...given }), expected)
    t.end()
  })
}

/** "second best: criterion best/next", and whether every set was looked at. */
function second(given: Given): string {
  const found = chooseNodes(problemOf(given))
  if (found?.next === undefined) return 'none'
  const { best, next, isExact } = found
  const criterion = decidedBy(best.cost, next.cost)
  const costs = criterion === 'ids' ? '' : ` ${best.cost[criterion]}/${next.cost[criterion]}`
  return `${next.set.join()}: ${criterion}${costs}${isExact ? '' : ' of likely ones'}`
}

const secondTable: readonly (readonly [string, Given, string])[] = [
  ['only one set', { capacities: [4], need: 4 }, 'none'],
  ['nodes alike', { capacities: [4, 4, 4], need: 3 }, '1: ids'],
  ['a nearer pair', { capacities: [2, 2, 2, 2], need: 4, distances: PAIRS }, '0,1: distance 11/12'],
  ['a node that lacks memory', { capacities: [4, 4], need: 4, memory: [4, 1] }, '1: memory 0/3'],
  ['taken CPUs', { capacities: [4, 4], need: 4, untaken: [1, 4] }, '0: taken 0/3'],
  [
    'of many nodes',
    {
      capacities: MANY.map(() => 4),
      distances: MANY,
      need: 8,
      memory: MANY.map((_, id) => (id > 1 ? 4 : 3)),
    },
    '0,1: memory 0/2 of likely ones',
  ],
]

for (const [what, given, expected] of secondTable) {
  t.test(`second best nodes: ${what}`, (t) => {
    t.equal(second(given), expected)
    t.end()
  })
}

/** A guest whose cells have equally much memory, so that it does not matter which cell is on which node. */
const WHOLE_KIB = 60

/** Like a Given, with every cell as large as the others. */
function evenProblem(given: Given): NodeProblem {
  const { memory, ...rest } = problemOf(given)
  const ofCells = (cores: readonly number[]): number[] => cores.map(() => WHOLE_KIB / cores.length)
  return { ...rest, ...(memory && { memory: { ...memory, ofCells, totalKiB: WHOLE_KIB } }) }
}

/** Guest cores one by one to the cell that has the fewest, as long as its node has room. */
function coresOn(capacities: readonly number[], need: number): number[] | undefined {
  const cores = capacities.map(() => 0)
  for (let core = 0; core < need; core++) {
    const open = cores.flatMap((has, cell) => (has < (capacities[cell] as number) ? [cell] : []))
    const fewest = Math.min(...open.map((cell) => cores[cell] as number))
    const next = open.find((cell) => cores[cell] === fewest)
    if (next === undefined) return undefined
    cores[next] = (cores[next] as number) + 1
  }
  return cores
}

const over = (value: number, most: number): number => Math.max(0, value - most)
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** The criteria of a set in their order, and its ids; undefined where the cores do not fit. */
function costOfSet(given: Required<Given>, set: readonly number[], fewest: number): number[] | undefined {
  const { capacities, need, memory, available, untaken, caches, splits, distances } = given
  const of = (values: readonly number[]): number[] => set.map((node) => values[node] as number)
  const cores = coresOn(of(capacities), need)
  if (cores === undefined || cores.includes(0)) return undefined
  const each = WHOLE_KIB / set.length
  const has = of(memory)
  return [
    total(has.map((kib) => over(each, kib))),
    total(of(untaken).map((cpus, at) => over(cores[at] as number, cpus))),
    set.length - fewest,
    total(of(available).map((kib, at) => over(Math.min(each, has[at] as number), kib))),
    total(set.flatMap((a, at) => set.slice(0, at).map((b) => distances[b]?.[a] as number))),
    total(of(caches)),
    total(of(splits)),
    ...set,
  ]
}

const less = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, index) => value !== b[index])
  return at >= 0 && (a[at] as number) < (b[at] as number)
}

/** Every set of these nodes but the empty one. */
const setsOf = (nodes: number): number[][] =>
  Array.from({ length: 2 ** nodes - 1 }, (_, mask) =>
    Array.from({ length: nodes }, (_, node) => node).filter((node) => ((mask + 1) >> node) & 1),
  )

const NODES = 5

const givenArb: fc.Arbitrary<Required<Given>> = fc
  .record({
    capacities: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: NODES }),
    need: fc.integer({ min: 1, max: 8 }),
    near: fc.array(fc.constantFrom(12, 16, 21), { minLength: NODES ** 2, maxLength: NODES ** 2 }),
    memory: fc.array(fc.constantFrom(0, 12, 20, 30, 60), { minLength: NODES, maxLength: NODES }),
    busy: fc.array(fc.constantFrom(0, 0, 5, 10), { minLength: NODES, maxLength: NODES }),
    untaken: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: NODES, maxLength: NODES }),
    caches: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: NODES, maxLength: NODES }),
    splits: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: NODES, maxLength: NODES }),
  })
  .map(({ capacities, near, busy, untaken, memory, ...rest }) => ({
    ...rest,
    capacities,
    memory,
    untaken: untaken.map((cpus, node) => Math.min(cpus, capacities[node] ?? 0)),
    available: memory.map((kib, node) => Math.max(0, kib - (busy[node] as number))),
    distances: capacities.map((_, a) =>
      capacities.map((_, b) => (a === b ? 10 : (near[Math.min(a, b) * NODES + Math.max(a, b)] as number))),
    ),
    count: 0,
    backedBy: capacities.map((_, node) => [node]),
    extraKiB: 0,
    makeableKiB: capacities.map(() => 0),
    fitsSupply: false,
    overflows: false,
  }))

t.test('node choice: the best of all sets by the whole cost', (t) => {
  const decided = new Set<string>()
  let ties = 0
  fc.assert(
    fc.property(givenArb, (given) => {
      const { count: _, ...perNode } = given
      const sets = setsOf(given.capacities.length)
      const fits = sets.filter((set) =>
        coresOn(
          set.map((node) => given.capacities[node] as number),
          given.need,
        ),
      )
      const fewest = Math.min(...fits.map((set) => set.length))
      const costs = fits.flatMap((set) => {
        const cost = costOfSet(given, set, fewest)
        return cost === undefined ? [] : [cost]
      })
      const found = chooseNodes(evenProblem(perNode))
      const [first, second] = costs.sort((a, b) => (less(a, b) ? -1 : 1))
      assert.deepEqual(found?.best.set, first?.slice(7))
      if (found === undefined || first === undefined || second === undefined) return
      const at = first.findIndex((value, index) => value !== second[index])
      if (at >= 7) ties += 1
      else decided.add(['memory', 'taken', 'nodes', 'available', 'distance', 'caches', 'split'][at] as string)
    }),
    { numRuns: times(2000), seed: 20_261_127 },
  )
  t.equal(decided.size, 7, `each criterion decided: ${[...decided].sort()}`)
  t.ok(ties > 0, `${ties} were equally good`)
  t.end()
})
