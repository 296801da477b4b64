// What our work costs: warm, as a whole command, as the libvirt hook, and as guests and hosts grow. In one
// run and as ratios: machines are shared and noisy. `npm run bench` reads ../shared/bench; `npm run bench
// -- growth` needs this repository alone. Each row runs in a separate process, since what else V8 has seen
// slows a warm row down and makes a cold one faster.

import { execFileSync, spawnSync } from 'node:child_process'
import { range } from '../src/base/idset.ts'
import { SAXES_MS, saxesAlone, warmRows } from './cases.ts'
import { commandRows } from './command.ts'
import { growthOnce, growthRows } from './growth.ts'
import { hookRows } from './hook.ts'
import { manyRows } from './many.ts'

/**
 * V8 optimizes a row for its last time after some 3,000 runs; the yardstick is less code, and needs 300.
 */
const WARM_UP_MS = 5000

/**
 * A batch of one and a batch of the other in turn, so that noise falls on both; the least of each: noise only
 * adds.
 */
function measure(
  row: () => unknown,
  yardstick: () => unknown,
): { readonly ms: number; readonly saxesMs: number } {
  const start = Date.now()
  while (Date.now() - start < WARM_UP_MS) {
    row()
    yardstick()
  }
  const count = Math.max(1, Math.round(40 / Math.max(timed(row, 5) / 5, 0.001)))
  const batches = range(15).map(() => ({
    ms: timed(row, count) / count,
    saxesMs: timed(yardstick, 100) / 100,
  }))
  return {
    ms: Math.min(...batches.map(({ ms }) => ms)),
    saxesMs: Math.min(...batches.map(({ saxesMs }) => saxesMs)),
  }
}

function timed(run: () => unknown, count: number): number {
  const start = process.hrtime.bigint()
  for (let index = 0; index < count; index++) run()
  return Number(process.hrtime.bigint() - start) / 1e6
}

function printWarm(): void {
  process.stdout.write(
    `\nwarm; the limits are for a machine where saxes takes ${SAXES_MS} ms for a domain of 10 KB; ` +
      'they also hold as a ratio to saxes here\n' +
      `${''.padEnd(44)}      ms   limit   saxes   ratio   limit\n`,
  )
  for (const [index, { what, limitMs }] of warmRows().entries()) {
    const { ms, saxesMs } = JSON.parse(
      execFileSync(process.execPath, [__filename, String(index)], { encoding: 'utf8' }),
    )
    const [ratio, most] = [ms / saxesMs, limitMs / SAXES_MS]
    const verdict = (isMet: boolean): string => (isMet ? '' : ' over')
    const columns = [ms.toFixed(3), limitMs.toFixed(1), saxesMs.toFixed(3), ratio.toFixed(2), most.toFixed(2)]
    const asRatio = ratio > most ? ', and as a ratio' : ''
    const row = [what.padEnd(44), ...columns.map((each) => each.padStart(7))].join(' ')
    process.stdout.write(`${row}${verdict(ms <= limitMs)}${asRatio}\n`)
  }
  process.stdout.write(lxmlLine())
}

/** lxml parses and prints the same document: what XML alone costs elsewhere. */
function lxmlLine(): string {
  const program = `
import timeit, sys
from lxml import etree
data = open(sys.argv[1], 'rb').read()
print(min(timeit.repeat(lambda: etree.tostring(etree.fromstring(data)), number=200, repeat=5)) / 200 * 1000)`
  const { status, stdout } = spawnSync(
    '/usr/bin/python3',
    ['-c', program, '../shared/bench/domain-10k.xml'],
    { encoding: 'utf8' },
  )
  return status === 0
    ? `${"Python's lxml, parse and print, XML alone".padEnd(44)} ${Number(stdout).toFixed(3).padStart(7)}\n`
    : '(no lxml here: apt-get install python3-lxml; 0.15 to 0.3 ms were measured elsewhere)\n'
}

const [row, index, size] = process.argv.slice(2)
if (row === 'growth' && index === undefined) process.stdout.write(growthRows())
else if (row === 'many') process.stdout.write(manyRows())
else if (row === 'hook') process.stdout.write(hookRows())
else if (row === 'growth') process.stdout.write(String(growthOnce(Number(index), Number(size))))
else if (row === undefined) {
  printWarm()
  process.stdout.write(commandRows())
  process.stdout.write(hookRows())
  process.stdout.write(growthRows())
  process.stdout.write(manyRows())
} else {
  const chosen = warmRows()[Number(row)]
  if (chosen === undefined) throw new Error(`there is no row ${row}`)
  process.stdout.write(JSON.stringify(measure(chosen.run, saxesAlone())))
}
