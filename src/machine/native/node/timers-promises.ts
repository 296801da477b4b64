// node:timers/promises in the native command.

import { after } from './loop.ts'

/** What a sleep takes; it never keeps the process from ending by itself. */
interface SleepOptions {
  readonly signal?: AbortSignal
  readonly ref?: boolean
}

/** Resolves after a time, and rejects when `signal` is aborted. */
export function setTimeout(ms: number, value?: undefined, { signal }: SleepOptions = {}): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      stop()
      reject(new Error('aborted'))
    }
    const stop = after(ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve(value)
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort)
  })
}
