// Which host nodes hold the guest: the fewest, then the nearest to each other, then those that split the fewest cores, then
// the lowest ids.
//
// The fewest: the roomiest k nodes tell whether k nodes can hold the guest at all. Up to 16 nodes every set of k is
// looked at, in the order of ids, and a set is left as soon as its distances exceed the best so far; so the answer is exact.
// Beyond 16, sets are grown: from each node in turn, always by the node nearest to those taken that still leaves the rest
// enough room; the best of these sets is the answer. Growing may miss a nearer set; it never misses a smaller one.

/** One node on offer: how many guest cores it has room for. */
export interface Room {
  readonly id: number
  readonly room: number
}

/** What a set of nodes costs, compared from left to right: distances, then split cores. */
type Cost = readonly [apart: number, splits: number]

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
  const search: Search = { nodes, need, count: wanted, separation, splits }
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
  for (let count = 1; count <= nodes.length; count++) if (roomiest(nodes, count) >= need) return count
  return undefined
}

function roomiest(nodes: readonly Room[], count: number): number {
  const rooms = nodes.map(({ room }) => room).sort((a, b) => b - a)
  return rooms.slice(0, count).reduce((sum, room) => sum + room, 0)
}

function exactly({ nodes, need, count, separation, splits }: Search): number[] | undefined {
  let best: { readonly ids: number[]; readonly cost: Cost } | undefined
  const extend = (ids: readonly number[], from: number, room: number, apart: number): void => {
    if (best !== undefined && apart > best.cost[0]) return
    if (ids.length === count) {
      if (room < need) return
      const cost: Cost = [apart, splits(ids)]
      if (best === undefined || less(cost, best.cost)) best = { ids: [...ids], cost }
      return
    }
    for (let next = from; next <= nodes.length - (count - ids.length); next++) {
      const node = nodes[next] as Room
      const further = ids.reduce((sum, id) => sum + separation(id, node.id), apart)
      extend([...ids, node.id], next + 1, room + node.room, further)
    }
  }
  extend([], 0, 0, 0)
  return best?.ids
}

function grown(search: Search): number[] | undefined {
  let best: { readonly ids: number[]; readonly cost: Cost } | undefined
  for (const start of search.nodes) {
    const set = growFrom(start, search)
    if (set === undefined) continue
    const ids = set.ids.sort((a, b) => a - b)
    const cost: Cost = [set.apart, search.splits(ids)]
    if (best === undefined || less(cost, best.cost)) best = { ids, cost }
  }
  return best?.ids
}

function growFrom(start: Room, { nodes, need, count, separation }: Search): { ids: number[]; apart: number } | undefined {
  const ids = [start.id]
  let { room } = start
  let apart = 0
  if (count === 1) return room >= need ? { ids, apart } : undefined
  let rest = nodes.filter(({ id }) => id !== start.id).map((node) => ({ ...node, way: separation(start.id, node.id) }))
  while (ids.length < count) {
    const open = count - ids.length
    const byRoom = rest.map((node) => node.room).sort((a, b) => b - a)
    const sums = sumsOf(byRoom)
    const next = rest
      .filter((node) => room + node.room + othersRoom(byRoom, sums, node.room, open - 1) >= need)
      .reduce<(typeof rest)[number] | undefined>(
        (nearest, node) => (nearest === undefined || node.way < nearest.way ? node : nearest),
        undefined,
      )
    if (next === undefined) return undefined
    ids.push(next.id)
    room += next.room
    apart += next.way
    rest = rest.filter(({ id }) => id !== next.id).map((node) => ({ ...node, way: node.way + separation(next.id, node.id) }))
  }
  return room >= need ? { ids, apart } : undefined
}

/** The sum of the first 0, 1, 2, ... */
function sumsOf(numbers: readonly number[]): number[] {
  const sums = [0]
  for (const [index, number] of numbers.entries()) sums.push((sums[index] as number) + number)
  return sums
}

/** The room of the `count` roomiest nodes beside one that has `taken`. */
function othersRoom(byRoom: readonly number[], sums: readonly number[], taken: number, count: number): number {
  if (count === 0) return 0
  const last = byRoom[Math.min(count, byRoom.length) - 1] as number
  const sum = (upTo: number): number => sums[Math.min(upTo, byRoom.length)] as number
  return taken >= last ? sum(count + 1) - taken : sum(count)
}

const less = (a: Cost, b: Cost): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
