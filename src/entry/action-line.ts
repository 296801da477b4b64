// One action to one line of a log: the hook's and that of `watch`.

/** "2026-11-24T03:44:22Z migrate begin db1: rebound, cells 0-1 on nodes 0-1, 6 edits (12 ms)", with its line end. */
export function actionLine(about: string, what: string, now: Date, tookMs: number): string {
  const line = `${now.toISOString().slice(0, 19)}Z ${about}: ${what} (${Math.round(tookMs)} ms)`
  // Whatever a guest is called, it gets one line, and sends nothing to a terminal.
  const visible = line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\x${(character.codePointAt(0) as number).toString(16).padStart(2, '0')}`
  })
  return `${visible}\n`
}
