// `virt-numa plan`: explains the placement that transform would write.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import { diagnosticFacts, placementFacts } from '../../explain/facts.ts'
import { drawPlan } from '../../explain/svg.ts'
import { explain } from '../../explain/text.ts'
import { saveFile } from '../../machine/write/save.ts'
import { keyNames } from '../../request/keys.ts'
import {
  type CommandRow,
  EXITS,
  FROM_LIBVIRT,
  type Given,
  isStdout,
  libvirtConflicts,
  READING,
  type ReadingGuest,
  readingGuestOf,
  switchesOf,
  textsOf,
} from '../options.ts'
import { print, printJson } from '../output.ts'
import type { Output } from '../output-files.ts'
import { placeInput } from '../placing.ts'
import { type Running, report } from '../report.ts'
import { compareConflicts, runCompare } from './plan-compare/plan-compare.ts'

/** `svg` '-': stdout. */
interface Plan extends ReadingGuest {
  readonly name: 'plan'
  readonly rebind: boolean
  readonly svg?: string
  readonly compare?: string
}

/** Explains the placement that `transform` would write. */
export const plan: CommandRow<Plan> = {
  about: 'explain how the domain would be placed',
  maxInputs: 1,
  options: ['rebind', 'svg', 'compare', ...FROM_LIBVIRT, ...READING],
  keys: keyNames,
  conflicts: (given) => [...libvirtConflicts(given), ...missingDocument(given), ...compareConflicts(given)],
  command: (given) => {
    const { svg } = given.values
    return {
      name: 'plan',
      ...readingGuestOf(given),
      ...switchesOf(given, ['rebind']),
      ...textsOf(given, ['compare']),
      ...(svg !== undefined && { svg: isStdout(svg) ? '-' : svg }),
    }
  },
  exits: EXITS,
  examples: [
    'virt-numa plan --cpuset 2-7 db1.xml',
    'virt-numa plan --host node7.json db1.xml',
    'virt-numa plan --svg db1.svg db1.xml',
    'virt-numa plan --guest db1',
    'virt-numa plan --compare memory=even,by-vcpu,by-free-pages db1.xml',
  ],
  run: runPlan,
}

/** `--svg db1.xml` alone: the domain was taken for the picture's file. */
function missingDocument({ values: { svg, guest }, inputs }: Given): readonly Diagnostic[] {
  if (svg === undefined || guest !== undefined || inputs.length > 0 || !/\.xml$/i.test(svg)) return []
  const facts = { command: 'plan', option: '--svg', file: svg, extension: '.svg' }
  return [diagnostic('usage-no-document', facts)]
}

async function runPlan(command: Plan, running: Running): Promise<number> {
  if (command.compare !== undefined) return runCompare(command, command.compare, running)
  const picture = command.svg === undefined || command.svg === '-' ? undefined : command.svg
  const outputs: Output[] = picture === undefined ? [] : [{ shown: '--svg', path: picture, kind: 'svg' }]
  const placed = await placeInput(command, running, { outputs, prints: true })
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
