// Guests with an event that have not been checked, and when to list guests next. Events with names that
// libvirt does not list, however many, cost one listing per interval and a limited amount of memory.

import type { GuestEvent } from './events.ts'
import type { Listed } from './guests.ts'

/** The least time between two listings that are only made for unknown names. */
const INTERVAL_MS = 1000
const MOST_UNKNOWN = 1000
const MOST_NAME = 1000

type Why = GuestEvent['why'] | 'found'

/** Events that wait for a listing of guests. Changed in place. */
export interface Pending {
  /** Names of the last listing. */
  listed: ReadonlySet<string>
  listedAtMs: number
  /** By name, in the order of the first event; a guest with two events is checked once. */
  readonly why: Map<string, GuestEvent['why']>
  knownCount: number
  /** Names were dropped: every new guest of the next listing may be one of them. */
  isCut: boolean
}

/** Nothing waits, and nothing was listed yet. */
export function nonePending(): Pending {
  return {
    listed: new Set(),
    listedAtMs: Number.NEGATIVE_INFINITY,
    why: new Map(),
    knownCount: 0,
    isCut: false,
  }
}

/** Adds an event, which is looked at with the next listing. */
export function addEvent(pending: Pending, { guest, why }: GuestEvent): void {
  if (pending.why.has(guest)) return
  const isKnown = pending.listed.has(guest)
  if (isKnown) pending.knownCount += 1
  else if (guest.length > MOST_NAME || pending.why.size - pending.knownCount >= MOST_UNKNOWN) {
    pending.isCut = true
    return
  }
  pending.why.set(guest, why)
}

/** In how many ms a listing is due; infinite when nothing waits for one. */
export function dueInMs({ why, knownCount, isCut, listedAtMs }: Pending, nowMs: number): number {
  if (knownCount > 0) return 0
  return why.size > 0 || isCut ? Math.max(0, listedAtMs + INTERVAL_MS - nowMs) : Number.POSITIVE_INFINITY
}

/**
 * Lists the guests and returns those to check, and why. The waiting events are taken before the listing: an
 * event that arrives meanwhile may concern a guest that is not in it.
 */
export async function listPending(
  pending: Pending,
  list: () => Promise<readonly Listed[]>,
  who: 'all' | 'named',
): Promise<readonly (readonly [Listed, Why])[]> {
  const { listed: before, isCut } = pending
  const why = new Map(pending.why)
  pending.why.clear()
  pending.knownCount = 0
  pending.isCut = false
  const guests = await list()
  pending.listed = new Set(guests.map(({ name }) => name))
  pending.listedAtMs = performance.now()
  pending.knownCount = [...pending.why.keys()].filter((name) => pending.listed.has(name)).length
  const isMeant = ({ name }: Listed): boolean =>
    who === 'all' || why.has(name) || (isCut && !before.has(name))
  const meant = guests.filter(isMeant).map((guest) => [guest, why.get(guest.name) ?? 'found'] as const)
  if (who === 'all') return meant
  const order = new Map([...why.keys()].map((name, at) => [name, at]))
  const placeOf = ([{ name }]: readonly [Listed, Why]): number => order.get(name) ?? order.size
  return meant.sort((one, other) => placeOf(one) - placeOf(other))
}
