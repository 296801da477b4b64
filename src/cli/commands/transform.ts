// `virt-numa transform`: domain XML in, fitted domain XML out.

import { diagnosticFacts, placementFacts } from '../../explain/facts.ts'
import { modeOfInput } from '../../machine/read-text.ts'
import { saveFile } from '../../machine/save.ts'
import type { Placed } from '../../place.ts'
import { hiddenOf } from '../../redact/secrets.ts'
import type { Command } from '../commands.ts'
import { print, printDocument, printJson, shownDiff } from '../output.ts'
import { isSameAsInput } from '../output-files.ts'
import { placeInput } from '../placing.ts'
import { type Running, tell } from '../report.ts'

type Transform = Extract<Command, { name: 'transform' }>

/** Prints the whole document, changed or not; `--diff` prints nothing when nothing changes. */
export function transformCommand(command: Transform, running: Running): number {
  const target = command.inPlace ? command.input : command.output
  const outputs = target === undefined ? [] : [{ shown: command.inPlace ? '-i' : '-o', path: target }]
  const placed = placeInput(command, running, { outputs, prints: command.json || target === undefined })
  const { name } = running.source ?? { name: 'stdin' }
  const shown = command.diff
    ? shownDiff(name, placed.document.text, hiddenOf(placed.document), placed.edits)
    : placed.text
  if (target !== undefined && (placed.edits.length > 0 || !goesBack(target, command))) {
    saveFile(target, placed.text, modeOfInput(command.input))
  }
  if (command.json) printJson(factsOf(placed, target === undefined ? shown : undefined, command, running))
  else if (target === undefined) (command.diff ? print : printDocument)(1, shown)
  tell(placed.notes, running)
  return 0
}

/** -o onto the input is the same as -i. */
const goesBack = (target: string, { inPlace, input }: Transform): boolean =>
  inPlace || isSameAsInput(target, input)

function factsOf(
  placed: Placed,
  shown: string | undefined,
  { diff }: Transform,
  { severity, source }: Running,
): object {
  return {
    changed: placed.edits.length > 0,
    ...(shown !== undefined && { [diff ? 'diff' : 'domain']: shown }),
    placement: placementFacts(placed),
    diagnostics: diagnosticFacts(placed.notes, severity, source),
  }
}
