// Programs started as a user or libvirt starts them. tap slips a loader of its own into every child by NODE_OPTIONS: it costs a
// third of a second each, and fails for a child that is another user. Through env(1) the child never sees it.

import {
  type ChildProcessWithoutNullStreams,
  type SpawnOptionsWithoutStdio,
  type SpawnSyncOptions,
  type SpawnSyncReturns,
  spawn,
  spawnSync,
} from 'node:child_process'

const APART = '/usr/bin/env'

export function runApart(command: string, args: readonly string[], options: SpawnSyncOptions = {}): SpawnSyncReturns<string> {
  return spawnSync(APART, ['-u', 'NODE_OPTIONS', command, ...args], { ...options, encoding: 'utf8' })
}

export function startApart(command: string, args: readonly string[], options: SpawnOptionsWithoutStdio): ChildProcessWithoutNullStreams {
  return spawn(APART, ['-u', 'NODE_OPTIONS', command, ...args], options)
}
