// --watch: the same look again and again, until a signal ends it.

import { setTimeout as sleep } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { diagnostic } from '../../../codes/codes.ts'
import { abortOnSignal } from '../../../machine/programs/signals.ts'
import type { Given } from '../../options.ts'
import { printDocument } from '../../output.ts'

/** How often to look; absent: once. */
export interface Repeating {
  readonly everyMs?: number
}

const DEFAULT_S = 2

/** `--watch` and `--interval`. */
export function repeatingOf({ values: { again, interval } }: Given): Repeating {
  return again === undefined ? {} : { everyMs: 1000 * Number(interval ?? DEFAULT_S) }
}

/** An interval that cannot be read, or that nothing repeats. */
export function intervalConflicts({ values: { again, interval } }: Given): ReturnType<typeof diagnostic>[] {
  if (interval === undefined) return []
  const isValid = /^(?:[1-9]\d{0,4}|0?\.[1-9])$/.test(interval)
  return [
    ...(isValid
      ? []
      : [diagnostic('usage-option-value', { option: '--interval', given: interval, takes: 'SECONDS' })]),
    ...(again === undefined ? [diagnostic('usage-conflict', { between: 'interval-and-once' })] : []),
  ]
}

/** Moves to the top left, and clears what is below. */
const CLEAR = '\x1b[H\x1b[2J\x1b[3J'

/**
 * Looks once, or until SIGTERM or SIGINT. A terminal is cleared before each look; otherwise an empty line is
 * between two of them.
 * @returns the exit status of the only look; 0 if a signal ended them
 */
export async function repeat({ everyMs }: Repeating, look: () => Promise<number>): Promise<number> {
  if (everyMs === undefined) return look()
  const stop = new AbortController()
  return abortOnSignal(stop, async () => {
    for (let looks = 0; !stop.signal.aborted; looks++) {
      if (isatty(1)) printDocument(1, CLEAR)
      else if (looks > 0) printDocument(1, '\n')
      await look()
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {})
    }
    return 0
  })
}
