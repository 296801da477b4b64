// Waits for work, but only for the time that is left.

import { timeUp } from './time-up.ts'

/** @throws Error when the time is up first; the work then continues until the process ends */
export function within<T>(leftMs: number, limitS: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(timeUp(limitS)), Math.max(0, leftMs))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
