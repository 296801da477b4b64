// `virt-numa watch`: follows the events of guests and fits those that opted in. One line per action on
// stdout.
//
// One task does all the work, one guest at a time; events only say which guest to check. When the daemon
// ends, `virsh event` ends: then we connect again and check every guest, since events were missed. Our own
// definitions cause events too, but a fitted guest needs no edit, so they end there.

import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../base/diagnostic.ts'
import { backupFolder } from '../../libvirt/backup.ts'
import { pauseMs, readEvent } from '../../libvirt/events.ts'
import { listGuests } from '../../libvirt/guests.ts'
import { addEvent, dueInMs, listPending, nonePending, type Pending } from '../../libvirt/pending.ts'
import { checkConnection, connectWords, reasonIn, virshAt, withoutPassword } from '../../libvirt/virsh.ts'
import { listed } from '../../machine/log-line.ts'
import { type Printing, startPrinting } from '../../machine/programs/child-process.ts'
import { lineReader } from '../../machine/programs/lines.ts'
import { abortOnSignal } from '../../machine/programs/signals.ts'
import { CONFIG } from '../../machine/read/read-text.ts'
import { type CommandRow, FAILURES, switchesOf, textsOf } from '../options.ts'
import { readSettings } from '../placing.ts'
import type { Running } from '../report.ts'
import { checkAll, checkGuests, log, type Session } from './watch-session.ts'

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
  about: 'fit guests that opted in, whenever they are defined or changed',
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

/**
 * virsh does not say when it starts receiving events: definitions before that are found by checking again.
 */
const CHECK_AGAIN_S = [3, 10, 30]

/** How often all guests are checked, and how slowly output is read, while it is unreadable. */
const UNREADABLE_CHECK_MS = 30_000
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
    const refused = await checkAll(session, nonePending())
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
    return await workWhileConnected(session, events)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return listed(error.diagnostics, 'capacity-fails')
  } finally {
    session.stop.removeEventListener('abort', end)
    await events.end()
  }
}

/** The state of one connection. Times are those of performance.now(). */
interface Connection {
  readonly pending: Pending
  /** When to check all guests. */
  allAtMs: number
  /** Why the events ended. */
  reason?: string
  wake: () => void
}

async function workWhileConnected(session: Session, events: Printing): Promise<string> {
  const connection: Connection = { pending: nonePending(), allAtMs: performance.now(), wake: () => {} }
  const checkAgain = (): void => {
    connection.allAtMs = performance.now()
    connection.wake()
  }
  const timers = CHECK_AGAIN_S.map((afterS) => setTimeout(checkAgain, afterS * 1000))
  const reading = readEvents(session, events, connection)
  const wakeUp = (): void => connection.wake()
  session.stop.addEventListener('abort', wakeUp)
  try {
    while (!session.stop.aborted && connection.reason === undefined) await workOnce(session, connection)
  } finally {
    session.stop.removeEventListener('abort', wakeUp)
    for (const timer of timers) clearTimeout(timer)
    await events.end()
    await reading
  }
  return connection.reason ?? ''
}

/** Does what is due, or waits for it. */
async function workOnce(session: Session, connection: Connection): Promise<void> {
  const { pending } = connection
  const allInMs = connection.allAtMs - performance.now()
  const eventInMs = dueInMs(pending, performance.now())
  if (allInMs <= 0) {
    connection.allAtMs = Number.POSITIVE_INFINITY
    await checkAll(session, pending)
    session.failures = 0
  } else if (eventInMs <= 0)
    await checkGuests(session, await listPending(pending, () => listGuests(session.virsh), 'named'))
  else await woken(connection, Math.min(allInMs, eventInMs))
}

function woken(connection: Connection, withinMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = Number.isFinite(withinMs) ? setTimeout(resolve, withinMs) : undefined
    connection.wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/**
 * Reads events until they end. After an unreadable line all guests are checked: it may have named any of
 * them.
 */
async function readEvents(session: Session, events: Printing, connection: Connection): Promise<void> {
  const read = lineReader()
  let lastCheckMs = Number.NEGATIVE_INFINITY
  for await (const chunk of events.chunks) {
    const { lines, unreadable } = read(chunk)
    for (const line of lines) {
      const event = readEvent(line)
      if (event !== undefined) addEvent(connection.pending, event)
    }
    if (unreadable) {
      reportUnreadable(session)
      const atMs = Math.max(performance.now(), lastCheckMs + UNREADABLE_CHECK_MS)
      if (atMs < connection.allAtMs) {
        connection.allAtMs = atMs
        lastCheckMs = atMs
      }
      // Endless output is read slowly.
      await sleep(UNREADABLE_PAUSE_MS)
    }
    connection.wake()
  }
  connection.reason = withoutPassword(reasonIn((await events.ended).stderr)) || 'virsh event ended'
  connection.wake()
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
