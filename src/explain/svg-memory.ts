// One node's memory as a bar: what the cells use, what is free, and what is used by others; in huge pages
// where a cell uses them.

import { sum } from '../base/lists.ts'
import { aboutKiB, formatKiB } from '../base/memory.ts'
import type { HostNode } from '../model/host.ts'
import { type Area, box, colourOf, FRAME, INK, label, type Point, tooltip } from './svg-shapes.ts'
import type { Explained } from './text.ts'

interface Part {
  readonly kib: number
  readonly fill: string
  readonly words: string
}

const FREE = '#ffffff'
const OTHERS = '#bbbbbb'
const MISSING = '#000000'

/** ": 1 GiB missing", or nothing. */
export function missingWords(node: HostNode, explained: Explained): string {
  const { missingKiB } = useOf(node, explained)
  return missingKiB === 0 ? '' : `: ${aboutKiB(missingKiB)} missing`
}

/** The bar; empty where the size is unknown. Missing memory is drawn to the right of what the node has. */
export function memoryBar(node: HostNode, explained: Explained, area: Area): readonly string[] {
  const { totalKiB, othersKiB, takenKiB, missingKiB, taken, what } = useOf(node, explained)
  if (totalKiB === 0) return []
  const parts: Part[] = [
    { kib: othersKiB, fill: OTHERS, words: `${aboutKiB(othersKiB)} of ${what} in use by others` },
    ...taken.map(({ id, kib }) => ({
      kib,
      fill: colourOf(id).fill,
      words: `cell ${id}: ${aboutKiB(kib)} of ${what}`,
    })),
    {
      kib: Math.max(0, totalKiB - othersKiB - takenKiB),
      fill: FREE,
      words: `${aboutKiB(Math.max(0, totalKiB - othersKiB - takenKiB))} of ${what} free`,
    },
  ]
  const scale = area.width / (totalKiB + missingKiB)
  let x = area.x
  const bars = parts.flatMap(({ kib, fill, words }) => {
    if (kib === 0) return []
    const bar = tooltip(words, [
      box({ ...area, x: Math.round(x * 100) / 100, width: kib * scale }, { fill, stroke: FRAME }),
    ])
    x += kib * scale
    return [bar]
  })
  const short = missingKiB === 0 ? [] : [shortage(area, missingKiB, scale, what)]
  return [...bars, ...short]
}

/** A line below the end of the cells' memory that does not fit. */
function shortage({ x, y, width, height }: Area, missingKiB: number, scale: number, what: string): string {
  const from = Math.round((x + width - missingKiB * scale) * 100) / 100
  const below = { x: from, y: y + height - 3, width: missingKiB * scale, height: 3 }
  const shape = box(below, { fill: MISSING })
  return tooltip(`${aboutKiB(missingKiB)} of ${what} missing`, [shape])
}

interface Use {
  /** 0: unknown, or none. */
  readonly totalKiB: number
  readonly othersKiB: number
  readonly takenKiB: number
  readonly missingKiB: number
  /** What each cell takes. */
  readonly taken: readonly { readonly id: number; readonly kib: number }[]
  /** "memory" or "2 MiB pages". */
  readonly what: string
}

/** How much is used of the pages of the first cell there that uses huge pages, else of ordinary memory. */
function useOf(node: HostNode, explained: Explained): Use {
  const cells = shares(node, explained)
  const pagesizeKiB = cells.find((cell) => cell.pagesizeKiB !== undefined)?.pagesizeKiB
  const { totalKiB = 0, freeKiB = totalKiB } = capacityOf(node, pagesizeKiB)
  const taken = cells.filter((cell) => cell.pagesizeKiB === pagesizeKiB)
  const takenKiB = sum(taken.map(({ kib }) => kib))
  const othersKiB = totalKiB - freeKiB
  const missingKiB = totalKiB === 0 ? 0 : Math.max(0, takenKiB + othersKiB - totalKiB)
  return {
    totalKiB,
    othersKiB,
    takenKiB,
    missingKiB,
    taken,
    what: pagesizeKiB === undefined ? 'memory' : `${formatKiB(pagesizeKiB)} pages`,
  }
}

/**
 * The cells whose memory is on a node. A cell on several nodes is drawn on each in equal parts: where the
 * kernel puts a page is not known in advance.
 */
function shares(
  { id }: HostNode,
  { placement: { cells, binding } }: Explained,
): readonly { id: number; kib: number; pagesizeKiB?: number }[] {
  return cells.flatMap((cell) => {
    const memnode = binding.memnodes[cell.id]
    if (memnode === undefined || !memnode.nodes.includes(id)) return []
    const { pagesizeKiB, nodes } = memnode
    return [
      { id: cell.id, kib: cell.memoryKiB / nodes.length, ...(pagesizeKiB !== undefined && { pagesizeKiB }) },
    ]
  })
}

/** What a node has of huge pages of one size, or of ordinary memory; unknown amounts are absent. */
function capacityOf(
  node: HostNode,
  pagesizeKiB: number | undefined,
): { readonly totalKiB?: number; readonly freeKiB?: number } {
  if (pagesizeKiB === undefined) {
    const { memoryKiB, freeKiB } = node
    return {
      ...(memoryKiB !== undefined && { totalKiB: memoryKiB }),
      ...(freeKiB !== undefined && { freeKiB }),
    }
  }
  const pool = node.pages.find((each) => each.pagesizeKiB === pagesizeKiB)
  if (pool === undefined) return {}
  return {
    totalKiB: pool.total * pagesizeKiB,
    ...(pool.free !== undefined && { freeKiB: pool.free * pagesizeKiB }),
  }
}

/** What the colours mean, in two columns; `line` is the distance of lines in px. */
export function legendOf({ x, y }: Point, line: number): readonly string[] {
  const entries = [
    ['#ffffff', 'free'],
    ['#dddddd', 'CPU not allowed'],
    [OTHERS, 'memory in use by others'],
    [MISSING, 'missing memory'],
    ['#ffffff', 'thick frame: emulator or I/O threads'],
  ] as const
  return entries.flatMap(([fill, words], index) => {
    const at = { x: x + (index % 2) * 240, y: y + (index >> 1) * line }
    const wide = words.startsWith('thick')
    return [
      box({ x: at.x, y: at.y - 10, width: 12, height: 12 }, { fill, stroke: wide ? INK : FRAME, wide }),
      label({ x: at.x + 18, y: at.y }, words),
    ]
  })
}
