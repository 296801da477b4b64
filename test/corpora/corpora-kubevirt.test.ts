// KubeVirt's own answers, ../shared/conformance/kubevirt.jsonl: what it creates, we give too; what its
// migrations get wrong, we get right. Prints the table that the README shows.

import t from 'tap'
import { Refusal } from '../../src/base/diagnostic.ts'
import { setOf } from '../../src/base/idset.ts'
import { preflight } from '../../src/check.ts'
import { classOf } from '../../src/codes/codes.ts'
import { readDocument } from '../../src/document.ts'
import { readDomain } from '../../src/domain/view.ts'
import { resourcesOf } from '../../src/host/resources.ts'
import type { DomainView, WrittenCell } from '../../src/model/domain.ts'
import { type Placed, place, type Surroundings } from '../../src/place.ts'
import { writeElement } from '../../src/xml/build.ts'
import { parseXml } from '../../src/xml/parse.ts'
import { worded } from '../core/worded.ts'
import {
  cpusOf,
  differences,
  expectedOf,
  hostOf,
  type KubevirtCase,
  readCases,
  saidBy,
  vmiOf,
} from './kubevirt-cases.ts'

const cases = readCases()
const creates = cases.filter(({ mode, input }) => mode === 'create' && input.pci === undefined)
const migrations = cases.filter(({ mode }) => mode === 'hook')
const isPassthrough = ({ input }: KubevirtCase): boolean =>
  input.vmi.spec.domain.cpu.numa?.guestMappingPassthrough !== undefined

const CELL_ORDER =
  'cells are reported as 3, 1, 7, 0: Linux and libvirt report ascending ids, and we order by id'
const FEW_CPUS =
  'the pod has fewer CPUs than vCPUs, and KubeVirt leaves the last vCPUs without a pin: we refuse'

/**
 * Ours by choice: where KubeVirt depends on an order that no Linux reports, or has an oddity that FORMAT.md
 * says not to copy.
 */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'p030-place-hshuf-asym-1x1x1': CELL_ORDER,
  'p045-place-hshuf-lowest-1x4x2': CELL_ORDER,
  'p060-place-hshuf-balanced-1x2x1': CELL_ORDER,
  'p156-emu-hshuf-0x4x0': CELL_ORDER,
  'p246-dist-hshuf-4': CELL_ORDER,
  'p097-short-h2b-relaxed-1x2x2-miss1': FEW_CPUS,
  'p098-short-h2i-relaxed-1x3x2-miss1': FEW_CPUS,
  'p099-short-h2p4-relaxed-1x2x4-miss1': FEW_CPUS,
  'p100-short-h2p4-relaxed-1x2x4-miss3': FEW_CPUS,
  'p245-dist-hnos-3':
    'no node has a distance to itself: Linux reports whole rows, and a row with a gap is none to us',
  'p258-odd-unsorted-cpuset':
    'the cpuset file is not ascending, and slices for I/O threads index it: the kernel always sorts it',
  'p260-odd-sibling-crosses-cells':
    'a sibling lies in another cell: a core is within one node, and we count its threads where they lie',
  'p261-odd-sibling-crosses-cells': 'as p260',
  'p263-odd-cpu-order': 'CPUs are reported descending: Linux reports ascending ids, and we order by id',
}

/** Those of them that have no placement here, so that nothing is left to compare. */
const REFUSED_HERE = Object.keys(EXCEPTIONS).filter((name) => EXCEPTIONS[name] === FEW_CPUS)

type Answer =
  | { readonly placed: Placed; readonly code?: never }
  | { readonly code: string; readonly placed?: never }

function answer(text: string, around: Surroundings, move?: 'if-better'): Answer {
  try {
    return { placed: place(readDocument(text), around, writeElement, move) }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { code: error.diagnostics[0]?.code ?? '' }
  }
}

function create(each: KubevirtCase): Answer {
  const { topology, cpuset, domainXML } = each.input
  try {
    const vmi = vmiOf(each)
    return answer(domainXML, {
      host: hostOf(topology.numaCells),
      allowed: {},
      vmi,
      flags: { cpuset: setOf(cpuset) },
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { code: error.diagnostics[0]?.code ?? '' }
  }
}

function wrongWith(each: KubevirtCase): string[] {
  const { placed, code = 'none' } = create(each)
  const expected: string = each.expected.errorClass ?? 'none'
  if (code !== expected) return [`refusal ${code}, KubeVirt ${expected}`]
  return placed === undefined ? [] : differences(saidBy(placed.text), expectedOf(each))
}

const row = (...columns: readonly (string | number)[]): string =>
  columns.map((each, index) => `${each}`.padStart(index === 0 ? 0 : 10)).join('')

t.test('the cases are those that the numbers are of', (t) => {
  t.equal(cases.length, 250)
  t.equal(creates.filter(isPassthrough).length, 148)
  t.equal(creates.filter((each) => !isPassthrough(each)).length, 22)
  t.equal(migrations.length, 60)
  t.equal(
    cases.filter(({ input }) => input.pci !== undefined).length,
    20,
    'PCI placement: corpora-kubevirt-pci',
  )
  t.end()
})

t.test('what KubeVirt creates, we give', (t) => {
  for (const each of creates) {
    const wrong = wrongWith(each)
    const reason = EXCEPTIONS[each.name]
    if (reason === undefined) t.equal(wrong.join('\n'), '', each.name)
    else t.not(wrong.join('\n'), '', `${each.name} is an exception, and needs to be: ${reason}`)
  }
  const names = creates.map(({ name }) => name)
  t.same(
    Object.keys(EXCEPTIONS).filter((name) => !names.includes(name)),
    [],
    'every exception is a case',
  )
  for (const [what, some] of [
    ['with passthrough', creates.filter(isPassthrough)],
    ['without', creates.filter((each) => !isPassthrough(each))],
  ] as const) {
    const excepted = some.filter(({ name }) => name in EXCEPTIONS).length
    t.comment(
      `${what}: ${some.length - excepted} of ${some.length} are KubeVirt's answer, ${excepted} are ` +
        `exceptions`,
    )
  }
  t.end()
})

t.test('an exception is sound all the same', (t) => {
  for (const each of creates.filter(({ name }) => name in EXCEPTIONS)) {
    const { placed, code } = create(each)
    if (REFUSED_HERE.includes(each.name)) t.equal(code, 'not-enough-threads', each.name)
    else
      t.same(
        placed === undefined ? [code] : unsound(each, placed.text, readDomain(parseXml(placed.text)).cells),
        [],
        each.name,
      )
  }
  t.end()
})

// ---- Asked a second time ----

/**
 * Our first answer as KubeVirt prints it: the sections of `expected.xml`, in its own print, in the place of
 * the domain's.
 */
function reprinted({ input, expected }: KubevirtCase): string {
  const { cputune, numatune, numa, memoryBacking, features } = expected.xml
  const own = /<features>([\s\S]*)<\/features>/.exec(input.domainXML)?.[1] ?? ''
  const inner = /<features>([\s\S]*)<\/features>/.exec(features ?? '')?.[1] ?? ''
  const replaced = input.domainXML
    .replace(/<memoryBacking>[\s\S]*<\/memoryBacking>/, '')
    .replace(/<features>[\s\S]*<\/features>/, '')
    .replace(/<numa>[\s\S]*<\/numa>/, '')
    .replace('</cpu>', `${numa ?? ''}</cpu>`)
  return replaced.replace(
    /<\/domain>\s*$/,
    `${memoryBacking ?? ''}<features>${own}${inner}</features>${cputune}${numatune ?? ''}</domain>`,
  )
}

t.test(
  "asked again on KubeVirt's reprint, with the pins as all that is known of the pod, we say the same",
  (t) => {
    const again = creates.filter(
      ({ name, expected }) => expected.error === undefined && !(name in EXCEPTIONS),
    )
    t.equal(again.length, 116, 'the cases that KubeVirt places')
    for (const each of again) {
      const text = reprinted(each)
      t.same(
        differences(saidBy(text), expectedOf(each)),
        [],
        `${each.name}: the reprint is KubeVirt's answer`,
      )
      const { placed, code } = answer(text, {
        host: hostOf(each.input.topology.numaCells),
        allowed: {},
        vmi: vmiOf(each),
      })
      t.same(
        placed === undefined ? [code] : differences(saidBy(placed.text), expectedOf(each)),
        [],
        each.name,
      )
    }
    t.end()
  },
)

/** What a guest may wish for in annotations, beside KubeVirt's own answer. */
const REQUESTED: readonly Readonly<Record<string, string>>[] = [
  {},
  { like: 'virt-numa' },
  { memory: 'by-vcpu' },
  { cpus: 'pack' },
  { cpus: 'spread', emulator: 'none' },
  { pin: 'cell' },
]

t.test('asked again on our own answer, nothing is left to edit, whatever was wished for', (t) => {
  const readable = creates.filter(({ expected }) => expected.errorClass !== 'pagesize-invalid')
  for (const requested of REQUESTED) {
    const answered = readable.filter((each) => {
      const { topology, cpuset, domainXML } = each.input
      const host = hostOf(topology.numaCells)
      const vmi = { ...vmiOf(each), annotations: new Map(Object.entries(requested)) }
      const first = answer(domainXML, { host, allowed: { cpus: setOf(cpuset) }, vmi }).placed
      if (first !== undefined)
        t.same(
          answer(first.text, { host, allowed: {}, vmi }).placed?.edits,
          [],
          `${each.name} ${JSON.stringify(requested)}`,
        )
      return first !== undefined
    })
    t.ok(answered.length > 120, `${answered.length} guests have an answer with ${JSON.stringify(requested)}`)
  }
  t.end()
})

// ---- Migrations ----

function cellsAsData(cells: readonly WrittenCell[]): string {
  return JSON.stringify(cells.map((cell) => ({ ...cell, distances: [...cell.distances] })))
}

/**
 * What is wrong with a placement in this pod, in words; empty where libvirt takes it and every vCPU runs
 * where its memory is.
 */
function unsound({ input }: KubevirtCase, text: string, cells: readonly WrittenCell[]): string[] {
  const view = readDomain(parseXml(text))
  const host = hostOf(input.topology.numaCells)
  const invalid = preflight(view, resourcesOf(host, { cpus: setOf(input.cpuset) })).filter(
    ({ code }) => classOf(code) === 'invalid',
  )
  const bound = view.tune.memnodes.map(({ cell }) => cell).sort((a, b) => a - b)
  return [
    ...invalid.map(worded).map(({ code, what }) => `${code}: ${what}`),
    ...(cellsAsData(view.cells) === cellsAsData(cells) ? [] : ['the cells changed']),
    ...(bound.length === 0 || `${bound}` === `${view.cells.map(({ id }) => id)}`
      ? []
      : [`the memnodes bind the cells ${bound}`]),
    ...unsoundPins(view, input.cpuset, host),
  ]
}

function unsoundPins(view: DomainView, cpuset: readonly number[], host: ReturnType<typeof hostOf>): string[] {
  const used = new Set<number>()
  return view.online.flatMap((vcpu) => {
    const pin = view.vcpupin.get(vcpu) ?? []
    const [cpu] = pin
    if (cpu === undefined || pin.length !== 1 || !cpuset.includes(cpu))
      return [`vCPU ${vcpu} has no dedicated CPU in the pod: ${pin}`]
    if (used.has(cpu)) return [`vCPU ${vcpu} shares CPU ${cpu}`]
    used.add(cpu)
    const cell = view.cells.find(({ vcpus }) => (vcpus as readonly number[]).includes(vcpu))
    const nodes: readonly number[] | undefined = view.tune.memnodes.find(
      (memnode) => memnode.cell === cell?.id,
    )?.nodes
    const node = host.nodes.find(({ cpus }) => (cpus as readonly number[]).includes(cpu))?.id
    return nodes === undefined || nodes.includes(node ?? -1)
      ? []
      : [`vCPU ${vcpu} is on node ${node}, its memory on ${nodes}`]
  })
}

function rebound({ input }: KubevirtCase, text: string): Answer {
  return answer(
    text,
    {
      host: hostOf(input.topology.numaCells),
      allowed: {},
      flags: { like: 'kubevirt', cpuset: setOf(input.cpuset) },
    },
    'if-better',
  )
}

/**
 * What became of a migration that KubeVirt planned, by the worst of it. Guests without cells have no
 * `consistency`.
 */
function kubevirts({ expected }: KubevirtCase): Outcome {
  const { libvirt, consistency = {} } = expected
  if (expected.error !== undefined) return 'refused'
  if (libvirt.parse !== 'ok') return "refused by libvirt's parser"
  if (libvirt.abi !== 'ok') return "refused by libvirt's ABI check"
  if (consistency.vcpusPinnedOffTheirCellsHostNode > 0) return 'vCPUs pinned away from their memory'
  return consistency.cellsWithoutMemnode > 0 ? 'cells bound to nothing' : 'right'
}

const OUTCOMES = [
  'right',
  'refused',
  "refused by libvirt's parser",
  "refused by libvirt's ABI check",
  'vCPUs pinned away from their memory',
  'cells bound to nothing',
] as const
type Outcome = (typeof OUTCOMES)[number]

function tally(outcomes: readonly Outcome[]): number[] {
  return OUTCOMES.map((outcome) => outcomes.filter((each) => each === outcome).length)
}

t.test("KubeVirt's 60 migrations", (t) => {
  const ours: Outcome[] = []
  for (const each of migrations) {
    const { input, expected } = each
    const { cells, online } = readDomain(parseXml(input.domainXML))
    for (const [from, text] of [
      ['the source', input.domainXML],
      ['what KubeVirt emitted', expected.domainXML],
    ] as const) {
      if (text === undefined) continue
      const { placed, code } = rebound(each, text)
      if (placed === undefined) {
        t.ok(
          cpusOf(`${input.cpuset}`).length < online.length,
          `${each.name} from ${from}: ${code}, for the pod has too few CPUs`,
        )
        t.equal(code, 'not-enough-threads', each.name)
      } else {
        t.same(unsound(each, placed.text, cells), [], `${each.name} from ${from}`)
        t.same(
          rebound(each, placed.text).placed?.edits,
          [],
          `${each.name} from ${from}: a second run changes nothing`,
        )
      }
      if (from === 'the source') ours.push(placed === undefined ? 'refused' : 'right')
    }
  }
  const theirs = tally(migrations.map(kubevirts))
  t.same(theirs, [18, 4, 17, 2, 8, 11], "KubeVirt's own, as FORMAT.md counts them")
  t.same(tally(ours), [57, 3, 0, 0, 0, 0], 'ours')
  t.comment(row('of 60 migrations'.padEnd(38), 'KubeVirt', 'virt-numa'))
  for (const [index, outcome] of OUTCOMES.entries())
    t.comment(row(outcome.padEnd(38), theirs[index] ?? 0, tally(ours)[index] ?? 0))
  t.end()
})
