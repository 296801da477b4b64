// The event loop of the native command: timers, files that become ready, processes that end, signals. main
// calls it whenever no job of a promise is left.

import { calls } from '../calls.ts'
import { more } from './calls.ts'

/** What runs at a time. */
interface Timer {
  readonly atMs: number
  readonly run: () => void
}

const timers = new Set<Timer>()
const readers = new Map<number, () => void>()
const processes = new Map<number, (status: number, signal: number) => void>()
const heeded = new Map<number, () => void>()
/** SIGCHLD was there, or a process was started since. */
const children = { mayHaveEnded: false }

const SIGCHLD = 17
const LONGEST_MS = 60_000

/** Runs a function after a time. @returns what stops that */
export function after(ms: number, run: () => void): () => void {
  const timer: Timer = { atMs: nowMs() + Math.max(1, ms), run }
  timers.add(timer)
  return () => void timers.delete(timer)
}

/** In ms, from some time on. */
export const nowMs = (): number => calls.elapsed()

/** Runs a function each time that a file can be read, until it is removed. */
export function onReadable(file: number, run: (() => void) | undefined): void {
  if (run === undefined) readers.delete(file)
  else readers.set(file, run)
}

/** Runs a function when a process has ended. */
export function onEnd(process: number, run: (status: number, signal: number) => void): void {
  processes.set(process, run)
  children.mayHaveEnded = true
}

/** Runs a function for each signal of a number, in place of what the signal does. */
export function onSignal(signal: number, run: (() => void) | undefined): void {
  if (run === undefined) heeded.delete(signal)
  else heeded.set(signal, run)
  more.heed(signal, run === undefined ? 0 : 1)
}

/** Runs what is due for signals that have arrived. @returns whether there was any */
export function handleSignals(): boolean {
  const arrived = more.arrived()
  if (arrived.includes(SIGCHLD)) children.mayHaveEnded = true
  const runs = arrived.flatMap((signal) => heeded.get(signal) ?? [])
  for (const run of runs) run()
  return runs.length > 0
}

/** Runs what is due, after waiting for it. @returns false where there is nothing to wait for */
function turn(): boolean {
  if (timers.size === 0 && readers.size === 0 && processes.size === 0) return false
  if (handleSignals() || reap()) return true
  const nextMs = Math.min(...[...timers].map(({ atMs }) => atMs), Number.POSITIVE_INFINITY)
  const leftMs = Math.max(0, Math.ceil(nextMs - nowMs()))
  const ready = more.poll([...readers.keys()], [], Math.min(leftMs, LONGEST_MS))
  handleSignals()
  const due = [...timers].filter(({ atMs }) => atMs <= nowMs()).sort((one, other) => one.atMs - other.atMs)
  for (const timer of due) {
    if (timers.delete(timer)) timer.run()
  }
  for (const file of ready) readers.get(file)?.()
  reap()
  return true
}

/** @returns whether a process has ended */
function reap(): boolean {
  if (!children.mayHaveEnded) return false
  children.mayHaveEnded = false
  let found = false
  for (const [process, run] of [...processes]) {
    const end = more.ended(process)
    if (end === undefined) continue
    found = true
    processes.delete(process)
    run(...end)
  }
  return found
}

more.onIdle(turn)
