// Whether several demands, each with the supplies that may meet it, can be met together; and which cannot.
//
// A maximum flow in phases (Dinic's algorithm). A phase first finds how many steps each demand is away from a
// supply that has something left, where one step lets a supply take back what it gave to another demand. Then
// it serves along shortest ways only, and looks at each edge once. The shortest way is longer in every phase,
// so there are few phases.

/** `from` are indices of the supplies that may meet it. */
export interface Demand {
  readonly amount: number
  readonly from: readonly number[]
}

/**
 * Serves as much as possible at all, earlier demands first.
 * @param supplies what each place has
 * @returns per demand how much of its amount is met; from which supplies is left open
 */
export function allocate(demands: readonly Demand[], supplies: readonly number[]): number[] {
  // When all can be met, none has to come before another.
  if (canAllocate(demands, supplies)) return demands.map(({ amount }) => amount)
  const flow = flowOf(demands, supplies)
  return demands.map(({ amount }, demand) => {
    push(flow, [demand])
    return amount - (flow.open[demand] as number)
  })
}

/** What places may make in addition: each so much, and all together `most`. */
export interface Surplus {
  readonly ofPlace: readonly number[]
  readonly most: number
}

/**
 * The same where places may make more than they have. What they have is used first, as much of it as can be
 * at all; that leaves the least to be made, since a place keeps all that it gives when others ask for more.
 */
export function allocateWithSurplus(
  demands: readonly Demand[],
  supplies: readonly number[],
  { ofPlace, most }: Surplus,
): number[] {
  if (most <= 0 || areMetInTurn(demands, supplies)) return allocate(demands, supplies)
  const places = supplies.length
  const both = demands.map(({ amount, from }) => ({
    amount,
    from: [...from, ...from.map((at) => places + at)],
  }))
  const flow = flowOf(both, [...supplies, ...supplies.map(() => 0)])
  push(flow, [...demands.keys()])
  ofPlace.forEach((each, at) => {
    flow.left[places + at] = Math.min(each, most)
  })
  flow.isClosed.fill(false)
  let left = most
  return demands.map(({ amount }, demand) => {
    const open = flow.open[demand] as number
    const asked = Math.min(open, left)
    flow.open[demand] = asked
    push(flow, [demand])
    const made = asked - (flow.open[demand] as number)
    left -= made
    return amount - open + made
  })
}

/** Whether all demands can be met together. */
export function canAllocate(demands: readonly Demand[], supplies: readonly number[]): boolean {
  if (areMetInTurn(demands, supplies)) return true
  const flow = flowOf(demands, supplies)
  push(flow, [...demands.keys()])
  return flow.open.every((open) => open === 0)
}

/** Whether nothing is left to be met when each demand in turn takes what there is: mostly so. */
function areMetInTurn(demands: readonly Demand[], supplies: readonly number[]): boolean {
  const left = supplies.slice()
  for (const { amount, from } of demands) {
    let open = amount
    for (let at = 0; at < from.length && open > 0; at++) {
      const supply = from[at] as number
      const taken = Math.min(open, Math.max(0, left[supply] as number))
      left[supply] = (left[supply] as number) - taken
      open -= taken
    }
    if (open > 0) return false
  }
  return true
}

interface Flow {
  readonly demands: readonly Demand[]
  /** What each supply has left, and what each demand still lacks. */
  readonly left: number[]
  readonly open: number[]
  /** Per supply: what it gives to which demand. */
  readonly given: readonly Map<number, number>[]
  /** Supplies from which no way leads to anything left. Whatever is allocated later, they give nothing. */
  readonly isClosed: boolean[]
}

function flowOf(demands: readonly Demand[], supplies: readonly number[]): Flow {
  return {
    demands,
    left: [...supplies],
    open: demands.map(({ amount }) => amount),
    given: supplies.map(() => new Map()),
    isClosed: supplies.map(() => false),
  }
}

/** Meets these demands as far as possible; those met before keep as much as they have. */
function push(flow: Flow, sources: readonly number[]): void {
  for (;;) {
    const lacking = sources.filter((demand) => (flow.open[demand] as number) > 0)
    const steps = lacking.length === 0 ? undefined : stepsFrom(flow, lacking)
    if (steps === undefined) return
    const phase = { ...flow, ...steps, supplyAt: new Uint32Array(flow.demands.length), takers: new Map() }
    for (const demand of lacking) serveShortest(phase, demand)
  }
}

/**
 * How many steps each demand and each supply is away from the sources; -1 where no shortest way leads there.
 */
interface Steps {
  readonly toDemand: Int32Array
  readonly toSupply: Int32Array
}

/** @returns undefined when nothing that is left can be reached */
function stepsFrom({ demands, left, given, isClosed }: Flow, sources: readonly number[]): Steps | undefined {
  const toDemand = new Int32Array(demands.length).fill(-1)
  const toSupply = new Int32Array(left.length).fill(-1)
  for (const source of sources) toDemand[source] = 0
  let shortest = Number.POSITIVE_INFINITY
  const reached: number[] = []
  const queue = [...sources]
  for (const demand of queue) {
    const step = toDemand[demand] as number
    if (step > shortest) break
    for (const supply of (demands[demand] as Demand).from) {
      if (isClosed[supply] || toSupply[supply] !== -1) continue
      toSupply[supply] = step
      reached.push(supply)
      if ((left[supply] as number) > 0) shortest = step
      for (const other of (given[supply] as Map<number, number>).keys()) {
        if (toDemand[other] !== -1) continue
        toDemand[other] = step + 1
        queue.push(other)
      }
    }
  }
  if (shortest < Number.POSITIVE_INFINITY) return { toDemand, toSupply }
  for (const supply of reached) isClosed[supply] = true
  return undefined
}

interface Phase extends Flow, Steps {
  /** How far each demand has come in its supplies, and each supply in the demands that it gives to. */
  readonly supplyAt: Uint32Array
  readonly takers: Map<number, { readonly demands: readonly number[]; at: number }>
}

/**
 * All that shortest ways bring to one demand. The way is a list of demands: each but the first gives up what
 * the one before takes.
 */
function serveShortest(phase: Phase, source: number): void {
  const way = [source]
  while (way.length > 0 && (phase.open[source] as number) > 0) {
    const demand = way[way.length - 1] as number
    const supply = supplyOf(phase, demand)
    const next =
      supply === undefined || (phase.left[supply] as number) > 0 ? undefined : nextTaker(phase, supply)
    if (supply === undefined) {
      way.pop()
      const before = way[way.length - 1]
      if (before !== undefined) advanceTaker(phase, supplyOf(phase, before) as number)
    } else if ((phase.left[supply] as number) > 0) {
      take(phase, way)
      way.length = 1
    } else if (next === undefined) phase.supplyAt[demand] = (phase.supplyAt[demand] as number) + 1
    else way.push(next)
  }
}

/** The supply that a demand looks at now: on a shortest way. */
function supplyOf({ demands, toDemand, toSupply, supplyAt }: Phase, demand: number): number | undefined {
  const { from } = demands[demand] as Demand
  let at = supplyAt[demand] as number
  while (at < from.length && toSupply[from[at] as number] !== toDemand[demand]) at++
  supplyAt[demand] = at
  return from[at]
}

/** The demand that a supply may take something back from. */
function nextTaker({ given, toDemand, toSupply, takers }: Phase, supply: number): number | undefined {
  const gives = given[supply] as Map<number, number>
  const list = takers.get(supply) ?? { demands: [...gives.keys()], at: 0 }
  takers.set(supply, list)
  const isOnWay = (demand: number): boolean =>
    gives.has(demand) && toDemand[demand] === (toSupply[supply] as number) + 1
  while (list.at < list.demands.length && !isOnWay(list.demands[list.at] as number)) list.at++
  return list.demands[list.at]
}

function advanceTaker({ takers }: Phase, supply: number): void {
  const list = takers.get(supply)
  if (list !== undefined) list.at++
}

/** Moves as much along the way as its narrowest step lets through. */
function take(phase: Phase, way: readonly number[]): void {
  const { given, left, open } = phase
  const supplies = way.map((demand) => supplyOf(phase, demand) as number)
  const gives = (step: number): number => given[supplies[step - 1] as number]?.get(way[step] as number) ?? 0
  const last = supplies[supplies.length - 1] as number
  let amount = Math.min(open[way[0] as number] as number, left[last] as number)
  for (let step = 1; step < way.length; step++) amount = Math.min(amount, gives(step))
  left[last] = (left[last] as number) - amount
  open[way[0] as number] = (open[way[0] as number] as number) - amount
  way.forEach((demand, step) => {
    const from = given[supplies[step] as number] as Map<number, number>
    from.set(demand, (from.get(demand) ?? 0) + amount)
    if (step === 0) return
    const before = given[supplies[step - 1] as number] as Map<number, number>
    const rest = (before.get(demand) as number) - amount
    if (rest > 0) before.set(demand, rest)
    else before.delete(demand)
  })
}
