// `virt-numa plan`: explains the placement that transform would write.

import { diagnosticFacts, placementFacts } from '../../explain/facts.ts'
import { drawPlan } from '../../explain/svg.ts'
import { explain } from '../../explain/text.ts'
import { saveFile } from '../../machine/write/save.ts'
import { keyNames } from '../../request/keys.ts'
import { type CommandRow, EXITS, isStdout, READING, type Reading, readingOf, switchesOf } from '../options.ts'
import { print, printJson } from '../output.ts'
import { placeInput } from '../placing.ts'
import { type Running, report } from '../report.ts'

/** `svg` '-': stdout. */
interface Plan extends Reading {
  readonly name: 'plan'
  readonly rebind: boolean
  readonly svg?: string
}

/** Explains the placement that `transform` would write. */
export const plan: CommandRow<Plan> = {
  about: 'explain how the domain would be placed',
  maxInputs: 1,
  options: ['rebind', 'svg', ...READING],
  keys: keyNames,
  command: (given) => {
    const { svg } = given.values
    return {
      name: 'plan',
      ...readingOf(given),
      ...switchesOf(given, ['rebind']),
      ...(svg !== undefined && { svg: isStdout(svg) ? '-' : svg }),
    }
  },
  exits: EXITS,
  examples: [
    'virt-numa plan --cpuset 2-7 db1.xml',
    'virt-numa plan --host node7.json db1.xml',
    'virt-numa plan --svg db1.svg db1.xml',
  ],
  run: runPlan,
}

function runPlan(command: Plan, running: Running): number {
  const picture = command.svg === undefined || command.svg === '-' ? undefined : command.svg
  const outputs = picture === undefined ? [] : [{ shown: '--svg', path: picture }]
  const placed = placeInput(command, running, { outputs, prints: true })
  if (command.svg === '-') print(1, drawPlan(placed))
  else if (!command.json) print(1, explain(placed))
  else {
    const notes = diagnosticFacts(placed.notes, running.severity, running.sources)
    printJson({ ...placementFacts(placed), diagnostics: notes })
  }
  if (picture !== undefined) saveFile(picture, drawPlan(placed))
  report(placed.notes, running)
  return 0
}
