// The parts that machine/lazy.ts loads when they are needed: the native programs hold them.

import { writeElement } from '../../xml/print.ts'
import { openHostFile } from '../host-file.ts'
import type * as node from '../lazy.ts'

/** @see lazyWrite of machine/lazy.ts */
export const lazyWrite: typeof node.lazyWrite = writeElement

/** @see lazyHostFile of machine/lazy.ts */
export const lazyHostFile: typeof node.lazyHostFile = openHostFile
