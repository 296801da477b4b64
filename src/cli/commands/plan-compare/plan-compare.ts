// `virt-numa plan --compare`: the placements for several values of one key, side by side.

import { type Diagnostic, orRefusal, Refusal } from '../../../base/diagnostic.ts'
import { union } from '../../../base/idset.ts'
import { diagnostic, unique } from '../../../codes/codes.ts'
import { readDocument } from '../../../document.ts'
import { compareFacts } from '../../../explain/compare/compare-facts.ts'
import { compareText, type Variant } from '../../../explain/compare/compare-text.ts'
import { lazyWrite } from '../../../machine/lazy.ts'
import { place, type Surroundings } from '../../../place.ts'
import { asKey } from '../../../request/keys.ts'
import type { XmlDocument } from '../../../xml/parse.ts'
import type { Given, ReadingGuest } from '../../options.ts'
import { print, printJson } from '../../output.ts'
import { readToPlace } from '../../placing.ts'
import { type Running, report } from '../../report.ts'
import { type Variants, variantsOf } from './variants.ts'

/** A comparison needs the key for itself, and has no picture. */
export function compareConflicts({ values, requested }: Given): readonly Diagnostic[] {
  const { compare, svg } = values
  if (compare === undefined) return []
  const key = asKey(compare.replace(/=.*/s, ''))
  return [
    ...(svg === undefined ? [] : [diagnostic('usage-conflict', { between: 'compare-and-svg' })]),
    ...(key === undefined || requested[key] === undefined
      ? []
      : [diagnostic('usage-conflict', { between: 'compare-and-key', key })]),
  ]
}

/** @returns 1 where every variant is refused, with the reasons on stderr */
export async function runCompare(
  command: ReadingGuest & { readonly name: 'plan'; readonly rebind: boolean },
  compared: string,
  running: Running,
): Promise<number> {
  const { key, values } = variantsOf(compared)
  const requested = { ...command.requested, ...cpusetOfAll(values) }
  const read = await readToPlace({ ...command, requested }, running, { outputs: [], prints: true })
  const document = readDocument(read.text, read.source)
  const variants = values.map(
    ({ text, requested: own }): Variant => ({
      value: text,
      ...placedAs(
        document,
        { ...read.surroundings, flags: { ...command.requested, ...own } },
        command.rebind,
      ),
    }),
  )
  const comparison = { key, variants, severity: running.severity, sources: running.sources }
  if (command.json) printJson(compareFacts(comparison))
  else print(1, compareText(comparison))
  const refused = variants.map(({ refused: reasons }) => reasons)
  if (!refused.every((reasons) => reasons !== undefined)) return 0
  report(unique(refused.flat()), running)
  return 1
}

/** The host is read once, with the cores of all CPUs that any variant may use. */
function cpusetOfAll(values: Variants['values']): object {
  const sets = values.flatMap(({ requested: { cpuset } }) => (cpuset === undefined ? [] : [cpuset]))
  return sets.length === 0 ? {} : { cpuset: union(...sets) }
}

function placedAs(
  document: XmlDocument,
  surroundings: Surroundings,
  rebind: boolean,
): Omit<Variant, 'value'> {
  const placed = orRefusal(() => place(document, surroundings, lazyWrite, rebind ? 'if-better' : undefined))
  return placed instanceof Refusal ? { refused: placed.diagnostics } : { placed }
}
