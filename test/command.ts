// The command as tests run it: the Node program, or the native one that VIRT_NUMA_COMMAND names.

import type {
  ChildProcessWithoutNullStreams,
  SpawnOptionsWithoutStdio,
  SpawnSyncOptions,
} from 'node:child_process'
import { resolve } from 'node:path'
import { runApart, startApart } from './apart.ts'

const native = process.env.VIRT_NUMA_COMMAND

/** Whether it is the native program. */
export const isNative = native !== undefined

/** The program and its first arguments. */
export const COMMAND: readonly [program: string, ...words: string[]] =
  native === undefined ? [process.execPath, resolve('dist/virt-numa.cjs')] : [resolve(native)]

const [program, ...first] = COMMAND

/** Runs the command to its end. */
export const runCommand = (
  words: readonly string[],
  options: SpawnSyncOptions = {},
): ReturnType<typeof runApart> => runApart(program, [...first, ...words], options)

/** Starts the command. */
export const startCommand = (
  words: readonly string[],
  options: SpawnOptionsWithoutStdio,
): ChildProcessWithoutNullStreams => startApart(program, [...first, ...words], options)
