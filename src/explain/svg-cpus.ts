// A node's CPUs to boxes: each in the colour of the cell that runs on it, the threads of a core side by side.

import { type CpuSet, formatSet, union } from '../base/idset.ts'
import { box, type Colour, colourOf, INK, label, tooltip } from './svg-shapes.ts'
import type { Explained } from './text.ts'

/** px */
const CPU = 28
export const CPU_HEIGHT = 34
export const GAP = 4
export const CPUS_A_ROW = 8
export const ROW_WIDTH = CPUS_A_ROW * (CPU + GAP) - GAP

/** Who runs where, by CPU; made once, since a host may have thousands of CPUs. */
export interface CpuUses {
  readonly cells: ReadonlyMap<number, readonly number[]>
  /** Those that run on this CPU alone. */
  readonly vcpus: ReadonlyMap<number, readonly number[]>
  readonly cores: ReadonlyMap<number, CpuSet>
  /** Any vCPU may run there: a guest without cells is drawn as one. */
  readonly pinned: ReadonlySet<number>
  /** The emulator or I/O threads run there. */
  readonly others: ReadonlySet<number>
  readonly given: ReadonlySet<number>
}

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
    given: new Set<number>(request.cpuset ?? resources.allowed.cpus),
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

export function cpuBoxes(cpus: CpuSet, x: number, y: number, uses: CpuUses): string[] {
  const inOrder = coresOf(cpus, uses).flatMap((core) => core.map((cpu) => ({ cpu, core })))
  return inOrder.map(({ cpu, core }, index) => {
    const [column, row] = [index % CPUS_A_ROW, Math.floor(index / CPUS_A_ROW)]
    return cpuBox(cpu, core, x + column * (CPU + GAP), y + row * (CPU_HEIGHT + GAP), uses)
  })
}

/**
 * Cores by their first CPU on this node. A CPU of which nobody says who its siblings are is a core of its
 * own.
 */
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

function cpuBox(cpu: number, core: readonly number[], x: number, y: number, uses: CpuUses): string {
  const cells = uses.cells.get(cpu) ?? []
  const vcpus = uses.vcpus.get(cpu) ?? []
  const isGiven = uses.given.has(cpu)
  const hasOthers = uses.others.has(cpu)
  const words = [
    `CPU ${cpu}${core.length > 1 ? `, core ${formatSet(core)}` : ''}`,
    ...(vcpus.length > 0 ? [`vCPU ${vcpus.join(', ')}`] : []),
    ...(cells.length > 0 ? [`cell ${cells.join(', ')}`] : []),
    ...(hasOthers ? ['emulator or I/O threads'] : []),
    ...(isGiven ? [] : ['not allowed']),
  ]
  const { fill, ink } = colourFor(cells[0] ?? (uses.pinned.has(cpu) ? 0 : undefined), isGiven)
  const shape = box(x, y, CPU, CPU_HEIGHT, { fill, stroke: hasOthers ? INK : '#999999', wide: hasOthers })
  const seat =
    vcpus.length === 0 ? [] : [label(x + CPU / 2, y + 29, `v${vcpus.join('+')}`, { ink, middle: true })]
  return tooltip(words.join('; '), [
    shape,
    label(x + CPU / 2, y + 14, `${cpu}`, { ink, middle: true }),
    ...seat,
  ])
}

function colourFor(cell: number | undefined, isGiven: boolean): Colour {
  if (cell !== undefined) return colourOf(cell)
  return isGiven ? { fill: '#ffffff', ink: INK } : { fill: '#dddddd', ink: '#767676' }
}
