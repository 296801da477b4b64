// One call by libvirt -> what is printed, what is logged, and the exit status. Whatever fails on the way, the
// status is the one that the rule of the operation gives.

import { type Diagnostic, Refusal } from '../src/base/diagnostic.ts'
import { visible, visibleLines } from '../src/base/visible.ts'
import { readDocument } from '../src/document.ts'
import { NAMESPACE } from '../src/domain/metadata.ts'
import { checkRoot } from '../src/domain/view.ts'
import { renderDiagnostics, type Source } from '../src/explain/diagnostics.ts'
import { messageOf } from '../src/explain/message.ts'
import { type Call, callOf, type Rule, ruleOf } from '../src/hook-setup/operations.ts'
import { DOMAIN, textOf } from '../src/machine/read/read-text.ts'
import { type Config, defaultConfig, logFileIn, parseConfig } from '../src/request/config.ts'
import { within } from './confined.ts'
import type { Fit, Task } from './fit.ts'
import { logLine } from './log.ts'

/** Everything that touches the outside; tests replace it. */
export interface Steps {
  readonly readConfig: () => Promise<Source | undefined>
  readonly readInput: () => Promise<Uint8Array>
  readonly fit: (task: Task) => Promise<Fit>
  /** Whether everything was written. */
  readonly print: (stream: 1 | 2, text: string) => Promise<boolean>
  /** Resolves when the line is written or cannot be; nothing waits for it for long. */
  readonly log: (file: string, line: string) => Promise<void>
  /** Sets the time limit. */
  readonly limitTime: (timeoutS: number) => void
  /** Since the process was started. */
  readonly elapsedMs: () => number
  readonly now: () => Date
}

/** Without `summary` nothing is logged. */
interface Answer {
  readonly exit: 0 | 1
  readonly stdout?: string
  readonly stderr?: string
  readonly summary?: string
}

interface Run {
  readonly call: Call
  readonly rule: Rule & { readonly does: Task['does'] }
  readonly steps: Steps
  /** The default until the file is read. */
  config: Config
  configSource: string
}

/** @returns the exit status; it never rejects */
export async function act(argv: readonly string[], steps: Steps): Promise<0 | 1> {
  const call = callOf(argv)
  const { does, ourFailure } = ruleOf(call)
  if (does === 'nothing') return 0
  const run: Run = {
    call,
    rule: { does, ourFailure },
    steps,
    config: defaultConfig,
    configSource: 'the configuration',
  }
  return deliver(await answerTo(run), run)
}

async function answerTo(run: Run): Promise<Answer> {
  try {
    return (await readSettings(run)) ?? (await answerFor(run))
  } catch (error) {
    if (!(error instanceof Refusal)) return failed(run, error)
    return refused(run, renderDiagnostics(error.diagnostics, 'capacity-fails', []), headOf(error.diagnostics))
  }
}

/**
 * A configuration that cannot be read or parsed is refused: it is not known which guests are meant, nor what
 * our failure means.
 */
async function readSettings(run: Run): Promise<Answer | undefined> {
  let source: Source | undefined
  try {
    source = await inTime(run, run.steps.readConfig())
    if (source === undefined) return undefined
    run.config = parseConfig(source.text, source.name)
    run.configSource = source.name
    run.steps.limitTime(run.config.timeoutS)
    return undefined
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    run.config = { ...run.config, ...(source && logFileIn(source.text)) }
    return refused(
      run,
      renderDiagnostics(error.diagnostics, 'capacity-fails', source === undefined ? [] : [source]),
      headOf(error.diagnostics),
    )
  }
}

const headOf = ([first]: readonly Diagnostic[]): string =>
  first === undefined ? '' : `error[${first.code}]: ${messageOf(first).what}`

async function answerFor(run: Run): Promise<Answer> {
  const { steps, config, configSource, call, rule } = run
  const xml = await inTime(run, steps.readInput())
  if (!mayBeOptedIn(xml, call, config)) {
    if (rule.does === 'rebind') checkWhole(xml)
    return { exit: 0 }
  }
  const found = await inTime(
    run,
    steps.fit({ does: rule.does, guest: call.guest, xml, config, configSource }),
  )
  switch (found.is) {
    case 'not-opted-in':
      return { exit: 0 }
    case 'fitted':
      return { exit: 0, summary: found.summary, ...(found.text !== undefined && { stdout: found.text }) }
    case 'found':
      return { exit: 1, stderr: found.stderr, summary: `refused: ${found.summary}` }
    case 'refused':
      return refused(run, found.stderr, found.summary)
  }
}

/**
 * Rules out most guests without parsing their XML: an opted-in guest names our namespace, or the
 * configuration has its name, libvirt's first argument.
 */
function mayBeOptedIn(xml: Uint8Array, { guest }: Call, { guests }: Config): boolean {
  if (guests === 'all' || (guests !== 'opted-in' && guests.includes(guest))) return true
  return Buffer.from(xml.buffer, xml.byteOffset, xml.byteLength).includes(NAMESPACE)
}

/**
 * Checks that a document is complete: one that was cut may have lost its opt-in, and libvirt takes an empty
 * answer for "no change". libvirt's own documents start and end like this; any other is parsed.
 * @throws Refusal of the parser, `not-domain`
 */
function checkWhole(xml: Uint8Array): void {
  const bytes = Buffer.from(xml.buffer, xml.byteOffset, xml.byteLength)
  const isWhole =
    /^<domain[\s>]/.test(bytes.toString('latin1', 0, 8)) &&
    bytes.indexOf('</domain>') === bytes.length - END.length &&
    bytes.indexOf(END) > 0
  if (isWhole) return
  // Nothing else of a guest that has not opted in is our business.
  checkRoot(readDocument(textOf(xml, 'stdin', DOMAIN)).root)
}

const END = '</domain>\n'

function inTime<T>({ steps, config: { timeoutS } }: Run, work: Promise<T>): Promise<T> {
  return within(timeoutS * 1000 - steps.elapsedMs(), timeoutS, work)
}

/** A refusal cancels a rebind; at prepare it is only logged. */
function refused({ rule }: Run, stderr: string, summary: string): Answer {
  return rule.does === 'rebind'
    ? { exit: 1, stderr, summary: `refused: ${summary}` }
    : { exit: 0, summary: `not checked: ${summary}` }
}

function failed({ call, rule, config }: Run, error: unknown): Answer {
  const reason = error instanceof Error ? error.message : String(error)
  const summary = `failed: ${reason}`
  if (rule.ourFailure === 'goes-on' || config.onError === 'keep') return { exit: 0, summary }
  const trace = error instanceof Error ? (error.stack ?? '') : ''
  const stderr =
    `error[bug]: virt-numa failed at ${call.operation}: ${visible(reason)}\n` +
    '   why: this is a bug in virt-numa, not in the guest, whose XML was not changed\n' +
    '   fix: set on_error = "keep" to go on with the XML as it is, and report this with the output of: ' +
    'virt-numa snapshot\n' +
    `${trace.replace(/^/gm, '    ')}\n`
  return { exit: 1, stderr, summary }
}

/**
 * A document that was written only in part cancels the operation: libvirt must not take it for "no change".
 */
async function deliver(answer: Answer, run: Run): Promise<0 | 1> {
  const delivered = await printAnswer(answer, run)
  try {
    const { steps, call, config } = run
    if (delivered.summary !== undefined) {
      const line = logLine(call, delivered.summary, steps.now(), steps.elapsedMs())
      await within(LOG_MS, LOG_MS / 1000, steps.log(config.logFile, line))
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
    return (await inTime(run, run.steps.print(1, stdout))) ? undefined : unwritten('nobody reads it')
  } catch (error) {
    return unwritten(error instanceof Error ? error.message : String(error))
  }
}

function unwritten(reason: string): Answer {
  const what = `error[unwritable]: cannot write the rebound XML to stdout: ${reason}`
  return {
    exit: 1,
    stderr: `${what}\n   why: with its old XML the guest would run on other nodes than its memory\n`,
    summary: `refused: ${what}`,
  }
}

/** stderr may be closed; the exit status is enough. */
async function printErrors(run: Run, text: string): Promise<void> {
  try {
    await inTime(run, run.steps.print(2, visibleLines(text)))
  } catch {
    // As above.
  }
}
