// Waits for work, in the native hook: packaging/native/hook.c enforces the time limit.

import type * as node from '../within.ts'

/** @see within of hooks/within.ts */
export const within: typeof node.within = (_leftMs, work) => work
