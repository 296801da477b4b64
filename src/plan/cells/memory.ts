// The guest's memory to shares, one per cell.
//
// Memory is dealt in units. With hugepages a unit is a page, with ordinary memory it is what libvirt rounds a
// cell to (1 MiB, 256 MiB on ppc64); smaller pages are dealt by that too, since libvirt would otherwise grow
// the cell behind our back. What is left below a unit goes to the last cell. Each policy says how many units
// a cell gets; the odd ones go to the lowest cells, and no cell stays empty.

import { formatKiB } from '../../base/memory.ts'
import { refuse } from '../../codes/codes.ts'
import type { DomainView, MemorySplit, Request, Resources } from '../../model.ts'
import { type Backed, byFreePages } from './free-pages.ts'

/** What a policy may look at beside the cells' vCPUs. */
interface Dealt {
  readonly units: number
  readonly unitKiB: number
  readonly cells: readonly Backed[]
  readonly resources: Resources
  readonly request: Request
  readonly pagesizeKiB: number | undefined
}

/**
 * @param cells the vCPUs of each cell, those offline included, and the node that backs it
 * @returns KiB per cell; the sum is `<memory>` less the memory devices
 * @throws Refusal `memory-too-small`, `memory-not-page-multiple`, `pages-short-in-all`
 */
export function splitMemory(
  view: DomainView,
  resources: Resources,
  request: Request,
  cells: readonly Backed[],
  pagesizeKiB: number | undefined,
): number[] {
  const totalKiB = cellMemoryKiB(view)
  const unitKiB = Math.max(
    pagesizeKiB ?? 0,
    request.rules.cellUnit === 'page' && pagesizeKiB !== undefined ? 0 : roundedToKiB(view),
  )
  checkSize(view, totalKiB, unitKiB, cells.length, pagesizeKiB)
  // A node that is counted out to the page has no room for a rest beside its units.
  const isCounted = request.memory === 'by-free-pages' && pagesizeKiB !== undefined
  const units = isCounted ? Math.ceil(totalKiB / unitKiB) : Math.floor(totalKiB / unitKiB)
  const dealt = split[request.memory]({ units, unitKiB, cells, resources, request, pagesizeKiB })
  const shares = (cells.length === 1 ? dealt : withoutEmpty(dealt)).map((share) => share * unitKiB)
  shares[shares.length - 1] = (shares.at(-1) as number) + (totalKiB - units * unitKiB)
  return shares
}

function checkSize(
  view: DomainView,
  totalKiB: number,
  unitKiB: number,
  cells: number,
  pagesizeKiB: number | undefined,
): void {
  const memory = formatKiB(Math.max(0, totalKiB))
  // A single cell is the whole guest, which libvirt rounds up by itself.
  const least = cells === 1 ? (pagesizeKiB ?? 1) : unitKiB
  if (totalKiB < cells * least) {
    refuse('memory-too-small', { memory, cells, unit: formatKiB(least), need: formatKiB(cells * least) })
  }
  if (pagesizeKiB === undefined || (totalKiB % pagesizeKiB === 0 && !view.memoryRounded)) return
  const lower = totalKiB - (totalKiB % pagesizeKiB || pagesizeKiB)
  refuse('memory-not-page-multiple', {
    memory,
    page: formatKiB(pagesizeKiB),
    lower: formatKiB(lower),
    upper: formatKiB(lower + pagesizeKiB),
  })
}

/** What the cells hold together: memory devices count in `<memory>` too. */
export function cellMemoryKiB({
  memoryKiB,
  memoryDevices,
}: Pick<DomainView, 'memoryKiB' | 'memoryDevices'>): number {
  return memoryDevices.reduce((left, { sizeKiB }) => left - sizeKiB, memoryKiB)
}

/** @see libvirt virDomainDefPostParseMemory, qemuDomainGetMemorySizeAlignment */
export function roundedToKiB({ arch }: Pick<DomainView, 'arch'>): number {
  return arch?.startsWith('ppc64') ? 256 * 1024 : 1024
}

const split: Record<MemorySplit, (dealt: Dealt) => number[]> = {
  'by-vcpu': byVcpu,
  even: ({ units, cells }) =>
    proportional(
      units,
      cells.map(() => 1),
    ),
  /** Ordinary memory is not counted out beforehand: it is split by vCPU. */
  'by-free-pages': (dealt) => {
    const { units, unitKiB, cells, resources, request, pagesizeKiB } = dealt
    return pagesizeKiB === undefined
      ? byVcpu(dealt)
      : byFreePages(units, unitKiB, cells, resources, request, pagesizeKiB)
  },
}

function byVcpu({ units, cells }: Dealt): number[] {
  return proportional(
    units,
    cells.map(({ vcpus }) => vcpus),
  )
}

function proportional(units: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const shares = weights.map((weight) => Math.floor((units * weight) / sum))
  const odd = shares.reduce((left, share) => left - share, units)
  return shares.map((share, cell) => share + (cell < odd ? 1 : 0))
}

/** A cell without memory is taken one unit from the largest; there are at least as many units as cells. */
function withoutEmpty(shares: readonly number[]): number[] {
  const filled = [...shares]
  for (let cell = filled.indexOf(0); cell >= 0; cell = filled.indexOf(0)) {
    const largest = filled.indexOf(Math.max(...filled))
    filled[largest] = (filled[largest] as number) - 1
    filled[cell] = 1
  }
  return filled
}
