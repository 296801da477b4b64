// What libvirt calls: `/etc/libvirt/hooks/qemu GUEST OPERATION SUBOPERATION EXTRA`, domain XML on stdin.
// libvirt runs a shim (src/hook-setup/hook.sh) that starts this file and trusts only its verdict. The same
// file is the thread that does the work (confined.ts).
//
// It never calls libvirt, which waits for it; it starts no process, opens no connection and writes only its
// log and the ledger. The main thread opens no file: it enforces the time limit, and calls on which a file
// system may block run in threads that can be abandoned.

import { closeSync, fstatSync, statSync, write as writeTo } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { refuse } from '../src/codes/codes.ts'
import { callOf, ruleOf, VERDICTS } from '../src/hook-setup/operations.ts'
import { DOMAIN } from '../src/machine/read/read-text.ts'
import { errnoOf, faultOf, systemError } from '../src/machine/system-error.ts'
import { defaultConfig } from '../src/request/config.ts'
import { act } from './act.ts'
import { confined, endAll } from './confined.ts'
import { type Fit, fit, fitSteps, type Task } from './fit.ts'
import { appendLog } from './log.ts'
import { readConfig } from './settings.ts'
import type { Steps } from './steps.ts'

/** A guest of 512 vCPUs needs about 60 MiB. */
const MEMORY_LIMIT_MIB = 512

/** The rest of a larger document stays unread. */
const MOST_BYTES = DOMAIN.mostKiB * 1024

/** How long to wait for a thread to end. Without a shim only the end of the process gives the answer. */
const END_MS = 100

/** How long to wait for a blocked log after the answer, when nothing else waits. */
const LINGER_MS = 10_000

/** The process ids of the shim and of its watchdogs for the default time limit; undefined without a shim. */
const [shim, ...watchdogs] = (process.env.VIRT_NUMA_SHIM ?? '').split(' ').filter(Boolean).map(Number)

/** Reads and writes that may never finish. */
const pending = new Set<Promise<unknown>>()

function pend<T>(work: Promise<T>): Promise<T> {
  pending.add(work)
  const done = (): boolean => pending.delete(work)
  work.then(done, done)
  return work
}

const steps: Steps = {
  readConfig: () => pend(readConfig(process.env.VIRT_NUMA_CONFIG || undefined)),
  readInput,
  fit: (task) =>
    confined(
      __filename,
      { ...task, ...(shim !== undefined && { shim }) },
      task.config.memoryLimitMiB ?? MEMORY_LIMIT_MIB,
    ) as Promise<Fit>,
  print,
  log: (file, line) => pend(log(file, line)),
  limitTime,
  elapsedMs: () => performance.now(),
  now: () => new Date(),
}

function main(argv: readonly string[]): void {
  const { does, ourFailure } = ruleOf(callOf(argv))
  if (does === 'nothing') process.exit(statusOf(0))
  // For what act() cannot catch: before it has answered, on_error is not known.
  const unanswered = ourFailure === 'as-configured' ? 1 : 0
  process.exitCode = statusOf(unanswered)
  process.on('uncaughtException', () => void end(unanswered))
  process.on('unhandledRejection', () => void end(unanswered))
  // A stream without a listener throws its errors; print() gets them in its callback.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  act(argv, steps).then(end, () => end(unanswered))
}

const statusOf = (exit: 0 | 1): number => (shim === undefined ? exit : VERDICTS[exit])

/**
 * Ends the process, which cannot exit normally while a thread waits for a file system. In that case it closes
 * libvirt's pipes, since libvirt waits for that, gives the shim the answer by a signal, and leaves what is
 * pending some time to write the log. If a thread is still blocked after that, the process kills itself.
 */
async function end(exit: 0 | 1): Promise<void> {
  const areEnded = await endAll(shim === undefined ? LINGER_MS : END_MS)
  if (areEnded && pending.size === 0) process.exit(statusOf(exit))
  for (const stream of [0, 1, 2]) closeQuietly(stream)
  if (shim !== undefined) signal(shim, exit === 0 ? 'SIGUSR1' : 'SIGUSR2')
  setTimeout(() => signal(process.pid, 'SIGKILL'), LINGER_MS)
  await Promise.allSettled(pending)
  if (areEnded) process.exit(statusOf(exit))
  signal(process.pid, 'SIGKILL')
}

function closeQuietly(stream: number): void {
  try {
    closeSync(stream)
  } catch {
    // It is closed already.
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}

/**
 * The shim enforces the default limit. For a longer one its watchdogs are stopped, and this process enforces
 * the limit alone.
 */
function limitTime(timeoutS: number): void {
  if (timeoutS > defaultConfig.timeoutS) for (const watchdog of watchdogs) signal(watchdog, 'SIGUSR1')
}

/** Skips the host's default log when the configuration was named by hand: then no daemon is calling. */
async function log(file: string, line: string): Promise<void> {
  if (!process.env.VIRT_NUMA_CONFIG || file !== defaultConfig.logFile) await appendLog(file, line)
}

/** @throws Refusal `unreadable`: stdin is a folder, say */
async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of process.stdin) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MOST_BYTES) break
    }
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: 'stdin', isStdin: true, ...fault }))
  }
  return Buffer.concat(chunks)
}

/** Writes without blocking: a reader that stalls must not stop the timer. */
async function print(stream: 1 | 2, text: string): Promise<boolean> {
  const status = fstatSync(stream)
  if (isNowhere(status.rdev)) return false
  if (status.isFile()) return pend(writeAll(stream, Buffer.from(text)))
  const out = stream === 1 ? process.stdout : process.stderr
  return new Promise((resolve, reject) => {
    out.write(text, (error) => {
      const errno = errnoOf(error)
      if (errno === undefined || errno === 'EPIPE') resolve(error === undefined || error === null)
      else reject(error)
    })
  })
}

/** Node opens /dev/null for a stream that was closed when the process was started. */
function isNowhere(rdev: number): boolean {
  return rdev !== 0 && rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev
}

/** A full disk accepts a part, and fails only at the next write. */
async function writeAll(file: number, bytes: Uint8Array): Promise<boolean> {
  for (let done = 0; done < bytes.length; ) {
    const written = await new Promise<number>((resolve, reject) => {
      writeTo(file, bytes, done, bytes.length - done, null, (error, count) =>
        error ? reject(error) : resolve(count),
      )
    })
    if (written === 0) throw faultOf('EIO', 'it accepts no more', 'write')
    done += written
  }
  return true
}

if (isMainThread) main(process.argv.slice(2))
else parentPort?.postMessage(fit(workerData as Task, fitSteps))
