// A command's options and input -> the placement: what transform, plan and check have in common.

import { type Json, parseJson } from '../base/json.ts'
import { refuse } from '../codes/codes.ts'
import { readDocument } from '../document.ts'
import type { GuestPlace } from '../machine/guest-cgroup.ts'
import { readHostSource } from '../machine/host-source.ts'
import { lazyWrite } from '../machine/lazy.ts'
import { CONFIG, DOMAIN, readConfigText, readText, VMI } from '../machine/read/read-text.ts'
import { type Placed, place, type Surroundings } from '../place.ts'
import { domainSource } from '../redact/secrets.ts'
import { type Config, defaultConfig, parseConfig } from '../request/config.ts'
import { readVmi, type Vmi } from '../request/vmi.ts'
import type { Placing, Reading } from './options.ts'
import { checkTargets, type Input, type Targets } from './output-files.ts'
import type { Running } from './report.ts'

/** A command that places a domain: transform or plan. */
interface PlacingCommand extends Reading {
  readonly name: 'transform' | 'plan'
  readonly rebind: boolean
}

/**
 * Reads everything that the command names, checks its outputs against it, and places the domain.
 * @throws Refusal
 */
export function placeInput(
  command: PlacingCommand,
  running: Running,
  { outputs, prints }: Pick<Targets, 'outputs' | 'prints'>,
): Placed {
  const { text, source, surroundings } = readSurroundings(command, running)
  checkTargets({ outputs, prints, inputs: inputsOf(command, surroundings.config?.root) })
  return place(readDocument(text, source), surroundings, lazyWrite, command.rebind ? 'if-better' : undefined)
}

/** The files that are read. A fitted domain may replace the one that was read, a picture may not. */
function inputsOf(command: PlacingCommand, root: string | undefined): readonly Input[] {
  const { name, input, host = root, vmi, config } = command
  const named = (shown: string, path: string | undefined): readonly Input[] =>
    path === undefined || path === '-' ? [] : [{ shown, path }]
  return [
    {
      shown: 'the domain',
      path: input === undefined || input === '-' ? '/dev/stdin' : input,
      mayBeReplaced: name === 'transform',
    },
    ...named('the host', host),
    ...named('the VMI', vmi),
    ...named('the configuration', config ?? CONFIG),
  ]
}

/** Reads configuration, host, VMI and domain, in this order. */
export function readSurroundings(
  command: Reading,
  running: Running,
): { readonly text: string; readonly source: string; readonly surroundings: Surroundings } {
  const { input } = command
  const surroundings = readAround(command, readSettings(command.config, running))
  const text = readText(input, DOMAIN)
  const source = input === undefined || input === '-' ? 'stdin' : input
  running.sources.push(domainSource(source, text))
  return { text, source, surroundings }
}

/** Reads host and VMI. `guest`: which cgroup will hold it, unless the command line says. */
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
  const text = readText(path, VMI)
  const isJson = /^\uFEFF?\s*\{/.test(text) && !/\.ya?ml$/i.test(path)
  return readVmi(isJson ? parseJson(text, path) : lazyYaml(text, path), path)
}

function lazyYaml(text: string, source: string): Json {
  const { parseYaml } = require('./yaml.cjs') as typeof import('../machine/yaml.ts')
  const read = parseYaml(text)
  return 'value' in read ? read.value : refuse('yaml-malformed', { source, ...read.mistake })
}
