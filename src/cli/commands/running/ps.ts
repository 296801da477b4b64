// `virt-numa ps`: all running guests of a host in one table.

import { diagnosticFacts } from '../../../explain/facts.ts'
import { guestsFacts } from '../../../explain/guests/facts.ts'
import { guestsText } from '../../../explain/guests/text.ts'
import { type CommandRow, FAILURES, switchesOf } from '../../options.ts'
import { print, printJson } from '../../output.ts'
import { type Running, report } from '../../report.ts'
import { surveyAll } from './all.ts'
import { intervalConflicts, type Repeating, repeat, repeatingOf } from './repeat.ts'

interface Ps extends Repeating {
  readonly name: 'ps'
  readonly host?: string
  readonly json: boolean
}

/** Lists the running guests. */
export const ps: CommandRow<Ps> = {
  about: 'list the running guests: their cells, nodes, local memory and misplaced threads',
  maxInputs: 0,
  options: ['hostFiles', 'again', 'interval', 'json'],
  keys: [],
  conflicts: intervalConflicts,
  command: (given) => {
    const { hostFiles } = given.values
    return {
      name: 'ps',
      ...(hostFiles !== undefined && { host: hostFiles }),
      ...repeatingOf(given),
      ...switchesOf(given, ['json']),
    }
  },
  exits: [
    ['0', 'done, or ended by a signal'],
    ['1', 'a guest cannot be read; the reason is on stderr'],
    ...FAILURES,
  ],
  examples: ['virt-numa ps', 'virt-numa ps --watch', 'virt-numa ps --json --host captured/'],
  run: (command, running) => repeat(command, () => list(command, running)),
}

async function list({ host, json }: Ps, running: Running): Promise<number> {
  running.sources.length = 0
  const all = await surveyAll(host, 'nodes', running)
  if (json) {
    const diagnostics = diagnosticFacts(all.problems, running.severity, running.sources)
    printJson({ ...guestsFacts(all), diagnostics })
  } else print(1, guestsText(all, 'threads'))
  report(all.problems, running)
  return all.problems.length === 0 ? 0 : 1
}
