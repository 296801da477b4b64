// The guests of a run of `watch`, checked one by one, and what is remembered about each.

import { shownName } from '../../base/visible.ts'
import { type GuestEvent, type Refits, turnOf } from '../../libvirt/events.ts'
import { type Listed, listGuests } from '../../libvirt/guests.ts'
import { listPending, type Pending } from '../../libvirt/pending.ts'
import { actionLine } from '../../machine/log-line.ts'
import { print } from '../output.ts'
import { fitIfNeeded, type Watching } from './watch-guest.ts'

/** The state of a run. */
export interface Session extends Watching {
  readonly stop: AbortSignal
  readonly refits: Map<string, Refits>
  /** What was reported about a guest that was left unchanged: not again until it has an event. */
  readonly lastReported: Map<string, string>
  failures: number
  isUnreadableReported: boolean
}

/** @returns how many guests could not be fitted */
export async function checkAll(session: Session, pending: Pending): Promise<number> {
  const found = await listPending(pending, () => listGuests(session.virsh), 'all')
  forget(session, new Set(found.map(([{ uuid }]) => uuid)))
  return checkGuests(session, found)
}

/** Checks these guests. @returns how many could not be fitted */
export async function checkGuests(
  session: Session,
  found: Awaited<ReturnType<typeof listPending>>,
): Promise<number> {
  let refused = 0
  for (const [guest, why] of found) {
    if (session.stop.aborted) break
    if (await checkGuest(session, guest, why)) refused += 1
  }
  return refused
}

/** Forgets guests that no longer exist. */
function forget({ refits, lastReported }: Session, there: ReadonlySet<string>): void {
  for (const uuid of refits.keys()) if (!there.has(uuid)) refits.delete(uuid)
  for (const uuid of lastReported.keys()) if (!there.has(uuid)) lastReported.delete(uuid)
}

/** @returns whether the guest should have been fitted and was not */
async function checkGuest(
  session: Session,
  guest: Listed,
  why: GuestEvent['why'] | 'found',
): Promise<boolean> {
  const { refits, lastReported } = session
  const began = performance.now()
  const turn = turnOf(refits.get(guest.uuid) ?? [], began)
  const outcome = await fitIfNeeded(guest, turn.may === 'fit' ? 'yes' : 'no', session)
  const isDefined = outcome.is === 'defined' || outcome.is === 'otherwise'
  if (outcome.is === 'left') refits.set(guest.uuid, turn.refits)
  if (isDefined) refits.set(guest.uuid, [...turn.refits, began])
  const report = outcome.is === 'nothing' ? undefined : outcome.report
  const isKnown = lastReported.get(guest.uuid) === report && (why === 'found' || outcome.is === 'transient')
  const isReported = outcome.is === 'left' && turn.may === 'reported'
  if (report !== undefined && !isKnown && !isReported)
    log(`watch ${why} ${shownName(guest.name)}`, report, performance.now() - began)
  if (report === undefined || isDefined) lastReported.delete(guest.uuid)
  else lastReported.set(guest.uuid, report)
  return outcome.is !== 'defined' && outcome.is !== 'nothing' && outcome.is !== 'transient'
}

/** Prints one line of the log. */
export function log(about: string, what: string, tookMs: number): void {
  print(1, actionLine(about, what, new Date(), tookMs))
}
