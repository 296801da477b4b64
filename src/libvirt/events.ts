// What `virsh event` prints -> which guest to check, and why; and how often a guest is fitted again before it
// is left alone.

/** Something happened to a guest. `why` is a word for the log. */
export interface GuestEvent {
  readonly guest: string
  readonly why: 'added' | 'updated' | 'renamed' | 'reverted' | 'migrated' | 'started' | 'stopped' | 'metadata'
}

/**
 * Reads one line: "TIME: event 'lifecycle' for domain 'NAME': Defined Added". A name may hold almost
 * anything, quotes and control characters too, and blanks at its ends belong to it; it ends at the last quote
 * that fits. A guest that stops is checked since new cells had to wait while it ran; one that starts, since
 * it may be transient; one that arrives by migration has the pins of its source.
 */
export function readEvent(line: string): GuestEvent | undefined {
  const [, event, guest, detail] = /^[^']*event '([\w-]+)' for domain '(.*)': (.*)$/s.exec(line) ?? []
  if (event === undefined || guest === undefined || detail === undefined) return undefined
  if (event === 'metadata-change') return { guest, why: 'metadata' }
  const why = event === 'lifecycle' ? whyOf(detail.trim()) : undefined
  return why && { guest, why }
}

function whyOf(detail: string): GuestEvent['why'] | undefined {
  const known = lifecycle.get(detail)
  if (known !== undefined) return known
  // Until it is resumed, a guest that arrives by migration has no definition and looks transient.
  if (detail === 'Started Migrated') return undefined
  return detail.startsWith('Stopped ') ? 'stopped' : detail.startsWith('Started ') ? 'started' : undefined
}

/** @see virsh event, virDomainEventDefinedDetailType */
const lifecycle: ReadonlyMap<string, GuestEvent['why']> = new Map<string, GuestEvent['why']>([
  ['Defined Added', 'added'],
  ['Defined Updated', 'updated'],
  ['Defined Renamed', 'renamed'],
  ['Defined Snapshot', 'reverted'],
  ['Resumed Migrated', 'migrated'],
])

/** Two programs that fit a guest differently would define it in turns forever. */
export const MOST_REFITS = 5
/** The time in which `MOST_REFITS` count. */
export const WITHIN_MS = 60_000

/** When a guest was fitted, oldest first. */
export type Refits = readonly number[]

/** Whether a guest may be fitted again, and the times to remember. */
interface Turn {
  /** `reported`: not again, and that has been reported. */
  readonly may: 'fit' | 'leave' | 'reported'
  readonly refits: Refits
}

/**
 * Decides whether a guest may be fitted again. A negative time is that of the report, which expires like the
 * others.
 */
export function turnOf(refits: Refits, nowMs: number): Turn {
  const recent = refits.filter((time) => nowMs - Math.abs(time) < WITHIN_MS)
  const done = recent.filter((time) => time >= 0)
  if (done.length < MOST_REFITS) return { may: 'fit', refits: done }
  return done.length < recent.length
    ? { may: 'reported', refits: recent }
    : { may: 'leave', refits: [...recent, -nowMs] }
}

/** How long to wait before the next try to reach libvirt: 1, 2, 4 ... 30 seconds. */
export function pauseMs(failures: number): number {
  return Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 10))
}
