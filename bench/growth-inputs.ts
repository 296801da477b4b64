// Guests and hosts of any size: what bench/growth.ts measures.

import { type CpuSet, formatSet, range, setOf } from '../src/base/idset.ts'
import type { Host } from '../src/model/host.ts'

/** What a generated guest has; an absent field is an element that the domain lacks, or the least of it. */
export interface GuestShape {
  readonly vcpus: number
  readonly memoryGiB?: number
  readonly cells?: number
  readonly distances?: boolean
  /** Every cell is bound to the node of its number. */
  readonly bound?: boolean
  readonly hugepages?: boolean
  readonly iothreads?: number
  /** `<memory nodeset>` */
  readonly memoryNodes?: string
  readonly pin?: 'own' | 'every other' | 'chain' | ((vcpu: number) => string)
}

/** What a generated host has; its CPUs are spread evenly over its nodes. */
export interface HostShape {
  readonly nodes: number
  readonly cpus: number
  /** Of a core; absent: 2. */
  readonly threads?: number
  /** Every third core has a thread that is isolated. */
  readonly partialCores?: boolean
  readonly freePages?: (node: number) => number
}

/** `count` ids from `first` on, written one by one, without ranges. */
export function oddOnes(first: number, count: number): string {
  return range(count)
    .map((index) => first + 2 * index)
    .join(',')
}

/** The domain XML of a guest of this shape. */
export function guestOf(guest: GuestShape): string {
  const {
    vcpus,
    cells = 0,
    memoryGiB = Math.max(64, cells),
    iothreads,
    memoryNodes,
    bound,
    hugepages,
  } = guest
  const pins = range(vcpus).flatMap((vcpu) => {
    const cpuset = pinOf(guest, vcpu)
    return cpuset === undefined ? [] : [`<vcpupin vcpu='${vcpu}' cpuset='${cpuset}'/>`]
  })
  const memnodes = bound
    ? range(cells).map((cell) => `<memnode cellid='${cell}' mode='strict' nodeset='${cell}'/>`)
    : []
  const memory = memoryNodes === undefined ? [] : [`<memory mode='strict' nodeset='${memoryNodes}'/>`]
  return [
    `<domain type='kvm'>`,
    '<name>wide</name>',
    `<memory unit='GiB'>${memoryGiB}</memory>`,
    ...(hugepages
      ? ["<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages></memoryBacking>"]
      : []),
    `<vcpu>${vcpus}</vcpu>`,
    ...(iothreads === undefined ? [] : [`<iothreads>${iothreads}</iothreads>`]),
    ...around('cputune', pins),
    ...around('numatune', [...memory, ...memnodes]),
    ...around('cpu', around('numa', cellsOf(guest, memoryGiB))),
    '</domain>',
    '',
  ].join('\n')
}

const around = (name: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`<${name}>`, ...lines, `</${name}>`]

function pinOf({ pin, vcpus }: GuestShape, vcpu: number): string | undefined {
  if (typeof pin === 'function') return pin(vcpu)
  if (pin === 'own') return `${vcpu}`
  if (pin === 'every other') return vcpu % 2 === 0 ? `${vcpu}` : undefined
  return pin === 'chain' ? formatSet(setOf<CpuSet>([vcpu, (vcpu + 1) % vcpus])) : undefined
}

function cellsOf({ vcpus, cells = 0, distances }: GuestShape, memoryGiB: number): string[] {
  const [each, kib] = [vcpus / cells, Math.floor((memoryGiB << 20) / Math.max(1, cells))]
  return range(cells).flatMap((id) => {
    const cell = `<cell id='${id}' cpus='${id * each}-${(id + 1) * each - 1}' memory='${kib}' unit='KiB'`
    if (!distances) return [`${cell}/>`]
    const ways = range(cells).map(
      (other) => `<sibling id='${other}' value='${other === id ? 10 : oddWay(id, other)}'/>`,
    )
    return [`${cell}>`, ...around('distances', ways), '</cell>']
  })
}

/** No two nodes have the same ways, so that no search ends early. */
const oddWay = (from: number, to: number): number => 11 + ((from * 7 + to * 13 + from * to) % 40)

/** The first threads of all cores come first, as Linux numbers them. */
export function hostOf({
  nodes,
  cpus,
  threads = 2,
  partialCores,
  freePages = () => 16_384,
}: HostShape): Host {
  const cores = Math.floor(cpus / threads)
  const siblings = range(cores).map((core) =>
    setOf<CpuSet>(range(threads).map((thread) => thread * cores + core)),
  )
  const perNode = cores / nodes
  return {
    nodes: range(nodes).map((id) => ({
      id,
      cpus: setOf<CpuSet>(siblings.slice(Math.round(id * perNode), Math.round((id + 1) * perNode)).flat()),
      memoryKiB: 64 << 20,
      pages: [{ pagesizeKiB: 2048, total: 16_384, free: freePages(id) }],
      distances: range(nodes).map((other) => (other === id ? 10 : oddWay(id, other))),
    })),
    siblings: threads === 1 ? [] : siblings,
    ...(partialCores && {
      isolated: setOf<CpuSet>(range(cores).flatMap((core) => (core % 3 === 0 ? [core] : []))),
    }),
  }
}
