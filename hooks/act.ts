// One call by libvirt -> what is printed, what is logged, and the exit status. Whatever fails on the way, the
// operation's rule decides the status.

import { Refusal } from '../src/base/diagnostic.ts'
import { visible } from '../src/base/visible.ts'
import { factsOf } from '../src/codes/codes.ts'
import { readDocument } from '../src/document.ts'
import { NAMESPACE } from '../src/domain/metadata.ts'
import { checkRoot } from '../src/domain/view.ts'
import { byFlags, byMetadata } from '../src/explain/asks.ts'
import { renderDiagnostics, type Source } from '../src/explain/diagnostics.ts'
import { messageOf } from '../src/explain/message.ts'
import type { Ask } from '../src/explain/texts/words.ts'
import { type Call, callOf, ruleOf } from '../src/hook-setup/operations.ts'
import { positionOf } from '../src/machine/node/system.ts'
import { DOMAIN, textOf } from '../src/machine/read/read-text.ts'
import { type Config, defaultConfig, logFileIn, parseConfig } from '../src/request/config.ts'
import { deliver } from './deliver.ts'
import { type Answer, inTime, type Run, type Steps } from './steps.ts'

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
    if (!(error instanceof Refusal)) return failed(run, bugIn(run, error))
    const message = messageFor(error, [], byMetadata(run.call.guest))
    return isLimit(error) ? failed(run, message) : refused(run, message)
  }
}

/**
 * A configuration that cannot be read or parsed is refused: it is then unknown which guests opted in, and
 * what a failure of ours should do.
 */
async function readSettings(run: Run): Promise<Answer | undefined> {
  let source: Source | undefined
  try {
    source = await inTime(run, 'configuration', run.steps.readConfig())
    if (source === undefined) return undefined
    run.config = parseConfig(source.text, source.name)
    run.configSource = source.name
    run.steps.limitTime(run.config.timeoutS)
    return undefined
  } catch (error) {
    if (!(error instanceof Refusal) || isLimit(error)) throw error
    run.config = { ...run.config, ...(source && logFileIn(source.text)) }
    return refused(run, messageFor(error, source === undefined ? [] : [source], byFlags))
  }
}

/** What is printed if the operation is cancelled, and what is logged. */
interface Message {
  readonly stderr: string
  readonly summary: string
}

function messageFor({ diagnostics }: Refusal, sources: readonly Source[], ask: Ask): Message {
  const [first] = diagnostics
  return {
    stderr: renderDiagnostics(diagnostics, 'capacity-fails', sources, ask),
    summary: first === undefined ? '' : `error[${first.code}]: ${messageOf(first, ask).what}`,
  }
}

/** Time or memory that ran out says nothing about the guest: it counts as a failure of ours. */
const isLimit = ({ diagnostics }: Refusal): boolean =>
  diagnostics.some((each) => factsOf(each, 'hook-timeout') ?? factsOf(each, 'hook-memory'))

async function answerFor(run: Run): Promise<Answer> {
  const { steps, config, configSource, call, rule } = run
  const xml = await inTime(run, 'input', steps.readInput())
  if (!mayBeOptedIn(xml, call, config)) {
    if (rule.does === 'rebind') checkWhole(xml)
    return { exit: 0 }
  }
  const found = await inTime(
    run,
    'fit',
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
      return refused(run, found)
  }
}

/**
 * Rules out most guests without parsing their XML: an opted-in guest names our namespace, or the
 * configuration has its name, libvirt's first argument, or covers guests with memnodes.
 */
function mayBeOptedIn(xml: Uint8Array, { guest }: Call, { guests }: Config): boolean {
  if (guests === 'all') return true
  if (guests === 'bound' && positionOf(xml, '<memnode') >= 0) return true
  if (typeof guests !== 'string' && guests.includes(guest)) return true
  return positionOf(xml, NAMESPACE) >= 0
}

/**
 * Checks that a document is complete: a truncated one may have lost its opt-in, and libvirt takes an empty
 * answer for "no change". libvirt's own documents start and end like this; any other is parsed.
 * @throws Refusal of the parser, `not-domain`
 */
function checkWhole(xml: Uint8Array): void {
  const isWhole =
    /^<domain[\s>]/.test(String.fromCharCode(...xml.subarray(0, 8))) &&
    positionOf(xml, '</domain>') === xml.length - END.length &&
    positionOf(xml, END) > 0
  if (isWhole) return
  // Nothing else is checked for a guest that has not opted in.
  checkRoot(readDocument(textOf(xml, 'stdin', DOMAIN)).root)
}

const END = '</domain>\n'

/** A refusal cancels a rebind; at prepare it is only logged. */
function refused({ rule }: Run, { stderr, summary }: Message): Answer {
  return rule.does === 'rebind'
    ? { exit: 1, stderr, summary: `refused: ${summary}` }
    : { exit: 0, summary: `not checked: ${summary}` }
}

/** A failure of ours cancels the operation where its rule and on_error say so. */
function failed({ rule, config }: Run, { stderr, summary }: Message): Answer {
  const continues = rule.ourFailure === 'continues' || config.onError === 'keep'
  return { exit: continues ? 0 : 1, summary: `failed: ${summary}`, ...(!continues && { stderr }) }
}

function bugIn({ call }: Run, error: unknown): Message {
  const reason = error instanceof Error ? error.message : String(error)
  const trace = error instanceof Error ? (error.stack ?? '') : ''
  const stderr =
    `error[bug]: virt-numa failed at ${call.operation}: ${visible(reason)}\n` +
    '   why: this is a bug in virt-numa, not in the guest, whose XML was not changed\n' +
    '   fix: set on_error = "keep" to continue with the unchanged XML, and report this with the output of: ' +
    'virt-numa snapshot\n' +
    `${trace.replace(/^/gm, '    ')}\n`
  return { stderr, summary: reason }
}
