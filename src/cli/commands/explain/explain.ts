// `virt-numa explain`: a diagnostic code at length, or the list of all codes.

import { nearest } from '../../../base/nearest.ts'
import { refuse } from '../../../codes/codes.ts'
import type { Explanation, Group } from '../../../explain/code/explanation.ts'
import { outcomesOf } from '../../../explain/code/outcome.ts'
import { type CommandRow, FAILURES, switchesOf } from '../../options.ts'
import { printJson, printLines } from '../../output.ts'
import { explanationLines, listLines } from './lines.ts'

/** Without a code: all of them. */
interface Explain {
  readonly name: 'explain'
  readonly code?: string
  readonly json: boolean
}

/** Explains a code without looking at any guest or host. */
export const explain: CommandRow<Explain> = {
  about: 'explain a diagnostic code, such as pages-short; without a code, list all',
  takes: '[CODE]',
  maxInputs: 1,
  options: ['json'],
  keys: [],
  command: (given) => ({
    name: 'explain',
    ...(given.inputs[0] !== undefined && { code: bareCode(given.inputs[0]) }),
    ...switchesOf(given, ['json']),
  }),
  exits: [
    ['0', 'done'],
    ['1', 'the output cannot be written'],
    ['2', 'there is no such code, or wrong usage'],
    FAILURES[1],
  ],
  examples: ['virt-numa explain pages-short', 'virt-numa explain | grep hook'],
  run: runExplain,
}

/** The code in a line that was copied from a terminal: "error[pages-short]: node 1 has ...". */
function bareCode(word: string): string {
  return /^(?:error|warning|note)?\[([\w-]+)\]/.exec(word)?.[1] ?? word
}

function runExplain({ code, json }: Explain): number {
  const { explanationOf, allCodes, groups } =
    require('./explanation.cjs') as typeof import('../../../explain/code/explanation.ts')
  if (code === undefined) {
    if (json) printJson({ groups: groups.map(groupFacts) })
    else printLines(1, listLines(groups))
    return 0
  }
  const found = explanationOf(code) ?? refuse('usage-code', { code, close: nearest(code, allCodes()) })
  if (json) printJson(codeFacts(found))
  else printLines(1, explanationLines(found))
  return 0
}

const groupFacts = ({ name, title, meanings }: Group): object => ({
  group: name,
  title,
  codes: Object.entries(meanings).map(([code, { brief }]) => ({ code, brief, outcomes: outcomesOf(code) })),
})

const codeFacts = ({ code, group, brief, about, fix, outcomes, example }: Explanation): object => ({
  code,
  group,
  brief,
  about,
  fix,
  outcomes,
  example,
})
