// One call while it is answered: the call, its rule, the steps that touch the outside, and the time limit.

import { Refusal } from '../src/base/diagnostic.ts'
import { diagnostic } from '../src/codes/codes.ts'
import type { HookStep } from '../src/codes/hook.ts'
import type { Source } from '../src/explain/diagnostics.ts'
import type { Call, Rule } from '../src/hook-setup/operations.ts'
import type { Config } from '../src/request/config.ts'
import type { Fit, Task } from './fit.ts'
import { within } from './within.ts'

/** Everything that touches the outside; tests replace it. */
export interface Steps {
  readonly readConfig: () => Promise<Source | undefined>
  readonly readInput: () => Promise<Uint8Array>
  readonly fit: (task: Task) => Promise<Fit>
  /** Resolves to false if nobody reads it; rejects if not everything could be written. */
  readonly print: (stream: 1 | 2, text: string) => Promise<boolean>
  /** Resolves when the line is written or cannot be; nothing waits for it for long. */
  readonly log: (file: string, line: string) => Promise<void>
  /** Sets the time limit. */
  readonly limitTime: (timeoutS: number) => void
  /** Since the process was started. */
  readonly elapsedMs: () => number
  readonly now: () => Date
}

/** What a call is answered with. Without `summary` nothing is logged. */
export interface Answer {
  readonly exit: 0 | 1
  readonly stdout?: string
  readonly stderr?: string
  readonly summary?: string
}

/** One call while it is answered. */
export interface Run {
  readonly call: Call
  readonly rule: Rule & { readonly does: Task['does'] }
  readonly steps: Steps
  /** The default until the file is read. */
  config: Config
  configSource: string
}

/** Waits for work within the time limit. @throws Refusal `hook-timeout` when the time is up first */
export function inTime<T>(run: Run, during: HookStep, work: Promise<T>): Promise<T> {
  const limitS = run.config.timeoutS
  return within(leftMs(run), work, () => new Refusal([diagnostic('hook-timeout', { limitS, during })]))
}

/** What is left of the time limit; below 0 when it has passed. */
export function leftMs({ steps, config }: Run): number {
  return config.timeoutS * 1000 - steps.elapsedMs()
}
