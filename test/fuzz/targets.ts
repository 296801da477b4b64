// What is fuzzed: per target an input made by chance, and what must hold of whatever comes out. A Refusal is
// an answer; anything else that is thrown is a finding.

import { isDeepStrictEqual } from 'node:util'
import { act } from '../../hooks/act.ts'
import { type Fit, fit, fitSteps } from '../../hooks/fit.ts'
import type { Steps } from '../../hooks/steps.ts'
import { type Diagnostic, Refusal } from '../../src/base/diagnostic.ts'
import { type CpuSet, formatSet, range, setOf } from '../../src/base/idset.ts'
import { type Json, parseJson } from '../../src/base/json.ts'
import { decodeUtf8 } from '../../src/base/utf8.ts'
import { preflight } from '../../src/check.ts'
import { parseArguments } from '../../src/cli/arguments.ts'
import { classOf, isUsage } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { renderDiagnostics } from '../../src/explain/diagnostics.ts'
import { messageOf } from '../../src/explain/message.ts'
import { explain } from '../../src/explain/text.ts'
import { readCapabilities } from '../../src/host/capabilities.ts'
import { parseSnapshot } from '../../src/host/capture/snapshot.ts'
import { formatSnapshot } from '../../src/host/capture/snapshot-text.ts'
import { filesOfTar } from '../../src/host/capture/tar.ts'
import { readCgroup } from '../../src/host/cgroup/cgroup.ts'
import type { Files } from '../../src/host/files.ts'
import { onlineCpus, readHost } from '../../src/host/sysfs.ts'
import { parseYaml } from '../../src/machine/yaml.ts'
import type { Host } from '../../src/model/host.ts'
import { type Placed, place, requestFor, type Surroundings } from '../../src/place.ts'
import { domainSource } from '../../src/redact/secrets.ts'
import { defaultConfig, parseConfig } from '../../src/request/config.ts'
import { hiddenInConfig } from '../../src/request/config-shown.ts'
import { type RequestedKeys, readKeys } from '../../src/request/request.ts'
import { readVmi } from '../../src/request/vmi.ts'
import { writeElement } from '../../src/xml/build.ts'
import { parseBySaxes } from '../../src/xml/by-saxes.ts'
import { defaultLimits } from '../../src/xml/parse.ts'
import { scanXml } from '../../src/xml/scan.ts'
import type { Corpus } from './corpus.ts'
import { mutatedBytes, mutatedJson, mutatedText, mutatedXml } from './mutate.ts'
import type { Random } from './random.ts'

/** `show` is the input as it goes into a report; `run` throws what is a finding, and says how it ended. */
export interface Input {
  readonly show: () => string | Uint8Array
  readonly run: () => string | Promise<string>
}

/** Draws one input for a part of the program. */
export type Target = (corpus: Corpus, random: Random) => Input

/** All targets, by the name that --target takes. */
export const targets: Readonly<Record<string, Target>> = {
  transform,
  rebind,
  check,
  snapshot,
  tar,
  sysfs,
  capabilities,
  config,
  vmi,
  hook,
  words,
  xml,
}

class Broken extends Error {}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what)
}

/** What is refused says so in words. */
function orRefused(run: () => string): string {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { diagnostics } = error
    must(diagnostics.length > 0, 'a refusal without a reason')
    for (const { what, why } of diagnostics.map((each) => messageOf(each)))
      must(what.length > 5 && (why ?? what).length > 5, 'a refusal without words')
    must(/^error\[/m.test(renderDiagnostics(diagnostics, 'capacity-fails', [])), 'a refusal without an error')
    return 'refused'
  }
}

// ---- Domains ----

const GiB = 1024 * 1024
const roomy: Host = {
  nodes: range(4).map((id) => ({
    id: id * 2,
    cpus: setOf<CpuSet>(range(16).flatMap((core) => [id * 16 + core, 64 + id * 16 + core])),
    memoryKiB: 4096 * GiB,
    pages: [2048, GiB].map((pagesizeKiB) => ({ pagesizeKiB, total: 1_000_000, free: 1_000_000 })),
    distances: range(4).map((other) => (other === id ? 10 : 20 + Math.abs(other - id))),
  })),
  siblings: range(64).map((core) => setOf<CpuSet>([core, 64 + core])),
  defaultPagesizeKiB: 2048,
}

const hosts = new Map<string, ReturnType<typeof parseSnapshot>>()

function hostOf(corpus: Corpus, random: Random): Pick<Surroundings, 'host' | 'allowed'> {
  if (random.onceIn(2))
    return {
      host: roomy,
      allowed: random.onceIn(2) ? {} : { cpus: setOf<CpuSet>(range(32).map((cpu) => cpu * 3)) },
    }
  const text = random.oneOf(corpus.hosts)
  const known = hosts.get(text) ?? parseSnapshot(text, 'host.json')
  hosts.set(text, known)
  return { host: known.host, allowed: random.onceIn(3) ? {} : (known.allowed ?? {}) }
}

const REQUESTS: readonly (readonly [key: string, values: readonly string[]])[] = [
  ['cells', ['1', '2', '3']],
  ['existing', ['replace']],
  ['memory', ['even', 'by-free-pages']],
  ['cpus', ['in-order', 'spread', 'as-pinned']],
  ['pin', ['cpu', 'cell']],
  ['pagesize', ['2M', '1G', 'none']],
  ['mode', ['preferred', 'restrictive']],
  ['distances', ['none']],
  ['emulator', ['shared', 'none', '0-1']],
  ['cpuset', ['0-3', '2-3,6-7']],
  ['like', ['kubevirt']],
]

function wishesOf(random: Random): RequestedKeys {
  if (random.onceIn(3)) return {}
  const pairs = range(1 + random.upTo(3)).map(() => {
    const [key, values] = random.oneOf(REQUESTS)
    return [key, random.oneOf(values)] as const
  })
  return readKeys(pairs, 'flags')
}

function transform(corpus: Corpus, random: Random): Input {
  const text = mutatedXml(random.oneOf(corpus.domains), random)
  const around: Surroundings = { ...hostOf(corpus, random), flags: wishesOf(random) }
  return {
    show: () =>
      `${JSON.stringify(around.flags)}\n${JSON.stringify(around.allowed)}\n` +
      `${formatSnapshot(around.host)}\n${text}`,
    run: () => orRefused(() => placed(text, around, undefined)),
  }
}

function rebind(corpus: Corpus, random: Random): Input {
  const text = mutatedXml(random.oneOf(corpus.domains), random)
  // As the hook rebinds, and as --rebind does.
  const around: Surroundings = { ...hostOf(corpus, random), ...(random.onceIn(2) && { runs: true }) }
  return {
    show: () => `${formatSnapshot(around.host)}\n${text}`,
    run: () => orRefused(() => placed(text, around, 'if-better')),
  }
}

function placed(text: string, around: Surroundings, move: 'if-better' | undefined): string {
  const first = place(readDocument(text), around, writeElement, move)
  must(outside(text, first) === first.text, 'bytes outside of the edits have changed')
  must(explain(first).length > 10, 'there is nothing to explain')
  const second = place(readDocument(first.text), around, writeElement, move)
  must(second.edits.length === 0, `a second run makes ${second.edits.length} edits`)
  const before = readDomain(readDocument(text))
  const after = readDomain(readDocument(first.text))
  if (move !== undefined) must(shapeOf(before) === shapeOf(after), 'rebind has changed what the guest sees')
  // KubeVirt leaves offline vCPUs out of the cells, and libvirt counts them to the first.
  if (first.edits.length > 0 && first.request.rules.offlineInCells) sameWhenReadAgain(first, after)
  // Without dedicated CPUs nothing is fitted, whatever is wished for.
  if (around.vmi?.dedicated === false) return 'kept'
  const { request, resources } = first
  const named = typeof request.emulator === 'object' ? request.emulator : []
  const allowed = { ...resources.allowed, cpus: setOf<CpuSet>([...resources.allowed.cpus, ...named]) }
  const findings = (view: typeof after): Diagnostic[] =>
    preflight(view, { ...resources, allowed }).filter(({ code }) => classOf(code) === 'invalid')
  // A guest that moves runs, so what was there before is not for us to judge.
  const known = move === undefined ? [] : findings(before).map(({ code }) => code)
  const invalid = findings(after).filter(({ code }) => !known.includes(code))
  must(
    invalid.length === 0,
    `the answer has findings: ${invalid.map((each) => `${each.code} ${messageOf(each).what}`).join('; ')}`,
  )
  return first.edits.length === 0 ? 'kept' : 'fitted'
}

function shapeOf({ vcpus, cells, memoryKiB }: ReturnType<typeof readDomain>): string {
  return JSON.stringify([
    vcpus,
    memoryKiB,
    cells.map((cell) => ({ ...cell, distances: [...cell.distances] })),
  ])
}

function outside(text: string, { edits }: Placed): string {
  let at = 0
  const parts: string[] = []
  for (const { start, end, text: put } of edits) {
    must(start >= at && end >= start && end <= text.length, 'edits overlap')
    parts.push(text.slice(at, start), put)
    at = end
  }
  return parts.join('') + text.slice(at)
}

function sameWhenReadAgain(
  { placement: { cells, binding } }: Placed,
  view: ReturnType<typeof readDomain>,
): void {
  const asText = (each: unknown): string => JSON.stringify(each)
  if (cells.length > 0) {
    must(
      asText(view.cells.map(({ id, vcpus, memoryKiB }) => [id, vcpus, memoryKiB])) ===
        asText(cells.map(({ id, vcpus, memoryKiB }) => [id, vcpus, memoryKiB])),
      'the cells are not those that were planned',
    )
    const memnodes = [...view.tune.memnodes]
      .sort((a, b) => a.cell - b.cell)
      .map(({ cell, nodes, mode }) => [cell, nodes, mode])
    must(
      asText(memnodes) === asText(binding.memnodes.map(({ nodes, mode }, cell) => [cell, nodes, mode])),
      'the memnodes are not those that were planned',
    )
  }
  const pins = binding.vcpupin.flatMap((cpus, vcpu) =>
    cpus.length === 0 ? [] : [`${vcpu}:${formatSet(cpus)}`],
  )
  const written = [...view.vcpupin]
    .sort(([a], [b]) => a - b)
    .map(([vcpu, cpus]) => `${vcpu}:${formatSet(cpus)}`)
  must(asText(written) === asText(pins), `the pins are not those that were planned: ${written} for ${pins}`)
}

function check(corpus: Corpus, random: Random): Input {
  const text = mutatedXml(random.oneOf(corpus.domains), random)
  const around = hostOf(corpus, random)
  const run = (): string => {
    const view = readDomain(readDocument(text, 'domain.xml'))
    const found = preflight(view, requestFor(view, around, 'check').resources)
    renderDiagnostics(found, 'capacity-fails', [domainSource('domain.xml', text)])
    return found.length === 0 ? 'fine' : 'findings'
  }
  return { show: () => `${formatSnapshot(around.host)}\n${text}`, run: () => orRefused(run) }
}

// ---- Hosts ----

const GUEST = `<domain type='kvm'><name>db1</name><memory>65536</memory><vcpu>4</vcpu><devices/></domain>`

/** A host is printed and read as the same; a guest is fitted to it or refused. */
function heldBy(host: Host, allowed: Surroundings['allowed']): string {
  const text = formatSnapshot(host)
  must(
    formatSnapshot(parseSnapshot(text, 'again').host) === text,
    'the snapshot is not read as it was printed',
  )
  return orRefused(() => placed(GUEST, { host, allowed }, undefined))
}

function snapshot(corpus: Corpus, random: Random): Input {
  const text = mutatedJson(random.oneOf(corpus.hosts), random)
  return {
    show: () => text,
    run: () =>
      orRefused(() => {
        const { host, allowed } = parseSnapshot(text, 'host.json')
        return heldBy(host, allowed ?? {})
      }),
  }
}

function capabilities(corpus: Corpus, random: Random): Input {
  const text = mutatedXml(random.oneOf(corpus.capabilities), random)
  return {
    show: () => text,
    run: () => orRefused(() => heldBy(readCapabilities(text, 'capabilities.xml'), {})),
  }
}

function ofMachine(files: Files): string {
  const host = readHost(files)
  const online = onlineCpus(files)
  const { pages, ...allowed }: ReturnType<typeof readCgroup>['allowed'] =
    online === undefined ? {} : readCgroup(files, { pid: 'self' }, online).allowed
  return heldBy(host, { ...allowed, ...(pages !== undefined && { pages }) })
}

function tar(corpus: Corpus, random: Random): Input {
  const bytes = mutatedBytes(random.oneOf(corpus.machines), random)
  return { show: () => bytes, run: () => orRefused(() => ofMachine(filesOfTar(bytes))) }
}

const machines = new Map<Uint8Array, Files>()

/** One machine of which some files say something else, or nothing. */
function sysfs(corpus: Corpus, random: Random): Input {
  const bytes = random.oneOf(corpus.machines)
  const real = machines.get(bytes) ?? filesOfTar(bytes)
  machines.set(bytes, real)
  const spoilt: string[] = []
  const rate = 2 + random.upTo(60)
  const read = (path: string): Uint8Array | undefined => {
    const content = real.read(path)
    if (content === undefined || !random.onceIn(rate)) return content
    const text = decodeUtf8(content)
    const next = random.onceIn(6)
      ? undefined
      : typeof text === 'string'
        ? Buffer.from(mutatedText(text, random))
        : mutatedBytes(content, random)
    spoilt.push(
      `${path}: ${next === undefined ? 'gone' : JSON.stringify(Buffer.from(next).toString('latin1'))}`,
    )
    return next
  }
  const list = (path: string): readonly string[] | undefined => {
    const names = real.list(path)
    if (names === undefined || !random.onceIn(rate)) return names
    spoilt.push(`${path}: listed otherwise`)
    return random.onceIn(4) ? undefined : names.filter(() => !random.onceIn(4))
  }
  return { show: () => spoilt.join('\n'), run: () => orRefused(() => ofMachine({ ...real, read, list })) }
}

// ---- Configurations, VMIs, command lines ----

function config(corpus: Corpus, random: Random): Input {
  let text = random.oneOf(corpus.configs)
  for (let round = 1 + random.upTo(5); round > 0; round--) text = mutatedText(text, random)
  return {
    show: () => text,
    run: () =>
      orRefused(() => {
        const { timeoutS, reserve, guests } = parseConfig(text, 'virt-numa.conf')
        must(
          timeoutS >= 1 && reserve.every(({ kib }) => kib >= 0) && guests.length >= 0,
          'the settings are out of range',
        )
        return 'read'
      }),
  }
}

function vmi(corpus: Corpus, random: Random): Input {
  const base = random.oneOf(corpus.vmis)
  const isJson = base.startsWith('{')
  const text =
    isJson && !random.onceIn(5)
      ? mutatedJson(base, random)
      : mutatedText(random.onceIn(2) ? base : mutatedText(base, random), random)
  const domain = random.oneOf(corpus.domains)
  const around = hostOf(corpus, random)
  const read = (): Json => {
    if (isJson) return parseJson(text, 'vmi.json')
    const answer = parseYaml(text)
    if ('value' in answer) return answer.value
    must(answer.mistake.line >= 1 && answer.mistake.reason.length > 5, 'a mistake without words')
    return null
  }
  return {
    show: () => `${text}\n${domain}`,
    run: () => orRefused(() => placed(domain, { ...around, vmi: readVmi(read(), 'the VMI') }, undefined)),
  }
}

const WORDS = [
  'transform',
  'plan',
  'check',
  'snapshot',
  'onDefineDomain',
  '--host',
  '--memory',
  'even',
  '--cpuset',
  '0-3',
  '--rebind',
  '-i',
  '-o',
  '--pid',
  '1',
  '--json',
  '--vmi',
  '{}',
  '--',
  '-',
  'a.xml',
  '--domain',
  '-h',
]

function words(_: Corpus, random: Random): Input {
  const given = range(random.upTo(7)).map((at) => {
    const word = random.oneOf(WORDS.slice(0, at === 0 ? 5 : undefined))
    return random.onceIn(4) ? mutatedText(word, random) : word
  })
  const run = (): string => {
    try {
      return parseArguments(given).name
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      must(
        error.diagnostics.every(({ code }) => isUsage(code)),
        'a mistake on the command line that is none of usage',
      )
      return 'refused'
    }
  }
  return { show: () => JSON.stringify(given), run }
}

// ---- The two readers of documents ----

/** Pieces of syntax, put in or taken out at any place. */
const SYNTAX = [
  ...[
    '<',
    '>',
    '/',
    '</',
    '/>',
    '=',
    "'",
    '"',
    '&',
    ';',
    '&lt;',
    '&amp;',
    '&#60;',
    '&x;',
    ']]>',
    '<![CDATA[',
    ']]',
  ],
  ...[
    '<!--',
    '-->',
    '--',
    '->',
    '<?',
    '?>',
    '<?xml version="1.0"?>',
    '<!DOCTYPE a>',
    ' ',
    '  ',
    '\n',
    '\r',
    '\r\n',
  ],
  ...[
    '\t',
    ':',
    'xmlns',
    " xmlns=''",
    " xmlns:a='urn:a'",
    " xmlns:a=''",
    ' a:b="1"',
    " xml:lang='en'",
    '<a:b/>',
    '</a>',
  ],
  ...[
    " xmlns:xml='urn:x'",
    " xmlns:b='http://www.w3.org/XML/1998/namespace'",
    '<a>',
    '<a b="1" b="2"/>',
    'é',
    '🐧',
    '-',
  ],
  ...[
    '\uFEFF',
    '\u0085',
    '\u2028',
    '\u00b7',
    '\uFFFE',
    '\uD800',
    '\0',
    '.',
    '0',
    '_',
    '<a\nb="1"/>',
    '<a/ >',
    '< a/>',
  ],
]

function xml(corpus: Corpus, random: Random): Input {
  const base = random.oneOf(corpus.domains)
  let text = random.onceIn(3) ? partOf(base, random) : base.slice(0, 20_000)
  if (random.onceIn(8)) text = mutatedXml(text, random)
  for (let round = random.upTo(3); round > 0; round--) text = respelled(text, random)
  return {
    show: () => text,
    run: () => {
      const scanned = scanXml(text, defaultLimits)
      if (scanned === undefined)
        return orRefused(() => {
          parseBySaxes(text, defaultLimits, {})
          return 'left'
        })
      const read = parseBySaxes(text, defaultLimits, {})
      must(isDeepStrictEqual(scanned, read), 'the two readers of documents differ')
      return 'scanned'
    },
  }
}

/** A few elements alone, so that a mutation meets what matters. */
function partOf(text: string, random: Random): string {
  const from = text.slice(random.upTo(text.length))
  const found = [...from.matchAll(/<([\w:]+)[^<>]*(?:\/>|>[^<>]*<\/\1>)\s*/g)].slice(0, 1 + random.upTo(4))
  return `<a>${found.map(([each]) => each).join('')}</a>`
}

function respelled(text: string, random: Random): string {
  const at = random.upTo(text.length + 1)
  const near = random.onceIn(2) ? at : Math.max(0, text.indexOf(random.oneOf(['<', '>', '=', "'", ' ']), at))
  const removed = random.onceIn(2) ? 0 : 1 + random.upTo(3)
  const put = random.onceIn(4) ? '' : random.oneOf(SYNTAX)
  return text.slice(0, near) + put + text.slice(near + removed)
}

// ---- The hook, but for its process ----

const OPERATIONS = [
  'migrate begin',
  'restore begin',
  'prepare begin',
  'start begin',
  'started begin',
  'reconnect begin',
  'stopped end',
]

function hook(corpus: Corpus, random: Random): Input {
  const text = mutatedXml(random.oneOf(corpus.domains), random)
  const bytes = random.onceIn(10) ? mutatedBytes(Buffer.from(text), random) : Buffer.from(text)
  const operation = random.oneOf(OPERATIONS)
  const around = hostOf(corpus, random)
  const settings = random.onceIn(10) ? mutatedText(random.oneOf(corpus.configs), random) : 'guests = "all"\n'
  const said = { 1: '', 2: '' }
  let bug: unknown
  const steps: Steps = {
    readConfig: async () => ({ name: 'virt-numa.conf', text: settings, hidden: hiddenInConfig }),
    readInput: async () => bytes,
    fit: async (task): Promise<Fit> => {
      try {
        return fit(task, {
          ...fitSteps,
          place: (each, from, _, move) => place(each, from, writeElement, move),
          readHost: () => around,
        })
      } catch (error) {
        bug = error
        throw error
      }
    },
    print: async (stream, part) => {
      said[stream] += part
      return true
    },
    log: async () => {},
    limitTime: () => {},
    elapsedMs: () => 0,
    now: () => new Date(0),
  }
  const run = async (): Promise<string> => {
    const exit = await act(['db1', ...operation.split(' '), '-'], steps)
    if (bug !== undefined) throw bug
    must(exit === 0 || exit === 1, `exit ${exit}`)
    const isRebind = operation === 'migrate begin' || operation === 'restore begin'
    must(exit === 0 || isRebind || operation === 'prepare begin', `exit ${exit} at ${operation}`)
    must(exit === 0 || said[2].startsWith('error['), `exit ${exit} without an error`)
    must(exit === 0 || said[1] === '', `exit ${exit} with something on stdout`)
    must(said[1] === '' || isRebind, `something on stdout at ${operation}`)
    if (said[1] !== '')
      must(
        place(
          readDocument(said[1]),
          { ...around, config: defaultConfig, runs: true },
          writeElement,
          'if-better',
        ).document.text === said[1],
        'what is printed is not a domain',
      )
    return `${operation} ${exit}${said[1] === '' ? '' : ' rebound'}`
  }
  return { show: () => `${operation}\n${settings}\n${formatSnapshot(around.host)}\n${text}`, run }
}
