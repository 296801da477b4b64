// What takes long: `npm test` leaves such tests out, takes every few cases of a long table, and runs
// properties less often. `npm run test:long` passes `--all` to the same files, and then nothing is left out.

import t, { type Test } from 'tap'

/** Whether `--all` was passed, so that nothing is left out. */
export const isWhole = process.argv.includes('--all')

/** A property runs this many times less often in `npm test`. */
const SHARE = 8

/** A test that `npm test` leaves to `npm run test:long`. */
export function long(name: string, run: (t: Test) => unknown): void {
  if (isWhole) t.test(name, run)
}

/** The first case and every few after it in `npm test`. */
export function sampled<T>(cases: readonly T[], every: number): readonly T[] {
  return isWhole ? cases : cases.filter((_, at) => at % every === 0)
}

/** How often a property runs, and likewise how often it must have met something. */
export function times(count: number): number {
  return isWhole ? count : Math.floor(count / SHARE)
}
