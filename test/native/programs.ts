// Where the tests find the native programs: those of this machine, or the folder that VIRT_NUMA_NATIVE names,
// whose programs run in an emulator (aarch64.sh).

import { resolve } from 'node:path'

const emulated = process.env.VIRT_NUMA_NATIVE

/** The path of a native program. */
export const program = (name: string): string => resolve(emulated ?? 'dist/native', name)

/** All of a table, or every eighth row in an emulator, in which each run takes ten times as long. */
export const affordable = <T>(rows: readonly T[]): readonly T[] =>
  emulated === undefined ? rows : rows.filter((_, row) => row % 8 === 0)
