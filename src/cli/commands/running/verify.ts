// `virt-numa verify`: compares running guests with their XML. No guest is touched.

import { join } from 'node:path'
import type { Diagnostic } from '../../../base/diagnostic.ts'
import { diagnostic } from '../../../codes/codes.ts'
import { actualFacts } from '../../../explain/actual-facts.ts'
import { actualText } from '../../../explain/actual-placement.ts'
import { diagnosticFacts } from '../../../explain/facts.ts'
import { findingsOf } from '../../../explain/guests/summary.ts'
import { actualMetrics } from '../../../explain/metrics.ts'
import { readFilesOf } from '../../../machine/host-source.ts'
import { saveFile } from '../../../machine/write/save.ts'
import { type CommandRow, FAILURES, type Given, switchesOf, textsOf } from '../../options.ts'
import { print, printJson } from '../../output.ts'
import { checkTargets } from '../../output-files.ts'
import { type Running, report } from '../../report.ts'
import { byName, byPid, folders } from './locate.ts'
import { intervalConflicts, type Repeating, repeat, repeatingOf } from './repeat.ts'
import { readMachine, survey } from './survey.ts'
import { verifyAll } from './verify-all.ts'

/** Either `all` or `guest` is given, or `pid` and perhaps `input`, its domain. */
interface Verify extends Repeating {
  readonly name: 'verify'
  readonly all?: true
  readonly guest?: string
  readonly pid?: number
  readonly input?: string
  readonly host?: string
  readonly metrics?: string
  readonly json: boolean
}

/** Compares running guests with their domains. */
export const verify: CommandRow<Verify> = {
  about: 'check that a running guest is placed as its XML says',
  takes: 'NAME | --all | --pid PID [DOMAIN.XML|-]',
  maxInputs: 1,
  options: ['allGuests', 'qemu', 'hostFiles', 'metrics', 'again', 'interval', 'json'],
  keys: [],
  conflicts,
  command: (given) => {
    const { allGuests, qemu, hostFiles } = given.values
    const [input] = given.inputs
    const domain = input === undefined ? {} : { input }
    const one = qemu === undefined ? { guest: input ?? '' } : { pid: Number(qemu), ...domain }
    return {
      name: 'verify',
      ...(allGuests === undefined ? one : { all: true as const, ...repeatingOf(given) }),
      ...(hostFiles !== undefined && { host: hostFiles }),
      ...textsOf(given, ['metrics']),
      ...switchesOf(given, ['json']),
    }
  },
  exits: [
    ['0', 'placed as its XML says, as far as is known; --watch: ended by a signal'],
    ['1', 'findings, or the guest is not running, or a file cannot be used; the reasons are on stderr'],
    ...FAILURES,
  ],
  examples: [
    'virt-numa verify db1',
    'virt-numa verify db1 --metrics /var/lib/node_exporter/virt-numa-db1.prom',
    'virt-numa verify --all --metrics /var/lib/node_exporter/virt-numa.prom',
    'virsh dumpxml db1 | virt-numa verify --pid 4242 -',
  ],
  run: runVerify,
}

function conflicts(given: Given): readonly Diagnostic[] {
  const { allGuests, qemu, again } = given.values
  const isAll = allGuests !== undefined
  const [input] = given.inputs
  return [
    ...(!isAll && qemu === undefined && input === undefined
      ? [diagnostic('usage-missing', { command: 'verify', option: 'NAME', takes: 'or --all, or --pid PID' })]
      : []),
    ...(isAll && input !== undefined ? [diagnostic('usage-conflict', { between: 'all-and-guest' })] : []),
    ...(isAll && qemu !== undefined ? [diagnostic('usage-conflict', { between: 'all-and-pid' })] : []),
    ...(!isAll && again !== undefined ? [diagnostic('usage-conflict', { between: 'watch-and-one' })] : []),
    ...intervalConflicts(given),
  ]
}

function runVerify(command: Verify, running: Running): number | Promise<number> {
  running.severity = 'capacity-fails'
  checkMetrics(command)
  return command.all ? repeat(command, () => verifyAll(command, running)) : verifyOne(command, running)
}

/** @returns 1 for findings; notes are not findings */
function verifyOne(command: Verify, running: Running): number {
  const { host, input } = command
  const files = readFilesOf(host)
  const located = command.pid === undefined ? byName(files, command) : byPid(files, command.pid, host)
  const subject = { ...located, ...(input !== undefined && { input }) }
  const { actual, found } = survey(readMachine(files, 'pages'), subject, running)
  const findings = findingsOf({ found })
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
