// A program that runs while this process goes on: its output is limited, it is over when it ends itself, and
// it is ended together with everything that it started.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ended } from './programs.ts'
import { kept, MOST_BYTES, MOST_MESSAGE_BYTES, receive, textOf } from './received.ts'

/** How a program is run; all absent: without stdin, for at most 60 seconds. */
interface ProgramOptions {
  /** An open file to be its standard input. */
  readonly file?: number
  readonly timeoutS?: number
  /** Ends the program when aborted; the reason is the name of a signal. */
  readonly stop?: AbortSignal
  /** How long the program may still run after `stop`, for one that should not be interrupted. */
  readonly patienceMs?: number
}

/** How a program ended. `cut`: not by itself, `reason` says why; `stopped` means our `stop`. */
export interface ProgramEnd extends Ended {
  readonly output: Uint8Array
  readonly cut?: 'signal' | 'timeout' | 'flood' | 'stopped' | 'not-started'
}

/** A child that the program leaves behind, such as a shared ssh connection, may keep stdout open forever. */
const GRACE_MS = 1000
const TERM_MS = 250
const KILL_MS = 100
const POLL_MS = 10

/**
 * Runs a program to its end, in a session of its own: Ctrl-C in the terminal reaches only this process. Never
 * throws for what the program does. Its messages are in English.
 */
export async function awaitProgram(
  command: string,
  words: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramEnd> {
  const { timeoutS = 60, stop, patienceMs = 0 } = options
  if (stop?.aborted) return { ...nothingReceived, cut: 'stopped', reason: stopReason(stop) }
  const child = start(command, words, options.file)
  if ('error' in child) return { ...nothingReceived, cut: 'not-started', reason: child.error }
  const exited = exitOf(child)
  const closed = once(child, 'close').catch(() => {})
  const received = receive(child)
  const over = new AbortController()
  const later = (ms: number): Promise<void> => sleep(ms, undefined, { signal: over.signal }).catch(() => {})
  const stopped = aborted(stop, over.signal).then(() => later(patienceMs))
  const cut = await Promise.race([
    exited.then(() => undefined),
    received.flooded.then(() => 'flood' as const),
    later(timeoutS * 1000).then(() => 'timeout' as const),
    stopped.then(() => 'stopped' as const),
  ])
  if (cut === undefined)
    await Promise.race([closed, received.flooded, later(GRACE_MS), aborted(stop, over.signal)])
  else await endGroup(child, exited)
  over.abort()
  release(child)
  const all = received.read()
  const end = endOf(await Promise.race([exited, undefined]), cut ?? (all.isFlood ? 'flood' : undefined))
  const reasons = { timeout: `it did not end within ${timeoutS} s`, stopped: stopReason(stop), flood: FLOOD }
  return {
    ...all,
    ...end,
    ...(end.cut !== undefined && end.cut in reasons && { reason: reasons[end.cut as keyof typeof reasons] }),
  }
}

const FLOOD = `it printed more than ${MOST_BYTES / 1024 / 1024} MiB`

const nothingReceived = { output: new Uint8Array(), stdout: '', stderr: '' }

const stopReason = (stop: AbortSignal | undefined): string => `${stop?.reason} ended it`

/** A program that prints for as long as it runs. */
export interface Printing {
  /** Ends when the program does. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Without stdout. */
  readonly ended: Promise<ProgramEnd>
  /** Ends the program and what it started; resolves when that is done. */
  readonly end: () => Promise<void>
}

/** Starts a program in a session of its own. Never throws for what the program does. */
export function startPrinting(command: string, words: readonly string[]): Printing {
  const child = start(command, words, undefined)
  if ('error' in child) {
    const ended: ProgramEnd = { ...nothingReceived, cut: 'not-started', reason: child.error }
    return { chunks: Readable.from([]), ended: Promise.resolve(ended), end: () => Promise.resolve() }
  }
  const exited = exitOf(child)
  const messages = kept(MOST_MESSAGE_BYTES)
  child.stderr?.on('data', messages.add)
  const closed = once(child, 'close').catch(() => {})
  const ended = exited.then(async (exit): Promise<ProgramEnd> => {
    const over = new AbortController()
    await Promise.race([closed, sleep(GRACE_MS, undefined, { signal: over.signal }).catch(() => {})])
    over.abort()
    release(child)
    return { ...nothingReceived, stderr: textOf(messages.bytes()), ...endOf(exit, undefined) }
  })
  let ending: Promise<void> | undefined
  const end = (): Promise<void> => {
    ending ??= endGroup(child, exited)
    return ending
  }
  return { chunks: chunksOf(child), ended, end }
}

/** A stream that is cut off is not an error. */
async function* chunksOf({ stdout }: ChildProcess): AsyncGenerator<Uint8Array> {
  try {
    if (stdout !== null) yield* stdout as AsyncIterable<Uint8Array>
  } catch {
    // How the program ended says why.
  }
}

/** Most failures come as an event; a lack of memory is thrown. */
function start(
  command: string,
  words: readonly string[],
  file: number | undefined,
): ChildProcess | { readonly error: string } {
  const env = { ...process.env, LC_ALL: 'C' }
  try {
    return spawn(command, [...words], { stdio: [file ?? 'ignore', 'pipe', 'pipe'], detached: true, env })
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

type Exit = { readonly code: number | null; readonly signal: string | null } | { readonly error: string }

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', (error) => resolve({ error: error.message }))
  })
}

function endOf(
  exit: Exit | undefined,
  cut: ProgramEnd['cut'],
): Pick<ProgramEnd, 'status' | 'reason' | 'cut'> {
  if (exit !== undefined && 'error' in exit) return { cut: 'not-started', reason: exit.error }
  if (cut !== undefined || exit === undefined) return { cut: cut ?? 'stopped' }
  return exit.code === null ? { cut: 'signal', reason: `${exit.signal} ended it` } : { status: exit.code }
}

async function aborted(stop: AbortSignal | undefined, over: AbortSignal): Promise<void> {
  if (stop === undefined) return new Promise(() => {})
  if (!stop.aborted) await once(stop, 'abort', { signal: over }).catch(() => {})
}

/** The program leads its own process group. SIGTERM first, then SIGKILL for whatever is left. */
async function endGroup({ pid }: ChildProcess, exited: Promise<Exit>): Promise<void> {
  if (pid === undefined) return
  signalGroup(pid, 'SIGTERM')
  for (let waited = 0; waited < TERM_MS && signalGroup(pid, 0); waited += POLL_MS) await sleep(POLL_MS)
  if (signalGroup(pid, 'SIGKILL')) await Promise.race([exited, sleep(KILL_MS, undefined, { ref: false })])
}

/** @returns whether there is such a group */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

/**
 * Neither a process that still holds its pipes nor one that SIGKILL does not end may keep this process from
 * ending.
 */
function release(child: ChildProcess): void {
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.unref()
}
