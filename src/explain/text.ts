// A placement -> text: what the guest gets, where on the host, and from which CPUs and policies that follows.

import { type CpuSet, formatSet, intersect, setOf, union } from '../base/idset.ts'
import { formatKiB } from '../base/memory.ts'
import { visible } from '../base/visible.ts'
import type { Cell, DomainView, Memnode, Placement, Request, Resources } from '../model.ts'

/** A placement with everything that explains it. */
export interface Explained {
  readonly view: DomainView
  readonly request: Request
  readonly resources: Resources
  readonly placement: Placement
  readonly edits: readonly unknown[]
}

/** The explanation in lines of text, with a final newline. The same arguments give the same text. */
export function explain(explained: Explained): string {
  const { placement } = explained
  const parts = [
    [headline(explained)],
    placement.cells.length === 0
      ? [bareLine(placement)]
      : [...placement.cells.map((cell) => cellLine(cell, explained)), ...deviceLines(explained)],
    pinLines(explained),
    distanceLines(placement),
    whyLines(explained),
  ]
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(visible).join('\n'))
    .join('\n\n')}\n`
}

function bareLine({ binding: { memory } }: Placement): string {
  if (memory === undefined) return 'no cells: only the vCPUs are pinned'
  return `no cells: the vCPUs are pinned and the memory is bound to ${nodeWord(memory.nodes)}`
}

function headline({ view, placement }: Explained): string {
  const offline = view.vcpus - view.online.length
  const vcpus = `${count(view.vcpus, 'vCPU')}${offline === 0 ? '' : ` (${offline} of them offline at boot)`}`
  const pluggedKiB = view.memoryDevices.reduce((sum, { sizeKiB }) => sum + sizeKiB, 0)
  const plugged =
    pluggedKiB === 0
      ? ''
      : ` (${formatKiB(pluggedKiB)} of it in ${count(view.memoryDevices.length, 'memory device')})`
  const nodes = union(...placement.binding.memnodes.map((memnode) => memnode.nodes))
  const cells = placement.cells.length === 0 ? '' : `, in ${count(placement.cells.length, 'cell')}`
  const where = nodes.length === 0 ? '' : ` on ${nodeWord(nodes)}`
  return `guest ${view.name || '(no name)'}: ${vcpus}, ${formatKiB(view.memoryKiB)}${plugged}${cells}${where}`
}

function cellLine(cell: Cell, { placement }: Explained): string {
  const { memnodes, vcpupin } = placement.binding
  const memnode = memnodes[cell.id] as Memnode
  const cpus = union(...cell.vcpus.map((vcpu) => vcpupin[vcpu] ?? setOf<CpuSet>([])))
  const vcpus =
    cell.vcpus.length === 0
      ? 'no vCPUs'
      : `${cell.vcpus.length === 1 ? 'vCPU' : 'vCPUs'} ${formatSet(cell.vcpus)}`
  const on = cpus.length === 0 ? 'not pinned' : `on ${cpuWord(cpus)}`
  return `  cell ${cell.id}  ${vcpus} ${on}, ${memoryWords(cell.memoryKiB, memnode)} ${memnode.mode === 'strict' ? 'on' : `${memnode.mode} on`} ${nodeWord(memnode.nodes)}`
}

/** Memory devices with nodes of their own; the memory of the others is on the nodes of their cells. */
function deviceLines({ view }: Explained): string[] {
  return view.memoryDevices.flatMap(({ model, cell = 0, sizeKiB, nodes = [] }) =>
    nodes.length === 0 ? [] : [`  ${model} in cell ${cell}, ${formatKiB(sizeKiB)} on ${nodeWord(nodes)}`],
  )
}

function memoryWords(memoryKiB: number, { pagesizeKiB }: Memnode): string {
  if (pagesizeKiB === undefined) return formatKiB(memoryKiB)
  return `${formatKiB(memoryKiB)} (${count(memoryKiB / pagesizeKiB, 'page')} of ${formatKiB(pagesizeKiB)})`
}

/** The pins. vCPUs are listed only when each has one CPU; otherwise the lines of the cells show their CPUs. */
function pinLines({ view, placement }: Explained): string[] {
  const { vcpupin, emulatorpin, iothreadpin } = placement.binding
  const single = view.online.every((vcpu) => vcpupin[vcpu]?.length === 1)
  const pairs = single ? view.online.map((vcpu) => `${vcpu}:${formatSet(vcpupin[vcpu] ?? [])}`) : []
  const threads = [...new Set([...new Set(iothreadpin)].filter((cpus) => cpus.length > 0).map(cpuWord))]
  return [
    ...(single ? wrap('  vCPU:CPU   ', pairs) : []),
    `  emulator   ${emulatorpin === undefined ? 'not pinned' : `on ${cpuWord(emulatorpin)}`}`,
    ...(view.iothreads.length === 0
      ? []
      : [
          `  I/O        ${count(view.iothreads.length, 'thread')} ${threads.length === 0 ? 'not pinned' : `on ${threads.join(' / ')}`}`,
        ]),
  ]
}

function distanceLines({ cells }: Placement): string[] {
  if (cells.length < 2 || !cells.some(({ distances }) => distances.length > 0)) return []
  const width = Math.max(...cells.flatMap(({ distances }) => distances.map((value) => `${value}`.length)))
  return cells.map(({ id, distances }) => {
    const row =
      distances.length === 0 ? 'none' : distances.map((value) => `${value}`.padStart(width)).join(' ')
    return `  ${id === 0 ? 'distances' : '         '}  ${row}`
  })
}

function whyLines({ request, resources, edits }: Explained): string[] {
  const { cpuset, cpus, cells, memory, pin, mode } = request
  const given = cpuset ?? resources.allowed.cpus
  const counts = resources.nodes.map(
    ({ id, cpus: online }) => `node ${id}: ${intersect(online, given).length}`,
  )
  const from = `${cpuset === undefined ? 'allowed CPUs' : 'cpuset'} ${formatSet(given)}`
  return [
    `${from} (${counts.join(', ')})`,
    `policy: cells=${cells}, cpus=${cpus}, memory=${memory}, pin=${pin}, mode=${mode}${request.like === 'virt-numa' ? '' : `, like=${request.like}`}`,
    edits.length === 0
      ? 'the domain already states this placement'
      : `${count(edits.length, 'edit')} to the domain`,
  ]
}

const count = (value: number, one: string): string => `${value} ${one}${value === 1 ? '' : 's'}`
const cpuWord = (cpus: readonly number[]): string => `CPU${cpus.length === 1 ? '' : 's'} ${formatSet(cpus)}`
const nodeWord = (nodes: readonly number[]): string =>
  `node${nodes.length === 1 ? '' : 's'} ${formatSet(nodes)}`

/** Words in lines of at most 80 columns, further lines indented like the first. */
function wrap(head: string, words: readonly string[]): string[] {
  const lines = [head]
  for (const word of words) {
    const last = lines.at(-1) as string
    if (last.length > head.length && last.length + word.length + 1 > 80)
      lines.push(`${' '.repeat(head.length)}${word}`)
    else lines[lines.length - 1] = `${last}${last.endsWith(' ') ? '' : ' '}${word}`
  }
  return lines
}
