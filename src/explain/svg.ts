// A placement -> a picture: the guest's cells above, the host's nodes below, each CPU in the colour of the
// cell that runs on it.

import { aboutKiB, formatKiB } from '../base/memory.ts'
import type { HostNode } from '../model/host.ts'
import type { Cell, Placement } from '../model/placement.ts'
import { type CpuUses, cpuBoxes, GAP, ROW_WIDTH, rowsHeight, usesOf } from './svg-cpus.ts'
import { legendOf, memoryBar, missingWords } from './svg-memory.ts'
import { box, colourOf, document, INK, label, PALE, type Point, title } from './svg-shapes.ts'
import { type Explained, vcpusNamed } from './text.ts'
import { nodesNamed, plural } from './texts/words.ts'

/** px, like all lengths here. */
const PAD = 12
const WIDTH = ROW_WIDTH + 2 * PAD
const LINE = 16
const BAR = 14
const BOXES_A_ROW = 4
const APART = 20

/** A large host has more nodes than fit on a screen: those in use are drawn first, and the rest counted. */
const MOST_NODES = 16

/** An SVG document for a browser or a bug report, with a final newline. Same arguments, same text. */
export function drawPlan(explained: Explained): string {
  const { view, placement } = explained
  const cells = placement.cells.map((cell) => cellBox(cell, placement))
  const uses = usesOf(explained)
  const nodes = drawnNodes(explained, uses)
  const size = `${plural(view.vcpus, 'vCPU')}, ${formatKiB(view.memoryKiB)}`
  const heading = `guest ${view.name || '(no name)'}: ${size}`
  const rest = explained.resources.nodes.length - nodes.length
  const hidden = plural(rest, 'further node')
  const top = PAD + 2 * LINE
  const guest = grid(cells, top)
  const host = grid(
    nodes.map((node) => nodeBox(node, explained, uses)),
    guest.bottom + APART + LINE,
  )
  const width = 2 * PAD + Math.max(guest.width, host.width)
  const foot = host.bottom + LINE
  const parts = [
    title({ x: PAD, y: PAD + LINE }, heading),
    ...guest.parts,
    label({ x: PAD, y: guest.bottom + APART }, rest === 0 ? 'host' : `host; ${hidden} not shown`),
    ...host.parts,
    ...legendOf({ x: PAD, y: foot }, LINE),
  ]
  return document({ width, height: foot + 3 * LINE }, heading, parts)
}

/** A box that is not yet in its place; `from` is its top left corner. */
interface Drawn {
  readonly height: number
  readonly parts: (from: Point) => readonly string[]
}

interface Grid {
  readonly parts: readonly string[]
  readonly bottom: number
  readonly width: number
}

/** Boxes of one width in rows; a row is as high as its highest box. */
function grid(boxes: readonly Drawn[], top: number): Grid {
  const parts: string[] = []
  let y = top
  for (let at = 0; at < boxes.length; at += BOXES_A_ROW) {
    const row = boxes.slice(at, at + BOXES_A_ROW)
    row.forEach((each, index) => {
      // One by one: a node may have more CPUs than a call has arguments.
      for (const part of each.parts({ x: PAD + index * (WIDTH + APART), y })) parts.push(part)
    })
    y += Math.max(...row.map(({ height }) => height)) + APART
  }
  const columns = Math.min(BOXES_A_ROW, Math.max(1, boxes.length))
  return {
    parts,
    bottom: boxes.length === 0 ? top : y - APART,
    width: columns * WIDTH + (columns - 1) * APART,
  }
}

const MOST_DEVICES = 4

/** The PCI devices that the guest sees in a cell, and how many more there are. */
function devicesIn({ id }: Cell, { devices }: Placement): string[] {
  const names = (devices?.places ?? []).filter(({ cell }) => cell === id).map(({ name }) => `PCI ${name}`)
  const rest = names.length - MOST_DEVICES
  return rest > 0 ? [...names.slice(0, MOST_DEVICES), `and ${rest} more`] : names
}

function cellBox(cell: Cell, placement: Placement): Drawn {
  const { binding } = placement
  const memnode = binding.memnodes[cell.id]
  const page = memnode?.pagesizeKiB
  const pages = page === undefined ? '' : ` = ${cell.memoryKiB / page} x ${formatKiB(page)}`
  const lines = [
    vcpusNamed(cell.vcpus),
    `${formatKiB(cell.memoryKiB)}${pages}`,
    memnode === undefined ? 'not bound' : `${memnode.mode} on ${nodesNamed(memnode.nodes)}`,
    ...(cell.distances.length > 1 ? [`distances ${cell.distances.join(' ')}`] : []),
    ...devicesIn(cell, placement),
  ]
  const height = 2 * PAD + (lines.length + 1) * LINE
  return {
    height,
    parts: ({ x, y }) => [
      box({ x, y, width: WIDTH, height }, { fill: PALE, stroke: colourOf(cell.id).fill }),
      title({ x: x + PAD, y: y + PAD + LINE - 4 }, `cell ${cell.id}`),
      ...lines.map((line, index) => label({ x: x + PAD, y: y + PAD + (index + 2) * LINE - 4 }, line)),
    ],
  }
}

/** Nodes in use, then those that the guest may use, by id. */
function drawnNodes({ resources, placement }: Explained, uses: CpuUses): readonly HostNode[] {
  const { nodes, allowed } = resources
  const bound = new Set<number>(placement.binding.memnodes.flatMap(({ nodes }) => nodes))
  const inUse = ({ id, cpus }: HostNode): boolean => bound.has(id) || cpus.some((cpu) => uses.cells.has(cpu))
  const ranked = nodes.map((node) => ({
    node,
    rank: inUse(node) ? 0 : allowed.nodes.includes(node.id) ? 1 : 2,
  }))
  const chosen = ranked
    .sort((one, other) => one.rank - other.rank || one.node.id - other.node.id)
    .slice(0, MOST_NODES)
  return chosen.map(({ node }) => node).sort((one, other) => one.id - other.id)
}

function nodeBox(node: HostNode, explained: Explained, uses: CpuUses): Drawn {
  const height = 2 * PAD + 2 * LINE + rowsHeight(node.cpus) + BAR + GAP
  const isAllowed = explained.resources.allowed.nodes.includes(node.id)
  const has = node.memoryKiB === undefined ? '' : `, ${aboutKiB(node.memoryKiB)}`
  return {
    height,
    parts: ({ x, y }) => [
      box({ x, y, width: WIDTH, height }, { fill: isAllowed ? '#ffffff' : '#eeeeee', stroke: INK }),
      title({ x: x + PAD, y: y + PAD + LINE - 4 }, `node ${node.id}${has}${missingWords(node, explained)}`),
      ...(node.cpus.length === 0
        ? [label({ x: x + PAD, y: y + PAD + 2 * LINE }, 'no CPUs')]
        : cpuBoxes(node.cpus, { x: x + PAD, y: y + PAD + LINE + 4 }, uses)),
      ...memoryBar(node, explained, {
        x: x + PAD,
        y: y + height - PAD - BAR,
        width: WIDTH - 2 * PAD,
        height: BAR,
      }),
    ],
  }
}
