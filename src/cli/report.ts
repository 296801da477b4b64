// What commands share while they run, and how diagnostics are reported.

import type { Diagnostic } from '../base/diagnostic.ts'
import { labelOf, renderDiagnostics, type Severity, type Source } from '../explain/diagnostics.ts'
import { print } from './output.ts'

/**
 * What commands share of their surroundings while they run: what has been read so far, for diagnostics to
 * point into.
 */
export interface Running {
  source?: Source
  severity: Severity
  json: boolean
  /** Only errors are told. */
  quiet: boolean
}

/** Messages go to stderr; with --json as one JSON object on stdout, beside the `error[` lines. */
export function tell(found: readonly Diagnostic[], { severity, source, quiet }: Running): void {
  const told = quiet ? found.filter((each) => labelOf(each, severity) === 'error') : found
  if (told.length > 0) print(2, renderDiagnostics(told, severity, source))
}
