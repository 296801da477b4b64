// Placements for several values of one key -> text: what each gives the guest, what it lacks, and by which
// criterion its nodes are worse than the best.

import { type CpuSet, formatSet, setOf, union } from '../../base/idset.ts'
import { aboutKiB, formatKiB } from '../../base/memory.ts'
import { visible } from '../../base/visible.ts'
import { classOf } from '../../codes/codes.ts'
import type { Cell } from '../../model/placement.ts'
import { labelOf } from '../diagnostics.ts'
import { messageOf } from '../message.ts'
import { vcpusNamed } from '../text.ts'
import { cpuWord, nodesNamed, plural } from '../texts/words.ts'
import { type Comparison, type Costs, costsOf, differingIn, type Variant } from './comparison.ts'
import { type ComparedRow, sideBySide } from './side-by-side.ts'

export type { Variant } from './comparison.ts'

type Placed = NonNullable<Variant['placed']>

/** The comparison in lines of at most 80 columns, with a final newline. */
export function compareText(comparison: Comparison): string {
  const { key, variants } = comparison
  const placed = variants.flatMap((variant) => variant.placed ?? [])
  const cells = Math.max(0, ...placed.map(({ placement }) => placement.cells.length))
  const costs = costsOf(variants)
  const row = (name: string, cell: (variant: Placed) => readonly string[]): ComparedRow => ({
    name,
    cells: variants.map((variant) => (variant.placed === undefined ? [] : cell(variant.placed))),
  })
  const rows: ComparedRow[] = [
    { name: key, cells: variants.map(({ value }) => [value]) },
    { name: 'result', cells: variants.map((variant) => resultOf(variant)) },
    row('nodes', nodesOf),
    row('cells', ({ placement }) => [placement.cells.length === 0 ? 'none' : `${placement.cells.length}`]),
    ...Array.from({ length: cells }, (_, id) => row(`cell ${id}`, (each) => cellOf(each, id))),
    row('emulator', ({ placement: { binding } }) => [pinned(binding.emulatorpin ?? setOf<CpuSet>([]))]),
    ...(placed.some(({ reason }) => reason !== undefined)
      ? [row('cost', (each) => costOf(each, costs))]
      : []),
    { name: 'findings', cells: variants.map((variant) => findingsOf(variant, comparison)) },
  ]
  return `${[...headline(placed), ...sideBySide(rows)].map(visible).join('\n')}\n`
}

function headline([first]: readonly Placed[]): string[] {
  if (first === undefined) return []
  const { name, vcpus, memoryKiB } = first.view
  return [`guest ${name || '(no name)'}: ${plural(vcpus, 'vCPU')}, ${formatKiB(memoryKiB)}`, '']
}

function resultOf({ placed, refused }: Variant): readonly string[] {
  if (placed === undefined) return [`refused: ${plural(refused?.length ?? 0, 'reason')}`]
  const lacks = placed.notes.some(({ code }) => classOf(code) === 'capacity')
  if (lacks) return ['cannot start now']
  return [placed.edits.length === 0 ? 'as it is' : plural(placed.edits.length, 'edit')]
}

function nodesOf({ placement: { binding } }: Placed): readonly string[] {
  const nodes = union(...binding.memnodes.map((memnode) => memnode.nodes), binding.memory?.nodes ?? setOf([]))
  return [nodes.length === 0 ? '-' : formatSet(nodes)]
}

function cellOf({ placement }: Placed, id: number): readonly string[] {
  const cell: Cell | undefined = placement.cells[id]
  const memnode = placement.binding.memnodes[id]
  if (cell === undefined || memnode === undefined) return ['-']
  const { vcpupin } = placement.binding
  const cpus = union(...cell.vcpus.map((vcpu) => vcpupin[vcpu] ?? setOf<CpuSet>([])))
  const { pagesizeKiB, nodes } = memnode
  return [
    vcpusNamed(cell.vcpus),
    ...(cell.vcpus.length === 0 ? [] : [pinned(cpus)]),
    `${formatKiB(cell.memoryKiB)}, ${nodesNamed(nodes)}`,
    ...(pagesizeKiB === undefined
      ? []
      : [`${plural(cell.memoryKiB / pagesizeKiB, 'page')} of ${formatKiB(pagesizeKiB)}`]),
  ]
}

const pinned = (cpus: CpuSet): string => (cpus.length === 0 ? 'not pinned' : cpuWord(cpus))

/** The strongest criterion in which the nodes are worse than those of the best variant. */
function costOf({ reason }: Placed, { leastOf }: Costs): readonly string[] {
  const cost = reason?.cost
  if (cost === undefined || leastOf === undefined) return ['nodes were not chosen']
  const criterion = differingIn(cost, leastOf)
  if (criterion === undefined) return ['least']
  const amount = criterion === 'memory' || criterion === 'available' ? aboutKiB : String
  return [`${names[criterion]}: ${amount(cost[criterion])}, least ${amount(leastOf[criterion])}`]
}

const names: Readonly<Record<NonNullable<ReturnType<typeof differingIn>>, string>> = {
  cpus: 'guest cores without a CPU',
  memory: 'memory missing',
  taken: 'vCPUs on CPUs of other guests',
  nodes: 'nodes too many or too few',
  available: 'memory in use now',
  distance: 'distance',
  moved: 'cells moved',
  caches: 'level-3 caches',
  split: 'split cores',
}

/** Of a refusal every reason; else the codes, each once. */
function findingsOf({ placed, refused }: Variant, { severity }: Comparison): readonly string[] {
  if (placed === undefined)
    return (refused ?? []).map((each) => `error: ${each.code}: ${messageOf(each).what}`)
  const found = [...new Set(placed.notes.map((each) => `${labelOf(each, severity)}: ${each.code}`))]
  return found.length === 0 ? ['none'] : found
}
