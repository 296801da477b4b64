// Runs work in a separate thread, so that it can be abandoned: the main thread enforces the time limit, V8
// the memory limit.

import { Worker } from 'node:worker_threads'
import { Refusal } from '../src/base/diagnostic.ts'
import { diagnostic } from '../src/codes/codes.ts'
import { within } from './within.ts'

/** A thread needs about 4 MiB to start; a lower limit would fail every run. */
const LEAST_MIB = 16

/**
 * Runs `file` with the task as its workerData and waits for its only message. Only opted-in guests pay for
 * the thread, some 30 ms. When the thread runs out of memory the promise is rejected (`hook-memory`), and the
 * process can still exit with the right status.
 */
export function confined(file: string, task: unknown, limitMiB: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const maxOldGenerationSizeMb = Math.max(limitMiB, LEAST_MIB)
    const worker = new Worker(file, {
      workerData: task,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb },
    })
    running.add(worker)
    worker.once('exit', () => running.delete(worker))
    worker.once('message', resolve)
    worker.once('error', (error) =>
      reject(isOutOfMemory(error) ? outOfMemory(maxOldGenerationSizeMb) : error),
    )
    worker.once('exit', (code) => reject(new Error(`the thread ended without an answer (${code})`)))
  })
}

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'

const outOfMemory = (limitMiB: number): Refusal => new Refusal([diagnostic('hook-memory', { limitMiB })])

/** Threads that have not ended yet. */
const running = new Set<Worker>()

/**
 * Terminates the threads. One that computes ends soon; one that waits in the kernel does not.
 * @returns whether everything has ended: the process can only exit when it has
 */
export async function endAll(withinMs: number): Promise<boolean> {
  const ends = Promise.all([...running].map((worker) => worker.terminate()))
  await within(withinMs, ends, () => new Error('threads are still running')).catch(() => {})
  return running.size === 0
}
