// A node's CPUs -> boxes: each in the colour of the cell that runs on it, the threads of a core side by side.

import { type CpuSet, formatSet, union } from '../base/idset.ts'
import { box, type Colour, colourOf, FRAME, INK, label, type Point, tooltip } from './svg-shapes.ts'
import type { Explained } from './text.ts'

/** px, the width of a CPU's box. */
const CPU_WIDTH = 28
const CPU_HEIGHT = 34
/** px, between boxes. */
export const GAP = 4
const CPUS_A_ROW = 8
/** px, the width of a full row of CPUs. */
export const ROW_WIDTH = CPUS_A_ROW * (CPU_WIDTH + GAP) - GAP

/** What runs on each CPU; computed once, since a host may have thousands of CPUs. */
export interface CpuUses {
  readonly cells: ReadonlyMap<number, readonly number[]>
  /** The vCPUs that are pinned to this CPU alone. */
  readonly vcpus: ReadonlyMap<number, readonly number[]>
  readonly cores: ReadonlyMap<number, CpuSet>
  /** CPUs where some vCPU may run: a guest without cells is drawn as one cell. */
  readonly pinned: ReadonlySet<number>
  /** CPUs of the emulator or of I/O threads. */
  readonly others: ReadonlySet<number>
  /** CPUs that the guest may use. */
  readonly allowed: ReadonlySet<number>
}

/** What a placement runs on each CPU. */
export function usesOf({ view, request, resources, placement: { cells, binding } }: Explained): CpuUses {
  const { vcpupin, emulatorpin, iothreadpin } = binding
  const onCells = cells.map(
    ({ id, vcpus }) => [id, union(...vcpus.map((vcpu) => vcpupin[vcpu] ?? NONE))] as const,
  )
  const alone = view.online.map(
    (vcpu) => [vcpu, vcpupin[vcpu]?.length === 1 ? (vcpupin[vcpu] ?? NONE) : NONE] as const,
  )
  return {
    cells: byCpu(onCells),
    vcpus: byCpu(alone),
    cores: new Map(resources.siblings.flatMap((core) => core.map((cpu) => [cpu, core] as const))),
    pinned: new Set<number>(union(...vcpupin)),
    others: new Set<number>(union(emulatorpin ?? NONE, ...iothreadpin)),
    allowed: new Set<number>(request.cpuset ?? resources.allowed.cpus),
  }
}

const NONE: CpuSet = union()

function byCpu(
  pairs: readonly (readonly [id: number, cpus: CpuSet])[],
): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>()
  for (const [id, cpus] of pairs) {
    for (const cpu of cpus) {
      const there = found.get(cpu)
      if (there === undefined) found.set(cpu, [id])
      else there.push(id)
    }
  }
  return found
}

/** The height of a node's rows of CPUs, in px; a node without CPUs has one row. */
export function rowsHeight(cpus: CpuSet): number {
  return Math.max(1, Math.ceil(cpus.length / CPUS_A_ROW)) * (CPU_HEIGHT + GAP)
}

/** The CPUs of a node in rows, from the top left corner on. */
export function cpuBoxes(cpus: CpuSet, from: Point, uses: CpuUses): string[] {
  const inOrder = coresOf(cpus, uses).flatMap((core) => core.map((cpu) => ({ cpu, core })))
  return inOrder.map(({ cpu, core }, index) => {
    const [column, row] = [index % CPUS_A_ROW, Math.floor(index / CPUS_A_ROW)]
    const at = { x: from.x + column * (CPU_WIDTH + GAP), y: from.y + row * (CPU_HEIGHT + GAP) }
    return cpuBox(cpu, core, at, uses)
  })
}

/** Cores by their first CPU on this node. A CPU with unknown siblings is a core of its own. */
function coresOf(cpus: CpuSet, { cores }: CpuUses): readonly (readonly number[])[] {
  const onNode = new Map<CpuSet | number, number[]>()
  for (const cpu of cpus) {
    const core = cores.get(cpu) ?? cpu
    const there = onNode.get(core)
    if (there === undefined) onNode.set(core, [cpu])
    else there.push(cpu)
  }
  return [...onNode.values()]
}

function cpuBox(cpu: number, core: readonly number[], { x, y }: Point, uses: CpuUses): string {
  const cells = uses.cells.get(cpu) ?? []
  const vcpus = uses.vcpus.get(cpu) ?? []
  const isAllowed = uses.allowed.has(cpu)
  const hasOthers = uses.others.has(cpu)
  const words = [
    `CPU ${cpu}${core.length > 1 ? `, core of CPUs ${formatSet(core)}` : ''}`,
    ...(vcpus.length > 0 ? [`vCPU ${vcpus.join(', ')}`] : []),
    ...(cells.length > 0 ? [`cell ${cells.join(', ')}`] : []),
    ...(hasOthers ? ['emulator or I/O threads'] : []),
    ...(isAllowed ? [] : ['not allowed']),
  ]
  const { fill, ink } = colourFor(cells[0] ?? (uses.pinned.has(cpu) ? 0 : undefined), isAllowed)
  const area = { x, y, width: CPU_WIDTH, height: CPU_HEIGHT }
  const middle = x + CPU_WIDTH / 2
  const vcpuLabel = label({ x: middle, y: y + 29 }, `v${vcpus.join('+')}`, { ink, middle: true })
  return tooltip(words.join('; '), [
    box(area, { fill, stroke: hasOthers ? INK : FRAME, wide: hasOthers }),
    label({ x: middle, y: y + 14 }, `${cpu}`, { ink, middle: true }),
    ...(vcpus.length === 0 ? [] : [vcpuLabel]),
  ])
}

function colourFor(cell: number | undefined, isAllowed: boolean): Colour {
  if (cell !== undefined) return colourOf(cell)
  return isAllowed ? { fill: '#ffffff', ink: INK } : { fill: '#dddddd', ink: '#767676' }
}
