// The door that libvirt knocks at: `/etc/libvirt/hooks/qemu GUEST OPERATION SUBOPERATION EXTRA`, domain XML on stdin. What libvirt
// runs is a shim (src/entry/shim.ts) that starts this file. The same file is the thread that does the work (confined.ts).
//
// It never calls libvirt, which waits for it; it starts no process, opens no connection and writes nothing but its log.

import { fstatSync, statSync } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { refuse } from '../src/base/diagnostic.ts'
import { CONFIG, DOMAIN, readConfigText } from '../src/entry/input.ts'
import { callOf, ruleOf } from '../src/entry/operations.ts'
import type { Source } from '../src/explain/diagnostics.ts'
import { defaultConfig } from '../src/request/config.ts'
import { act, type Steps } from './act.ts'
import { confined } from './confined.ts'
import { type Fit, fit, fitSteps, type Task } from './fit.ts'
import { appendLog } from './log.ts'

/** A guest of 512 vCPUs takes some 60 MiB. */
const MEMORY_LIMIT_MIB = 512

/** Of a document that is larger the rest is left unread. */
const MOST_BYTES = DOMAIN.mostKiB * 1024

const steps: Steps = {
  readConfig,
  readInput,
  fit: (task) => confined(__filename, task, task.config.memoryLimitMiB ?? MEMORY_LIMIT_MIB) as Promise<Fit>,
  print,
  log,
  elapsedMs: () => performance.now(),
  now: () => new Date(),
}

function main(argv: readonly string[]): void {
  const { does, ourFailure } = ruleOf(callOf(argv))
  if (does === 'nothing') process.exit(0)
  // What act() cannot catch: until it has answered, on_error is not known.
  const unanswered = ourFailure === 'as-configured' ? 1 : 0
  process.exitCode = unanswered
  process.on('uncaughtException', () => process.exit(unanswered))
  process.on('unhandledRejection', () => process.exit(unanswered))
  // A stream without a listener throws what it has to say; print() hears of it from its callback.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  act(argv, steps).then(
    (exit) => process.exit(exit),
    () => process.exit(unanswered),
  )
}

function readConfig(): Source | undefined {
  const named = process.env.VIRT_NUMA_CONFIG || undefined
  if (isPipe(named ?? CONFIG)) refuse('unreadable', { file: named ?? CONFIG, reason: 'it is a pipe' })
  return readConfigText(named)
}

/** With a configuration named by hand it is no daemon that calls, so nothing goes to the host's own log. */
function log(file: string, line: string): void {
  if (!process.env.VIRT_NUMA_CONFIG || file !== defaultConfig.logFile) appendLog(file, line)
}

/** One without a writer would keep us waiting where no clock runs. */
function isPipe(file: string): boolean {
  try {
    return statSync(file).isFIFO()
  } catch {
    return false
  }
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MOST_BYTES) break
  }
  return Buffer.concat(chunks)
}

/** Not in blocking writes: a reader that has stopped reading must not stop the clock. */
async function print(stream: 1 | 2, text: string): Promise<boolean> {
  if (isNowhere(stream)) return false
  const out = stream === 1 ? process.stdout : process.stderr
  return new Promise((resolve) => {
    out.write(text, (error) => resolve(error === undefined || error === null))
  })
}

/** Node puts /dev/null where a stream was closed before it was started. */
function isNowhere(stream: 1 | 2): boolean {
  const { rdev } = fstatSync(stream)
  return rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev && rdev !== 0
}

if (isMainThread) main(process.argv.slice(2))
else parentPort?.postMessage(fit(workerData as Task, fitSteps))
