// Whole processes: wall time and peak memory, as GNU time reports them.

import { spawnSync } from 'node:child_process'
import { range } from '../src/base/idset.ts'

/** A program with its arguments, its stdin (empty by default) and its environment (libvirt's by default). */
export interface Program {
  readonly what: string
  readonly words: readonly string[]
  readonly input?: Uint8Array
  readonly env?: Readonly<Record<string, string>>
}

/** What one program took over all rounds. */
export interface Cost {
  readonly what: string
  /**
   * Medians. `ratio` is that to the first program of the same round. Without GNU time the memory is not
   * known.
   */
  readonly ms: number
  readonly ratio: number
  readonly peakMiB?: number
}

const ROUNDS = 21
const TIME = '/usr/bin/time'

/**
 * One of each in turn, so that noise falls on all.
 * @throws Error when a program fails: what fails early is cheap
 */
export function inTurn(programs: readonly Program[]): readonly Cost[] {
  const hasTime = spawnSync(TIME, ['-f', '%M', 'true']).status === 0
  const runs = programs.map((program) => ({ program, ms: [] as number[], peaks: [] as number[] }))
  for (const _ of range(ROUNDS)) for (const run of runs) once(run, hasTime)
  const unit = runs[0]?.ms ?? []
  return runs.map(({ program: { what }, ms, peaks }) => {
    const ratio = median(ms.map((each, round) => each / (unit[round] ?? Number.NaN)))
    return { what, ms: median(ms), ratio, ...(hasTime && { peakMiB: median(peaks) / 1024 }) }
  })
}

function once(
  { program, ms, peaks }: { readonly program: Program; readonly ms: number[]; readonly peaks: number[] },
  hasTime: boolean,
): void {
  const {
    words,
    input,
    env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' },
    what,
  } = program
  const [command = '', ...args] = hasTime ? [TIME, '-f', '%M', ...words] : words
  const start = process.hrtime.bigint()
  const { status, stderr } = spawnSync(command, args, { input: input ?? '', env, encoding: 'utf8' })
  ms.push(Number(process.hrtime.bigint() - start) / 1e6)
  if (status !== 0) throw new Error(`${what} ended with ${status}: ${stderr}`)
  peaks.push(Number(stderr.trim().split('\n').at(-1)))
}

/** The middle one. */
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** The costs as lines of text; a ratio above `mostRatio` is marked "over". */
export function table(title: string, rows: readonly Cost[], mostRatio = Number.POSITIVE_INFINITY): string {
  const lines = rows.map(({ what, ms, ratio, peakMiB }) => {
    const peak = peakMiB === undefined ? '?' : peakMiB.toFixed(0)
    const row = [what.padEnd(44), ms.toFixed(1).padStart(7), ratio.toFixed(2).padStart(7), peak.padStart(9)]
    return `${row.join(' ')}${ratio > mostRatio ? ' over' : ''}`
  })
  return `\n${title}\n${''.padEnd(44)}      ms   ratio  peak MiB\n${lines.join('\n')}\n`
}
