// Which host nodes hold the guest: the fewest, then the nearest to each other, then those that split the
// fewest cores, then the lowest ids.
//
// The fewest: the roomiest k nodes tell whether k nodes can hold the guest at all. Up to 16 nodes every set
// of k is looked at, in the order of ids, and a set is left as soon as its distances exceed the best so far;
// so the answer is exact. Beyond 16, sets are grown: from each node in turn, always by the node nearest to
// those taken that still leaves the rest enough room; the best of these sets is the answer. Growing may miss
// a nearer set; it never misses a smaller one. A set that is farther apart than the best is not grown
// further, and splits are counted only of sets that are equally near.

/** One node on offer: how many guest cores it has room for. */
export interface Room {
  readonly id: number
  readonly room: number
}

const EXACT_UP_TO = 16

/**
 * @param nodes ascending by id, each with room
 * @param count exactly so many nodes; absent: the fewest that hold `need` guest cores
 * @param splits how many cores a set of nodes would split
 * @returns ids ascending, or undefined when no such set has the room
 */
export function chooseNodes(
  nodes: readonly Room[],
  need: number,
  count: number | undefined,
  separation: (a: number, b: number) => number,
  splits: (ids: readonly number[]) => number,
): number[] | undefined {
  const wanted = count ?? fewest(nodes, need)
  if (wanted === undefined || wanted > nodes.length || roomiest(nodes, wanted) < need) return undefined
  // No node needs more room than for all; so a node without a limit can be counted with.
  const rooms = nodes.map(({ id, room }) => ({ id, room: Math.min(room, need) }))
  const search: Search = { nodes: rooms, need, count: wanted, separation, splits }
  return nodes.length <= EXACT_UP_TO ? exactly(search) : grown(search)
}

interface Search {
  readonly nodes: readonly Room[]
  readonly need: number
  readonly count: number
  readonly separation: (a: number, b: number) => number
  readonly splits: (ids: readonly number[]) => number
}

function fewest(nodes: readonly Room[], need: number): number | undefined {
  const sums = sumsOf(byRoom(nodes))
  const count = sums.findIndex((sum, taken) => taken > 0 && sum >= need)
  return count < 0 ? undefined : count
}

const byRoom = (nodes: readonly Room[]): number[] => nodes.map(({ room }) => room).sort((a, b) => b - a)

function roomiest(nodes: readonly Room[], count: number): number {
  return byRoom(nodes)
    .slice(0, count)
    .reduce((sum, room) => sum + room, 0)
}

/** The best set so far. */
interface Best {
  readonly apart: () => number
  readonly ids: () => number[] | undefined
  /** Takes the set where it is better than the best: nearer, or as near with less split cores. */
  readonly take: (ids: readonly number[], apart: number) => void
}

function bestOf({ splits }: Search): Best {
  let best: { readonly ids: number[]; readonly apart: number; splits?: number } | undefined
  return {
    apart: () => best?.apart ?? Number.POSITIVE_INFINITY,
    ids: () => best?.ids,
    take: (ids, apart) => {
      if (best === undefined || apart < best.apart) best = { ids: [...ids], apart }
      else if (apart === best.apart) {
        best.splits ??= splits(best.ids)
        const own = splits(ids)
        if (own < best.splits) best = { ids: [...ids], apart, splits: own }
      }
    },
  }
}

function exactly(search: Search): number[] | undefined {
  const { nodes, need, count, separation } = search
  const best = bestOf(search)
  const extend = (ids: readonly number[], from: number, room: number, apart: number): void => {
    if (apart > best.apart()) return
    if (ids.length === count) {
      if (room >= need) best.take(ids, apart)
      return
    }
    for (let next = from; next <= nodes.length - (count - ids.length); next++) {
      const node = nodes[next] as Room
      const further = ids.reduce((sum, id) => sum + separation(id, node.id), apart)
      extend([...ids, node.id], next + 1, room + node.room, further)
    }
  }
  extend([], 0, 0, 0)
  return best.ids()
}

function grown(search: Search): number[] | undefined {
  const { nodes, separation } = search
  const best = bestOf(search)
  const ways = nodes.map((a) => Float64Array.from(nodes, (b) => separation(a.id, b.id)))
  const rooms = byRoom(nodes)
  for (const start of nodes.keys()) {
    const set = growFrom(start, search, { ways, rooms: [...rooms], mostApart: best.apart() })
    if (set !== undefined) best.take(set.ids, set.apart)
  }
  return best.ids()
}

interface Growing {
  /** Between nodes, by index. */
  readonly ways: readonly Float64Array[]
  /** Of the nodes that are not taken, the roomiest first. */
  readonly rooms: number[]
  /** A set that is farther apart is given up. */
  readonly mostApart: number
}

/** What a growing set still needs: so much room, on so many nodes. */
interface Lacking {
  readonly room: number
  readonly nodes: number
}

function growFrom(
  start: number,
  search: Search,
  growing: Growing,
): { ids: number[]; apart: number } | undefined {
  const { nodes, need, count } = search
  const { ways, rooms, mostApart } = growing
  const isTaken = new Uint8Array(nodes.length)
  /** From each node to all that are taken; Infinity for these themselves. */
  const far = new Float64Array(nodes.length)
  let [lacking, apart, next]: [Lacking, number, number | undefined] = [{ room: need, nodes: count }, 0, start]
  while (next !== undefined) {
    const { room } = nodes[next] as Room
    apart += far[next] as number
    if (apart > mostApart) return undefined
    isTaken[next] = 1
    lacking = { room: lacking.room - room, nodes: lacking.nodes - 1 }
    if (lacking.nodes === 0) break
    rooms.splice(rooms.indexOf(room), 1)
    const way = ways[next] as Float64Array
    for (let node = 0; node < far.length; node++) far[node] = (far[node] as number) + (way[node] as number)
    far[next] = Number.POSITIVE_INFINITY
    next = nearest(nodes, far, rooms, lacking)
  }
  if (next === undefined || lacking.room > 0) return undefined
  return { ids: nodes.filter((_, index) => isTaken[index] === 1).map(({ id }) => id), apart }
}

/**
 * The nearest node with which the roomiest others still make up what is lacking; of equally near ones the
 * lowest.
 */
function nearest(
  nodes: readonly Room[],
  far: Float64Array,
  rooms: readonly number[],
  lacking: Lacking,
): number | undefined {
  const sums = sumsOf(rooms.slice(0, lacking.nodes + 1))
  let found: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (let index = 0; index < nodes.length; index++) {
    if ((far[index] as number) >= least) continue
    const { room } = nodes[index] as Room
    if (room + othersRoom(rooms, sums, room, lacking.nodes - 1) < lacking.room) continue
    found = index
    least = far[index] as number
  }
  return found
}

/** The sum of the first 0, 1, 2, ... */
function sumsOf(numbers: readonly number[]): number[] {
  const sums = [0]
  for (const [index, number] of numbers.entries()) sums.push((sums[index] as number) + number)
  return sums
}

/** The room of the `count` roomiest nodes beside one that has `taken`. */
function othersRoom(
  byRoom: readonly number[],
  sums: readonly number[],
  taken: number,
  count: number,
): number {
  if (count === 0) return 0
  const last = byRoom[Math.min(count, byRoom.length) - 1] as number
  const sum = (upTo: number): number => sums[Math.min(upTo, byRoom.length)] as number
  return taken >= last ? sum(count + 1) - taken : sum(count)
}
