// Long tests: `npm test` leaves them out, takes a sample of a long table, and runs properties fewer times.
// `npm run test:long` passes `--all` to the same files, and then nothing is left out.

import t, { type Test } from 'tap'

/** Whether `--all` was passed, so that nothing is left out. */
export const isWhole = process.argv.includes('--all')

/** `npm test` runs a property this many times less often. */
const SHARE = 12

/** A test that `npm test` leaves to `npm run test:long`. */
export function long(name: string, run: (t: Test) => unknown): void {
  if (isWhole) t.test(name, run)
}

/** All cases; in `npm test` the first and every `every`th after it. */
export function sampled<T>(cases: readonly T[], every: number): readonly T[] {
  return isWhole ? cases : cases.filter((_, at) => at % every === 0)
}

/** How often a property runs, or must have met a case; in `npm test` fewer times. */
export function times(count: number): number {
  return isWhole ? count : Math.floor(count / SHARE)
}
