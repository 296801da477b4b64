// An answer -> what libvirt reads on stdout and stderr, and a line in the log.

import { visibleLines } from '../src/base/visible.ts'
import { systemFault } from '../src/machine/system-error.ts'
import { logLine } from './log-line.ts'
import { type Answer, leftMs, type Run } from './steps.ts'
import { within } from './within.ts'

/**
 * A document that was written only in part cancels the operation: libvirt must not take it for "no change".
 */
export async function deliver(answer: Answer, run: Run): Promise<0 | 1> {
  const delivered = await printAnswer(answer, run)
  try {
    const { steps, call, config } = run
    if (delivered.summary !== undefined) {
      const line = logLine(call, delivered.summary, steps.now(), steps.elapsedMs())
      await within(LOG_MS, steps.log(config.logFile, line), () => new Error('the log blocks'))
    }
  } catch {
    // A log that cannot be written changes nothing for the guest.
  }
  return delivered.exit
}

/** How long the answer waits for the log. */
const LOG_MS = 200

async function printAnswer(answer: Answer, run: Run): Promise<Answer> {
  const { stdout } = answer
  const shown = stdout === undefined ? answer : ((await unprinted(run, stdout)) ?? answer)
  if (shown.stderr !== undefined) await printErrors(run, shown.stderr)
  return shown
}

/** An answer that is only partly written is refused, whatever on_error says. */
async function unprinted(run: Run, stdout: string): Promise<Answer | undefined> {
  try {
    return (await printed(run, 1, stdout)) ? undefined : unwritten('no process reads it')
  } catch (error) {
    return unwritten(reasonOf(error))
  }
}

const reasonOf = (error: unknown): string =>
  systemFault(error)?.reason ?? (error instanceof Error ? error.message : String(error))

function unwritten(reason: string): Answer {
  const what = `error[unwritable]: cannot write the rebound XML to stdout: ${reason}`
  return {
    exit: 1,
    stderr: `${what}\n   why: with its old XML the guest could run on other nodes than its memory\n`,
    summary: `refused: ${what}`,
  }
}

/** stderr may be closed; the exit status is enough. */
async function printErrors(run: Run, text: string): Promise<void> {
  try {
    await printed(run, 2, visibleLines(text))
  } catch {
    // As above.
  }
}

/** @throws Error when it was not read within the time limit */
function printed(run: Run, stream: 1 | 2, text: string): Promise<boolean> {
  const late = (): Error => new Error(`it was not read within ${run.config.timeoutS} s`)
  return within(leftMs(run), run.steps.print(stream, text), late)
}
