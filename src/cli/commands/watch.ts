// `virt-numa watch`: follows the events of guests and fits those that opted in. One line per action on
// stdout.
//
// One task does all the work, one guest at a time; events only say which guest to check. When the daemon
// ends, `virsh event` ends: then we connect again and check every guest, since events were missed. Our own
// definitions cause events too, but a fitted guest needs no edit, so they end there.

import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../base/diagnostic.ts'
import { shownName } from '../../base/name.ts'
import { backupFolder } from '../../libvirt/backup.ts'
import { type GuestEvent, pauseMs, type Refits, readEvent, turnOf } from '../../libvirt/events.ts'
import { addEvent, dueInMs, listPending, nonePending, type Pending } from '../../libvirt/pending.ts'
import {
  checkConnection,
  connectWords,
  type Listed,
  listGuests,
  reasonIn,
  virshAt,
  withoutPassword,
} from '../../libvirt/virsh.ts'
import { actionLine, listed } from '../../machine/log-line.ts'
import { type Printing, startPrinting } from '../../machine/programs/child-process.ts'
import { lineReader } from '../../machine/programs/lines.ts'
import { abortOnSignal } from '../../machine/programs/signals.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { type CommandRow, FAILURES, switchesOf, textsOf } from '../options.ts'
import { print } from '../output.ts'
import { readSettings } from '../placing.ts'
import type { Running } from '../report.ts'
import { lookAt, type Watching } from './watch-guest.ts'

/** The request comes from the configuration and the guests. */
interface Watch {
  readonly name: 'watch'
  readonly host?: string
  readonly config?: string
  readonly connect?: string
  readonly backup?: string
  readonly once: boolean
}

/** Follows libvirt's events. */
export const watch: CommandRow<Watch> = {
  about: 'fit every opted-in guest when it is defined',
  maxInputs: 0,
  options: ['once', 'connect', 'backup', 'host', 'config'],
  keys: [],
  command: (given) => ({
    name: 'watch',
    ...textsOf(given, ['connect', 'backup', 'host', 'config']),
    ...switchesOf(given, ['once']),
  }),
  exits: [
    ['0', 'ended by SIGTERM or SIGINT; with --once: done'],
    ['1', 'with --once: a guest was refused, or libvirt cannot be reached'],
    ...FAILURES,
  ],
  examples: ['virt-numa watch', 'virt-numa watch --once --connect qemu:///system'],
  run: runWatch,
}

/** The state of a run. */
interface Session extends Watching {
  readonly stop: AbortSignal
  readonly refits: Map<string, Refits>
  /** What was reported about a guest that was left unchanged: not again until it has an event. */
  readonly lastReported: Map<string, string>
  failures: number
  isUnreadableReported: boolean
}

/**
 * virsh does not say when it starts receiving events: definitions before that are found by checking again.
 */
const LOOK_AGAIN_S = [3, 10, 30]

/** How often all guests are checked, and how slowly output is read, while it is unreadable. */
const UNREADABLE_LOOK_MS = 30_000
const UNREADABLE_PAUSE_MS = 10

async function runWatch(command: Watch, running: Running): Promise<number> {
  const settings = readSettings(command.config, running)
  const stopping = new AbortController()
  const session: Session = {
    virsh: virshAt(command.connect, stopping.signal),
    settings,
    configSource: command.config ?? CONFIG,
    ...(command.host !== undefined && { host: command.host }),
    backup: command.backup ?? backupFolder(),
    stop: stopping.signal,
    refits: new Map(),
    lastReported: new Map(),
    failures: 0,
    isUnreadableReported: false,
  }
  try {
    return await abortOnSignal(stopping, () => watchGuests(session, command))
  } catch (error) {
    // The signal interrupted a call, as intended.
    if (!stopping.signal.aborted || !(error instanceof Refusal)) throw error
    log('watch', 'ended', 0)
    return 0
  }
}

async function watchGuests(session: Session, command: Watch): Promise<number> {
  await checkConnectionOf(session, command)
  if (command.once) {
    const refused = await scan(session, nonePending())
    return refused === 0 || session.stop.aborted ? 0 : 1
  }
  await follow(session, command)
  return 0
}

/**
 * Without --once, waits for a daemon that is not running yet; guests on another machine are refused at once.
 */
async function checkConnectionOf({ virsh, settings, host }: Session, { once }: Watch): Promise<void> {
  try {
    await checkConnection(virsh, host ?? settings.root)
  } catch (error) {
    if (once || !isUnreachable(error)) throw error
  }
}

const isUnreachable = (error: unknown): boolean =>
  error instanceof Refusal && error.diagnostics.some(({ code }) => code === 'libvirt-unreachable')

async function follow(session: Session, command: Watch): Promise<void> {
  log('watch', 'started', 0)
  while (!session.stop.aborted) {
    const began = performance.now()
    const reason = await connected(session, command)
    if (session.stop.aborted) break
    session.failures += 1
    const pause = pauseMs(session.failures)
    log(
      'watch',
      `libvirt cannot be reached: ${reason}; trying again in ${pause / 1000} s`,
      performance.now() - began,
    )
    await sleep(pause, undefined, { signal: session.stop }).catch(() => {})
  }
  log('watch', 'ended', 0)
}

/** Works until the connection ends. @returns why it ended */
async function connected(session: Session, { connect }: Watch): Promise<string> {
  const events = startPrinting('virsh', [...connectWords(connect), 'event', '--all', '--loop', '--timestamp'])
  const end = (): void => void events.end()
  session.stop.addEventListener('abort', end)
  try {
    return await attend(session, events)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return listed(error.diagnostics, 'capacity-fails')
  } finally {
    session.stop.removeEventListener('abort', end)
    await events.end()
  }
}

/** The state of one connection. Times are those of performance.now(). */
interface Attending {
  readonly pending: Pending
  /** When to check all guests. */
  allAtMs: number
  /** Why the events ended. */
  reason?: string
  wake: () => void
}

async function attend(session: Session, events: Printing): Promise<string> {
  const attending: Attending = { pending: nonePending(), allAtMs: performance.now(), wake: () => {} }
  const lookAgain = (): void => {
    attending.allAtMs = performance.now()
    attending.wake()
  }
  const timers = LOOK_AGAIN_S.map((afterS) => setTimeout(lookAgain, afterS * 1000))
  const reading = readEvents(session, events, attending)
  const wakeUp = (): void => attending.wake()
  session.stop.addEventListener('abort', wakeUp)
  try {
    while (!session.stop.aborted && attending.reason === undefined) await attendOnce(session, attending)
  } finally {
    session.stop.removeEventListener('abort', wakeUp)
    for (const timer of timers) clearTimeout(timer)
    await events.end()
    await reading
  }
  return attending.reason ?? ''
}

/** Does what is due, or waits for it. */
async function attendOnce(session: Session, attending: Attending): Promise<void> {
  const { pending } = attending
  const allInMs = attending.allAtMs - performance.now()
  const eventInMs = dueInMs(pending, performance.now())
  if (allInMs <= 0) {
    attending.allAtMs = Number.POSITIVE_INFINITY
    await scan(session, pending)
    session.failures = 0
  } else if (eventInMs <= 0)
    await lookAtAll(session, await listPending(pending, () => listGuests(session.virsh), 'named'))
  else await woken(attending, Math.min(allInMs, eventInMs))
}

function woken(attending: Attending, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = Number.isFinite(withinMs) ? setTimeout(resolve, withinMs) : undefined
    attending.wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/**
 * Reads events until they end. After an unreadable line all guests are checked: it may have named any of
 * them.
 */
async function readEvents(session: Session, events: Printing, attending: Attending): Promise<void> {
  const read = lineReader()
  let lastLookMs = Number.NEGATIVE_INFINITY
  for await (const chunk of events.chunks) {
    const { lines, unreadable } = read(chunk)
    for (const line of lines) {
      const event = readEvent(line)
      if (event !== undefined) addEvent(attending.pending, event)
    }
    if (unreadable) {
      reportUnreadable(session)
      const atMs = Math.max(performance.now(), lastLookMs + UNREADABLE_LOOK_MS)
      if (atMs < attending.allAtMs) {
        attending.allAtMs = atMs
        lastLookMs = atMs
      }
      // Endless output is read slowly.
      await sleep(UNREADABLE_PAUSE_MS)
    }
    attending.wake()
  }
  attending.reason = withoutPassword(reasonIn((await events.ended).stderr)) || 'virsh event ended'
  attending.wake()
}

function reportUnreadable(session: Session): void {
  if (session.isUnreadableReported) return
  session.isUnreadableReported = true
  log(
    'watch',
    'virsh event prints lines that are too long or not UTF-8; they are ignored and all guests are checked',
    0,
  )
}

/** @returns how many guests could not be fitted */
async function scan(session: Session, pending: Pending): Promise<number> {
  const found = await listPending(pending, () => listGuests(session.virsh), 'all')
  forget(session, new Set(found.map(([{ uuid }]) => uuid)))
  return lookAtAll(session, found)
}

async function lookAtAll(session: Session, found: Awaited<ReturnType<typeof listPending>>): Promise<number> {
  let refused = 0
  for (const [guest, why] of found) {
    if (session.stop.aborted) break
    if (await look(session, guest, why)) refused += 1
  }
  return refused
}

/** Forgets guests that no longer exist. */
function forget({ refits, lastReported }: Session, there: ReadonlySet<string>): void {
  for (const uuid of refits.keys()) if (!there.has(uuid)) refits.delete(uuid)
  for (const uuid of lastReported.keys()) if (!there.has(uuid)) lastReported.delete(uuid)
}

/** @returns whether the guest should have been fitted and was not */
async function look(session: Session, guest: Listed, why: GuestEvent['why'] | 'found'): Promise<boolean> {
  const { refits, lastReported } = session
  const began = performance.now()
  const turn = turnOf(refits.get(guest.uuid) ?? [], began)
  const looked = await lookAt(guest, turn.may === 'fit' ? 'yes' : 'no', session)
  const isDefined = looked.is === 'defined' || looked.is === 'otherwise'
  if (looked.is === 'left') refits.set(guest.uuid, turn.refits)
  if (isDefined) refits.set(guest.uuid, [...turn.refits, began])
  const report = looked.is === 'nothing' ? undefined : looked.report
  const isKnown = lastReported.get(guest.uuid) === report && (why === 'found' || looked.is === 'transient')
  const isSaid = looked.is === 'left' && turn.may === 'reported'
  if (report !== undefined && !isKnown && !isSaid)
    log(`watch ${why} ${shownName(guest.name)}`, report, performance.now() - began)
  if (report === undefined || isDefined) lastReported.delete(guest.uuid)
  else lastReported.set(guest.uuid, report)
  return looked.is !== 'defined' && looked.is !== 'nothing' && looked.is !== 'transient'
}

function log(about: string, what: string, tookMs: number): void {
  print(1, actionLine(about, what, new Date(), tookMs))
}
