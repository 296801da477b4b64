// KubeVirt's answers in ../shared/conformance, read to this project's own types.

import { readFileSync } from 'node:fs'
import { type CpuSet, formatSet, setOf } from '../../src/base/idset.ts'
import { parseJson } from '../../src/base/json.ts'
import { parseLibvirtSize, parseQuantity } from '../../src/base/memory.ts'
import { parseSet } from '../../src/base/parse-set.ts'
import type { Host, HostNode } from '../../src/model/host.ts'
import { readVmi, type Vmi } from '../../src/request/vmi.ts'
import { attribute, child, childrenOf, parseXml, type XmlElement } from '../../src/xml/parse.ts'

/** A NUMA node as libvirt's capabilities report it to KubeVirt. */
export interface KubevirtCell {
  readonly id: number
  readonly memory?: { readonly amount: number; readonly unit: string }
  readonly pages?: readonly { readonly count: number; readonly unit: string; readonly size: number }[]
  readonly distances?: readonly { readonly id: number; readonly value: number }[]
  readonly cpus?: readonly { readonly id: number; readonly siblings?: readonly number[] }[]
}

/** A recorded call of KubeVirt's own code: its input and its answer. */
export interface KubevirtCase {
  readonly name: string
  readonly mode: 'create' | 'hook'
  readonly tags: readonly string[]
  readonly input: {
    // biome-ignore lint/suspicious/noExplicitAny: the case is KubeVirt's JSON, looked at by path
    readonly vmi: any
    readonly topology: { numaCells: KubevirtCell[] }
    readonly cpuset: number[]
    readonly domainXML: string
    pci?: object
  }
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly expected: any
}

/** All recorded cases, in the order of the file. */
export function readCases(): KubevirtCase[] {
  const lines = readFileSync('../shared/conformance/kubevirt.jsonl', 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

/** KubeVirt gets the pages of every size, ordinary ones included; 4 KiB and 64 KiB pages are not a pool. */
export function hostOf(cells: readonly KubevirtCell[]): Host {
  const nodes = [...cells].sort((a, b) => a.id - b.id).map((cell) => nodeOf(cell, cells))
  const siblings = new Map<string, CpuSet>()
  for (const { cpus = [] } of cells) {
    for (const { siblings: core = [] } of cpus)
      if (core.length > 1) siblings.set(`${setOf<CpuSet>(core)}`, setOf<CpuSet>(core))
  }
  return { nodes, siblings: [...siblings.values()].sort((a, b) => (a[0] as number) - (b[0] as number)) }
}

function nodeOf(
  { id, memory, pages = [], distances = [], cpus = [] }: KubevirtCell,
  cells: readonly KubevirtCell[],
): HostNode {
  const ids = cells.map((cell) => cell.id).sort((a, b) => a - b)
  const row = ids.map((other) => distances.find((each) => each.id === other)?.value)
  return {
    id,
    cpus: setOf<CpuSet>(cpus.map((cpu) => cpu.id)),
    ...(memory !== undefined && {
      memoryKiB: parseLibvirtSize(`${memory.amount}`, memory.unit, 'memory').kib,
    }),
    pages: pages
      .filter(({ size }) => size > 64)
      .map(({ count, size }) => ({ pagesizeKiB: size, total: count })),
    ...(!row.includes(undefined) && { distances: row as number[] }),
  }
}

/** CPUs from a list such as `0-3,8`. */
export const cpusOf = (list: string): CpuSet => parseSet<CpuSet>(list, 'expected')

/** The page size in KiB of a Kubernetes quantity such as `2Mi`. */
export function pagesizeOf(quantity: string): number {
  return parseQuantity(quantity, 'pageSize').kib
}

/** The VMI of a case, as we read it. */
export function vmiOf({ input }: KubevirtCase): Vmi {
  return readVmi(parseJson(JSON.stringify(input.vmi), 'the VMI'), 'the VMI')
}

/** What a placement says, for comparing. Sets are text; `cells` are as written, their memory in bytes. */
export interface Said {
  readonly vcpupin: readonly string[]
  readonly emulatorpin: string
  readonly iothreadpin: readonly string[]
  readonly cells: readonly string[]
  readonly numatune: readonly string[]
  readonly pages: readonly string[] | undefined
  readonly backing: readonly string[]
  readonly features: readonly string[]
}

/** KubeVirt's `expected` keys. An absent key means that the element is absent. */
export function expectedOf({ expected }: KubevirtCase): Said {
  const { cputune = {}, numatune, numa = [], memoryBacking = {} } = expected
  return {
    vcpupin: (cputune.vcpupin ?? []).map((pin: Pin) => `${pin.vcpu}: ${set(pin.cpuset)}`),
    emulatorpin: set(cputune.emulatorpin ?? ''),
    iothreadpin: (cputune.iothreadpin ?? []).map((pin: Pin) => `${pin.iothread}: ${set(pin.cpuset)}`),
    cells: numa.map((cell: ExpectedCell) =>
      cellText(cell.id, set(cell.cpus), bytes(cell.memory, cell.unit), cell.distances ?? []),
    ),
    numatune:
      numatune === undefined
        ? []
        : [
            tuneText('all', numatune.memory),
            ...numatune.memnode.map((each: Tune) => tuneText(`${each.cellid}`, each)),
          ],
    pages: memoryBacking.hugepages?.map((page: Page) => `${page.nodeset}: ${bytes(page.size, page.unit)}`),
    backing: [
      memoryBacking.source,
      memoryBacking.access,
      memoryBacking.allocation,
      memoryBacking.nosharepages === true ? 'nosharepages' : undefined,
    ].filter(Boolean),
    features: [
      ...(expected.kvmHintDedicated ? [`hint-dedicated ${expected.kvmHintDedicated}`] : []),
      ...(expected.pmu ? [`pmu ${expected.pmu}`] : []),
    ],
  }
}

/** The same of a domain document, element by element. */
export function saidBy(text: string): Said {
  const { root } = parseXml(text)
  const cputune = child(root, 'cputune')
  const numatune = child(root, 'numatune')
  const backing = child(root, 'memoryBacking')
  const hugepages = child(backing, 'hugepages')
  const features = child(root, 'features')
  const value = (element: XmlElement | undefined, name: string): string =>
    attribute(element, name)?.value ?? ''
  const tune = (element: XmlElement): Tune => ({
    mode: value(element, 'mode'),
    nodeset: value(element, 'nodeset'),
  })
  const stated = (name: string, element: XmlElement | undefined): string[] =>
    element === undefined ? [] : [`${name} ${value(element, 'state')}`]
  return {
    vcpupin: childrenOf(cputune, 'vcpupin').map(
      (pin) => `${value(pin, 'vcpu')}: ${set(value(pin, 'cpuset'))}`,
    ),
    emulatorpin: set(value(child(cputune, 'emulatorpin'), 'cpuset')),
    iothreadpin: childrenOf(cputune, 'iothreadpin').map(
      (pin) => `${value(pin, 'iothread')}: ${set(value(pin, 'cpuset'))}`,
    ),
    cells: childrenOf(child(child(root, 'cpu'), 'numa'), 'cell').map((cell) =>
      cellText(
        value(cell, 'id'),
        set(value(cell, 'cpus')),
        bytes(value(cell, 'memory'), value(cell, 'unit')),
        childrenOf(child(cell, 'distances'), 'sibling').map((each) => ({
          id: value(each, 'id'),
          value: Number(value(each, 'value')),
        })),
      ),
    ),
    numatune: [
      ...childrenOf(numatune, 'memory').map((each) => tuneText('all', tune(each))),
      ...childrenOf(numatune, 'memnode').map((each) => tuneText(value(each, 'cellid'), tune(each))),
    ],
    pages:
      hugepages &&
      childrenOf(hugepages, 'page').map(
        (page) => `${value(page, 'nodeset')}: ${bytes(value(page, 'size'), value(page, 'unit'))}`,
      ),
    backing: [
      value(child(backing, 'source'), 'type'),
      value(child(backing, 'access'), 'mode'),
      value(child(backing, 'allocation'), 'mode'),
      child(backing, 'nosharepages') === undefined ? '' : 'nosharepages',
    ].filter((word) => word !== ''),
    features: [
      ...stated('hint-dedicated', child(child(features, 'kvm'), 'hint-dedicated')),
      ...stated('pmu', child(features, 'pmu')),
    ],
  }
}

/** The parts that differ, each with both sides; empty where two placements say the same. */
export function differences(said: Said, expected: Partial<Said>): string[] {
  return (Object.keys(expected) as (keyof Said)[]).flatMap((part) => {
    const [ours, theirs] = [JSON.stringify(said[part]), JSON.stringify(expected[part])]
    return ours === theirs ? [] : [`${part}: ${ours}, KubeVirt ${theirs}`]
  })
}

interface Pin {
  readonly vcpu?: number
  readonly iothread?: number
  readonly cpuset: string
}

interface Tune {
  readonly cellid?: number
  readonly mode: string
  readonly nodeset: string
}

interface Page {
  readonly size: string
  readonly unit: string
  readonly nodeset: string
}

interface ExpectedCell {
  readonly id: string
  readonly cpus: string
  readonly memory: string
  readonly unit: string
  readonly distances?: readonly { readonly id: string; readonly value: number }[]
}

const set = (list: string): string => formatSet(cpusOf(list))
const bytes = (size: string, unit: string): string =>
  `${parseLibvirtSize(size, unit || undefined, 'a size').kib * 1024}`
const tuneText = (which: string, { mode, nodeset }: Tune): string => `${which}: ${mode} ${set(nodeset)}`

/** Distances by cell: KubeVirt writes them in the host's order. */
function cellText(
  id: string,
  cpus: string,
  memory: string,
  distances: readonly { readonly id: string; readonly value: number }[],
): string {
  const row = [...distances]
    .sort((a, b) => Number(a.id) - Number(b.id))
    .map((each) => `${each.id}=${each.value}`)
  return `${id}: ${cpus}, ${memory} bytes, ${row.join(' ')}`
}
