// A QEMU process and what libvirt has of its guest -> its actual placement and diagnostics.

import { type CpuSet, setOf } from '../../../base/idset.ts'
import { checkType, readDocument } from '../../../document.ts'
import { readDomain } from '../../../domain/view.ts'
import type { Files } from '../../../host/files.ts'
import { ifReadable } from '../../../host/kernel-text.ts'
import { type MappingDetail, readRunningGuest } from '../../../host/qemu/process.ts'
import { readHost } from '../../../host/sysfs.ts'
import { DOMAIN } from '../../../machine/read/read-text.ts'
import type { GuestSurvey } from '../../../model/actual-placement.ts'
import type { DomainView } from '../../../model/domain.ts'
import type { Host } from '../../../model/host.ts'
import type { RunningGuest } from '../../../model/running-guest.ts'
import { domainSource } from '../../../redact/secrets.ts'
import { type Expected, expectedOfCommand, expectedOfDomain, pagesizesOf } from '../../../verify/expected.ts'
import { liveChanges } from '../../../verify/live-changes.ts'
import { verify as compare } from '../../../verify/verify.ts'
import type { XmlDocument } from '../../../xml/parse.ts'
import { readInput } from '../../read-input.ts'
import type { Running } from '../../report.ts'
import { type Located, readDefinition } from './locate.ts'

/** The machine that guests run on; `host` absent: it cannot be read. */
interface Machine {
  readonly files: Files
  readonly host?: Host
  /** How much is read of each guest. */
  readonly detail: MappingDetail
}

/** A running guest. `input`: the file with the domain that it is compared with. */
interface Subject {
  readonly pid: number
  readonly status?: Located
  readonly input?: string
}

/** Reads what guests are compared with: nodes, their CPUs and page sizes. */
export function readMachine(files: Files, detail: MappingDetail): Machine {
  const host = ifReadable(() => readHost(files, setOf<CpuSet>([]), 'for-placement'))
  return { files, ...(host && { host }), detail }
}

/** Compares one guest with its XML. @throws Refusal of what cannot be read, `guest-gone` */
export function survey(machine: Machine, subject: Subject, running: Running): GuestSurvey {
  const { files, host, detail } = machine
  const { pid, status } = subject
  const guest = readRunningGuest(files, pid, status?.vcpus ?? new Map(), detail)
  const around = { qemu: guest, status, host }
  const expected = expectedOf(subject, around, running)
  return compare({
    running: guest,
    expected,
    isLibvirts: status !== undefined,
    ...(status?.state !== undefined && { state: status.state }),
    ...(host && { nodes: host.nodes }),
    ...(status !== undefined && libvirtsOf(files, subject, { ...around, status })),
  })
}

interface Around {
  readonly qemu: RunningGuest
  readonly status: Located | undefined
  readonly host: Host | undefined
}

/**
 * What libvirt has of the guest besides what is expected: its live XML where a domain was given, else its
 * definition, of which a transient guest has none.
 */
function libvirtsOf(
  files: Files,
  { input }: Subject,
  { qemu, status, host }: Around & { readonly status: Located },
): Pick<Parameters<typeof compare>[0], 'live' | 'defined' | 'changes'> {
  const outside = { ...numadsOf(status), ...pagesizesOf(host, qemu) }
  const of = (view: DomainView, source: string): Expected =>
    expectedOfDomain(view, qemu.command, { source, ...outside })
  const live = ifReadable(() => readDomain(status.domain))
  if (live === undefined) return {}
  if (input !== undefined) return { live: of(live, status.file) }
  const definition = readDefinition(files, status)
  const defined = definition && ifReadable(() => readDomain(definition))
  if (defined === undefined) return {}
  return { defined: of(defined, status.file), changes: liveChanges(live, defined) }
}

const numadsOf = ({ autoNodes, autoCpus }: Located): object => ({
  ...(autoNodes && { autoNodes }),
  ...(autoCpus && { autoCpus }),
})

/**
 * The expected placement: from the domain that was given, else the live domain in the status file, else
 * QEMU's command line.
 */
function expectedOf({ pid, input }: Subject, { qemu, status, host }: Around, running: Running): Expected {
  const ofView = (document: XmlDocument, source: string): Expected => {
    running.sources.push(domainSource(source, document.text))
    const view = readDomain({ ...document, source })
    checkType(view)
    const outside = { ...(status && numadsOf(status)), ...pagesizesOf(host, qemu) }
    return expectedOfDomain(view, qemu.command, { source, ...outside })
  }
  if (input !== undefined) {
    const source = input === '-' ? 'stdin' : input
    return ofView(readDocument(readInput(input, DOMAIN), source), source)
  }
  return status === undefined
    ? expectedOfCommand(qemu.command, `the command line of process ${pid}`)
    : ofView(status.domain, status.file)
}
