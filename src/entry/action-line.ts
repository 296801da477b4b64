// One action to one line of a log: the hook's and that of `watch`.

import { visible } from '../base/visible.ts'

/** "2026-11-24T03:44:22Z migrate begin db1: rebound, cells 0-1 on nodes 0-1, 6 edits (12 ms)", with its line end. */
export function actionLine(about: string, what: string, now: Date, tookMs: number): string {
  return `${visible(`${now.toISOString().slice(0, 19)}Z ${about}: ${what} (${Math.round(tookMs)} ms)`)}\n`
}
