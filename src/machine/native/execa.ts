// The library that starts programs, in the native command: what machine/programs/programs.ts takes of it, in
// its words.

import { spawnSync } from './node/child_process.ts'
import { process } from './node/globals.ts'

/** How a program is run. */
interface Options {
  readonly timeout: number
  readonly maxBuffer: number
  readonly env: Readonly<Record<string, string>>
  readonly extendEnv?: boolean
  readonly cwd?: string
  readonly killSignal?: string
  readonly stdin?: 'ignore'
  readonly input?: string
}

/** How it ended. */
interface Result {
  readonly exitCode?: number
  readonly stdout: string
  readonly stderr: string
  readonly shortMessage?: string
  readonly failed: boolean
}

/** Runs a program to its end. Never throws for what the program does. */
export function execaSync(command: string, words: readonly string[], options: Options): Result {
  const { timeout, maxBuffer, env, extendEnv = true, cwd, killSignal, input } = options
  const { status, signal, stdout, stderr, error } = spawnSync(command, words, {
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...(extendEnv && process.env), ...env },
    timeout,
    maxBuffer,
    ...(cwd !== undefined && { cwd }),
    ...(killSignal !== undefined && { killSignal }),
    ...(input !== undefined && { input }),
  })
  const failed = error !== undefined || signal !== null || status !== 0
  const isWhole = error === undefined && status !== null
  const what =
    error?.code === 'ETIMEDOUT' ? `timed out after ${timeout} milliseconds` : failure(error, signal)
  const shown = [command, ...words].map(quoted).join(' ')
  const own = error === undefined || error.code === 'ETIMEDOUT' ? '' : `\n${error.message}`
  return {
    ...(isWhole && { exitCode: status }),
    stdout,
    stderr,
    failed,
    ...(failed && { shortMessage: `Command ${what}: ${shown}${own}` }),
  }
}

function failure(error: { readonly code?: string } | undefined, signal: string | null): string {
  if (error !== undefined) return `failed with ${error.code}`
  return signal === null ? 'failed' : `was killed with ${signal} (${MEANINGS[signal] ?? 'Unknown'})`
}

const MEANINGS: Readonly<Record<string, string>> = {
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error due to misaligned, non-existing address or paging error',
  SIGHUP: 'Terminal closed',
  SIGILL: 'Invalid machine instruction',
  SIGINT: 'User interruption with CTRL-C',
  SIGKILL: 'Forced termination',
  SIGSEGV: 'Segmentation fault',
  SIGTERM: 'Termination',
}

const quoted = (word: string): string =>
  /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
