// `virt-numa verify`: compares a running guest with its XML. The guest is not touched.

import { join } from 'node:path'
import { classOf, diagnostic } from '../../codes/codes.ts'
import { checkType, readDocument } from '../../document.ts'
import { readDomain } from '../../domain/view.ts'
import { actualFacts } from '../../explain/actual-facts.ts'
import { actualText } from '../../explain/actual-placement.ts'
import { diagnosticFacts } from '../../explain/facts.ts'
import { actualMetrics } from '../../explain/metrics.ts'
import type { Files } from '../../host/files.ts'
import { ifReadable } from '../../host/kernel-text.ts'
import { readRunningGuest } from '../../host/qemu/process.ts'
import { readHost } from '../../host/sysfs.ts'
import { readFilesOf } from '../../machine/host-source.ts'
import { DOMAIN } from '../../machine/read/read-text.ts'
import { saveFile } from '../../machine/write/save.ts'
import type { DomainView } from '../../model/domain.ts'
import type { Host } from '../../model/host.ts'
import type { RunningGuest } from '../../model/running-guest.ts'
import { domainSource } from '../../redact/secrets.ts'
import { type Expected, expectedOfCommand, expectedOfDomain } from '../../verify/expected.ts'
import { liveChanges } from '../../verify/live-changes.ts'
import { verify as compare } from '../../verify/verify.ts'
import type { XmlDocument } from '../../xml/parse.ts'
import { type CommandRow, FAILURES, switchesOf, textsOf } from '../options.ts'
import { print, printJson } from '../output.ts'
import { checkTargets } from '../output-files.ts'
import { readInput } from '../read-input.ts'
import { type Running, report } from '../report.ts'
import { byName, byPid, folders, type Located, readDefinition } from './running-guest.ts'

/** Either `guest` is given, or `pid` and perhaps `input`, its domain. */
interface Verify {
  readonly name: 'verify'
  readonly guest?: string
  readonly pid?: number
  readonly input?: string
  readonly host?: string
  readonly metrics?: string
  readonly json: boolean
}

/** Compares a running guest with its domain. */
export const verify: CommandRow<Verify> = {
  about: 'check that a running guest is placed as its XML says',
  takes: 'NAME | --pid PID [DOMAIN.XML|-]',
  maxInputs: 1,
  options: ['qemu', 'hostFiles', 'metrics', 'json'],
  keys: [],
  conflicts: ({ values, inputs }) =>
    values.qemu === undefined && inputs.length === 0
      ? [diagnostic('usage-missing', { command: 'verify', option: 'NAME', takes: 'or --pid PID' })]
      : [],
  command: (given) => {
    const { qemu, hostFiles } = given.values
    const [input] = given.inputs
    const domain = input === undefined ? {} : { input }
    return {
      name: 'verify',
      ...(qemu === undefined ? { guest: input ?? '' } : { pid: Number(qemu), ...domain }),
      ...(hostFiles !== undefined && { host: hostFiles }),
      ...textsOf(given, ['metrics']),
      ...switchesOf(given, ['json']),
    }
  },
  exits: [
    ['0', 'placed as its XML says, as far as is known'],
    ['1', 'findings, or the guest is not running, or a file cannot be used; the reasons are on stderr'],
    ...FAILURES,
  ],
  examples: [
    'virt-numa verify db1',
    'virt-numa verify db1 --metrics /var/lib/node_exporter/virt-numa-db1.prom',
    'virsh dumpxml db1 | virt-numa verify --pid 4242 -',
  ],
  run: runVerify,
}

/** @returns 1 for findings; notes are not findings */
function runVerify(command: Verify, running: Running): number {
  running.severity = 'capacity-fails'
  checkMetrics(command)
  const files = readFilesOf(command.host)
  const { actual, found } = survey(files, command, running)
  const findings = found.filter(({ code }) => classOf(code) !== 'note').length
  if (command.metrics !== undefined) saveFile(command.metrics, actualMetrics(actual, findings))
  if (command.json) {
    const diagnostics = diagnosticFacts(found, running.severity, running.sources)
    printJson({ ...actualFacts(actual), findings, diagnostics })
  } else print(1, actualText(actual, findings))
  report(found, running)
  return findings === 0 ? 0 : 1
}

function checkMetrics({ metrics, guest, input, host }: Verify): void {
  if (metrics === undefined) return
  const above = host ?? '/'
  const status =
    guest === undefined || guest.includes('/')
      ? []
      : folders(host === undefined).map((each) => join(above, each, `${guest}.xml`))
  checkTargets({
    outputs: [{ shown: '--metrics', path: metrics, kind: 'metrics' }],
    inputs: [
      ...(input === undefined ? [] : [{ shown: 'the domain', path: input === '-' ? '/dev/stdin' : input }]),
      ...(host === undefined ? [] : [{ shown: 'the host', path: host }]),
      ...status.map((path) => ({ shown: "the guest's status file", path })),
    ],
    prints: true,
  })
}

function survey(files: Files, command: Verify, running: Running): ReturnType<typeof compare> {
  const { pid, status } =
    command.pid === undefined ? byName(files, command) : byPid(files, command.pid, command.host)
  const host = ifReadable(() => readHost(files))
  const guest = readRunningGuest(files, pid, status?.vcpus ?? new Map())
  const known = { qemu: guest, status, host }
  const expected = expectedOf(command, known, running)
  return compare({
    running: guest,
    expected,
    isLibvirts: status !== undefined,
    ...(status?.state !== undefined && { state: status.state }),
    ...(host && { nodes: host.nodes }),
    ...(status !== undefined && libvirtsOf(files, command, { ...known, status })),
  })
}

/**
 * What libvirt has of the guest besides what is expected: its live XML where a domain was given, else its
 * definition, of which a transient guest has none.
 */
function libvirtsOf(
  files: Files,
  { input }: Verify,
  { qemu, status, host }: Known & { readonly status: Located },
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

/** QEMU itself has ordinary pages, the smallest of its mappings. */
function pagesizesOf(host: Host | undefined, { mappings = [] }: RunningGuest): object {
  const defaultPagesizeKiB = host?.defaultPagesizeKiB
  const sizes = mappings.flatMap(({ pagesizeKiB }) => pagesizeKiB ?? [])
  return {
    ...(defaultPagesizeKiB !== undefined && { defaultPagesizeKiB }),
    ...(sizes.length > 0 && { ordinaryPagesizeKiB: Math.min(...sizes) }),
  }
}

interface Known {
  readonly qemu: RunningGuest
  readonly status: Located | undefined
  readonly host: Host | undefined
}

/**
 * The expected placement: from the domain that was given, else the live domain in the status file, else
 * QEMU's command line.
 */
function expectedOf(command: Verify, { qemu, status, host }: Known, running: Running): Expected {
  const ofView = (document: XmlDocument, source: string): Expected => {
    running.sources.push(domainSource(source, document.text))
    const view = readDomain({ ...document, source })
    checkType(view)
    const outside = { ...(status && numadsOf(status)), ...pagesizesOf(host, qemu) }
    return expectedOfDomain(view, qemu.command, { source, ...outside })
  }
  const { input } = command
  if (input !== undefined) {
    const source = input === '-' ? 'stdin' : input
    return ofView(readDocument(readInput(input, DOMAIN), source), source)
  }
  return status === undefined
    ? expectedOfCommand(qemu.command, `the command line of process ${command.pid}`)
    : ofView(status.domain, status.file)
}
