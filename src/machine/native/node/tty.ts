// node:tty in the native command.

import { more } from './calls.ts'

/** Whether a file is a terminal. */
export const isatty = (file: number): boolean => more.isTerminal(file)
