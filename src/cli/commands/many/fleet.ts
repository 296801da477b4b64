// `virt-numa fleet`: on which of many captured hosts a guest would start, how well, and why not on others.

import { type Diagnostic, orRefusal, Refusal } from '../../../base/diagnostic.ts'
import { diagnostic, refuse } from '../../../codes/codes.ts'
import { readDocument } from '../../../document.ts'
import { readDomain } from '../../../domain/view.ts'
import { fleetHtml } from '../../../explain/fleet/fleet-html.ts'
import {
  bestFirst,
  countsOf,
  type Fleet,
  type FleetRow,
  placedRow,
} from '../../../explain/fleet/fleet-row.ts'
import { fleetFacts, fleetText } from '../../../explain/fleet/fleet-text.ts'
import type { NamedHost } from '../../../machine/host-source.ts'
import { lazyWrite } from '../../../machine/lazy.ts'
import { statusOf } from '../../../machine/node/system.ts'
import { CONFIG } from '../../../machine/read/read-text.ts'
import { saveFile } from '../../../machine/write/save.ts'
import { place, type Surroundings } from '../../../place.ts'
import { keyNames } from '../../../request/keys.ts'
import type { XmlDocument } from '../../../xml/parse.ts'
import {
  type CommandRow,
  FAILURES,
  FROM_LIBVIRT,
  type Given,
  type ReadingGuest,
  readingGuestOf,
  textsOf,
} from '../../options.ts'
import { print, printJson } from '../../output.ts'
import { checkTargets, type Input } from '../../output-files.ts'
import { kindOf } from '../../output-kind.ts'
import { readGuest, readSettings } from '../../placing.ts'
import { type Running, report } from '../../report.ts'
import { type Candidate, candidatesOf, hostsOf } from './hosts-in.ts'
import { progressOf } from './progress.ts'

/** `inputs`: the hosts, and the domain unless it is a guest of libvirt or standard input. */
interface FleetCommand extends ReadingGuest {
  readonly name: 'fleet'
  readonly inputs: readonly string[]
  readonly fleetHtml?: string
}

/** Names in a message. */
const MOST_NAMES = 5

const NO_HOSTS = {
  command: 'fleet',
  option: 'the hosts',
  takes: '(snapshots, captures, or a folder of them)',
} as const

/** Tries a guest on many hosts. */
export const fleet: CommandRow<FleetCommand> = {
  about: 'report on which of many captured hosts the domain would start, and why not on the others',
  takes: '[DOMAIN.XML|-] DIR|FILES...',
  maxInputs: Number.POSITIVE_INFINITY,
  options: ['fleetHtml', ...FROM_LIBVIRT, 'vmi', 'config', 'json'],
  keys: keyNames,
  conflicts: ({ inputs }) =>
    inputs.some((input) => input !== '-') ? [] : [diagnostic('usage-missing', NO_HOSTS)],
  command: (given: Given) => {
    const { input: _, ...reading } = readingGuestOf(given)
    return { name: 'fleet', ...reading, ...textsOf(given, ['fleetHtml']), inputs: given.inputs }
  },
  exits: [
    ['0', 'the domain starts on at least one host, and every host could be read'],
    ['1', 'it starts on none, some host could not be read, or the domain is refused'],
    ...FAILURES,
  ],
  examples: [
    'virt-numa fleet db1.xml snapshots/',
    'virt-numa fleet --html fleet.html db1.xml snapshots/',
    'kubectl get noderesourcetopologies -o json > nrt.json && virt-numa fleet db1.xml nrt.json',
  ],
  run: runFleet,
}

async function runFleet(command: FleetCommand, running: Running): Promise<number> {
  running.severity = 'capacity-fails'
  const { domain, hosts } = inputsOf(command)
  const settings = readSettings(command.config, running)
  checkOutput(command, hosts)
  const candidates = candidatesOf(hosts)
  const { root: _, ...config } = settings
  const guest = await readGuest({ ...command, ...(domain !== undefined && { input: domain }) }, running)
  const document = readDocument(guest.text, guest.source)
  const { name, vcpus, memoryKiB } = readDomain(document)
  const around = {
    ...(guest.vmi !== undefined && { vmi: guest.vmi }),
    ...{ config, configSource: command.config ?? CONFIG, flags: command.requested },
  }
  const rows = bestFirst(judged(candidates, document, around))
  const judgedFleet: Fleet = { guest: name, vcpus, memoryKiB, rows }
  if (command.fleetHtml !== undefined) saveFile(command.fleetHtml, fleetHtml(judgedFleet))
  if (command.json) printJson(fleetFacts(judgedFleet))
  else print(1, fleetText(judgedFleet))
  const found = findingsOf(judgedFleet)
  report(found, running)
  return found.length === 0 ? 0 : 1
}

/** The first file that holds a domain is the guest; without one it is read from standard input. */
function inputsOf({ inputs, guest }: FleetCommand): {
  readonly domain?: string
  readonly hosts: readonly string[]
} {
  if (guest !== undefined) return { hosts: inputs }
  const at = inputs.findIndex((input) => input === '-' || isDomain(input))
  const domain = inputs[at]
  const hosts = inputs.filter((_, index) => index !== at)
  if (hosts.length === 0) refuse('usage-missing', NO_HOSTS)
  return { hosts, ...(domain !== undefined && { domain }) }
}

/** What cannot be looked at may be a host. */
function isDomain(path: string): boolean {
  try {
    return statusOf(path)?.is === 'file' && kindOf(path) === 'domain'
  } catch {
    return false
  }
}

function checkOutput({ fleetHtml: path, inputs, config, vmi }: FleetCommand, hosts: readonly string[]): void {
  const outputs = path === undefined ? [] : [{ shown: '--html', path, kind: 'html' as const }]
  const named = (shown: string, file: string | undefined): Input[] =>
    file === undefined ? [] : [{ shown, path: file }]
  checkTargets({
    outputs,
    prints: true,
    inputs: [
      ...inputs
        .filter((each) => each !== '-')
        .flatMap((each) => named(hosts.includes(each) ? 'the host' : 'the domain', each)),
      ...named('the VMI', vmi),
      ...named('the configuration', config ?? CONFIG),
    ],
  })
}

function judged(
  candidates: readonly Candidate[],
  document: XmlDocument,
  around: Omit<Surroundings, 'host' | 'allowed'>,
): FleetRow[] {
  const progress = progressOf(candidates.length, 'hosts')
  const rows = candidates.flatMap((candidate) => {
    const hosts = orRefusal(() => hostsOf(candidate))
    const found =
      hosts instanceof Refusal
        ? [unread(candidate.name, hosts)]
        : hosts.map((host) => rowOf(host, document, around))
    progress.step()
    return found
  })
  progress.end()
  return rows
}

function rowOf(
  { name, read }: NamedHost,
  document: XmlDocument,
  around: Omit<Surroundings, 'host' | 'allowed'>,
): FleetRow {
  const source = orRefusal(read)
  if (source instanceof Refusal) return unread(name, source)
  const placed = orRefusal(() => place(document, { ...source, ...around }, lazyWrite))
  return placed instanceof Refusal
    ? { host: name, outcome: 'refused', found: placed.diagnostics }
    : placedRow(name, placed, placed.notes)
}

const unread = (host: string, { diagnostics }: Refusal): FleetRow => ({
  host,
  outcome: 'unread',
  found: diagnostics,
})

function findingsOf({ guest, rows }: Fleet): readonly Diagnostic[] {
  const { starts, unread: count } = countsOf(rows)
  const names = rows.filter(({ outcome }) => outcome === 'unread').map(({ host }) => host)
  return [
    ...(starts === 0 ? [diagnostic('fleet-nowhere', { guest, hosts: rows.length })] : []),
    ...(count === 0
      ? []
      : [diagnostic('fleet-unread', { count, hosts: rows.length, names: names.slice(0, MOST_NAMES) })]),
  ]
}
