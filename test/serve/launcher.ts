// Plays virt-launcher: calls a hook server over its Unix socket with its own gRPC library, reads the
// messages from packaging/kubevirt/proto, and makes a new connection for every call.

import type { ChildProcess } from 'node:child_process'
import {
  type Client,
  credentials,
  type Deadline,
  loadPackageDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Test } from 'tap'
import { type Ended, endOf, startApart } from '../apart.ts'
import { HOST, PROGRAM } from '../seed.ts'

/** A message as the library gives and takes it. */
export type Message = Readonly<Record<string, unknown>>

/** The services by name, as "v1alpha3.Callbacks"; Info and the plugins' have no version in theirs. */
export type ServiceName =
  | 'info.Info'
  | `v1alpha${1 | 2 | 3}.Callbacks`
  | `plugins.v1alpha1.${'DomainHookService' | 'LauncherHookService' | 'NodeHookService'}`

const FILES = ['info', 'v1alpha1', 'v1alpha2', 'v1alpha3', 'plugins']

const loaded = loadPackageDefinition(
  loadSync(
    FILES.map((file) => `packaging/kubevirt/proto/${file}.proto`),
    { keepCase: true, defaults: true },
  ),
)

type ServiceClient = new (
  ...words: ConstructorParameters<typeof Client>
) => Client & {
  readonly [method: string]: (
    request: Message,
    options: { readonly deadline: Deadline },
    done: (error: ServiceError | null, answer: Message) => void,
  ) => unknown
}

type Package = { readonly [name: string]: Package }

/** "v1alpha3.Callbacks" is kubevirt.hooks.v1alpha3.Callbacks. */
function clientOf(service: ServiceName): ServiceClient {
  const packages = loaded as unknown as Package
  const found = ['kubevirt', 'hooks', ...service.split('.')].reduce<Package | undefined>(
    (level, name) => level?.[name],
    packages,
  )
  return found as unknown as ServiceClient
}

/** One call, on a separate connection. */
export interface Call {
  readonly socket: string
  readonly service: ServiceName
  readonly method: string
  readonly request: Message
  /** virt-launcher gives a plugin 30 s. */
  readonly withinMs?: number
}

/** @throws ServiceError with the code and the details that the server answered */
export function call({ socket, service, method, request, withinMs = 30_000 }: Call): Promise<Message> {
  const ServiceClient = clientOf(service)
  const client = new ServiceClient(`unix:${socket}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    // Some answers are larger than what virt-launcher would take.
    'grpc.max_receive_message_length': -1,
  })
  return new Promise((resolve, reject) => {
    client[method]?.(request, { deadline: Date.now() + withinMs }, (error, answer) => {
      client.close()
      if (error === null) resolve(answer)
      else reject(error)
    })
  })
}

/** A call that is expected to fail: its gRPC code and what the user reads. */
export async function failureOf(failing: Call): Promise<{ readonly code: number; readonly details: string }> {
  try {
    await call(failing)
  } catch (error) {
    const { code, details } = error as ServiceError
    return { code, details }
  }
  throw new Error(`${failing.method} did not fail`)
}

/** A server that runs. */
export interface Server {
  readonly socket: string
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts `virt-numa serve` and waits until it listens; it is stopped when the test ends. */
export async function startServer(
  t: Test,
  socket: string,
  words: readonly string[] = ['--host', HOST],
): Promise<Server> {
  const child = startApart(process.execPath, [PROGRAM, 'serve', '--socket', socket, ...words], {})
  const ended = endOf(child)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return { socket: await listening(child, ended), child, ended }
}

/** The path in "serve: listening on PATH (90 ms)". */
export function listening(child: ChildProcess, ended: Promise<Ended>): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
      const [, path] = /listening on (\S+)/.exec(said) ?? []
      if (path !== undefined) resolve(path)
    })
    ended.then(({ stderr }) => reject(new Error(`the server ended: ${stderr}`)))
  })
}
