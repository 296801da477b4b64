// `virt-numa plan`: the decision that transform would take, explained.

import { diagnosticFacts, placementFacts } from '../../explain/facts.ts'
import { drawPlan } from '../../explain/svg.ts'
import { explain } from '../../explain/text.ts'
import { saveFile } from '../../machine/save.ts'
import type { Command } from '../commands.ts'
import { print, printJson } from '../output.ts'
import { placeInput } from '../placing.ts'
import { type Running, tell } from '../report.ts'

export function planCommand(command: Extract<Command, { name: 'plan' }>, running: Running): number {
  const picture = command.svg === undefined || command.svg === '-' ? undefined : command.svg
  const outputs = picture === undefined ? [] : [{ shown: '--svg', path: picture }]
  const placed = placeInput(command, running, { outputs, prints: true })
  if (command.svg === '-') print(1, drawPlan(placed))
  else if (!command.json) print(1, explain(placed))
  else {
    const notes = diagnosticFacts(placed.notes, running.severity, running.source)
    printJson({ ...placementFacts(placed), diagnostics: notes })
  }
  if (picture !== undefined) saveFile(picture, drawPlan(placed))
  tell(placed.notes, running)
  return 0
}
