// What commands share while they run, and how diagnostics are reported.

import type { Diagnostic } from '../base/diagnostic.ts'
import type { byFlags } from '../explain/asks.ts'
import { labelOf, renderDiagnostics, type Severity, type Source } from '../explain/diagnostics.ts'
import { print } from './output.ts'

/**
 * The state of a command while it runs: the documents that it has read, for diagnostics to point into, and
 * how to report these.
 */
export interface Running {
  readonly sources: Source[]
  severity: Severity
  json: boolean
  /** Only errors are reported. */
  quiet: boolean
  /** How the reader requests what a fix names. */
  ask: typeof byFlags
}

/** Reports on stderr; with --json the command prints the diagnostics as well. */
export function report(found: readonly Diagnostic[], { severity, sources, quiet, ask }: Running): void {
  const shown = quiet ? found.filter((each) => labelOf(each, severity) === 'error') : found
  if (shown.length > 0) print(2, renderDiagnostics(shown, severity, sources, ask))
}
