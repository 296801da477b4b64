// One node's memory as a bar: what the cells take, what is free, what others hold; in huge pages where a cell
// takes them.

import { formatKiB } from '../base/memory.ts'
import type { HostNode } from '../model.ts'
import { box, colourOf, INK, label, tooltip } from './svg-shapes.ts'
import type { Explained } from './text.ts'

interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

interface Part {
  readonly kib: number
  readonly fill: string
  readonly words: string
}

const FREE = '#ffffff'
const HELD = '#bbbbbb'
const LACKING = '#000000'

/** ": 1 GiB lacking", or nothing. */
export function lackingWords(node: HostNode, explained: Explained): string {
  const { lackingKiB } = useOf(node, explained)
  return lackingKiB === 0 ? '' : `: ${formatKiB(lackingKiB)} lacking`
}

/** Without a known size there is no bar. What is lacking is drawn to the right of what the node has. */
export function memoryBar(node: HostNode, explained: Explained, area: Area): readonly string[] {
  const { totalKiB, heldKiB, wantedKiB, lackingKiB, taken, what } = useOf(node, explained)
  if (totalKiB === 0) return []
  const parts: Part[] = [
    { kib: heldKiB, fill: HELD, words: `${formatKiB(heldKiB)} of ${what} held by others` },
    ...taken.map(({ id, kib }) => ({
      kib,
      fill: colourOf(id).fill,
      words: `cell ${id}: ${formatKiB(kib)} of ${what}`,
    })),
    {
      kib: Math.max(0, totalKiB - heldKiB - wantedKiB),
      fill: FREE,
      words: `${formatKiB(Math.max(0, totalKiB - heldKiB - wantedKiB))} of ${what} free`,
    },
  ]
  const scale = area.width / (totalKiB + lackingKiB)
  let x = area.x
  const bars = parts.flatMap(({ kib, fill, words }) => {
    if (kib === 0) return []
    const bar = tooltip(words, [
      box(Math.round(x * 100) / 100, area.y, kib * scale, area.height, { fill, stroke: '#999999' }),
    ])
    x += kib * scale
    return [bar]
  })
  const short = lackingKiB === 0 ? [] : [shortage(area, lackingKiB, scale, what)]
  return [...bars, ...short]
}

/** Its width is part of what the cells take: the end that does not fit. */
function shortage({ x, y, width, height }: Area, lackingKiB: number, scale: number, what: string): string {
  const from = Math.round((x + width - lackingKiB * scale) * 100) / 100
  const shape = box(from, y + height - 3, lackingKiB * scale, 3, { fill: LACKING })
  return tooltip(`${formatKiB(lackingKiB)} of ${what} lacking`, [shape])
}

interface Use {
  /** 0: not known, or there is none. */
  readonly totalKiB: number
  readonly heldKiB: number
  readonly wantedKiB: number
  readonly lackingKiB: number
  readonly taken: readonly { readonly id: number; readonly kib: number }[]
  readonly what: string
}

/** Of the page size that the first cell there takes. */
function useOf(node: HostNode, explained: Explained): Use {
  const cells = shares(node, explained)
  const pagesizeKiB = cells.find((cell) => cell.pagesizeKiB !== undefined)?.pagesizeKiB
  const { totalKiB = 0, freeKiB = totalKiB } = roomOf(node, pagesizeKiB)
  const taken = cells.filter((cell) => cell.pagesizeKiB === pagesizeKiB)
  const wantedKiB = taken.reduce((sum, { kib }) => sum + kib, 0)
  const heldKiB = totalKiB - freeKiB
  const lackingKiB = totalKiB === 0 ? 0 : Math.max(0, wantedKiB + heldKiB - totalKiB)
  return {
    totalKiB,
    heldKiB,
    wantedKiB,
    lackingKiB,
    taken,
    what: pagesizeKiB === undefined ? 'memory' : `${formatKiB(pagesizeKiB)} pages`,
  }
}

/**
 * A cell over several nodes is drawn on each in equal parts: where the kernel puts a page is not known
 * before.
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

function roomOf(
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

/** Two columns. */
export function legendOf(x: number, y: number, line: number): readonly string[] {
  const entries = [
    ['#ffffff', 'free'],
    ['#dddddd', 'CPU not allowed'],
    [HELD, 'memory held by others'],
    [LACKING, 'memory lacking'],
    ['#ffffff', 'thick frame: emulator or I/O threads'],
  ] as const
  return entries.flatMap(([fill, words], index) => {
    const at = { x: x + (index % 2) * 240, y: y + (index >> 1) * line }
    const wide = words.startsWith('thick')
    return [
      box(at.x, at.y - 10, 12, 12, { fill, stroke: wide ? INK : '#999999', wide }),
      label(at.x + 18, at.y, words),
    ]
  })
}
