// SIGTERM and SIGINT as a request to stop, for work that must not be left half done.

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** During `work` a signal aborts `stop`, with its name as the reason, and does not end the process. */
export async function abortOnSignal<T>(stop: AbortController, work: () => Promise<T>): Promise<T> {
  const heed = (signal: NodeJS.Signals): void => stop.abort(signal)
  for (const signal of SIGNALS) process.on(signal, heed)
  try {
    return await work()
  } finally {
    for (const signal of SIGNALS) process.off(signal, heed)
  }
}
