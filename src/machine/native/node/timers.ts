// Timers in the native command.

import { after } from './loop.ts'

/** What stops a timer. */
type Timeout = () => void

/** Replaces Node's. */
export const setTimeout = (run: () => void, ms: number): Timeout => after(ms, run)

/** Replaces Node's. */
export const clearTimeout = (timer: Timeout | undefined): void => timer?.()
