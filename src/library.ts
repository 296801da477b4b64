// What programs import of the package: the core, from texts to text and data. Nothing here touches files,
// processes, the environment or the clock.

import { type Diagnostic, type DiagnosticClass, Refusal } from './base/diagnostic.ts'
import { parseJson } from './base/json.ts'
import { classOf } from './codes/codes.ts'
import { readDocument } from './document.ts'
import { readDomain as readView } from './domain/view.ts'
import { renderDiagnostics } from './explain/diagnostics.ts'
import { messageOf } from './explain/message.ts'
import { explain as explainPlacement } from './explain/text.ts'
import type { Text } from './explain/texts/words.ts'
import { checkGuest } from './guest-check.ts'
import { readCapabilities } from './host/capabilities.ts'
import { hostOfShape, isShape } from './host/capture/shape.ts'
import { parseSnapshot } from './host/capture/snapshot.ts'
import type { DomainView } from './model/domain.ts'
import type { About, Allowed, Host } from './model/host.ts'
import { type Placed, place as placeDocument, type Surroundings } from './place.ts'
import { domainSource } from './redact/secrets.ts'
import { readVmi as readInstance, type Vmi } from './request/vmi.ts'
import { readRequest, type WrittenRequest } from './request/written.ts'
import type { XmlDocument } from './xml/parse.ts'
import { writeElement } from './xml/print.ts'

export type { CpuSet, NodeSet, VcpuSet } from './base/idset.ts'
export type { HostNode } from './model/host.ts'
export type { Binding, Cell, Memnode, Placement } from './model/placement.ts'
export type { Request } from './model/request.ts'
export type { Edit } from './xml/edit.ts'
export type {
  About,
  Allowed,
  Diagnostic,
  DiagnosticClass,
  DomainView,
  Host,
  Placed,
  Vmi,
  WrittenRequest,
  XmlDocument,
}
export { Refusal }

/** A domain that was read: its document, and what it says of placement. */
export interface Domain extends XmlDocument {
  /** What diagnostics call the document. */
  readonly source: string
  readonly view: DomainView
}

/** A host that was read. */
export interface KnownHost {
  readonly host: Host
  /** What a guest may use of the host. What is absent: every online CPU, every node with memory. */
  readonly allowed?: Partial<Allowed>
  /** What a snapshot says about itself; no decision depends on it. */
  readonly about?: About
}

/** Options of `check`: what else a placement follows from. */
export interface CheckOptions {
  /** Placement options; stronger than what domain and VMI state. */
  readonly request?: WrittenRequest
  /** The VMI that KubeVirt made the domain of. */
  readonly vmi?: Vmi
}

/** Options of `place`. */
export interface PlaceOptions extends CheckOptions {
  /** The guest keeps the cells that it has, or that it has none, and gets new nodes where that is better. */
  readonly rebind?: boolean
}

/** The text that positions point into, and the name that diagnostics call it by. */
export interface NamedText {
  readonly source: string
  readonly text: string
}

/** Options of `explain`. */
export interface ExplainOptions {
  /**
   * The documents that were read: where a diagnostic points into one, the line is shown, without the values
   * that have no part in a placement.
   */
  readonly texts?: readonly NamedText[]
  /** How diagnostics of class capacity are labelled. Default `errors`. */
  readonly shortages?: 'errors' | 'warnings'
}

/** The text of a diagnostic. */
export interface Message extends Text {
  readonly class: DiagnosticClass
}

/**
 * Reads libvirt's XML of a domain.
 * @param text the document: a `<domain>` of type kvm, qemu, hvf or kqemu
 * @param source what diagnostics call it, such as the name of its file
 * @throws Refusal for a document that is malformed or that libvirt would refuse, with every reason
 */
export function readDomain(text: string, source = 'the domain'): Domain {
  const document = readDocument(text, source)
  return { ...document, source, view: readView(document) }
}

/**
 * Reads a host: what `virt-numa snapshot` prints, what `virsh capabilities` prints, or a shape in words, such
 * as `2n16c2t,64G,1G:32`. The last two do not state what is free: all memory and pages then count as free.
 * @param source what diagnostics call it
 * @throws Refusal for a text that is malformed, with every reason
 */
export function readHost(text: string, source = 'the host'): KnownHost {
  if (isShape(text)) return { host: hostOfShape(text) }
  return /^\uFEFF?\s*</.test(text) ? { host: readCapabilities(text, source) } : parseSnapshot(text, source)
}

/**
 * Reads a VirtualMachineInstance of KubeVirt, or the one in a VirtualMachine.
 * @param vmi its JSON text, or the object that a parser of JSON or YAML made of it
 * @param source what diagnostics call it
 * @throws Refusal with everything that is wrong, each with its path
 */
export function readVmi(vmi: string | object, source = 'the VMI'): Vmi {
  return readInstance(parseJson(typeof vmi === 'string' ? vmi : JSON.stringify(vmi), source), source)
}

/**
 * Fits a domain to a host: cells, distances, memory bound to nodes, huge pages, pins. A guest that has cells
 * keeps them unless `request.existing` is `replace`. The same arguments give the same answer.
 * @returns the fitted XML (`text`), the edits of the given text that make it, the placement, and `notes`:
 * what is worth knowing, and what is lacking now (class capacity) and would fail at the start
 * @throws Refusal where no placement is possible, or the request is malformed, with every reason
 */
export function place(domain: Domain, host: KnownHost, options: PlaceOptions = {}): Placed {
  const move = options.rebind === true ? 'if-better' : undefined
  return placeDocument(domain, surroundingsOf(host, options), writeElement, move)
}

/**
 * Whether a guest can start on a host now, as its XML places it.
 * @returns what is wrong, the gravest first; the guest can start, as far as is known, if all of it is of
 * class note. An unknown fact never counts against the guest.
 * @throws Refusal if the request or the domain is malformed, with every reason
 */
export function check(domain: Domain, host: KnownHost, options: CheckOptions = {}): readonly Diagnostic[] {
  return checkGuest(domain, surroundingsOf(host, options)).found
}

/**
 * Explains a placement, or diagnostics, in the words of `virt-numa plan` and `check`.
 * @param what what `place` returned, its notes, what `check` found, or what was thrown
 * @returns lines with a final newline; empty for no diagnostics
 */
export function explain(
  what: Placed | Refusal | readonly Diagnostic[],
  { texts = [], shortages = 'errors' }: ExplainOptions = {},
): string {
  if ('placement' in what) return explainPlacement(what)
  const sources = texts.map(({ source, text }) => domainSource(source, text))
  const found = 'diagnostics' in what ? what.diagnostics : what
  return renderDiagnostics(found, shortages === 'errors' ? 'capacity-fails' : 'capacity-warns', sources)
}

/** The text of one diagnostic: what is wrong, why, and how to fix it. */
export function describe(diagnostic: Diagnostic): Message {
  return { class: classOf(diagnostic.code), ...messageOf(diagnostic) }
}

function surroundingsOf({ host, allowed = {} }: KnownHost, { request, vmi }: CheckOptions): Surroundings {
  return {
    host,
    allowed,
    ...(vmi && { vmi }),
    ...(request && { flags: readRequest(request, 'the request') }),
  }
}
