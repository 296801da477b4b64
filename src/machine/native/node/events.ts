// Events in the native command: emitters, AbortController, and the wait for one event.

/** What is called for an event. */
type Listener = (...facts: readonly never[]) => void

/** What events are listened to at. */
export interface Emitter {
  readonly on: (name: string, listener: Listener) => void
  readonly once: (name: string, listener: Listener) => void
  readonly off: (name: string, listener: Listener) => void
  readonly emit: (name: string, ...facts: readonly unknown[]) => void
}

/** An emitter without listeners. */
export function emitter(): Emitter {
  const listeners = new Map<string, Listener[]>()
  const off = (name: string, listener: Listener): void => {
    listeners.set(
      name,
      (listeners.get(name) ?? []).filter((each) => each !== listener),
    )
  }
  const on = (name: string, listener: Listener): void => {
    listeners.set(name, [...(listeners.get(name) ?? []), listener])
  }
  const once = (name: string, listener: Listener): void => {
    const first: Listener = (...facts) => {
      off(name, first)
      listener(...facts)
    }
    on(name, first)
  }
  const emit = (name: string, ...facts: readonly unknown[]): void => {
    for (const listener of listeners.get(name) ?? []) listener(...(facts as never[]))
  }
  return { on, once, off, emit }
}

/** What an AbortController aborts. */
interface Signal {
  aborted: boolean
  reason: unknown
  addEventListener(name: string, listener: Listener): void
  removeEventListener(name: string, listener: Listener): void
}

/** Replaces Node's. */
export function AbortController(this: { signal: Signal; abort: (reason?: unknown) => void }): void {
  const { on, off, emit } = emitter()
  this.signal = { aborted: false, reason: undefined, addEventListener: on, removeEventListener: off }
  this.abort = (reason) => {
    if (this.signal.aborted) return
    this.signal.aborted = true
    this.signal.reason = reason
    emit('abort')
  }
}

/** Resolves at the next event of a name; rejects when `signal` is aborted, or after the event `error`. */
export function once(
  from: Emitter | Signal,
  name: string,
  { signal }: { readonly signal?: Signal } = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const listen = 'once' in from ? from.once : from.addEventListener
    listen(name, () => resolve())
    if ('once' in from) from.once('error', reject)
    if (signal?.aborted) reject(new Error('aborted'))
    else signal?.addEventListener('abort', () => reject(new Error('aborted')))
  })
}
