// The elements of a document that is edited, with their positions in its text.

import type { Span } from '../base/diagnostic.ts'

/** An attribute. `value` is decoded; `start` and `end` are the span of the raw value between its quotes. */
export interface XmlAttribute extends Span {
  readonly name: string
  readonly value: string
}

/**
 * An element. `start`..`end` is all of it, `start`..`tagEnd` its start tag, `tagEnd`..`contentEnd` its
 * content.
 */
export interface XmlElement extends Span {
  readonly name: string
  readonly local: string
  readonly prefix: string
  /** The namespace, '' for none. */
  readonly uri: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlElement[]
  readonly parent: XmlElement | undefined
  /** All character data directly inside, CDATA included. */
  readonly text: string
  /** How much of the parent's text is before it. */
  readonly textBefore: number
  readonly tagEnd: number
  readonly contentEnd: number
  readonly selfClosing: boolean
}

/** A document that was read. */
export interface XmlDocument {
  /** What diagnostics call it: a file's name as typed, `stdin`; undefined for a text that is never shown. */
  readonly source?: string
  readonly text: string
  readonly root: XmlElement
}

/** How large a document may be. */
export interface XmlLimits {
  /** UTF-16 units. */
  readonly length: number
  readonly depth: number
  /** Elements and attributes together. */
  readonly parts: number
}

/** An element while it is read. */
export type Growing = { -readonly [Key in keyof XmlElement]: XmlElement[Key] } & {
  attributes: XmlAttribute[]
  children: XmlElement[]
}
