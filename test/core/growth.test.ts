// Steps that must not grow faster than guests and hosts do, and searches that are bounded by a count. Nothing
// is timed here: the tests count how often an input is read, and compare fast algorithms with plain ones.

import assert from 'node:assert/strict'
import { applyPatch } from 'diff'
import fc from 'fast-check'
import t from 'tap'
import { type CpuSet, has, intersect, range, setOf, subtract, union } from '../../src/base/idset.ts'
import { unifiedDiff } from '../../src/cli/unified-diff.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { resourcesOf } from '../../src/host/resources.ts'
import { allocate, canAllocate, type Demand } from '../../src/plan/backing/max-flow.ts'
import { shareEvenly } from '../../src/plan/cells/share-evenly.ts'
import type { Core } from '../../src/plan/cpus/available.ts'
import { packedCost, packedCpus } from '../../src/plan/cpus/pack.ts'
import { plan } from '../../src/plan/plan.ts'
import { spreadOverNodes } from '../../src/plan/sites/across-nodes.ts'
import { assignCells, MOST_STATES } from '../../src/plan/sites/assign-cells.ts'
import { chooseNodes } from '../../src/plan/sites/choose-nodes.ts'
import { compareCosts } from '../../src/plan/sites/cost.ts'
import type { NodeProblem } from '../../src/plan/sites/node-problem.ts'
import type { AssignmentProblem } from '../../src/plan/sites/partial-assignment.ts'
import { spreadMemory } from '../../src/plan/sites/spread-memory.ts'
import { requestFrom } from '../../src/request/request.ts'
import { long, times } from '../long.ts'

const RUNS = { numRuns: 1000, seed: 20_260_211 }

// ---- Sets ----

/** A set that counts how often one of its ids is read. */
function counted(count: number): { readonly set: CpuSet; readonly reads: () => number } {
  let reads = 0
  const set = new Proxy(range(count), {
    get: (ids, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1
      return Reflect.get(ids, key)
    },
  })
  return { set: set as unknown as CpuSet, reads: () => reads }
}

t.test('looking up one CPU does not read all of them', (t) => {
  const ways = {
    intersect: (set: CpuSet) => intersect(setOf<CpuSet>([8000]), set),
    subtract: (set: CpuSet) => subtract(setOf<CpuSet>([8000]), set),
    has: (set: CpuSet) => has(set, 8000),
  }
  for (const [name, way] of Object.entries(ways)) {
    const { set, reads } = counted(8192)
    way(set)
    t.ok(reads() > 0 && reads() <= 20, `${name} reads ${reads()} of 8192`)
  }
  t.end()
})

t.test('a set that many pins share is read once', (t) => {
  const { set, reads } = counted(100)
  union(...range(1000).map(() => set))
  t.ok(reads() > 0 && reads() < 1000, `${reads()} reads of 100 ids for 1000 pins`)
  t.end()
})

t.test('sparse and dense sets in any order equal those of a plain sort', (t) => {
  const ids = fc.array(fc.oneof(fc.nat(40), fc.nat(70_000)), { maxLength: 60 })
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      const plain = (list: readonly number[]): number[] =>
        [...new Set(list)].sort((one, other) => one - other)
      const [setA, setB] = [setOf<CpuSet>(a), setOf<CpuSet>(b)]
      assert.deepEqual([...setA], plain(a))
      assert.deepEqual([...union(setA, setB, setA)], plain([...a, ...b]))
      assert.deepEqual(
        [...intersect(setA, setB)],
        plain(a).filter((id) => b.includes(id)),
      )
      assert.deepEqual(
        [...subtract(setA, setB)],
        plain(a).filter((id) => !b.includes(id)),
      )
      for (const id of b) assert.equal(has(setA, id), a.includes(id))
    }),
    RUNS,
  )
  t.end()
})

// ---- Even shares ----

t.test('a billion units are shared in a few steps', (t) => {
  const capacity = new Map([
    [0, 5],
    [1, Number.POSITIVE_INFINITY],
    [2, 2_000_000_000],
  ])
  t.same(shareEvenly(1_000_000_000, [0, 3, 0], capacity), [5, 499_999_996, 499_999_999])
  t.end()
})

t.test('shares equal those of handing out unit by unit', (t) => {
  const small = fc.nat(6)
  const bins = fc.array(fc.tuple(small, fc.nat(3)), { maxLength: 6 })
  const capacities = fc.array(fc.oneof(small, fc.constant(Number.POSITIVE_INFINITY)), {
    minLength: 4,
    maxLength: 4,
  })
  fc.assert(
    fc.property(fc.nat(25), bins, capacities, (count, all, capacity) => {
      const [held, group] = [all.map(([each]) => each), all.map(([, each]) => each)]
      assert.deepEqual(
        shareEvenly(count, held, new Map(capacity.entries()), group),
        givenOneByOne(count, held, capacity, group),
      )
    }),
    RUNS,
  )
  t.end()
})

function givenOneByOne(
  count: number,
  held: readonly number[],
  capacity: readonly number[],
  group: readonly number[],
): number[] | undefined {
  const [left, got] = [[...capacity], held.map(() => 0)]
  const total = (bin: number): number => (held[bin] as number) + (got[bin] as number)
  for (const _ of range(count)) {
    const open = range(held.length).filter((bin) => (left[group[bin] as number] as number) > 0)
    const [bin] = open.sort((a, b) => total(a) - total(b) || a - b)
    if (bin === undefined) return undefined
    got[bin] = (got[bin] as number) + 1
    left[group[bin] as number] = (left[group[bin] as number] as number) - 1
  }
  return got
}

// ---- Demands and supplies ----

t.test('demands are met as if unit by unit, earlier ones first', (t) => {
  const demands = fc.array(
    fc.record({ amount: fc.nat(5), from: fc.uniqueArray(fc.nat(4), { maxLength: 5 }) }),
    { maxLength: 7 },
  )
  let short = 0
  fc.assert(
    fc.property(demands, fc.array(fc.nat(6), { minLength: 5, maxLength: 5 }), (asked, supplies) => {
      const expected = servedByUnits(asked, supplies)
      assert.deepEqual(allocate(asked, supplies), expected)
      assert.equal(
        canAllocate(asked, supplies),
        asked.every(({ amount }, at) => amount === expected[at]),
      )
      if (asked.some(({ amount }, at) => amount !== expected[at])) short += 1
    }),
    RUNS,
  )
  t.ok(short > 100, `${short} that cannot all be met`)
  t.end()
})

/** A plain search: every unit of supply is tried in turn for every unit of demand. */
function servedByUnits(demands: readonly Demand[], supplies: readonly number[]): number[] {
  const places = supplies.flatMap((count, supply) => range(count).map(() => supply))
  const holder: ({ readonly demand: number } | undefined)[] = places.map(() => undefined)
  const seat = (demand: number, tried: Set<number>): boolean =>
    places.some((supply, place) => {
      if (tried.has(place) || !demands[demand]?.from.includes(supply)) return false
      tried.add(place)
      const before = holder[place]
      if (before !== undefined && !seat(before.demand, tried)) return false
      holder[place] = { demand }
      return true
    })
  return demands.map(({ amount }, demand) => range(amount).filter(() => seat(demand, new Set())).length)
}

t.test('a chain in which every demand has to move is solved, however long it is', (t) => {
  const length = 20_000
  const chain = range(length).map(
    (at): Demand => ({ amount: 1, from: at === length - 1 ? [0] : [at, at + 1] }),
  )
  const supplies = range(length).map(() => 1)
  t.ok(canAllocate(chain, supplies))
  t.notOk(canAllocate([...chain, { amount: 1, from: [7] }], supplies))
  t.end()
})

// ---- CPUs of a node ----

t.test('pack chooses the best CPUs, the lowest first', (t) => {
  const core = fc.record({
    size: fc.integer({ min: 1, max: 4 }),
    whole: fc.boolean(),
    cache: fc.constantFrom(undefined, undefined, 0, 1, 2),
  })
  fc.assert(
    fc.property(
      fc.array(core, { minLength: 1, maxLength: 5 }),
      fc.nat(100),
      fc.integer({ min: 1, max: 3 }),
      (sizes, share, threads) => {
        let next = 0
        const cores = sizes.map(({ size, whole, cache }): Core => {
          next += size
          const cpus = setOf<CpuSet>(range(size).map((thread) => next - size + thread))
          return { cpus, whole, ...(cache !== undefined && { cache }) }
        })
        const count = share % (next + 1)
        const node = { id: 0, cpus: setOf<CpuSet>(range(next)), cores }
        const { cpus, ...cost } = bestPacked(cores, count, threads)
        assert.deepEqual([...packedCpus(node, count, threads)], cpus)
        assert.deepEqual(packedCost(node, threads, count)(count), cost)
      },
    ),
    RUNS,
  )
  t.end()
})

/**
 * Of all numbers of CPUs that cores may give: the fewest caches, then the least split cores, then the least
 * loose threads, then the most from the first caches, and there from the first cores.
 */
function bestPacked(
  cores: readonly Core[],
  count: number,
  threads: number,
): { cpus: number[]; caches: number; split: number } {
  const choices = cores
    .reduce<number[][]>(
      (all, { cpus }) => all.flatMap((takes) => range(cpus.length + 1).map((take) => [...takes, take])),
      [[]],
    )
    .filter((takes) => takes.reduce((sum, take) => sum + take, 0) === count)
  const caches = [...new Set(cores.map(({ cache }) => cache))]
  const cost = (takes: readonly number[]): number[] => {
    const split = cores.filter(
      ({ cpus, whole }, at) => takes[at] !== 0 && ((takes[at] as number) < cpus.length || !whole),
    ).length
    const used = new Set(cores.flatMap(({ cache }, at) => (takes[at] === 0 ? [] : [cache])))
    const fromCaches = caches.map((cache) =>
      cores.reduce((sum, core, at) => sum - (core.cache === cache ? (takes[at] as number) : 0), 0),
    )
    const loose = takes.reduce((sum, take) => sum + (take % threads), 0)
    return [used.size, split, loose, ...fromCaches, ...takes.map((take) => -take)]
  }
  const less = (a: readonly number[], b: readonly number[]): number =>
    a.map((value, at) => value - (b[at] as number)).find((way) => way !== 0) ?? 0
  const [best = []] = choices.sort((a, b) => less(cost(a), cost(b)))
  const [used = 0, split = 0] = cost(best)
  const cpus = cores.flatMap(({ cpus }, at) => cpus.slice(0, best[at]))
  return { cpus: [...setOf<CpuSet>(cpus)], caches: used, split }
}

// ---- Nodes ----

/** How often a search asks for the distance of two nodes. */
function asked(search: (separation: (a: number, b: number) => number) => unknown): number {
  let count = 0
  search((a, b) => {
    count += 1
    return a === b ? 20 : 22 + ((a * 7 + b * 7 + a * b) % 40)
  })
  return count
}

/** Nodes with a capacity of four guest cores each. */
function nodeProblem(nodes: number, cores: number, distance: NodeProblem['distance']): NodeProblem {
  return {
    nodes: range(nodes).map((id) => ({
      id,
      capacity: 4,
      untaken: 4,
      sites: [{ run: id, memory: id, node: id, remote: 0 }],
      cpusCost: () => ({ caches: 1, split: 0 }),
    })),
    cores,
    vcpusOfFirst: range(cores + 1),
    threads: 1,
    cells: 'per-node',
    usesEveryNode: false,
    distance,
  }
}

/** Nodes from one on have 4 KiB each, others none; a guest core needs 1 KiB. */
function memoryFrom(first: number, nodes: number): NonNullable<NodeProblem['memory']> {
  return {
    pagesizeKiB: 2048,
    supply: {
      nodesKiB: range(nodes).map((id) => (id < first ? 0 : 4)),
      makeableKiB: range(nodes).map(() => 0),
      extraKiB: 0,
      availableKiB: range(nodes).map(() => Number.POSITIVE_INFINITY),
    },
    overflows: false,
    ofCells: (cores) => cores,
    fitsSupply: false,
    totalKiB: 2 * nodes,
    unitKiB: 1,
  }
}

const NO_MEMORY = { memoryKiB: 0, pagesizeKiB: 0 }

t.test('a search over many nodes asks for each distance a fixed number of times', (t) => {
  const searches = {
    'half of the nodes': (nodes: number) => asked((ways) => chooseNodes(nodeProblem(nodes, 2 * nodes, ways))),
    'half of the nodes, and memory on the last ones': (nodes: number) =>
      asked((ways) =>
        chooseNodes({ ...nodeProblem(nodes, 2 * nodes, ways), memory: memoryFrom(nodes / 2, nodes) }),
      ),
    'a cell over all nodes': (nodes: number) =>
      asked((ways) =>
        spreadOverNodes({
          cores: [nodes],
          capacities: range(nodes).map(() => 1),
          distance: ways,
          prefer: ways,
          memory: spreadMemory([NO_MEMORY], new Map(), (_, node) => node),
        }),
      ),
    'cells over two nodes': (nodes: number) =>
      asked((ways) =>
        spreadOverNodes({
          cores: range(nodes / 2).map(() => 2),
          capacities: range(nodes).map(() => 1),
          distance: ways,
          prefer: ways,
          memory: spreadMemory(
            range(nodes / 2).map(() => NO_MEMORY),
            new Map(),
            (_, node) => node,
          ),
        }),
      ),
  }
  for (const [name, search] of Object.entries(searches)) {
    const [half, whole] = [search(64), search(128)]
    t.ok(whole > 0 && whole <= 4.1 * half, `${name}: ${half} times on 64 nodes, ${whole} on 128`)
  }
  t.end()
})

t.test('more vCPUs than CPUs on more than 16 nodes: every node is used', (t) => {
  const text = "<domain type='kvm'><name>many</name><memory unit='GiB'>32</memory><vcpu>60</vcpu></domain>"
  const nodes = range(20).map((id) => ({
    id,
    cpus: setOf<CpuSet>([2 * id, 2 * id + 1]),
    memoryKiB: 4 << 20,
    pages: [],
  }))
  const resources = resourcesOf({ nodes, siblings: [] }, {})
  const { placement } = plan({
    view: readDomain(readDocument(text)),
    resources,
    request: requestFrom([{ pin: 'cell' }]),
  })
  t.same(
    placement.cells.map(({ vcpus }) => vcpus.length),
    range(20).map(() => 3),
  )
  t.end()
})

// ---- The exact search ----

/**
 * Eight cells of different sizes on eight nodes that are short of memory: nothing fits, so many assignments
 * are tried.
 */
function hardSearch(seed: number): AssignmentProblem {
  const odd = (a: number, b: number): number => (a === b ? 11 : 11 + ((a * seed + b * 13 + a * b * 7) % 43))
  return {
    cells: range(8).map((cell) => ({
      cores: 1 + (cell % 4),
      vcpus: 1 + (cell % 4),
      pagesizeKiB: 2048,
      memoryKiB: 2048 * (3 + ((cell * seed) % 7)),
      sites: range(8),
      current: [],
    })),
    sites: range(8).map((node) => ({ run: node, memory: node, node, remote: 0 })),
    runNodes: range(8).map(() => ({ cores: 2, untaken: 2 })),
    supply: new Map([
      [
        2048,
        {
          nodesKiB: range(8).map((node) => 2048 * (1 + ((node * 5) % 4))),
          makeableKiB: range(8).map(() => Number.POSITIVE_INFINITY),
          extraKiB: 2048,
          availableKiB: range(8).map(() => Number.POSITIVE_INFINITY),
        },
      ],
    ]),
    overflows: false,
    guestDistance: (a, b) => odd(b, a),
    hostDistance: odd,
  }
}

t.test('an exact search stops after a number of states with the best assignment so far', (t) => {
  for (const seed of [7, 9, 19]) {
    const search = hardSearch(seed)
    const whole = assignCells(search, Number.POSITIVE_INFINITY)
    t.ok(whole.states > 100, `${whole.states} states`)
    const costs = [0, 1, 10, 100, whole.states].map((most) => {
      const { states, cost, siteOfCell } = assignCells(search, most)
      t.ok(states <= most, `${states} of at most ${most}`)
      t.same(assignCells(search, most).siteOfCell, siteOfCell, 'the same once more')
      return cost
    })
    t.ok(
      costs.every((cost, at) => at === 0 || compareCosts(costs[at - 1] as typeof cost, cost) >= 0),
      'more states, no worse answer',
    )
    t.same(costs.at(-1), whole.cost)
  }
  t.end()
})

long('hard searches end before the limit', (t) => {
  const states = [3, 5, 7, 11, 19, 29].map((seed) => assignCells(hardSearch(seed)).states)
  t.ok(
    states.every((each) => each < MOST_STATES),
    states.join(', '),
  )
  t.end()
})

// ---- Diffs ----

t.test('a diff with more changes than the search limit still leads to the new text', (t) => {
  const line = fc.oneof(fc.nat(5), fc.nat(100_000))
  const lines = fc.array(line, { minLength: 1500, maxLength: 1800, size: 'max' })
  fc.assert(
    fc.property(lines, fc.func(fc.nat(9)), fc.boolean(), fc.boolean(), (numbers, chance, oldEnd, newEnd) => {
      const text = (all: readonly string[], end: boolean): string => `${all.join('\n')}${end ? '\n' : ''}`
      const before = numbers.map((each) => `<line n='${each}'/>`)
      const after = before.flatMap(
        (each, at) => [[each], [], [`<new n='${at}'/>`], [each, each]][Math.min(3, chance(at))] as string[],
      )
      const [one, other] = [text(before, oldEnd), text(after, newEnd)]
      assert.equal(applyPatch(one, unifiedDiff('guest.xml', one, other)), other)
    }),
    { ...RUNS, numRuns: times(20) },
  )
  t.end()
})

t.test('a diff of all pins changes only their lines', (t) => {
  const text = (shift: number): string =>
    [
      '<cputune>',
      ...range(4096).map((vcpu) => `  <vcpupin vcpu='${vcpu}' cpuset='${vcpu + shift}'/>`),
      '</cputune>',
      '',
    ].join('\n')
  const [, , hunk, ...lines] = unifiedDiff('guest.xml', text(0), text(9)).trimEnd().split('\n')
  t.equal(hunk, '@@ -1,4098 +1,4098 @@')
  t.same([lines[0], lines.at(-1)], [' <cputune>', ' </cputune>'])
  t.same(
    [
      lines.filter((line) => line.startsWith('-')).length,
      lines.filter((line) => line.startsWith('+')).length,
    ],
    [4096, 4096],
  )
  t.end()
})
