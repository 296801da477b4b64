// Waits for work, but only for the time that is left.

/**
 * @param late the error when the time is up first; the work then continues until the process ends
 * @throws the error that `late` returns or throws
 */
export function within<T>(leftMs: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.max(0, leftMs))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
