// The domain and the VMI of one call -> the domain to define, and a line of the log.

import { parseJson } from '../base/json.ts'
import { readDocument } from '../document.ts'
import { byAnnotations } from '../explain/asks.ts'
import { renderDiagnostics, type Source } from '../explain/diagnostics.ts'
import { fitVmi } from '../kubevirt.ts'
import { type HostSource, readHostSource } from '../machine/host-source.ts'
import { lazyWrite } from '../machine/lazy.ts'
import { actionLine, summaryOf } from '../machine/log-line.ts'
import { DOMAIN, textOf } from '../machine/read/read-text.ts'
import type { Placed } from '../place.ts'
import { domainSource } from '../redact/secrets.ts'
import type { Config } from '../request/config.ts'
import type { RequestedKeys } from '../request/request.ts'
import { isMigrationTarget } from '../request/vmi-asks.ts'
import type { AnswerDefine, DefineQuestion } from './methods.ts'

/** What the administrator sets for all guests, and where the log goes. */
export interface Defining {
  readonly config: Config
  readonly configSource: string
  readonly flags: RequestedKeys
  /** Another host than this machine: a snapshot or a captured folder. */
  readonly host?: string
  readonly log: (text: string) => void
}

/** What the documents are called in messages. */
const DOMAIN_NAME = 'the domain'
const VMI_NAME = 'the VMI'

/** Fits a guest that asks for it; every other domain is returned as the bytes that were given. */
export function defineWith(defining: Defining): AnswerDefine {
  return (question) => {
    const began = performance.now()
    const vmi = parseJson(textOf(question.vmi, VMI_NAME, DOMAIN), VMI_NAME)
    if (question.reason === 'by-vmi' && isMigrationTarget(vmi)) return question.domain
    const text = textOf(question.domain, DOMAIN_NAME, DOMAIN)
    const domain = readDocument(text, DOMAIN_NAME)
    const { config, configSource, flags, log } = defining
    const around = { config, configSource, flags, source: () => hostOf(defining) }
    const placed = fitVmi({ vmi, domain }, around, lazyWrite)
    if (placed === undefined) return question.domain
    log(entryOf(question, placed, performance.now() - began))
    return placed.edits.length === 0 ? question.domain : Buffer.from(placed.text)
  }
}

/** Read for every call: free pages and memory change between two guests. */
function hostOf({ host, config }: Defining): Pick<HostSource, 'host' | 'pci'> {
  const root = host ?? config.root
  const from = readHostSource({ ...(root !== undefined && { host: root }), whole: true })
  return { host: from.host, ...(from.pci && { pci: from.pci }) }
}

/** One line for the call, then each finding with what, why and fix. */
function entryOf({ method }: DefineQuestion, placed: Placed, tookMs: number): string {
  const { document, view, notes } = placed
  const sources: readonly Source[] = [domainSource(DOMAIN_NAME, document.text)]
  return (
    actionLine(`${method} ${view.name}`, summaryOf(placed), new Date(), tookMs) +
    renderDiagnostics(notes, 'capacity-warns', sources, byAnnotations)
  )
}
