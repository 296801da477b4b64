// What replaces the globals of Node in the native command: packaging/native/build.mjs puts each where a file
// names it.

import { calls } from '../calls.ts'
import { done } from '../errors.ts'
import { Buffer } from './buffer.ts'
import { more } from './calls.ts'
import { AbortController } from './events.ts'
import { readlinkSync } from './fs.ts'
import { nowMs, onSignal } from './loop.ts'
import { numberOfSignal } from './signals.ts'
import { clearTimeout, setTimeout } from './timers.ts'

export { AbortController, Buffer, clearTimeout, setTimeout }

/** Replaces Node's. */
export const performance = { now: nowMs }

/** Replaces Node's, for the first bytes of a file, of which the last character may be cut. */
export function TextDecoder(this: { decode: (bytes: Uint8Array) => string }): void {
  this.decode = (bytes) => more.decodeLeniently(bytes).replace(/^\uFEFF/, '')
}

/** Replaces Node's, for the diff library. */
export function TextEncoder(this: { encode: (text: string) => Uint8Array }): void {
  this.encode = (text) => Buffer.from(text)
}

/** No value that the program accepts is binary: what base64 holds is refused with the value. */
export const atob = (): string => ''

type Handler = (name: string) => void

const handlers = new Map<string, Handler[]>()

function setHandlers(signal: string, all: readonly Handler[]): void {
  handlers.set(signal, [...all])
  const run = (): void => {
    for (const each of handlers.get(signal) ?? []) each(signal)
  }
  onSignal(numberOfSignal(signal), all.length === 0 ? undefined : run)
}

const [pid, user, , machine, called] = more.about()

/** Node's names of architectures, by those of the kernel. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64' }

/** Replaces Node's. */
export const process = {
  /** As with Node, the program comes second. */
  argv: ['', called, ...calls.arguments()],
  pid,
  arch: ARCHITECTURES[machine] ?? machine,
  env: Object.fromEntries(
    more.variables().map((each) => {
      const at = each.indexOf('=')
      return [each.slice(0, at), each.slice(at + 1)]
    }),
  ) as Record<string, string | undefined>,
  execPath: readlinkSync('/proc/self/exe'),
  versions: {},
  stderr: { isTTY: more.isTerminal(2) },
  getuid: (): number => user,
  exit: (status: number): never => calls.end(status),
  kill: (target: number, signal: string | 0): true => {
    done(more.send(target, signal === 0 ? 0 : numberOfSignal(signal)), 'kill')
    return true
  },
  listeners: (signal: string): readonly Handler[] => handlers.get(signal) ?? [],
  on: (signal: string, handler: Handler): void =>
    setHandlers(signal, [...(handlers.get(signal) ?? []), handler]),
  off: (signal: string, handler: Handler): void =>
    setHandlers(
      signal,
      (handlers.get(signal) ?? []).filter((each) => each !== handler),
    ),
}
