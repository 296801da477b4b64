// So many things to bins, as evenly as their room allows.

/**
 * Deals `count` things one by one, each to the bin that holds least and has room left; of equal ones the lowest.
 * So totals differ by at most one except where room ran out, and the odd ones lie in the lowest bins.
 * @param held what each bin has already
 * @param room how many more each bin's `group` takes; bins of one group share its room
 * @returns how many each bin got, or undefined when there is no room for all
 */
export function deal(
  count: number,
  held: readonly number[],
  room: ReadonlyMap<number, number>,
  group: readonly number[] = held.map((_, bin) => bin),
): number[] | undefined {
  const left = new Map(room)
  const got = held.map(() => 0)
  for (let dealt = 0; dealt < count; dealt++) {
    const bin = least(held, got, (each) => (left.get(group[each] as number) ?? 0) > 0)
    if (bin === undefined) return undefined
    got[bin] = (got[bin] as number) + 1
    left.set(group[bin] as number, (left.get(group[bin] as number) as number) - 1)
  }
  return got
}

function least(held: readonly number[], got: readonly number[], hasRoom: (bin: number) => boolean): number | undefined {
  let best: number | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (let bin = 0; bin < held.length; bin++) {
    const total = (held[bin] as number) + (got[bin] as number)
    if (total >= fewest || !hasRoom(bin)) continue
    best = bin
    fewest = total
  }
  return best
}
