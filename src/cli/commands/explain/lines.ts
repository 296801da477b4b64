// An explanation, or the list of all codes -> lines for a terminal.

import { columns, paragraph } from '../../../base/columns.ts'
import type { Explanation, Group } from '../../../explain/code/explanation.ts'
import type { Outcome } from '../../../explain/code/outcome.ts'

/** The explanation of one code. */
export function explanationLines(each: Explanation): readonly string[] {
  const { code, brief, about, fix, outcomes, example } = each
  return [
    `${code}: ${brief}`,
    '',
    ...paragraph(about),
    '',
    'Fix:',
    ...paragraph(fix, 2),
    '',
    'Severity and exit status:',
    ...columns(outcomes.map((outcome) => [headOf(outcome), outcome.where])),
    '',
    `Example (${example.command}, ${example.from}):`,
    ...example.text.split('\n').map((line) => `  ${line}`),
  ]
}

const headOf = ({ severity, exit }: Outcome): string =>
  exit === undefined ? severity : `${severity}, exit ${exit}`

/** Every code with one line, by group. */
export function listLines(groups: readonly Group[]): readonly string[] {
  const width = Math.max(
    ...groups.flatMap(({ meanings }) => Object.keys(meanings).map(({ length }) => length)),
  )
  return [
    ...groups.flatMap(({ title, meanings }) => [
      `${title}:`,
      ...Object.entries(meanings).map(([code, { brief }]) => `  ${code.padEnd(width)}  ${brief}`),
      '',
    ]),
    "Run 'virt-numa explain CODE' for one of them at length.",
  ]
}
