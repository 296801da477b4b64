// The gRPC server of one socket: a bundle of its own, since only `virt-numa serve` needs the library.

import { chmodSync } from 'node:fs'
import {
  type handleUnaryCall,
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js'
import type { SystemFault } from '../machine/system-error.ts'
import type { Method } from './methods.ts'
import type { Status } from './status.ts'

/** A method that threw. */
export interface Failure {
  readonly path: string
  readonly error: unknown
  readonly tookMs: number
}

/** Which methods are served where. */
export interface Serving {
  readonly path: string
  /** The mode of the socket: who may call. */
  readonly mode: number
  readonly methods: Readonly<Record<string, Method>>
  /** What to answer when a method throws. */
  readonly failed: (failure: Failure) => Status
  /** A method asked the server to end; its answer is sent before connections are closed. */
  readonly ended: () => void
}

/** A server that listens. */
export interface Listening {
  /** Takes no more calls, waits for those under way, at most so long, and removes the socket. */
  readonly drain: (mostMs: number) => Promise<void>
}

/** virt-launcher's own limit for an answer is the same. */
const MOST_BYTES = 4 * 1024 * 1024

/**
 * Binds the socket once every method is registered, so that no caller finds a server without one.
 * @returns why the system refused it, or the server
 */
export async function listen(serving: Serving): Promise<Listening | SystemFault> {
  // What it would print of a socket that cannot be bound is in the error as well.
  setLogVerbosity(logVerbosity.NONE)
  const server = new Server({
    'grpc.max_receive_message_length': MOST_BYTES,
    'grpc.max_send_message_length': -1,
    // Nobody looks at the statistics, and they are kept for every connection.
    'grpc.enable_channelz': 0,
  })
  const paths = Object.keys(serving.methods)
  server.addService(
    Object.fromEntries(paths.map((path) => [path, definitionOf(path)])),
    Object.fromEntries(paths.map((path) => [path, answerWith(serving, path)])),
  )
  const fault = await bind(server, serving)
  return fault ?? { drain: (mostMs) => drain(server, mostMs) }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const asIs = (bytes: Buffer): Uint8Array => bytes

const definitionOf = (path: string) => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: asBuffer,
  requestDeserialize: asIs,
  responseSerialize: asBuffer,
  responseDeserialize: asIs,
})

/** A call whose caller has left, or whose deadline has passed in the queue, is not worked on. */
function answerWith(
  { methods, failed, ended }: Serving,
  path: string,
): handleUnaryCall<Uint8Array, Uint8Array> {
  return (call, respond) => {
    if (call.cancelled || isPast(call.getDeadline())) {
      respond({
        code: status.DEADLINE_EXCEEDED,
        details: 'the deadline passed before the call was looked at',
      })
      return
    }
    const began = performance.now()
    try {
      const answer = methods[path]?.(call.request)
      respond(null, answer?.message)
      if (answer?.ends) ended()
    } catch (error) {
      respond(failed({ path, error, tookMs: performance.now() - began }))
    }
  }
}

const isPast = (deadline: Date | number): boolean => Number(deadline) < Date.now()

/** The umask, so that the socket never has a wider mode than it should have. */
async function bind(server: Server, { path, mode }: Serving): Promise<SystemFault | undefined> {
  const umask = process.umask(0o777 & ~mode)
  const fault = await new Promise<SystemFault | undefined>((resolve) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      resolve(error === null ? undefined : faultIn(error)),
    )
  })
  process.umask(umask)
  // A default ACL of the folder replaces the umask.
  if (fault === undefined) chmodSync(path, mode)
  return fault
}

/** The library keeps only the words of the system's error: "... [listen EACCES: permission denied /path]". */
function faultIn({ message }: Error): SystemFault {
  const [, errno = '', reason = message] = /\b(E[A-Z]+): (.*?)(?: \/.*)?\]?$/.exec(message) ?? []
  return { errno, reason }
}

function drain(server: Server, mostMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.forceShutdown(), mostMs)
    server.tryShutdown(() => {
      clearTimeout(force)
      resolve()
    })
  })
}
