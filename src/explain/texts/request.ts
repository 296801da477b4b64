// What is requested: keys, their values, what a tenant may request, and the configuration file: the text of
// each code.

import { type CpuSet, formatSet } from '../../base/idset.ts'
import type { PinnedThreadIds } from '../../codes/guest/cpus.ts'
import type { ExpectedSyntax, RequestFacts, ShapeProblem } from '../../codes/request.ts'
import { boundWords, meant, or, plural, short, type Texts, text, threadWords, within } from './words.ts'

/** What, why and fix of each code. */
export const requestTexts: Texts<RequestFacts> = {
  'unknown-key': (f) =>
    text(
      `${f.source}: unknown key ${short(f.key)}`,
      `the keys are ${f.known.join(', ')}`,
      meant(f.close, 'delete it or write one of these'),
    ),
  'unknown-value': (f) =>
    text(
      f.source === `--${f.key}`
        ? `invalid value ${short(f.value)} for ${f.source}`
        : `${f.source}: invalid value ${short(f.value)} for ${f.key}`,
      `expected ${or(f.known)}`,
      meant(f.close, f.example === undefined ? 'write one of these' : `write it like ${f.example}`),
    ),
  'tenant-key-refused': (f) =>
    text(
      `${f.source}: a guest may not set ${f.key}`,
      `tenant_keys in ${f.config} allows ` +
        `${f.allowed.length === 0 ? 'no key' : `only ${f.allowed.join(', ')}`}`,
      `delete ${f.key} there, or add "${f.key}" to tenant_keys`,
    ),
  'cpuset-unavailable': (f) =>
    text(
      `${f.source}: ${f.key} ${formatSet(f.wanted)} includes none of the allowed CPUs ` +
        `(${setOrNone(f.allowed).replace(/[()]/g, '')})`,
      within(f.bounds),
      `choose from these CPUs, or delete ${f.key}`,
    ),
  'cpuset-cut': (f) =>
    text(
      `${f.source}: ${f.key} ${wantedWord(f.wanted)} is reduced to ${formatSet(f.left)}`,
      within(f.bounds),
      `write ${f.key} ${formatSet(f.left)}`,
    ),
  'isolated-avoided': (f) =>
    text(
      `${f.source}: isolated=use is not applied`,
      `a guest cannot override isolated=avoid in ${f.config}`,
      `delete isolated there, or allow the CPUs with cpuset in ${f.config}`,
    ),
  'pins-cut': (f) =>
    text(
      `${f.source}: cpus=as-pinned: ${pinsOf(f)} are reduced to ${formatSet(f.left) || 'nothing'}`,
      within(f.bounds),
      'pin them to allowed CPUs, or delete cpus there',
    ),
  'pins-moved': (f) =>
    text(
      `${f.source}: cpus=as-pinned is not applied: ${pinsOf(f)} are not all within the ` +
        `allowed CPUs (${formatSet(f.allowed) || 'none'})`,
      `${within(f.bounds)}, so the guest is pinned as without that key`,
      'pin them to allowed CPUs, or delete cpus there',
    ),
  'pins-beyond': (f, { ask: { fit } }) =>
    text(
      `${pinsOf(f)} are not all within ${boundWords(f.bounds)}`,
      'the guest starts nevertheless: the kernel enforces the cgroup of the guest, but not cpuset in the ' +
        'configuration',
      fit('--rebind'),
    ),
  'config-syntax': (f) =>
    text(
      `${f.source}: ${syntaxFound(f.found)} where ${syntaxExpected(f.expected)} is expected`,
      'the file is read like qemu.conf',
      syntaxFix(f),
    ),
  'shape-malformed': (f) =>
    text(
      `${f.source}: shape is malformed: ${shapeWords(f.problem)}`,
      'virt-numa wrote it at the first fit; without it the guest might get another shape',
      f.problem.is === 'version'
        ? 'update virt-numa, or delete shape there: the next fit records a new one'
        : 'restore it, or delete shape there: the next fit records a new one',
    ),
  'config-repeated': (f) =>
    text(
      `${f.source}: ${f.key} is already set on line ${f.first}`,
      "libvirt's parser silently takes the first one, other parsers the last",
      'delete one of the two lines',
    ),
}

function shapeWords(problem: ShapeProblem): string {
  switch (problem.is) {
    case 'version':
      return `it begins with ${short(problem.found)}, not with v1`
    case 'topology':
      return `${short(problem.found)} is not a topology like sockets:2 cores:2 threads:1`
    case 'cells':
      return `it has ${plural(problem.found, 'cell')}, and a guest has 1 to ${problem.max}`
    case 'cell':
      return `cell ${problem.cell}: ${short(problem.found)} is not like cpus:0-1 memory:64KiB distances:10,21`
    case 'distances':
      return `cell ${problem.cell} lacks ${problem.cells} distances: 10 to itself, 11 to 255 to the others`
    case 'vcpus':
      return `its cells do not hold each of the ${plural(problem.places, 'vCPU')} of its topology once`
  }
}

/** "the pins of vCPUs 0-3 and the emulator (2-5)". */
const pinsOf = ({
  threads,
  pinned,
}: {
  readonly threads: PinnedThreadIds
  readonly pinned: CpuSet
}): string => `the pins of ${threadWords(threads)} (${formatSet(pinned)})`

const setOrNone = (set: CpuSet): string => formatSet(set) || '(none)'

const wantedWord = (wanted: CpuSet | 'none'): string => (wanted === 'none' ? wanted : formatSet(wanted))

function syntaxFound(found: string | undefined): string {
  if (found === undefined) return 'something else'
  return found === '' ? 'the line ends' : short(found)
}

function syntaxExpected(expected: ExpectedSyntax): string {
  switch (expected.is) {
    case 'key':
      return 'a key'
    case 'equals':
      return '='
    case 'comma-or-bracket':
      return ', or ]'
    case 'line-end':
      return 'the end of the line'
    case 'value':
      return 'a value'
    case 'list-item':
      return 'a value or ]'
    case 'closing-quote':
      return `a closing ${expected.quote}`
  }
}

/** What to write for the settings whose value is a number. */
const NUMBERS: Readonly<Record<string, string>> = {
  timeout_s: 'write a whole number without quotes: timeout_s = 10',
  memory_limit_mib: 'write a whole number without quotes: memory_limit_mib = 512',
}

function syntaxFix({ key = 'key', found, expected }: RequestFacts['config-syntax']): string {
  switch (expected.is) {
    case 'key':
      return 'write key = "value"; a comment begins with #'
    case 'equals':
      return `write ${key} = "value"`
    case 'comma-or-bracket':
      return 'put commas between the values and close the list with ]'
    case 'line-end':
      return found?.startsWith(',') ? `write ${key} = [ "a", "b" ]` : 'write one setting per line'
    case 'value':
      return NUMBERS[key] ?? `write ${key} = "${expected.bare ?? 'value'}"`
    case 'list-item':
      return `write "${expected.bare ?? 'value'}"`
    case 'closing-quote':
      return `write ${expected.quote}...${expected.quote} on one line`
  }
}
