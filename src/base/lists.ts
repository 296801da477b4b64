// Lists: sums of numbers, and groups of members with the same key.

/** Groups a list by key. Groups and their members keep the order of the list. */
export function groupBy<Key, Thing>(all: readonly Thing[], keyOf: (one: Thing) => Key): Map<Key, Thing[]> {
  const groups = new Map<Key, Thing[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

/** The sum of all numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** The sums of the first 0, 1, 2, ... numbers: one more than there are numbers. */
export function sumsOf(numbers: readonly number[]): number[] {
  const sums = [0]
  for (const [index, number] of numbers.entries()) sums.push((sums[index] as number) + number)
  return sums
}
