// `virt-numa transform`: fits a domain; XML in, XML out.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { UsageConflict } from '../../codes/command-line.ts'
import { diagnosticFacts, placementFacts } from '../../explain/facts.ts'
import { modeOfInput } from '../../machine/read/read-text.ts'
import { saveFile } from '../../machine/write/save.ts'
import type { Placed } from '../../place.ts'
import { hiddenOf } from '../../redact/secrets.ts'
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
import { print, printDocument, printJson, shownDiff } from '../output.ts'
import { isSameAsInput, type Output } from '../output-files.ts'
import { placeInput } from '../placing.ts'
import { type Running, report } from '../report.ts'

/** `output` absent: stdout. `inPlace`: `input` is a file, and `output` and `diff` are not given. */
interface Transform extends ReadingGuest {
  readonly name: 'transform'
  readonly rebind: boolean
  readonly diff: boolean
  readonly inPlace: boolean
  readonly output?: string
}

/** Fits a domain. */
export const transform: CommandRow<Transform> = {
  about: 'fit a domain to its CPUs: domain XML in, domain XML out',
  maxInputs: 1,
  options: ['rebind', 'diff', 'output', 'inPlace', ...FROM_LIBVIRT, ...READING],
  keys: keyNames,
  conflicts: conflictsOf,
  command: (given) => ({
    name: 'transform',
    ...readingGuestOf(given),
    ...switchesOf(given, ['rebind', 'diff', 'inPlace']),
    ...(isStdout(given.values.output) ? {} : textsOf(given, ['output'])),
  }),
  exits: EXITS,
  examples: [
    'virsh dumpxml --inactive db1 | virt-numa transform > db1.xml',
    'virt-numa transform --cpuset 2-7 --memory even --diff db1.xml',
  ],
  run: runTransform,
}

function conflictsOf(given: Given): readonly Diagnostic[] {
  const { values, inputs } = given
  const { guest, inPlace, output, diff } = values
  const found: Diagnostic[] = [...libvirtConflicts(given)]
  const conflict = (
    between: Exclude<UsageConflict['between'], 'guest-and-document' | 'compare-and-key'>,
  ): void => {
    found.push(diagnostic('usage-conflict', { between }))
  }
  if (inPlace !== undefined && output !== undefined) conflict('in-place-and-output')
  if (inPlace !== undefined && guest !== undefined) conflict('in-place-and-guest')
  else if (inPlace !== undefined && (inputs[0] ?? '-') === '-') conflict('in-place-and-stdin')
  if (diff !== undefined && output !== undefined) conflict('diff-and-output')
  if (diff !== undefined && inPlace !== undefined) conflict('diff-and-in-place')
  return found
}

/** Prints the whole document, changed or not; `--diff` prints nothing when nothing changes. */
async function runTransform(command: Transform, running: Running): Promise<number> {
  const target = command.inPlace ? command.input : command.output
  const shownAs = command.inPlace ? '-i' : '-o'
  const outputs: Output[] = target === undefined ? [] : [{ shown: shownAs, path: target, kind: 'domain' }]
  const placed = await placeInput(command, running, { outputs, prints: command.json || target === undefined })
  const shown = command.diff
    ? shownDiff(
        placed.document.source ?? 'stdin',
        placed.document.text,
        hiddenOf(placed.document),
        placed.edits,
      )
    : placed.text
  if (target !== undefined && (placed.edits.length > 0 || !goesBack(target, command))) {
    // Of a guest of libvirt the document holds its passwords.
    saveFile(target, placed.text, command.guest === undefined ? modeOfInput(command.input) : 0o600)
  }
  if (command.json) printJson(factsOf(placed, target === undefined ? shown : undefined, command, running))
  else if (target === undefined) (command.diff ? print : printDocument)(1, shown)
  report(placed.notes, running)
  return 0
}

/** -o onto the input is the same as -i. */
const goesBack = (target: string, { inPlace, guest, input }: Transform): boolean =>
  inPlace || (guest === undefined && isSameAsInput(target, input))

function factsOf(
  placed: Placed,
  shown: string | undefined,
  { diff }: Transform,
  { severity, sources }: Running,
): object {
  return {
    changed: placed.edits.length > 0,
    ...(shown !== undefined && { [diff ? 'diff' : 'domain']: shown }),
    placement: placementFacts(placed),
    diagnostics: diagnosticFacts(placed.notes, severity, sources),
  }
}
