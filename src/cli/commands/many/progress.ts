// How far a long command is, on a terminal: one line on stderr that is overwritten, and removed at the end.

import { isatty } from 'node:tty'
import { printDocument } from '../../output.ts'

/** Counts what is done. */
interface Progress {
  readonly step: () => void
  readonly end: () => void
}

const FIRST_MS = 1000
const EVERY_MS = 200

/** Nothing is shown in the first second, and never where stderr is not a terminal. */
export function progressOf(total: number, what: string): Progress {
  if (!isatty(2)) return { step: () => undefined, end: () => undefined }
  const began = performance.now()
  let done = 0
  let shownAt = began + FIRST_MS - EVERY_MS
  let isShown = false
  return {
    step: () => {
      done += 1
      const now = performance.now()
      if (now < began + FIRST_MS || now < shownAt + EVERY_MS) return
      shownAt = now
      isShown = true
      write(`${done} of ${total} ${what}`)
    },
    end: () => {
      if (isShown) write('')
    },
  }
}

/** Carriage return and "erase the line" (ECMA-48, EL). */
function write(text: string): void {
  printDocument(2, `\r\u001b[K${text}`)
}
