// `virt-numa check`: whether a placed domain can start on the host now.

import { isCut } from '../../base/bounds.ts'
import type { Diagnostic } from '../../base/diagnostic.ts'
import type { CpuSet } from '../../base/idset.ts'
import { pinsBeyond, preflight, topologyKept } from '../../check.ts'
import { classOf, diagnostic } from '../../codes/codes.ts'
import { checkType, readDocument } from '../../document.ts'
import { readDomain } from '../../domain/view.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Resources } from '../../model/host.ts'
import { requestFor } from '../../place.ts'
import { keyNames } from '../../request/keys.ts'
import { attribute, type XmlDocument } from '../../xml/parse.ts'
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
  const document = readDocument(text, source)
  const view = readDomain(document)
  checkType(view)
  const { request, resources, bounds, tenantPins, notes } = requestFor(view, surroundings, 'check')
  const found = [
    ...preflight(view, withOfflineCpus(resources, surroundings.flags?.cpuset)),
    ...pinsBeyond(view, tenantPins?.vcpus ?? bounds.filter(({ by }) => by === 'cpuset'), resources),
    ...topologyKept({ view, resources, request }),
    ...notes.filter(isCut),
    ...liveNote(view, document),
  ]
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

/** The CPUs of --cpuset count while they are offline too: they may be online when the guest starts. */
function withOfflineCpus(resources: Resources, cpuset: CpuSet | undefined): Resources {
  return cpuset === undefined ? resources : { ...resources, allowed: { ...resources.allowed, cpus: cpuset } }
}

/** Only a running guest has an id. */
function liveNote({ name }: DomainView, { root }: XmlDocument): Diagnostic[] {
  const id = attribute(root, 'id')?.value
  return id === undefined || !/^\d+$/.test(id) ? [] : [diagnostic('guest-live', { name, id })]
}
