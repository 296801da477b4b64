// Where to listen and how to fit -> a running server, which ends on a signal or KubeVirt's Shutdown.

import { Refusal } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'
import { byAnnotations } from '../explain/asks.ts'
import { renderDiagnostics } from '../explain/diagnostics.ts'
import { actionLine } from '../machine/log-line.ts'
import { abortOnSignal } from '../machine/programs/signals.ts'
import { type Defining, defineWith } from './define.ts'
import type { Failure, Listening, Serving } from './grpc.ts'
import { methodsOf, nodeMethodsOf } from './methods.ts'
import { nodeHookWith } from './node/hook.ts'
import { freeSocketPath } from './socket.ts'
import { GRPC, type Status, statusOf } from './status.ts'

/** `socket` is a path, or a folder in which the server chooses a name. */
interface ServeOptions extends Defining {
  readonly socket: string
  readonly mode: number
  /** Serve virt-handler on a node instead of virt-launcher in a pod. */
  readonly node: boolean
}

/** kubelet sends SIGKILL 30 s after SIGTERM; a call takes milliseconds. */
const DRAIN_MS = 10_000

/**
 * Serves until SIGTERM, SIGINT or KubeVirt's Shutdown. Calls that are under way are answered.
 * @throws Refusal `socket-unusable`
 */
export async function serve(options: ServeOptions): Promise<void> {
  const stop = new AbortController()
  await abortOnSignal(stop, async () => {
    const path = await freeSocketPath(options.socket)
    const listening = await listenOn({
      path,
      mode: options.mode,
      methods: options.node
        ? nodeMethodsOf(nodeHookWith({ ...options, root: options.host ?? options.config.root ?? '/' }))
        : methodsOf(defineWith(options)),
      failed: (failure) => failed(options, failure),
      ended: () => stop.abort('Shutdown'),
    })
    const log = (what: string, tookMs: number): void =>
      options.log(actionLine('serve', what, new Date(), tookMs))
    log(`listening on ${path}`, performance.now())
    await aborted(stop.signal)
    const began = performance.now()
    await listening.drain(DRAIN_MS)
    log(`ended by ${stop.signal.reason}`, performance.now() - began)
  })
}

async function listenOn(serving: Serving): Promise<Listening> {
  const { listen } = require('./grpc.cjs') as typeof import('./grpc.ts')
  const listening = await listen(serving)
  if ('drain' in listening) return listening
  refuse('socket-unusable', { path: serving.path, problem: { is: 'refused', ...listening } })
}

/** The caller gets one line, the log has everything. */
function failed({ log }: ServeOptions, { path, error, tookMs }: Failure): Status {
  const status = statusOf(error)
  log(actionLine(path.replace(/^.*\//, ''), status.details, new Date(), tookMs))
  if (error instanceof Refusal) log(renderDiagnostics(error.diagnostics, 'capacity-fails', [], byAnnotations))
  else if (status.code === GRPC.internal) log(`${error instanceof Error ? error.stack : error}\n`)
  return status
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
