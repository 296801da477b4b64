// `virt-numa watch`: follows what happens to definitions and re-fits guests that ask. One line per action on stdout.
//
// One task does all the work, a guest at a time; events only say whom to look at. The daemon's end ends `virsh event`: then it
// connects anew and looks at every guest, since nobody tells what happened in between. Its own definitions make events too, but a
// guest that is fitted has no edit, so nothing follows from them.

import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../base/diagnostic.ts'
import { actionLine } from './action-line.ts'
import { backupFolder } from './backup.ts'
import type { Command } from './commands.ts'
import { CONFIG } from './input.ts'
import { print } from './output.ts'
import { readSettings } from './placing.ts'
import { type Started, startProgram } from './programs.ts'
import type { Running } from './run.ts'
import { listed } from './summary.ts'
import { checkConnection, connectWords, type Listed, listGuests, saidBy, virshAt } from './virsh.ts'
import { pauseMs, type Refits, readEvent, type Sighting, turnOf } from './watch-events.ts'
import { lookAt, type Watching } from './watch-guest.ts'

type Watch = Extract<Command, { name: 'watch' }>

/** What changes while it runs. */
interface Session extends Watching {
  readonly stop: AbortSignal
  readonly refits: Map<string, Refits>
  /** What was told of a guest that was left as it is: it is not told again until something happens to it. */
  readonly lastTold: Map<string, string>
  failures: number
}

/** virsh does not say when it is ready to hear of events: what is defined until then is found by looking again. */
const LOOK_AGAIN_S = [3, 10, 30]

export async function watchCommand(command: Watch, running: Running): Promise<number> {
  const settings = readSettings(command.config, running)
  const stopping = new AbortController()
  const session: Session = {
    virsh: virshAt(command.connect),
    settings,
    configSource: command.config ?? CONFIG,
    ...(command.host !== undefined && { host: command.host }),
    backup: command.backup ?? backupFolder(),
    stop: stopping.signal,
    refits: new Map(),
    lastTold: new Map(),
    failures: 0,
  }
  const stop = (): void => stopping.abort()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop)
  try {
    await checkConnectionOf(session, command)
    if (command.once) return (await scan(session)) === 0 ? 0 : 1
    await follow(session, command)
    return 0
  } finally {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, stop)
  }
}

/** Without --once a daemon that is not there yet is waited for; a machine that is another one never becomes this one. */
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
    log('watch', `libvirt is away, ${reason}; again in ${pause / 1000} s`, performance.now() - began)
    await sleep(pause, undefined, { signal: session.stop }).catch(() => {})
  }
  log('watch', 'ended', 0)
}

/** From one connection to its end. @returns why it ended */
async function connected(session: Session, { connect }: Watch): Promise<string> {
  const events = startProgram('virsh', [...connectWords(connect), 'event', '--all', '--loop', '--timestamp'])
  const end = (): void => events.end()
  session.stop.addEventListener('abort', end)
  try {
    return await attend(session, events)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return listed(error.diagnostics, 'capacity-fails')
  } finally {
    session.stop.removeEventListener('abort', end)
    events.end()
    await events.ended
  }
}

/** Guests wait in the order that they were first seen in; one that is seen twice is looked at once. */
async function attend(session: Session, events: Started): Promise<string> {
  const seen = new Map<string, Sighting['why']>()
  let wake = (): void => {}
  let reason: string | undefined
  let again = false
  const timers = LOOK_AGAIN_S.map((afterS) =>
    setTimeout(() => {
      again = true
      wake()
    }, afterS * 1000),
  )
  const reading = (async () => {
    for await (const line of events.lines) {
      const sighting = readEvent(line)
      if (sighting === undefined) continue
      if (!seen.has(sighting.guest)) seen.set(sighting.guest, sighting.why)
      wake()
    }
  })()
    .catch(() => {})
    .then(async () => {
      reason = saidBy((await events.ended).stderr) || 'virsh event ended'
      wake()
    })
  try {
    await scan(session)
    session.failures = 0
    while (!session.stop.aborted && reason === undefined) {
      if (again) {
        again = false
        await scan(session)
      }
      const [next] = seen
      if (next !== undefined) {
        seen.delete(next[0])
        await lookAtNamed(session, ...next)
      } else if (!again && reason === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    events.end()
    await reading
  }
  return reason ?? ''
}

/** @returns how many guests could not be fitted */
async function scan(session: Session): Promise<number> {
  let refused = 0
  for (const guest of await listGuests(session.virsh)) {
    if (session.stop.aborted) break
    if (await look(session, guest, 'found')) refused += 1
  }
  return refused
}

async function lookAtNamed(session: Session, name: string, why: Sighting['why']): Promise<void> {
  const guest = (await listGuests(session.virsh)).find((each) => each.name === name)
  if (guest !== undefined) await look(session, guest, why)
}

/** @returns whether the guest should have been fitted and was not */
async function look(session: Session, guest: Listed, why: Sighting['why'] | 'found'): Promise<boolean> {
  const { refits, lastTold } = session
  const began = performance.now()
  const turn = turnOf(refits.get(guest.uuid) ?? [], began)
  const looked = await lookAt(guest, turn.may === 'fit' ? 'yes' : 'no', session)
  const isDefined = looked.is === 'defined' || looked.is === 'otherwise'
  if (looked.is === 'left') refits.set(guest.uuid, turn.refits)
  if (isDefined) refits.set(guest.uuid, [...turn.refits, began])
  const told = looked.is === 'nothing' ? undefined : looked.told
  const isKnown = lastTold.get(guest.uuid) === told && (why === 'found' || looked.is === 'transient')
  const isSaid = looked.is === 'left' && turn.may === 'said'
  if (told !== undefined && !isKnown && !isSaid) log(`watch ${why} ${guest.name}`, told, performance.now() - began)
  if (told === undefined || isDefined) lastTold.delete(guest.uuid)
  else lastTold.set(guest.uuid, told)
  return looked.is !== 'defined' && looked.is !== 'nothing' && looked.is !== 'transient'
}

function log(about: string, what: string, tookMs: number): void {
  print(1, actionLine(about, what, new Date(), tookMs))
}
