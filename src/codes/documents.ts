// Documents that are not well-formed: XML, YAML, tar: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface DocumentsFacts {
  readonly 'xml-malformed': { reason: string; empty?: boolean }

  readonly 'xml-doctype': object

  readonly 'xml-prefix-undeclared': { prefix: string; name: string; uri: string }

  readonly 'xml-too-large': { length: number; max: number }

  readonly 'xml-too-deep': { max: number }

  readonly 'xml-too-many': { max: number }

  readonly 'yaml-malformed': { source: string; line: number; column: number; reason: string }

  readonly 'tar-malformed': { what: string; why: string; fix: string }
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
