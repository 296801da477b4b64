// The native hook: what libvirt calls, as one program without Node (packaging/native/hook.c). Everything runs
// in one thread. The limits of time, memory and stack raise an error here, and the operation's rule decides
// what that means; if that fails too, or a call blocks, hook.c ends the process with the status of that rule.
//
// libvirt sees this program's own exit status, or that of the shim which started it. Operations with nothing
// to do end in hook.c before this runs.

import { refuse } from '../../src/codes/codes.ts'
import type { Source } from '../../src/explain/diagnostics.ts'
import { callOf, ruleOf } from '../../src/hook-setup/operations.ts'
import { calls } from '../../src/machine/native/calls.ts'
import { faultIn } from '../../src/machine/native/errors.ts'
import { readAtMost, statusOf } from '../../src/machine/node/system.ts'
import { withFile } from '../../src/machine/read/read-bytes.ts'
import { CONFIG, DOMAIN, SETTINGS, textOf } from '../../src/machine/read/read-text.ts'
import { errnoOf, systemError } from '../../src/machine/system-error.ts'
import { defaultConfig } from '../../src/request/config.ts'
import { hiddenInConfig } from '../../src/request/config-shown.ts'
import { act } from '../act.ts'
import type { Fit, Task } from '../fit.ts'
import type { Steps } from '../steps.ts'

/** A guest of 512 vCPUs needs about 60 MiB. */
const MEMORY_LIMIT_MIB = 512
/** The engine itself needs about 2 MiB; with less, every run would fail. */
const LEAST_MIB = 16
const MIB = 1024 * 1024

/** Answers this call and ends the process. @param fit the work for a guest that may have opted in */
export function runHook(fit: (task: Task) => Fit): void {
  const argv = calls.arguments()
  const { ourFailure } = ruleOf(callOf(argv))
  const unanswered = ourFailure === 'as-configured' ? 1 : 0
  let timeoutS = defaultConfig.timeoutS
  let line: { readonly file: string; readonly text: string } | undefined
  const named = calls.environment('VIRT_NUMA_CONFIG') || undefined
  const steps: Steps = {
    readConfig: async () => readConfig(named),
    readInput: async () => readInput(timeoutS),
    fit: (task) => limited({ ...task, ...shimOf() }, unanswered, fit),
    print: async (stream, text) => print(stream, text, timeoutS),
    // Written last: an answer does not wait for a log that blocks.
    log: async (file, text) => {
      if (named === undefined || file !== defaultConfig.logFile) line = { file, text }
    },
    limitTime: (configured) => {
      timeoutS = configured
      calls.limit(timeoutS * 1000, MEMORY_LIMIT_MIB * MIB, unanswered)
    },
    elapsedMs: calls.elapsed,
    now: () => new Date(),
  }
  act(argv, steps).then(
    (exit) => (line === undefined ? calls.end(exit) : calls.logAndEnd(exit, line.file, line.text)),
    () => calls.end(unanswered),
  )
}

/** The process of the shim, where libvirt did not start this program itself. */
function shimOf(): Pick<Task, 'shim'> {
  const shim = Number.parseInt(calls.environment('VIRT_NUMA_SHIM') ?? '', 10)
  return Number.isNaN(shim) ? {} : { shim }
}

/** @throws Refusal `hook-timeout`, `hook-memory` */
async function limited(task: Task, unanswered: 0 | 1, fit: (task: Task) => Fit): Promise<Fit> {
  const { timeoutS, onError, memoryLimitMiB = MEMORY_LIMIT_MIB } = task.config
  const failureStatus = onError === 'keep' ? 0 : unanswered
  const mib = Math.max(memoryLimitMiB, LEAST_MIB)
  calls.limit(timeoutS * 1000, mib * MIB, failureStatus)
  // The error of the time limit cannot be caught in the function that it ends, but by one that awaits it.
  const work = async (): Promise<Fit> => fit(task)
  return work().catch((error) => {
    const isTime = calls.grace()
    if (isTime) refuse('hook-timeout', { limitS: timeoutS, during: 'fit' })
    if (isOutOfMemory(error)) refuse('hook-memory', { limitMiB: mib })
    throw error
  })
}

/** The engine throws what is not an Error if it has no memory for one. */
const isOutOfMemory = (error: unknown): boolean =>
  !(error instanceof Error) || error.message === 'out of memory'

/** Only the default file may be missing. @throws Refusal */
function readConfig(named: string | undefined): Source | undefined {
  const name = named ?? CONFIG
  try {
    const status = statusOf(name)
    if (status === undefined && named === undefined) return undefined
    // Opening a device may trigger it, and opening a FIFO without a writer blocks.
    if (status !== undefined && status.is !== 'file')
      refuse('unreadable', { file: name, reason: 'it is not a regular file' })
    const bytes = withFile(name, 'at-once', (file) => readAtMost(file, SETTINGS.mostKiB * 1024))
    return { name, text: textOf(bytes, name, SETTINGS), hidden: hiddenInConfig }
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file: name, ...fault }))
  }
}

/** @throws Refusal `unreadable`: stdin is a folder, say; `hook-timeout` when its writer stalls */
function readInput(timeoutS: number): Uint8Array {
  try {
    return readAtMost(0, DOMAIN.mostKiB * 1024)
  } catch (error) {
    if (errnoOf(error) === 'ETIMEDOUT') {
      calls.grace()
      refuse('hook-timeout', { limitS: timeoutS, during: 'input' })
    }
    throw systemError(error, (fault) => refuse('unreadable', { file: 'stdin', isStdin: true, ...fault }))
  }
}

/**
 * @returns whether there was a reader: /dev/null has none, and replaces a closed stream
 * @throws Error of the system or of the time limit when not everything was written
 */
function print(stream: 1 | 2, text: string, timeoutS: number): boolean {
  if (isNowhere(stream)) return false
  const result = calls.writeAll(stream, text)
  if (result === 0) return true
  const error = faultIn(result, 'write')
  if (errnoOf(error) === 'EPIPE') return false
  throw errnoOf(error) === 'ETIMEDOUT' ? new Error(`it was not read within ${timeoutS} s`) : error
}

function isNowhere(stream: number): boolean {
  const [own, nowhere] = [calls.status(stream, 1), calls.status('/dev/null', 1)]
  return typeof own === 'object' && typeof nowhere === 'object' && own[2] !== 0 && own[2] === nowhere[2]
}
