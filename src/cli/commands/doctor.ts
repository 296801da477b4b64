// `virt-numa doctor`: what is wrong with this host, in ten items.

import { statSync } from 'node:fs'
import { refuse } from '../../base/diagnostic.ts'
import { examine } from '../../doctor/doctor.ts'
import { type Item, stateOf } from '../../doctor/item.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import { readSymptoms } from '../../hook-setup/inspection.ts'
import type { Command } from '../commands.ts'
import { printJson, printLines } from '../output.ts'
import { type Running, tell } from '../report.ts'

/** @returns 1 when something is wrong; notes are nothing wrong */
export function doctorCommand(
  { host, hooksDir, json }: Extract<Command, { name: 'doctor' }>,
  running: Running,
): number {
  if (host !== undefined && statSync(host, { throwIfNoEntry: false })?.isDirectory() !== true) {
    refuse('unreadable', {
      file: host,
      reason: 'it is no folder; a captured host is looked at as a folder that holds sys/, proc/ and etc/',
    })
  }
  running.severity = 'capacity-fails'
  const { symptoms, source } = readSymptoms(host, hooksDir)
  if (source !== undefined) running.source = source
  const items = examine(symptoms)
  const findings = items.filter((item) => stateOf(item) === 'finding').length
  if (json) printJson({ findings, items: items.map((item) => factsOf(item, running)) })
  else printLines(1, items.map(line))
  tell(
    items.flatMap(({ found }) => found),
    running,
  )
  return findings === 0 ? 0 : 1
}

function line(item: Item): string {
  return `${stateOf(item).padEnd(9)}${item.name.padEnd(15)}${item.says}`
}

function factsOf(item: Item, { severity, source }: Running): object {
  return {
    name: item.name,
    state: stateOf(item),
    says: item.says,
    diagnostics: diagnosticFacts(item.found, severity, source),
  }
}
