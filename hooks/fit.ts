// A guest's XML and the host as it is now -> the answer of the hook: the rebound document, findings, or
// nothing.

import { statSync } from 'node:fs'
import { type Diagnostic, Refusal } from '../src/base/diagnostic.ts'
import { pinsBeyond, preflight } from '../src/check.ts'
import { classOf, refuse } from '../src/codes/codes.ts'
import { checkType, isOptedIn, partitionOf, readDocument } from '../src/document.ts'
import { readDomain } from '../src/domain/view.ts'
import { labelOf, renderDiagnostics } from '../src/explain/diagnostics.ts'
import { resourcesOf } from '../src/host/resources.ts'
import type { GuestPlace } from '../src/machine/guest-cgroup.ts'
import { type HostSource, readHostSource } from '../src/machine/host-source.ts'
import { lazyWrite } from '../src/machine/lazy.ts'
import { listed, summaryOf } from '../src/machine/log-line.ts'
import { DOMAIN, textOf } from '../src/machine/read/read-text.ts'
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
}

/** The result. `summary` is for the log, `stderr` for libvirt. */
export type Fit =
  | { readonly is: 'not-opted-in' }
  | { readonly is: 'fitted'; readonly text?: string; readonly summary: string }
  | { readonly is: 'found' | 'refused'; readonly stderr: string; readonly summary: string }

/** The steps of the work; tests replace them. */
export interface FitSteps {
  readonly readDocument: (text: string, source: string) => XmlDocument
  readonly isOptedIn: (document: XmlDocument, config: Config) => boolean
  readonly readHost: (guest: GuestPlace, root: string | undefined) => HostSource
  readonly place: typeof place
  readonly preflight: typeof preflight
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
  render: renderDiagnostics,
}

/** Opening a FIFO without a writer blocks. */
function checkRoot(root: string): void {
  const status = statSync(root, { throwIfNoEntry: false })
  if (status !== undefined && !status.isDirectory() && !status.isFile())
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
    const stderr = steps.render(found, 'capacity-fails', [domainSource(sourceName(task), text)])
    return { is: 'refused', stderr, summary: listed(found, 'capacity-fails') }
  }
}

function fitText(task: Task, text: string, steps: FitSteps): Fit {
  const { config, configSource } = task
  const document = steps.readDocument(text, sourceName(task))
  if (!steps.isOptedIn(document, config)) return { is: 'not-opted-in' }
  if (task.does === 'preflight') return check(task, document, steps)
  const from = steps.readHost({ partition: partitionOf(document), confinedBy: 'strongest' }, config.root)
  const placed = steps.place(document, { ...from, config, configSource, runs: true }, lazyWrite, 'if-better')
  return { is: 'fitted', summary: summaryOf(placed), ...(placed.edits.length > 0 && { text: placed.text }) }
}

/** Ignores the guest's requests: only what the kernel, libvirt and QEMU forbid is proven to fail. */
function check(task: Task, document: XmlDocument, steps: FitSteps): Fit {
  const { config, configSource } = task
  const view = readDomain(document)
  checkType(view)
  const { host, allowed } = steps.readHost(
    { partition: partitionOf(document), confinedBy: 'any' },
    config.root,
  )
  const resources = resourcesOf(host, allowed)
  const bounds = administratorBounds({ config: config.requested, configSource, flags: {} })
  const found = errorsFirst([...steps.preflight(view, resources), ...pinsBeyond(view, bounds, resources)])
  const summary = listed(found, 'capacity-fails')
  if (found.every(({ code }) => classOf(code) === 'note'))
    return { is: 'fitted', summary: summary === '' ? 'ok' : `ok, ${summary}` }
  return {
    is: 'found',
    stderr: steps.render(found, 'capacity-fails', [domainSource(sourceName(task), document.text)]),
    summary,
  }
}

/** What diagnostics call the guest's document, which libvirt gives on stdin. */
const sourceName = ({ guest }: Task): string => `${guest}.xml`

/** virsh shows stderr from its first line. */
function errorsFirst(found: readonly Diagnostic[]): Diagnostic[] {
  const isError = (each: Diagnostic): boolean => labelOf(each, 'capacity-fails') === 'error'
  return [...found.filter(isError), ...found.filter((each) => !isError(each))]
}
