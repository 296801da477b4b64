// Starts programs as a user or libvirt does. tap adds its own loader to every child through NODE_OPTIONS,
// which costs a third of a second each and fails for a child that runs as another user; env(1) removes it.

import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  type SpawnOptionsWithoutStdio,
  type SpawnSyncOptions,
  type SpawnSyncReturns,
  spawn,
  spawnSync,
} from 'node:child_process'

const APART = '/usr/bin/env'

/** Runs a program to its end; its output is text. */
export function runApart(
  command: string,
  args: readonly string[],
  options: SpawnSyncOptions = {},
): SpawnSyncReturns<string> {
  return spawnSync(APART, ['-u', 'NODE_OPTIONS', command, ...args], { ...options, encoding: 'utf8' })
}

/** Starts a program, whose streams are pipes. */
export function startApart(
  command: string,
  args: readonly string[],
  options: SpawnOptionsWithoutStdio,
): ChildProcessWithoutNullStreams {
  return spawn(APART, ['-u', 'NODE_OPTIONS', command, ...args], options)
}

/** How a program ended, what it wrote, and how long it ran. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

/**
 * Waits for a program to end: until no process has its pipes open any more, as libvirt does.
 * @param stdout `unread`: not read while the program runs
 */
export function endOf(child: ChildProcess, stdout: 'read' | 'unread' = 'read'): Promise<Ended> {
  const began = performance.now()
  const said = { stdout: '', stderr: '' }
  const hear = (name: 'stdout' | 'stderr'): void => {
    child[name]?.on('data', (chunk) => {
      said[name] += chunk
    })
  }
  if (stdout === 'read') hear('stdout')
  hear('stderr')
  return new Promise((resolve) => {
    child.on('close', (status, signal) =>
      resolve({ status, signal, ...said, tookMs: performance.now() - began }),
    )
  })
}
