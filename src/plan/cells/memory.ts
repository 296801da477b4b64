// The guest's memory -> a share for each cell.
//
// Memory is divided in units. With huge pages a unit is a page, with ordinary memory it is what libvirt
// rounds a cell to (1 MiB, 256 MiB on ppc64); smaller pages are divided in that unit too, since libvirt
// would otherwise round the cell up. What is left below a unit goes to the last cell. Each policy says how
// many units a cell gets; the odd ones go to the lowest cells, and no cell stays empty.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { sum } from '../../base/lists.ts'
import { diagnostic, refuse } from '../../codes/codes.ts'
import type { DomainView } from '../../model/domain.ts'
import type { PlanInput } from '../../model/placement.ts'
import type { MemorySplit, Request } from '../../model/request.ts'
import { type Backed, byFreePages, type MemoryUnits } from './free-pages.ts'

/** All of a guest's memory. `restKiB` is what whole units leave over: below a unit, or less than 0. */
export interface GuestMemory extends MemoryUnits {
  readonly totalKiB: number
  readonly restKiB: number
}

/** @param pagesizeKiB undefined is ordinary memory */
export function memoryUnits(
  view: DomainView,
  request: Request,
  pagesizeKiB: number | undefined,
): GuestMemory {
  const totalKiB = cellMemoryKiB(view)
  const unitKiB = Math.max(
    pagesizeKiB ?? 0,
    request.rules.cellUnit === 'page' && pagesizeKiB !== undefined ? 0 : roundedToKiB(view),
  )
  // by-free-pages counts every page of a node, so no rest below a unit fits there.
  const isCounted = request.memory === 'by-free-pages' && pagesizeKiB !== undefined
  const units = isCounted ? Math.ceil(totalKiB / unitKiB) : Math.floor(totalKiB / unitKiB)
  return { units, unitKiB, totalKiB, restKiB: totalKiB - units * unitKiB }
}

/**
 * @param cells the vCPUs of each cell, those offline included, and the node that backs it
 * @param pagesizeKiB undefined is ordinary memory
 * @returns KiB per cell; the sum is `<memory>` less the memory devices
 * @throws Refusal `memory-too-small`, `memory-not-page-multiple`, `pages-short-in-all`
 */
export function splitMemory(
  input: PlanInput,
  cells: readonly Backed[],
  pagesizeKiB: number | undefined,
): number[] {
  const { view, request } = input
  const memory = memoryUnits(view, request, pagesizeKiB)
  checkSize(view, memory, cells.length, pagesizeKiB)
  const fitted =
    request.memory === 'by-free-pages' && pagesizeKiB !== undefined
      ? byFreePages(input, memory, cells, pagesizeKiB)
      : evenUnits[request.memory](
          memory.units,
          cells.map(({ vcpus }) => vcpus),
        )
  return inKiB(fitted, memory)
}

/**
 * The same where it does not depend on what is free; by-free-pages comes as near to by-vcpu as it can.
 * @param vcpus of each cell
 * @returns KiB per cell
 */
export function evenSplit(memory: GuestMemory, policy: MemorySplit, vcpus: readonly number[]): number[] {
  return inKiB(evenUnits[policy](memory.units, vcpus), memory)
}

/** No cell stays empty, and what is below a unit goes to the last one. */
function inKiB(shares: readonly number[], { unitKiB, restKiB }: GuestMemory): number[] {
  const kib = (shares.length === 1 ? shares : withoutEmpty(shares)).map((share) => share * unitKiB)
  kib[kib.length - 1] = (kib.at(-1) as number) + restKiB
  return kib
}

function checkSize(
  view: DomainView,
  { totalKiB, unitKiB }: GuestMemory,
  cells: number,
  pagesizeKiB: number | undefined,
): void {
  const memoryKiB = Math.max(0, totalKiB)
  // A single cell is the whole guest, which libvirt rounds up by itself.
  const least = cells === 1 ? (pagesizeKiB ?? 1) : unitKiB
  if (totalKiB < cells * least) refuse('memory-too-small', { memoryKiB, cells, unitKiB: least })
  if (pagesizeKiB === undefined || (totalKiB % pagesizeKiB === 0 && !view.memoryRounded)) return
  const lowerKiB = totalKiB - (totalKiB % pagesizeKiB || pagesizeKiB)
  refuse('memory-not-page-multiple', { memoryKiB, pagesizeKiB, lowerKiB })
}

/** What the cells hold together: memory devices count in `<memory>` too. */
export function cellMemoryKiB({
  memoryKiB,
  memoryDevices,
}: Pick<DomainView, 'memoryKiB' | 'memoryDevices'>): number {
  return memoryKiB - sum(memoryDevices.map(({ sizeKiB }) => sizeKiB))
}

/** @see libvirt virDomainDefPostParseMemory, qemuDomainGetMemorySizeAlignment */
export function roundedToKiB({ arch }: Pick<DomainView, 'arch'>): number {
  return arch?.startsWith('ppc64') ? 256 * 1024 : 1024
}

/** A cell's memory as QEMU sees it: libvirt rounds it up. */
export function roundedUp(memoryKiB: number, view: Pick<DomainView, 'arch'>): number {
  const unitKiB = roundedToKiB(view)
  return Math.ceil(memoryKiB / unitKiB) * unitKiB
}

/** A finding for a cell (id, KiB) whose memory does not fill pages of this size. */
export function notWholePages(
  { id, memoryKiB }: { readonly id: number; readonly memoryKiB: number },
  pagesizeKiB: number,
  view: Pick<DomainView, 'arch'>,
  of: { readonly isRecorded?: boolean } = {},
): Diagnostic[] {
  if (roundedUp(memoryKiB, view) % pagesizeKiB === 0) return []
  const lowerKiB = memoryKiB - (memoryKiB % pagesizeKiB)
  return [diagnostic('cell-not-page-multiple', { cell: id, memoryKiB, pagesizeKiB, lowerKiB, ...of })]
}

/** How many units each cell gets, from the vCPUs of all. Ordinary memory is split by vCPU in any case. */
const evenUnits: Record<MemorySplit, (units: number, vcpus: readonly number[]) => number[]> = {
  'by-vcpu': proportional,
  'by-free-pages': proportional,
  even: (units, vcpus) =>
    proportional(
      units,
      vcpus.map(() => 1),
    ),
}

function proportional(units: number, weights: readonly number[]): number[] {
  const all = sum(weights)
  const shares = weights.map((weight) => Math.floor((units * weight) / all))
  const odd = units - sum(shares)
  return shares.map((share, cell) => share + (cell < odd ? 1 : 0))
}

/** A cell without memory is taken one unit from the largest; there are at least as many units as cells. */
function withoutEmpty(shares: readonly number[]): number[] {
  const filled = [...shares]
  if (sum(shares) < shares.length) return filled
  for (let cell = filled.indexOf(0); cell >= 0; cell = filled.indexOf(0)) {
    const largest = filled.indexOf(Math.max(...filled))
    filled[largest] = (filled[largest] as number) - 1
    filled[cell] = 1
  }
  return filled
}
