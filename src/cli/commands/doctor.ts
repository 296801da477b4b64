// `virt-numa doctor`: eleven checks of this host.

import { statSync } from 'node:fs'
import { refuse } from '../../codes/codes.ts'
import { examine } from '../../doctor/doctor.ts'
import { type Item, type State, stateOf } from '../../doctor/inspection.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import { inspect } from '../../hook-setup/inspection.ts'
import { type CommandRow, FAILURES, switchesOf, textsOf } from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { type Running, report } from '../report.ts'

/** `host` is the folder of a captured host. */
interface Doctor {
  readonly name: 'doctor'
  readonly host?: string
  readonly hooksDir?: string
  readonly json: boolean
}

/** Examines the hook and everything that guests need of the host. */
export const doctor: CommandRow<Doctor> = {
  about: 'find problems on this host and print how to fix them',
  maxInputs: 0,
  options: ['hostFolder', 'hooksDir', 'json'],
  keys: [],
  command: (given) => ({
    name: 'doctor',
    ...(given.values.hostFolder !== undefined && { host: given.values.hostFolder }),
    ...textsOf(given, ['hooksDir']),
    ...switchesOf(given, ['json']),
  }),
  exits: [['0', 'no findings'], ['1', 'findings; they are on stderr'], ...FAILURES],
  examples: ['virt-numa doctor', 'virt-numa doctor --host captured/'],
  run: runDoctor,
}

/** @returns 1 for findings; notes are not findings */
function runDoctor({ host, hooksDir, json }: Doctor, running: Running): number {
  if (host !== undefined) checkFolder(host)
  running.severity = 'capacity-fails'
  const { inspection, source } = inspect(host, hooksDir)
  if (source !== undefined) running.sources.push(source)
  const items = examine(inspection)
  const findings = items.filter((item) => stateOf(item) === 'finding').length
  if (json) printJson({ findings, items: items.map((item) => factsOf(item, running)) })
  else printLines(1, items.map(line))
  report(
    items.flatMap(({ found }) => found),
    running,
  )
  return findings === 0 ? 0 : 1
}

/** @throws Refusal `unreadable`: the configuration and the hook are in no snapshot */
function checkFolder(file: string): void {
  const status = statSync(file, { throwIfNoEntry: false })
  if (status === undefined)
    refuse('unreadable', { file, reason: 'no such file or directory', errno: 'ENOENT' })
  if (!status.isDirectory())
    refuse('unreadable', { file, reason: 'it is not a folder', expected: 'host-folder' })
}

const LABELS: Readonly<Record<State, string>> = {
  ok: 'ok',
  unknown: 'unknown',
  note: 'note',
  finding: 'FAIL',
}

function line(item: Item): string {
  return `${LABELS[stateOf(item)].padEnd(9)}${item.name.padEnd(15)}${item.says}`
}

function factsOf(item: Item, { severity, sources }: Running): object {
  return {
    name: item.name,
    state: stateOf(item),
    says: item.says,
    diagnostics: diagnosticFacts(item.found, severity, sources),
  }
}
