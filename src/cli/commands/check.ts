// `virt-numa check`: whether a placed domain can start on the host now.

import { classOf } from '../../codes/codes.ts'
import { readDocument } from '../../document.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import { checkGuest } from '../../guest-check.ts'
import { keyNames } from '../../request/keys.ts'
import {
  type CommandRow,
  FAILURES,
  FROM_LIBVIRT,
  libvirtConflicts,
  READING,
  type ReadingGuest,
  readingGuestOf,
} from '../options.ts'
import { printJson, printLines } from '../output.ts'
import { readSurroundings } from '../placing.ts'
import { type Running, report } from '../report.ts'

interface Check extends ReadingGuest {
  readonly name: 'check'
}

/** Reports what would keep a placed domain from starting. */
export const check: CommandRow<Check> = {
  about: 'check whether a placed domain can start on the host now',
  maxInputs: 1,
  options: [...FROM_LIBVIRT, ...READING],
  keys: keyNames,
  conflicts: libvirtConflicts,
  command: (given) => ({ name: 'check', ...readingGuestOf(given) }),
  exits: [
    ['0', 'no findings'],
    ['1', 'findings, or a file cannot be read; the reasons are on stderr'],
    ...FAILURES,
  ],
  examples: ['virt-numa check --guest db1', 'virt-numa check --host node7.json db1.xml'],
  run: runCheck,
}

/** @returns 1 for findings; notes are not findings */
async function runCheck(command: Check, running: Running): Promise<number> {
  running.severity = 'capacity-fails'
  const { text, source, surroundings } = await readSurroundings(command, running)
  const { view, found } = checkGuest(readDocument(text, source), surroundings)
  const findings = found.filter(({ code }) => classOf(code) !== 'note')
  report(found, running)
  if (command.json)
    printJson({
      guest: view.name,
      findings: findings.length,
      diagnostics: diagnosticFacts(found, running.severity, running.sources),
    })
  else if (findings.length === 0)
    printLines(1, [`${view.name || 'the guest'} can start on this host, as far as is known`])
  return findings.length === 0 ? 0 : 1
}
