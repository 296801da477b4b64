// A placement -> text: the guest's cells, the nodes and CPUs that they get, and the policies behind that.

import { type CpuSet, formatSet, intersect, setOf, union, type VcpuSet } from '../base/idset.ts'
import { sum } from '../base/lists.ts'
import { formatKiB } from '../base/memory.ts'
import { visible } from '../base/visible.ts'
import type { DevicePlace } from '../model/devices.ts'
import type { CpuTopology, DomainView } from '../model/domain.ts'
import type { Resources } from '../model/host.ts'
import type { Cell, Memnode, NodesReason, Placement } from '../model/placement.ts'
import type { Request } from '../model/request.ts'
import { cachesOf, reasonWords } from './reason.ts'
import { cpuWord, nodesNamed, plural } from './texts/words.ts'

/** A placement, the guest, the request and the host that it follows from. */
export interface Explained {
  readonly view: DomainView
  readonly request: Request
  readonly resources: Resources
  readonly placement: Placement
  readonly reason?: NodesReason
  readonly shape?: { readonly is: 'recorded' | 'new' }
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
    pciLines(placement),
    [...pinLines(explained), ...topologyLines(explained)],
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
  return `no cells: the vCPUs are pinned and the memory is bound to ${nodesNamed(memory.nodes)}`
}

function headline({ view, placement }: Explained): string {
  const offline = view.vcpus - view.online.length
  const vcpus = `${plural(view.vcpus, 'vCPU')}${offline === 0 ? '' : ` (${offline} of them offline at boot)`}`
  const pluggedKiB = sum(view.memoryDevices.map(({ sizeKiB }) => sizeKiB))
  const plugged =
    pluggedKiB === 0
      ? ''
      : ` (${formatKiB(pluggedKiB)} of it in ${plural(view.memoryDevices.length, 'memory device')})`
  const nodes = union(...placement.binding.memnodes.map((memnode) => memnode.nodes))
  const cells = placement.cells.length === 0 ? '' : `, in ${plural(placement.cells.length, 'cell')}`
  const where = nodes.length === 0 ? '' : ` on ${nodesNamed(nodes)}`
  return `guest ${view.name || '(no name)'}: ${vcpus}, ${formatKiB(view.memoryKiB)}${plugged}${cells}${where}`
}

function cellLine(cell: Cell, { placement, resources }: Explained): string {
  const { memnodes, vcpupin } = placement.binding
  const memnode = memnodes[cell.id] as Memnode
  const cpus = union(...cell.vcpus.map((vcpu) => vcpupin[vcpu] ?? setOf<CpuSet>([])))
  const run = cell.vcpus.length === 0 ? '' : ` ${placeWords(cpus)}${cacheWords(cpus, resources)}`
  const vcpus = `${vcpusNamed(cell.vcpus)}${run}`
  const mode = memnode.mode === 'strict' ? '' : `${memnode.mode} `
  const memory = `${memoryWords(cell.memoryKiB, memnode)} ${mode}on ${nodesNamed(memnode.nodes)}`
  return `  cell ${cell.id}  ${vcpus}, ${memory}`
}

/** Memory devices with nodes of their own; the memory of the others is on the nodes of their cells. */
function deviceLines({ view }: Explained): string[] {
  return view.memoryDevices.flatMap(({ model, cell = 0, sizeKiB, nodes }) =>
    nodes === undefined || nodes.length === 0
      ? []
      : [`  ${model} in cell ${cell}, ${formatKiB(sizeKiB)} on ${nodesNamed(nodes)}`],
  )
}

/** PCI devices of the host, one a line: the node, and the cell where the guest sees one. */
function pciLines({ devices }: Placement): string[] {
  return (devices?.places ?? []).map((place) => `  PCI ${pciWords(place)}`)
}

/** "0000:3b:00.0 on node 0, in cell 0 (new bus)". */
function pciWords({ name, node, cell, port }: DevicePlace): string {
  const where = node === undefined ? '' : ` on node ${node}`
  const seen =
    cell === undefined ? 'in no cell' : `in cell ${cell}${port === undefined ? '' : ' (new address)'}`
  return `${name}${where}, ${seen}`
}

function memoryWords(memoryKiB: number, { pagesizeKiB }: Memnode): string {
  if (pagesizeKiB === undefined) return formatKiB(memoryKiB)
  return `${formatKiB(memoryKiB)} (${plural(memoryKiB / pagesizeKiB, 'page')} of ${formatKiB(pagesizeKiB)})`
}

/** The topology, where it is rewritten, and the one that the guest had. */
function topologyLines({ view, placement: { topology } }: Explained): string[] {
  if (topology === undefined) return []
  const before = view.topology === undefined ? 'none was written' : `was ${topologyWords(view.topology)}`
  return [`  topology   ${topologyWords(topology)}; ${before}`]
}

/** "2 sockets x 4 cores x 2 threads". */
const topologyWords = ({ sockets, dies, clusters, cores, threads }: CpuTopology): string =>
  [
    plural(sockets, 'socket'),
    ...(dies > 1 ? [plural(dies, 'die')] : []),
    ...(clusters > 1 ? [plural(clusters, 'cluster')] : []),
    plural(cores, 'core'),
    plural(threads, 'thread'),
  ].join(' x ')

/** The pins. vCPUs are listed only when each has one CPU; else the lines of the cells show their CPUs. */
function pinLines({ view, placement }: Explained): string[] {
  const { vcpupin, emulatorpin, iothreadpin } = placement.binding
  const single = view.online.every((vcpu) => vcpupin[vcpu]?.length === 1)
  const pairs = single ? view.online.map((vcpu) => `${vcpu}:${formatSet(vcpupin[vcpu] ?? [])}`) : []
  const pinned = [...new Set(iothreadpin)].filter((cpus) => cpus.length > 0).map(cpuWord)
  const ofThreads = pinned.length === 0 ? 'not pinned' : `on ${[...new Set(pinned)].join(' / ')}`
  return [
    ...(single ? wrap('  vCPU:CPU   ', pairs) : []),
    `  emulator   ${placeWords(emulatorpin ?? setOf<CpuSet>([]))}`,
    ...(view.iothreads.length === 0
      ? []
      : [`  I/O        ${plural(view.iothreads.length, 'thread')} ${ofThreads}`]),
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

function whyLines(explained: Explained): string[] {
  const { request, resources, edits } = explained
  const { cpuset, cpus, cores, cells, memory, pin, mode } = request
  const given = cpuset ?? resources.allowed.cpus
  const counts = resources.nodes.map(
    ({ id, cpus: online }) => `node ${id}: ${intersect(online, given).length}`,
  )
  const whole = cores === 'any' ? '' : `, cores=${cores}`
  const policy = `cells=${cells}, cpus=${cpus}${whole}, memory=${memory}, pin=${pin}, mode=${mode}`
  const allowed = given.length === 1 ? 'allowed CPU' : 'allowed CPUs'
  const from = `${cpuset === undefined ? allowed : 'cpuset'} ${formatSet(given)}`
  return [
    `${from} (${counts.join(', ')})`,
    ...reasonLines(explained),
    `policy: ${policy}${request.like === 'virt-numa' ? '' : `, like=${request.like}`}`,
    ...shapeLines(explained),
    edits.length === 0
      ? 'the domain already states this placement'
      : `${plural(edits.length, 'edit')} to the domain`,
  ]
}

/** Of a guest with topology=lock. */
function shapeLines({ shape, request: { recorded } }: Explained): string[] {
  if (shape === undefined) return []
  return [`shape: ${shape.is === 'new' ? 'new, to be recorded' : `as recorded in ${recorded?.source}`}`]
}

/** " (L3 caches 0-1)", where the host states level-3 caches. */
function cacheWords(cpus: CpuSet, { caches }: Resources): string {
  const ids = cachesOf(cpus, caches)
  return ids.length === 0 ? '' : ` (L3 cache${ids.length === 1 ? '' : 's'} ${formatSet(ids)})`
}

/** Why these nodes and not the second best. */
function reasonLines({ reason, request, placement }: Explained): string[] {
  if (reason === undefined) return []
  const { nodes, next, isExact } = reason
  const asked = { request, pagesizeKiB: placement.binding.memnodes[0]?.pagesizeKiB }
  const rather =
    next && `nodes: ${formatSet(nodes)} rather than ${formatSet(next.nodes)}, ${reasonWords(next, asked)}`
  return [
    ...(rather === undefined ? [] : [rather]),
    ...(isExact ? [] : ['nodes: the host has more than 16, so only likely sets of them were compared']),
  ]
}

/** "on CPU 3", "on CPUs 0-3" or "not pinned". */
function placeWords(cpus: CpuSet): string {
  return cpus.length === 0 ? 'not pinned' : `on ${cpuWord(cpus)}`
}

/** "vCPU 3", "vCPUs 0-3" or "no vCPUs". */
export function vcpusNamed(vcpus: VcpuSet): string {
  return vcpus.length === 0 ? 'no vCPUs' : `vCPU${vcpus.length === 1 ? '' : 's'} ${formatSet(vcpus)}`
}

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
