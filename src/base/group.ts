// Things to groups by a key, each in the order in which it came.

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
