// SIGTERM and SIGINT as a request to stop, for what has to be left in order.

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** While `work` goes on, a signal aborts `stop`, with its name as the reason, and ends nothing by itself. */
export async function heedingSignals<T>(stop: AbortController, work: () => Promise<T>): Promise<T> {
  const heed = (signal: NodeJS.Signals): void => stop.abort(signal)
  for (const signal of SIGNALS) process.on(signal, heed)
  try {
    return await work()
  } finally {
    for (const signal of SIGNALS) process.off(signal, heed)
  }
}
