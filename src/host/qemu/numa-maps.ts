// /proc/PID/numa_maps and /proc/PID/smaps (or maps) -> mappings with their policy, size and memory per node.

import type { NodeSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import type { Mapping, MemoryPolicy } from '../../model/running-guest.ts'
import { ifReadable, known } from '../kernel-text.ts'
import { unescaped } from '../paths.ts'

/**
 * One mapping per line of numa_maps, in its order; malformed lines are skipped. Sizes come from `ranges`, the
 * text of smaps or maps; a mapping that appeared or disappeared between the two reads has none.
 * @see numa(7), /proc/pid/numa_maps; proc(5), smaps
 */
export function readMappings(numaMaps: string, ranges: string): Mapping[] {
  const sizes = readRanges(ranges)
  return numaMaps.split('\n').flatMap((line) => {
    const head = HEAD.exec(line)
    if (head === null) return []
    const start = (head[1] as string).replace(/^0+(?=.)/, '')
    const { pagesizeKiB: mapped, ...range } = sizes.get(start) ?? {}
    const pagesizeKiB = numberOf(/ kernelpagesize_kB=(\d{1,15})(?= |$)/.exec(line)?.[1]) ?? mapped
    const file = / file=(\S+)/.exec(line)?.[1]
    return [
      {
        start,
        policy: policyOf(head[2] as string),
        ...range,
        ...known('pagesizeKiB', pagesizeKiB),
        ...known(
          'nodesKiB',
          pagesizeKiB === undefined ? undefined : nodesOf(line.slice(head[0].length), pagesizeKiB),
        ),
        ...known('file', file === undefined ? undefined : fileOf(file)),
      },
    ]
  })
}

/** Two policies have a space in their name. Flags (`=static`) are between the name and the nodes. */
const HEAD =
  /^([0-9a-f]{1,16}) ((?:prefer \(many\)|weighted interleave|[a-z]+)(?:=[a-z|]+)?(?::[0-9,-]+)?)(?= |$)/

function policyOf(text: string): MemoryPolicy {
  const [words = '', nodes = ''] = text.split(':')
  return {
    mode: words.replace(/=.*$/, ''),
    nodes: ifReadable(() => parseSet<NodeSet>(nodes, 'numa_maps')) ?? parseSet<NodeSet>('', ''),
  }
}

/** The kernel counts a hugetlbfs page as one page of its size, a transparent huge page as 512 base pages. */
function nodesOf(counts: string, pagesizeKiB: number): ReadonlyMap<number, number> {
  const nodes = new Map<number, number>()
  for (const [, node, pages] of counts.matchAll(/ N(\d{1,5})=(\d{1,15})(?= |$)/g))
    nodes.set(Number(node), Number(pages) * pagesizeKiB)
  return nodes
}

/** Blanks, "=" and line ends of a name are octal. */
function fileOf(text: string): string {
  return unescaped(text).replace(/ \(deleted\)$/, '')
}

type Range = Pick<Mapping, 'sizeKiB' | 'pagesizeKiB' | 'thpKiB' | 'swapKiB'>

function readRanges(text: string): ReadonlyMap<string, Range> {
  const ranges = new Map<string, Range>()
  let start = ''
  for (const line of text.split('\n')) {
    const head = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) /.exec(line)
    if (head !== null) {
      start = (head[1] as string).replace(/^0+(?=.)/, '')
      const sizeKiB = kibBetween(head[1] as string, head[2] as string)
      if (sizeKiB > 0) ranges.set(start, { sizeKiB })
      continue
    }
    const field = /^(\w+): +(\d{1,15}) kB/.exec(line)
    const range = ranges.get(start)
    if (field !== null && range !== undefined)
      ranges.set(start, withField(range, field[1] as string, Number(field[2])))
  }
  return ranges
}

/** Only the kernel's own addresses at the very top are beyond 2^53. */
function kibBetween(from: string, to: string): number {
  if (to.length > 13) return Number((BigInt(`0x${to}`) - BigInt(`0x${from}`)) / 1024n)
  return Math.floor((Number.parseInt(to, 16) - Number.parseInt(from, 16)) / 1024)
}

function withField(range: Range, name: string, kib: number): Range {
  switch (name) {
    case 'KernelPageSize':
      return { ...range, pagesizeKiB: kib }
    case 'AnonHugePages':
    case 'ShmemPmdMapped':
    case 'FilePmdMapped':
      return { ...range, thpKiB: (range.thpKiB ?? 0) + kib }
    case 'Swap':
      return { ...range, swapKiB: kib }
    default:
      return range
  }
}

const numberOf = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits)
