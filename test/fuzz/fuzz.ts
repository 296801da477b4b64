// `npm run fuzz`: inputs without end to every target, in threads, watched by a clock. Each input follows from
// seed, target and number: `--seed S --target T --index N` makes one again.
//
// --inputs N per target (default 20000), --seconds N per target instead, of both the less; --target NAME only
// this one, --seed N (default 1).

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { readCorpus } from './corpus.ts'
import { randomFor } from './random.ts'
import { targets } from './targets.ts'

/** Of a CPU's time, so that a busy machine finds nothing that is not there. */
const MOST_MS = 2000
/** Without a new input for so long, a target hangs. */
const HANGS_MS = 120_000
const MOST_FINDINGS = 20
const AT_ONCE = 2
const CRASHES = 'dist/crashes'

interface Job {
  readonly target: string
  readonly seed: number
  readonly from: number
  readonly inputs: number
  readonly seconds: number
  /** The number of the input that runs now. */
  readonly now: SharedArrayBuffer
}

interface Finding {
  readonly index: number
  readonly what: string
  readonly shown: string | Uint8Array
}

interface Result {
  readonly inputs: number
  readonly outcomes: ReadonlyMap<string, number>
  readonly findings: readonly Finding[]
  readonly slowestMs: number
}

async function runJob({ target, seed, from, inputs, seconds, now }: Job): Promise<Result> {
  const make = targets[target]
  if (make === undefined) throw new Error(`no target ${target}`)
  const corpus = readCorpus()
  const counter = new Int32Array(now)
  const outcomes = new Map<string, number>()
  const findings: Finding[] = []
  const end = performance.now() + seconds * 1000
  let slowestMs = 0
  let index = from
  for (; index < from + inputs && performance.now() < end && findings.length < MOST_FINDINGS; index++) {
    Atomics.store(counter, 0, index)
    const input = make(corpus, randomFor(seed, target, index))
    const before = process.cpuUsage()
    let outcome: string
    try {
      outcome = await input.run()
    } catch (error) {
      outcome = 'broken'
      findings.push({
        index,
        what: error instanceof Error ? (error.stack ?? error.message) : String(error),
        shown: input.show(),
      })
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    // Both threads count in the time of the process.
    const tookMs = process.cpuUsage(before).user / 1000 / AT_ONCE
    slowestMs = Math.max(slowestMs, tookMs)
    if (tookMs > MOST_MS) findings.push({ index, what: `took ${tookMs.toFixed(0)} ms`, shown: input.show() })
  }
  return { inputs: index - from, outcomes, findings, slowestMs }
}

/** Runs in a separate thread; one that hangs is terminated and is a finding. */
function watched(job: Job): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: job })
    const counter = new Int32Array(job.now)
    let last = -1
    const clock = setInterval(() => {
      const now = Atomics.load(counter, 0)
      if (now !== last) {
        last = now
        return
      }
      clearInterval(clock)
      worker.terminate()
      const findings = [{ index: now, what: `no end after ${HANGS_MS / 1000} s`, shown: '' }]
      resolve({ inputs: now - job.from, outcomes: new Map(), findings, slowestMs: HANGS_MS })
    }, HANGS_MS)
    worker.once('message', (result: Result) => {
      clearInterval(clock)
      resolve(result)
    })
    worker.once('error', (error) => {
      clearInterval(clock)
      reject(error)
    })
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      target: { type: 'string' },
      index: { type: 'string' },
      inputs: { type: 'string' },
      seconds: { type: 'string' },
    },
  })
  const seed = Number(values.seed ?? 1)
  const from = Number(values.index ?? 0)
  const seconds = Number(values.seconds ?? 24 * 3600)
  const most = Number(values.inputs ?? (values.seconds === undefined ? 20_000 : Number.MAX_SAFE_INTEGER))
  const inputs = values.index === undefined ? most : 1
  const open = Object.keys(targets).filter((name) => values.target === undefined || name === values.target)
  const count = open.length
  console.log(`seed ${seed}; npm run fuzz -- --seed ${seed} --target NAME --index N makes one input again`)
  let total = 0
  let broken = 0
  const lane = async (): Promise<void> => {
    for (let target = open.shift(); target !== undefined; target = open.shift()) {
      const result = await watched({ target, seed, from, inputs, seconds, now: new SharedArrayBuffer(4) })
      total += result.inputs
      if (result.findings.length > 0) broken += 1
      const outcomes = [...result.outcomes]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([outcome, times]) => `${outcome} ${times}`)
      console.log(
        `${target}: ${result.inputs} inputs: ${outcomes.join(', ')}; the slowest took ` +
          `${result.slowestMs.toFixed(0)} ms`,
      )
      for (const finding of result.findings) keep(target, seed, finding)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  console.log(`${total} inputs; ${count - broken} targets passed, ${broken} failed`)
  process.exitCode = broken === 0 ? 0 : 1
}

function keep(target: string, seed: number, { index, what, shown }: Finding): void {
  mkdirSync(CRASHES, { recursive: true })
  const file = join(CRASHES, `${target}-${seed}-${index}`)
  writeFileSync(file, shown)
  console.log(`  ${target} ${index}: ${what.split('\n').slice(0, 4).join('\n    ')}\n    kept in ${file}`)
}

if (isMainThread) main()
else runJob(workerData as Job).then((result) => parentPort?.postMessage(result))
