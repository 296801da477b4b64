// Documents that are not well-formed: XML, YAML, tar: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { FoundValue } from '../base/json.ts'

/** What a place in a JSON or YAML document takes. */
export type ExpectedValue =
  | { readonly kind: 'object' | 'list' | 'text' | 'boolean' | 'set' | 'cpus' | 'version' }
  /** A whole number from 0 to `max`. */
  | { readonly kind: 'count'; readonly max: number }
  | { readonly kind: 'word'; readonly known: readonly string[] }

/** A value of a JSON or YAML document that its place does not take. */
export interface UnexpectedValue {
  readonly is: 'unexpected'
  readonly found: FoundValue
  readonly expected: ExpectedValue
}

/**
 * What is wrong with an XML document. `reason`: what the parser reports; `endTag`: the end tag where it
 * stopped; `inside`: the innermost element there. Line and column are stated where the document is not shown.
 */
export type XmlProblem =
  | { readonly is: 'empty' }
  | { readonly is: 'no-element' }
  | {
      readonly is: 'syntax'
      readonly reason: string
      readonly endTag?: string
      readonly inside?: string
      readonly line?: number
      readonly column?: number
    }

/**
 * What is wrong with a tar. `at`: the offset of a header; `needed`: the bytes that it should have; `folders`:
 * some of those that hold a machine.
 */
export type TarProblem =
  | { readonly is: 'not-a-tar'; readonly packedBy?: Packer }
  | { readonly is: 'checksum'; readonly at: number }
  | { readonly is: 'size'; readonly at: number; readonly text: string; readonly base: 8 | 10 }
  | { readonly is: 'truncated'; readonly length: number; readonly needed: number }
  | { readonly is: 'sparse'; readonly name: string }
  | { readonly is: 'no-machine' }
  | { readonly is: 'several-machines'; readonly count: number; readonly folders: readonly string[] }
  | { readonly is: 'too-many-entries'; readonly max: number }

/** What may have compressed a tar. */
export type Packer = 'gzip' | 'bzip2' | 'xz' | 'zstd'

/** The facts of each code. */
export interface DocumentsFacts {
  readonly 'xml-malformed': { problem: XmlProblem }

  readonly 'xml-doctype': object

  readonly 'xml-prefix-undeclared': { prefix: string; name: string; uri: string }

  readonly 'xml-too-large': { length: number; max: number }

  readonly 'xml-too-deep': { max: number }

  readonly 'xml-too-many': { max: number }

  readonly 'yaml-malformed': { source: string; line: number; column: number; reason: string }

  readonly 'tar-malformed': { problem: TarProblem }
}

/** The class of each code. */
export const documentsClasses: Readonly<Record<keyof DocumentsFacts, DiagnosticClass>> = {
  'xml-malformed': 'invalid',
  'xml-doctype': 'invalid',
  'xml-prefix-undeclared': 'invalid',
  'xml-too-large': 'invalid',
  'xml-too-deep': 'invalid',
  'xml-too-many': 'invalid',
  'yaml-malformed': 'invalid',
  'tar-malformed': 'invalid',
}
