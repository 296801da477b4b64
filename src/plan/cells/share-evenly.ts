// Things to bins, as evenly as the capacity of the bins allows.
//
// The bins that hold least get one each, in their order, and then the bins that hold least now; a bin
// without capacity drops out for good. While only the numbers change, many such rounds are one step, so the
// number of steps grows with the bins alone.

/**
 * Gives out `count` things one by one, each to the bin that holds least and has capacity left; of equal ones
 * the lowest. So totals differ by at most one, except where capacity ran out, and the odd ones are in the
 * lowest bins.
 * @param held what each bin has already
 * @param capacity how many more each bin's `group` takes; bins of one group share its capacity
 * @returns how many each bin got, or undefined when the capacity is too small for all
 */
export function shareEvenly(
  count: number,
  held: readonly number[],
  capacity: ReadonlyMap<number, number>,
  group: readonly number[] = held.map((_, bin) => bin),
): number[] | undefined {
  const left = new Map(capacity)
  const got = held.map(() => 0)
  const waiting = held.map((_, bin) => bin).sort((a, b) => at(held, a) - at(held, b) || a - b)
  let joined = 0
  /** The bins that hold least and may have capacity, all of them `level`. */
  let lowest: number[] = []
  let level = 0
  for (let open = count; open > 0; ) {
    if (lowest.length === 0) {
      if (joined === waiting.length) return undefined
      level = at(held, at(waiting, joined))
    }
    const before = joined
    while (joined < waiting.length && at(held, at(waiting, joined)) === level)
      lowest.push(at(waiting, joined++))
    if (joined > before) lowest.sort((a, b) => a - b)
    const next = joined < waiting.length ? at(held, at(waiting, joined)) - level : Number.POSITIVE_INFINITY
    const rounds = Math.max(
      1,
      Math.min(Math.floor(open / lowest.length), next, fullRounds(lowest, left, group)),
    )
    const served: number[] = []
    for (const bin of lowest) {
      const has = left.get(at(group, bin)) ?? 0
      // Only a single round may run out of things, or of capacity.
      if (has <= 0 || open === 0) continue
      got[bin] = at(got, bin) + rounds
      left.set(at(group, bin), has - rounds)
      open -= rounds
      served.push(bin)
    }
    lowest = served
    level += rounds
  }
  return got
}

/** In how many rounds every one of these bins gets its thing. */
function fullRounds(
  bins: readonly number[],
  left: ReadonlyMap<number, number>,
  group: readonly number[],
): number {
  const sharing = new Map<number, number>()
  for (const bin of bins) sharing.set(at(group, bin), (sharing.get(at(group, bin)) ?? 0) + 1)
  let rounds = Number.POSITIVE_INFINITY
  for (const [each, count] of sharing) rounds = Math.min(rounds, Math.floor((left.get(each) ?? 0) / count))
  return rounds
}

const at = (numbers: readonly number[], index: number): number => numbers[index] as number
