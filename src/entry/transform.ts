// `virt-numa transform`: domain XML in, fitted domain XML out.

import { diagnosticFacts, placementFacts } from '../explain/facts.ts'
import type { Placed } from '../place.ts'
import type { Command } from './commands.ts'
import { modeOfInput } from './input.ts'
import { print } from './output.ts'
import { placeInput } from './placing.ts'
import { type Running, tell } from './run.ts'
import { saveFile } from './save.ts'

type Transform = Extract<Command, { name: 'transform' }>

/** Prints the whole document, changed or not; `--diff` prints nothing when nothing changes. */
export function transformCommand(command: Transform, running: Running): number {
  const placed = placeInput(command, running)
  const { name } = running.source ?? { name: 'stdin' }
  const shown = command.diff ? diffOf(name, placed.document.text, placed.text) : placed.text
  const target = command.inPlace ? command.input : command.output
  if (target !== undefined && (!command.inPlace || placed.edits.length > 0)) saveFile(target, placed.text, modeOfInput(command.input))
  if (command.json) print(1, `${JSON.stringify(factsOf(placed, target === undefined ? shown : undefined, command, running), null, 2)}\n`)
  else if (target === undefined) print(1, shown)
  tell(placed.notes, running)
  return 0
}

function factsOf(placed: Placed, shown: string | undefined, { diff }: Transform, { severity, source }: Running): object {
  return {
    changed: placed.edits.length > 0,
    ...(shown !== undefined && { [diff ? 'diff' : 'domain']: shown }),
    placement: placementFacts(placed),
    diagnostics: diagnosticFacts(placed.notes, severity, source),
  }
}

function diffOf(name: string, before: string, after: string): string {
  const { unifiedDiff } = require('./unified.cjs') as typeof import('./unified.ts')
  return unifiedDiff(name, before, after)
}
