// node:child_process in the native command: a program that runs while this process goes on, and one that is
// waited for.

import type * as types from 'node:child_process'
import { calls } from '../calls.ts'
import { faultIn } from '../errors.ts'
import { Buffer, type Bytes, bytesOf } from './buffer.ts'
import { more, type Started } from './calls.ts'
import { type Emitter, emitter } from './events.ts'
import { nowMs, onEnd, onReadable } from './loop.ts'
import { nameOfSignal, numberOfSignal } from './signals.ts'

/** Variables of an environment. */
type Variables = Readonly<Record<string, string | undefined>>

/** How a program is started. */
interface Options {
  readonly stdio: readonly ['ignore' | 'pipe' | number, 'pipe', 'pipe']
  readonly env: Variables
  readonly detached?: boolean
  readonly cwd?: string
}

/** @returns a negative errno where it cannot be started */
function start(command: string, words: readonly string[], options: Options): Started | number {
  const [input] = options.stdio
  const variables = Object.entries(options.env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  const stdin = input === 'ignore' ? -1 : input === 'pipe' ? -2 : input
  return more.start([command, ...words], variables, options.cwd, stdin, options.detached === true ? 1 : 0)
}

/** As Node words it: "spawn virsh ENOENT". */
function startError(call: string, command: string, result: number): Error {
  const fault = faultIn(result, call) as Error & { code: string }
  return Object.assign(fault, { message: `${call} ${command} ${fault.code}` })
}

/** Starts a program. What keeps it from running is an event `error`. */
export function spawn(command: string, words: readonly string[], options: Options): types.ChildProcess {
  const events = emitter()
  const started = start(command, words, options)
  if (typeof started === 'number') {
    Promise.resolve().then(() => events.emit('error', startError('spawn', command, started)))
    return { ...events, stdout: null, stderr: null, unref: () => {} } as unknown as types.ChildProcess
  }
  const [pid, , out, err] = started
  let open = 3
  const closeOne = (): void => {
    open -= 1
    if (open === 0) events.emit('close')
  }
  const [stdout, stderr] = [stream(out, closeOne), stream(err, closeOne)]
  onEnd(pid, (status, signal) => {
    events.emit('exit', status < 0 ? null : status, signal === 0 ? null : nameOfSignal(signal))
    closeOne()
  })
  return { ...events, pid, stdout, stderr, unref: () => {} } as unknown as types.ChildProcess
}

const CHUNK_BYTES = 64 * 1024

/** What can be read of a stream now: bytes, none at its end, undefined while there is nothing. */
function readNow(file: number): Bytes | undefined {
  const bytes = Buffer.alloc(CHUNK_BYTES)
  const got = more.readSome(file, bytes, -1)
  if (got === -EAGAIN) return undefined
  return bytesOf(bytes.buffer, 0, Math.max(0, got))
}

const EAGAIN = 11

/** A stream that is read by the event `data`, or as an iterable; until then its writer waits. */
interface Stream extends AsyncIterable<Uint8Array> {
  readonly on: Emitter['on']
  readonly destroy: () => void
}

function stream(file: number, onClose: () => void): Stream {
  let isOpen = true
  let wake = (): void => {}
  const destroy = (): void => {
    if (!isOpen) return
    isOpen = false
    onReadable(file, undefined)
    calls.close(file)
    onClose()
    wake()
  }
  const { on, emit } = emitter()
  const read = (): void => {
    const chunk = readNow(file)
    if (chunk?.length === 0) destroy()
    else if (chunk !== undefined) emit('data', chunk)
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    while (isOpen) {
      await new Promise<void>((resolve) => {
        wake = resolve
        onReadable(file, resolve)
      })
      if (!isOpen) return
      onReadable(file, undefined)
      const chunk = readNow(file)
      if (chunk?.length === 0) destroy()
      else if (chunk !== undefined) yield chunk
    }
  }
  return {
    on: (name, listener) => {
      on(name, listener)
      onReadable(file, read)
    },
    destroy,
    [Symbol.asyncIterator]: chunks,
  }
}

/** How a program is run to its end. */
interface SyncOptions extends Options {
  readonly input?: string
  /** In ms; 0 for ever. */
  readonly timeout: number
  readonly maxBuffer?: number
  readonly killSignal?: string
}

/** How it ended. */
interface SyncEnd {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly error?: Error & { readonly code?: string }
}

/** Runs a program to its end, and until nothing holds its streams. */
export function spawnSync(command: string, words: readonly string[], options: SyncOptions): SyncEnd {
  const started = start(command, words, options)
  if (typeof started === 'number')
    return {
      status: null,
      signal: null,
      stdout: '',
      stderr: '',
      error: startError('spawnSync', command, started),
    }
  return waitFor(command, started, options)
}

function waitFor(command: string, [pid, stdin, out, err]: Started, options: SyncOptions): SyncEnd {
  const { timeout, maxBuffer = 1024 * 1024, killSignal = 'SIGTERM' } = options
  const untilMs = timeout === 0 ? Number.POSITIVE_INFINITY : nowMs() + timeout
  const received = new Map<number, Bytes[]>([
    [out, []],
    [err, []],
  ])
  const size = (file: number): number =>
    (received.get(file) ?? []).reduce((sum, { length }) => sum + length, 0)
  const reading = new Set([out, err])
  const input = { left: stdin < 0 ? undefined : Buffer.from(options.input ?? '') }
  let end = more.ended(pid)
  let cut: string | undefined
  const closeInput = (): void => {
    if (input.left !== undefined) calls.close(stdin)
    input.left = undefined
  }
  const giveUp = (errno: string): void => {
    cut ??= errno
    closeInput()
    for (const file of reading) calls.close(file)
    reading.clear()
    if (end === undefined) more.send(pid, numberOfSignal(killSignal))
  }
  while (end === undefined || reading.size > 0) {
    const leftMs = Math.ceil(Math.min(untilMs - nowMs(), WAKE_MS))
    const ready = more.poll([...reading], input.left === undefined ? [] : [stdin], Math.max(0, leftMs))
    more.arrived()
    for (const file of ready) {
      if (file === stdin) {
        if (feed(stdin, input)) closeInput()
        continue
      }
      const chunk = readNow(file)
      if (chunk === undefined) continue
      if (chunk.length > 0) received.get(file)?.push(chunk)
      else {
        reading.delete(file)
        calls.close(file)
      }
      if (size(file) > maxBuffer) giveUp('ENOBUFS')
    }
    end ??= more.ended(pid)
    if (cut === undefined && nowMs() >= untilMs && (end === undefined || reading.size > 0))
      giveUp('ETIMEDOUT')
  }
  closeInput()
  const [status, signal] = end
  const text = (file: number): string => textOf(received.get(file) ?? [])
  return {
    status: status < 0 ? null : status,
    signal: signal === 0 ? null : nameOfSignal(signal),
    stdout: text(out),
    stderr: text(err),
    ...(cut !== undefined && {
      error: Object.assign(new Error(`spawnSync ${command} ${cut}`), { code: cut, syscall: 'spawnSync' }),
    }),
  }
}

/** How long a wait goes on without a look at the process. */
const WAKE_MS = 1000

/** @returns whether all is written, or nobody reads it */
function feed(file: number, input: { left: Bytes | undefined }): boolean {
  const { left = Buffer.alloc(0) } = input
  const written = left.length === 0 ? 0 : more.writeSome(file, left, -1)
  if (written === -EAGAIN) return false
  if (written < 0) return true
  input.left = bytesOf(left.buffer, left.byteOffset + written, left.length - written)
  return input.left.length === 0
}

function textOf(chunks: readonly Bytes[]): string {
  const all = Buffer.alloc(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all.toString()
}
