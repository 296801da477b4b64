// A command's options and input -> the placement: what the commands that read a domain have in common.

import { type Json, parseJson } from '../base/json.ts'
import { refuse } from '../codes/codes.ts'
import { partitionOf, readDocument } from '../document.ts'
import { checkConnection } from '../libvirt/virsh.ts'
import type { GuestPlace } from '../machine/guest-cgroup.ts'
import { readHostSource } from '../machine/host-source.ts'
import { lazyWrite } from '../machine/lazy.ts'
import { CONFIG, DOMAIN, readConfigText, VMI } from '../machine/read/read-text.ts'
import { type Placed, place, type Surroundings } from '../place.ts'
import { domainSource } from '../redact/secrets.ts'
import { type Config, defaultConfig, parseConfig } from '../request/config.ts'
import { readVmi, type Vmi } from '../request/vmi.ts'
import { definitionOf, virshFor } from './guest-definition.ts'
import type { Placing, Reading, ReadingGuest } from './options.ts'
import { checkTargets, type Input, type Targets } from './output-files.ts'
import { readInput } from './read-input.ts'
import type { Running } from './report.ts'

/** A command that places a domain: transform or plan. */
interface PlacingCommand extends ReadingGuest {
  readonly name: 'transform' | 'plan'
  readonly rebind: boolean
}

/**
 * Checks the outputs of a command against what it reads, reads that, and places the domain.
 * @throws Refusal
 */
export async function placeInput(
  command: PlacingCommand,
  running: Running,
  targets: Pick<Targets, 'outputs' | 'prints'>,
): Promise<Placed> {
  const { text, source, surroundings } = await readToPlace(command, running, targets)
  return place(readDocument(text, source), surroundings, lazyWrite, command.rebind ? 'if-better' : undefined)
}

/** Checks the outputs of a command against what it reads, and reads that. @throws Refusal */
export async function readToPlace(
  command: PlacingCommand,
  running: Running,
  { outputs, prints }: Pick<Targets, 'outputs' | 'prints'>,
): Promise<Read> {
  const settings = readSettings(command.config, running)
  checkTargets({ outputs, prints, inputs: inputsOf(command, settings.root) })
  return readSurroundings(command, running, settings)
}

/** The files that are read. A fitted domain may replace the one that was read, a picture may not. */
function inputsOf(command: PlacingCommand, root: string | undefined): readonly Input[] {
  const { name, guest, input, host = root, vmi, config } = command
  const named = (shown: string, path: string | undefined): readonly Input[] =>
    path === undefined || path === '-' ? [] : [{ shown, path }]
  const path = input === undefined || input === '-' ? '/dev/stdin' : input
  return [
    ...(guest === undefined ? [{ shown: 'the domain', path, mayBeReplaced: name === 'transform' }] : []),
    ...named('the host', host),
    ...named('the VMI', vmi),
    ...named('the configuration', config ?? CONFIG),
  ]
}

/** What a command reads before it looks at the domain. */
interface Read {
  readonly text: string
  readonly source: string
  readonly surroundings: Surroundings
}

/** Reads configuration, host, VMI and domain, in this order; a guest of libvirt before its host. */
export async function readSurroundings(
  command: ReadingGuest,
  running: Running,
  settings = readSettings(command.config, running),
): Promise<Read> {
  const { input, guest } = command
  if (guest !== undefined) return readLibvirtGuest(command, guest, settings, running)
  const surroundings = readAround(command, settings)
  return { ...readDomainFile(input, running), surroundings }
}

function readDomainFile(input: string | undefined, running: Running): Pick<Read, 'text' | 'source'> {
  const text = readInput(input, DOMAIN)
  const source = input === undefined || input === '-' ? 'stdin' : input
  running.sources.push(domainSource(source, text))
  return { text, source }
}

/** The domain of a command that reads its hosts by itself, and the VMI. @throws Refusal */
export async function readGuest(
  { input, guest, connect, vmi }: Pick<ReadingGuest, 'input' | 'guest' | 'connect' | 'vmi'>,
  running: Running,
): Promise<Pick<Read, 'text' | 'source'> & { readonly vmi?: Vmi }> {
  const instance = vmi === undefined ? {} : { vmi: readVmiFile(vmi) }
  if (guest === undefined) return { ...readDomainFile(input, running), ...instance }
  const { text, source } = await readDefinition({ guest, connect, host: undefined }, running)
  return { text, source, ...instance }
}

/** As `define --guest` reads it: for the cgroup that libvirt will put the guest into. */
async function readLibvirtGuest(
  command: ReadingGuest,
  name: string,
  settings: Config,
  running: Running,
): Promise<Read> {
  const host = command.host ?? settings.root
  const document = await readDefinition({ guest: name, connect: command.connect, host }, running)
  const { text, source } = document
  const place: GuestPlace = { partition: partitionOf(document), confinedBy: 'each' }
  return { text, source, surroundings: readAround(command, settings, place) }
}

async function readDefinition(
  { guest, connect, host }: { guest: string; connect: string | undefined; host: string | undefined },
  running: Running,
): Promise<Awaited<ReturnType<typeof definitionOf>>['document']> {
  const virsh = virshFor(connect, new AbortController(), running)
  await checkConnection(virsh, host)
  const { document } = await definitionOf(virsh, guest)
  running.sources.push(domainSource(document.source, document.text))
  return document
}

/** Reads host and VMI. `guest`: the cgroup that will hold the guest, unless the command line names one. */
export function readAround(
  { host, cgroup, pid, config, requested, vmi }: Placing & Pick<Reading, 'vmi'>,
  settings: Config,
  guest?: GuestPlace,
): Surroundings {
  const from = readHostSource({
    ...((host ?? settings.root) !== undefined && { host: host ?? (settings.root as string) }),
    ...(cgroup !== undefined && { cgroup }),
    ...(pid !== undefined && { pid }),
    ...(requested.cpuset !== undefined && { cpuset: requested.cpuset }),
    ...(guest !== undefined && cgroup === undefined && pid === undefined && { guest }),
    // The pins of a KubeVirt guest may be outside of our own cgroup.
    whole: vmi !== undefined,
  })
  const instance = vmi === undefined ? {} : { vmi: readVmiFile(vmi) }
  return { ...from, ...instance, config: settings, configSource: config ?? CONFIG, flags: requested }
}

/** The configuration, or the default where there is none. @throws Refusal */
export function readSettings(path: string | undefined, running: Running): Config {
  const source = readConfigText(path)
  if (source === undefined) return defaultConfig
  running.sources.push(source)
  return parseConfig(source.text, source.name)
}

/** Text that begins with a brace is JSON, unless the file is named .yaml: YAML has unquoted braces. */
function readVmiFile(path: string): Vmi {
  const text = readInput(path, VMI)
  const isJson = /^\uFEFF?\s*\{/.test(text) && !/\.ya?ml$/i.test(path)
  return readVmi(isJson ? parseJson(text, path) : lazyYaml(text, path), path)
}

function lazyYaml(text: string, source: string): Json {
  const { parseYaml } = require('./yaml.cjs') as typeof import('../machine/yaml.ts')
  const read = parseYaml(text)
  return 'value' in read ? read.value : refuse('yaml-malformed', { source, ...read.mistake })
}
