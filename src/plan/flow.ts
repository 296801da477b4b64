// Whether several demands, each with the nodes that may serve it, can be met together; and which cannot.

/** `from` are indices of the supplies that may serve it. */
export interface Demand {
  readonly amount: number
  readonly from: readonly number[]
}

/**
 * Serves as much as possible at all (a maximum flow by shortest augmenting paths), earlier demands first.
 * @param supplies what each place has
 * @returns per demand and supply what is taken; a demand whose row sums to less than its amount cannot be met
 */
export function serve(demands: readonly Demand[], supplies: readonly number[]): number[][] {
  const taken = demands.map(() => supplies.map(() => 0))
  const left = [...supplies]
  demands.forEach((demand, index) => {
    for (let open = demand.amount; open > 0; ) {
      const moved = augment(index, open, demands, taken, left)
      if (moved === 0) break
      open -= moved
    }
  })
  return taken
}

/** One path from a demand to a supply that has something left, moving what others took where that frees some. */
function augment(start: number, most: number, demands: readonly Demand[], taken: number[][], left: number[]): number {
  const cameFrom = new Map<number, number>() // supply -> demand
  const movedFrom = new Map<number, number>() // demand -> supply it gives up
  const queue = [start]
  for (const demand of queue) {
    for (const supply of demands[demand]?.from ?? []) {
      if (cameFrom.has(supply)) continue
      cameFrom.set(supply, demand)
      if ((left[supply] ?? 0) > 0) return push(start, most, supply, cameFrom, movedFrom, taken, left)
      taken.forEach((row, other) => {
        if ((row[supply] ?? 0) === 0 || movedFrom.has(other) || other === start) return
        movedFrom.set(other, supply)
        queue.push(other)
      })
    }
  }
  return 0
}

function push(
  start: number,
  most: number,
  last: number,
  cameFrom: ReadonlyMap<number, number>,
  movedFrom: ReadonlyMap<number, number>,
  taken: number[][],
  left: number[],
): number {
  const path: { demand: number; supply: number; gives: number | undefined }[] = []
  for (let supply = last; ; ) {
    const demand = cameFrom.get(supply) as number
    const gives = demand === start ? undefined : movedFrom.get(demand)
    path.push({ demand, supply, gives })
    if (gives === undefined) break
    supply = gives
  }
  const amount = path.reduce(
    (least, { demand, gives }) => (gives === undefined ? least : Math.min(least, taken[demand]?.[gives] ?? 0)),
    Math.min(most, left[last] ?? 0),
  )
  for (const { demand, supply, gives } of path) {
    const row = taken[demand] as number[]
    row[supply] = (row[supply] ?? 0) + amount
    if (gives !== undefined) row[gives] = (row[gives] ?? 0) - amount
  }
  left[last] = (left[last] ?? 0) - amount
  return amount
}
