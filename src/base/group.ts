// A list -> groups of members with the same key.

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
