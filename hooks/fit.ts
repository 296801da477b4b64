// A guest's XML and the host as it is now -> the answer of the hook: the rebound document, findings, or
// nothing.

import { type Diagnostic, Refusal } from '../src/base/diagnostic.ts'
import { allocatesAtStart, pinsBeyond, preflight, startMemory } from '../src/check.ts'
import { classOf, refuse } from '../src/codes/codes.ts'
import { checkType, isOptedIn, partitionOf, readDocument } from '../src/document.ts'
import { readDomain } from '../src/domain/view.ts'
import { byMetadata } from '../src/explain/asks.ts'
import { labelOf, renderDiagnostics } from '../src/explain/diagnostics.ts'
import { hostFor, resourcesOf } from '../src/host/resources.ts'
import type { GuestPlace } from '../src/machine/guest-cgroup.ts'
import { type HostSource, readHostSource } from '../src/machine/host-source.ts'
import { lazyWrite } from '../src/machine/lazy.ts'
import { checkAndPromise, type Promising } from '../src/machine/ledger/ledger.ts'
import { listed, summaryOf } from '../src/machine/log-line.ts'
import { pause, statusOf } from '../src/machine/node/system.ts'
import { DOMAIN, textOf } from '../src/machine/read/read-text.ts'
import type { DomainView } from '../src/model/domain.ts'
import type { Host, Resources } from '../src/model/host.ts'
import { place } from '../src/place.ts'
import { domainSource } from '../src/redact/secrets.ts'
import { administratorBounds } from '../src/request/allowed-cpus.ts'
import type { Config } from '../src/request/config.ts'
import type { XmlDocument } from '../src/xml/parse.ts'

/** The work, as plain data for another thread. */
export interface Task {
  readonly does: 'rebind' | 'preflight'
  readonly guest: string
  readonly xml: Uint8Array
  readonly config: Config
  readonly configSource: string
  /** The process that waits for this one in place of the daemon, if there is one. */
  readonly shim?: number
}

/** The result. `summary` is for the log, `stderr` for libvirt. */
export type Fit =
  | { readonly is: 'not-opted-in' }
  | { readonly is: 'fitted'; readonly text?: string; readonly summary: string }
  | { readonly is: 'found' | 'refused'; readonly stderr: string; readonly summary: string }

/** The steps of the work; tests replace them. */
interface FitSteps {
  readonly readDocument: (text: string, source: string) => XmlDocument
  readonly isOptedIn: (document: XmlDocument, config: Config) => boolean
  readonly readHost: (guest: GuestPlace, root: string | undefined) => HostSource
  readonly place: typeof place
  readonly preflight: typeof preflight
  readonly checkAndPromise: typeof checkAndPromise
  readonly render: typeof renderDiagnostics
}

/** The real steps. */
export const fitSteps: FitSteps = {
  readDocument,
  isOptedIn,
  readHost: (guest, root) => {
    if (root !== undefined) checkRoot(root)
    return readHostSource({ guest, ...(root !== undefined && { host: root }) })
  },
  place,
  preflight,
  checkAndPromise,
  render: renderDiagnostics,
}

/** Opening a FIFO without a writer blocks. */
function checkRoot(root: string): void {
  const status = statusOf(root)
  if (status !== undefined && status.is !== 'folder' && status.is !== 'file')
    refuse('unreadable', { file: root, reason: 'it is neither a folder nor a regular file' })
}

/** A refusal is a result; any other exception is a bug. */
export function fit(task: Task, steps: FitSteps): Fit {
  let text = ''
  try {
    text = textOf(task.xml, 'stdin', DOMAIN)
    return fitText(task, text, steps)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const found = errorsFirst(error.diagnostics)
    const stderr = rendered(found, text, task, steps)
    return { is: 'refused', stderr, summary: listed(found, 'capacity-fails') }
  }
}

function fitText(task: Task, text: string, steps: FitSteps): Fit {
  const { config, configSource } = task
  const document = steps.readDocument(text, sourceName(task))
  if (!steps.isOptedIn(document, config)) return { is: 'not-opted-in' }
  if (task.does === 'preflight') return check(task, document, steps)
  const from = steps.readHost({ partition: partitionOf(document), confinedBy: 'each' }, config.root)
  const placed = steps.place(document, { ...from, config, configSource, runs: true }, lazyWrite, 'if-better')
  return { is: 'fitted', summary: summaryOf(placed), ...(placed.edits.length > 0 && { text: placed.text }) }
}

/**
 * Ignores the guest's requests: only what the kernel, libvirt and QEMU forbid is proven to fail. A guest
 * whose memory QEMU allocates at its start is checked alone, and is then promised that memory.
 */
function check(task: Task, document: XmlDocument, steps: FitSteps): Fit {
  const view = readDomain(document)
  checkType(view)
  const look = lookFor({ task, document, view }, steps)
  let looked: Looked | undefined
  const notes = allocatesAtStart(view)
    ? steps.checkAndPromise(promisingOf(task), () => {
        looked = lookUntilSettled(look)
        return isRefused(looked) ? [] : startMemory(view, looked.resources)
      })
    : []
  looked ??= look()
  const found = errorsFirst([...looked.found, ...notes])
  const summary = listed(found, 'capacity-fails')
  if (!isRefused(looked)) return { is: 'fitted', summary: summary === '' ? 'ok' : `ok, ${summary}` }
  return {
    is: 'found',
    stderr: rendered(found, document.text, task, steps),
    summary,
  }
}

/** What was found, on what host. */
interface Looked {
  readonly found: readonly Diagnostic[]
  readonly resources: Resources
  /** Guests that are starting were allocating pages meanwhile. */
  readonly isChanging: boolean
}

/** Checks a guest on the host as it is now. `promised` takes the place of what the ledger says now. */
type Look = (promised?: Host['promised']) => Looked

interface Guest {
  readonly task: Task
  readonly document: XmlDocument
  readonly view: DomainView
}

function lookFor({ task, document, view }: Guest, steps: FitSteps): Look {
  const { config, configSource } = task
  const bounds = administratorBounds({ config: config.requested, configSource, flags: {} })
  const place: GuestPlace = { partition: partitionOf(document), confinedBy: 'actual' }
  return (promised) => {
    const { host, allowed, isChanging = false } = steps.readHost(place, config.root)
    const now = hostFor(promised === undefined ? host : { ...host, promised }, view.name)
    const resources = resourcesOf(now, allowed)
    return {
      found: [...steps.preflight(view, resources), ...pinsBeyond(view, bounds, resources)],
      resources,
      isChanging,
    }
  }
}

const isRefused = ({ found }: Looked): boolean => found.some(({ code }) => classOf(code) !== 'note')

/**
 * While the QEMU of another guest allocates what that guest was promised, free pages and the rest of the
 * promise cannot be read at one time. A look reads the free pages first, and so sees too many; a second look
 * at the pages, with the same promises, sees too few. A guest that both let start has its pages. A first look
 * sees too few only while the kernel clears a page, which it has taken from the pool but not yet mapped: a
 * guest that lacks pages in several looks does lack them. If neither comes out, the guest may start.
 */
function lookUntilSettled(look: Look): Looked {
  let refusals = 0
  for (let looks = 1; ; looks++) {
    const first = look()
    if (!first.isChanging || looks === MOST_LOOKS) return first
    if (isRefused(first)) refusals += 1
    else if (!isRefused(look(first.resources.promised ?? []))) return first
    if (refusals === SURE_REFUSALS) return first
    pause(LOOK_MS)
  }
}

const MOST_LOOKS = 25
const SURE_REFUSALS = 5
const LOOK_MS = 10

function promisingOf({ guest, config, shim }: Task): Promising {
  return { guest, root: config.root, shim, waitMs: Math.round(config.timeoutS * 1000 * LOCK_SHARE) }
}

/** The part of the time limit that a guest may wait for others. */
const LOCK_SHARE = 0.4

function rendered(found: readonly Diagnostic[], text: string, task: Task, { render }: FitSteps): string {
  return render(found, 'capacity-fails', [domainSource(sourceName(task), text)], byMetadata(task.guest))
}

/** What diagnostics call the guest's document, which libvirt gives on stdin. */
const sourceName = ({ guest }: Task): string => `${guest}.xml`

/** virsh shows stderr from its first line. */
function errorsFirst(found: readonly Diagnostic[]): Diagnostic[] {
  const isError = (each: Diagnostic): boolean => labelOf(each, 'capacity-fails') === 'error'
  return [...found.filter(isError), ...found.filter((each) => !isError(each))]
}
