// A guest's cells: their vCPUs, distances and number, and what stays when they are rebuilt: the text of each
// code.

import { formatSet, type VcpuSet } from '../../../base/idset.ts'
import { inOneUnit } from '../../../base/memory.ts'
import type { CellsFacts, ShapeDifference } from '../../../codes/guest/cells.ts'
import {
  type Ask,
  and,
  cellsUpTo,
  cpuWord,
  nodesNamed,
  or,
  plural,
  type Texts,
  text,
  topologyElement,
  withIds,
} from '../words.ts'

/** What, why and fix of each code. */
export const cellsTexts: Texts<CellsFacts> = {
  'cell-vcpus-missing': (f) =>
    text(
      `cell ${f.cell} names ${withIds('vCPU', f.vcpus)}, but the guest has ` +
        `${plural(f.count, 'vCPU')}, counted from 0`,
      'libvirt refuses it too',
      'correct cpus of the cell, or the number in <vcpu>',
    ),
  'distance-invalid': (f) =>
    text(
      `the distance from cell ${f.cell} to cell ${f.sibling} is ${f.value}`,
      'libvirt accepts 10 from a cell to itself, and 11 to 255 to other cells',
      'correct the value',
    ),
  'distance-without-cell': (f) =>
    text(
      `cell ${f.cell} has a distance to cell ${f.sibling}, but the guest has ${cellsUpTo(f.cells)}`,
      'libvirt refuses it too',
      'delete the <sibling>',
    ),
  'cell-ids': (f) =>
    text(
      `the cells have the ids ${f.ids.join(', ')}`,
      `libvirt requires each id from 0 to ${f.ids.length - 1} once`,
      'number the cells from 0',
    ),
  'cells-beyond': (f) =>
    text(
      `the guest has ${f.cells} cells`,
      `QEMU supports at most ${f.max}`,
      `give the guest ${f.max} cells or fewer`,
    ),
  'cells-overlap': (f) =>
    text(
      `vCPU ${f.vcpu} is in cell ${f.cells[0]} and in cell ${f.cells[1]}`,
      'a vCPU belongs to one cell',
      'remove it from one of them',
    ),
  'memnode-without-cell': (f, { ask: { fit } }) =>
    text(
      `a memnode names cell ${f.cell}, but the guest has ${f.cells === 0 ? 'no cells' : cellsUpTo(f.cells)}`,
      'libvirt refuses a memnode without its cell',
      f.cells === 0 ? `delete the memnode, or ${fit('--existing replace')}` : fit('--rebind'),
    ),
  'page-without-cell': (f, { ask: { fit } }) =>
    text(
      `a <page> names cell ${f.cell}, but the guest has ${f.cells === 0 ? 'no cells' : cellsUpTo(f.cells)}`,
      'the nodeset of a <page> lists guest cells, and libvirt refuses a cell that does not exist',
      `correct the nodeset, or ${fit('--existing replace')}`,
    ),
  'interconnect-refused': (f) => text(...interconnectText(f)),
  'cells-too-many': (f, { ask: { use } }) =>
    text(
      `cells=${f.cells}, but the guest has ${plural(f.cores, 'core')} of ${plural(f.threads, 'thread')}`,
      'every cell needs at least one guest core',
      `${use('cells', `${f.cores}`)}${f.cores === 1 ? '' : ' or fewer'}`,
    ),
  'cells-too-few': (f, { ask: { use } }) =>
    text(
      `cells=${f.cells}, but the vCPUs are pinned to ${nodesNamed(f.nodes)}`,
      'with cpus=as-pinned every node that is used becomes a cell',
      `${use('cells', `${f.nodes.length}`)}, or ${use('cpus', 'pack')} to let virt-numa choose the CPUs`,
    ),
  'nodes-too-small': (f, { ask: { use } }) =>
    text(
      `cells=${f.cells}, but ${nodesNamed(f.nodes)}, with the most allowed CPUs, can hold only ` +
        `${f.capacity} of ${plural(f.cores, 'guest core')} of ${plural(f.threads, 'thread')}`,
      'with a number of cells, exactly that many nodes are used',
      `request a higher number, or ${use('cells', 'per-node')}`,
    ),
  'cells-hold-more': (f, { ask: { use } }) =>
    text(
      `the cells hold ${and(f.elements)}, which new cells would lose`,
      'existing=replace builds the cells anew',
      `delete them first, or ${use('existing', 'keep')} to keep the cells`,
    ),
  'cells-uneven': (f, { ask: { use } }) =>
    text(
      `the cells differ in ${f.attribute}`,
      'existing=replace keeps only what is the same in all cells',
      `give all cells the same ${f.attribute}, or ${use('existing', 'keep')} to keep the cells`,
    ),
  'device-cell-missing': (f, { ask: { use } }) =>
    text(
      `a ${f.model} device is in cell ${f.cell}, but the guest gets ` +
        `${f.cells === 0 ? 'no cells' : `only ${cellsUpTo(f.cells)}`}`,
      'libvirt refuses a memory device whose cell does not exist',
      `${use('cells', `${f.cell + 1}`)}, or move the device to a lower cell`,
    ),
  'cells-kept': (f, { ask: { use } }) =>
    text(
      `not applied: ${f.keys.join(' and ')}`,
      'a guest that has cells keeps them, their page sizes and its topology',
      `${use('existing', 'replace')} to build the cells anew`,
    ),
  'cells-impossible': (f) =>
    text('not applied: existing=replace', `QEMU has no NUMA cells for ${f.arch} guests`),
  'cell-spans-nodes': (f) =>
    text(
      `cell ${f.cell} is spread over ${nodesNamed(f.nodes)}`,
      'no node here has enough CPUs for all vCPUs of the cell next to the other cells',
      'give the guest more CPUs on one node',
    ),
  'socket-spans-cells': (f, { ask }) =>
    text(
      `guest ${spanningWords(f)} ${f.sockets.length === 1 && f.cores.length === 0 ? 'spans' : 'span'} ` +
        'several cells',
      'Linux in the guest takes a socket for one last-level cache, and then drops the scheduling domains ' +
        'of caches',
      topologyFix(f, ask, 'no <topology> of this guest has its sockets within cells'),
    ),
  'guest-threads-apart': (f, { ask }) =>
    text(
      apartWords(f.guestCores),
      'the guest schedules the threads of a core as if they shared its caches and execution units',
      topologyFix(f, ask, 'no <topology> of this guest follows the host cores'),
    ),
  'cell-crossing': (f) =>
    text(
      `only ${f.fit} of ${plural(f.cores, 'guest core')} of ${plural(f.threads, 'thread')} ` +
        `${f.fit === 1 ? 'fits' : 'fit'} on one node each, with ${cpuWord(f.cpuset)}`,
      'the threads of one guest core belong into one cell',
      `give the guest all threads of its host cores, or write threads='1' in <topology>`,
    ),
  'vcpus-interleaved': (f, { ask: { use } }) =>
    text(
      `topology=align: ${withIds('vCPU', f.vcpus)} of cell ${f.cell} are not consecutive`,
      'a socket has consecutive vCPUs, so one that holds this cell would hold vCPUs of other cells',
      `${use('cpus', 'pack')}, or ${use('topology', 'keep')}`,
    ),
  'shape-differs': (f, { ask: { use } }) =>
    text(
      `the guest differs from its recorded shape: ${differenceWords(f.differences)}`,
      `topology=lock keeps the shape that is recorded in ${f.source}`,
      'undo the change, ' +
        (f.isReplaceable ? `${use('existing', 'replace')} to write the recorded shape, ` : '') +
        `or ${use('on-misfit', 'reshape')} to record a new one`,
    ),
  'shape-renewed': (f) =>
    text(
      `the guest gets a new shape: ${differenceWords(f.differences)}`,
      `it no longer matches the shape that was recorded in ${f.source}, and on-misfit=reshape is requested`,
    ),
  'shape-kept': (f) =>
    text(
      `not applied: ${f.keys.join(' and ')}`,
      `the shape that is recorded in ${f.source} stays`,
      'delete shape there: the next fit records a new one',
    ),
  'shape-folded': (f) =>
    text(
      `${withIds('cell', f.cells)} share node ${f.node}, but the guest takes them for separate nodes`,
      `the shape that is recorded in ${f.source} stays, and no placement on this host is nearer to it`,
      'give the guest CPUs and memory on more nodes',
    ),
  'guest-core-torn': (f, { ask: { use } }) =>
    text(
      `${withIds('vCPU', f.vcpus)} are threads of one guest core, but are pinned to ` +
        `${cpuWord(f.cpus)} on several nodes`,
      'the threads of one guest core belong into one cell',
      `pin them to one node, or ${use('cpus', 'pack')}`,
    ),
}

/** "6 vCPUs instead of 4, and 128 MiB instead of 64 MiB". */
function differenceWords(differences: CellsFacts['shape-differs']['differences']): string {
  return and(differences.map(differenceWord))
}

function differenceWord(each: ShapeDifference): string {
  switch (each.is) {
    case 'vcpus':
      return `${plural(each.now, 'vCPU')} instead of ${each.recorded}`
    case 'cells':
      return `${plural(each.now, 'cell')} instead of ${each.recorded}`
    case 'memory':
      return memoryWords(each)
    case 'cell-vcpus':
      return `${vcpusOr(each.now)} instead of ${formatSet(each.recorded) || 'none'} in cell ${each.cell}`
    case 'cell-memory':
      return `${memoryWords(each)} in cell ${each.cell}`
    case 'distances':
      return `other distances from cell ${each.cell}`
    case 'topology':
      return `${topologyElement(each.now)} instead of ${topologyElement(each.recorded)}`
  }
}

const vcpusOr = (vcpus: VcpuSet): string => (vcpus.length === 0 ? 'no vCPUs' : withIds('vCPU', vcpus))

const memoryWords = ({
  nowKiB,
  recordedKiB,
}: {
  readonly nowKiB: number
  readonly recordedKiB: number
}): string => inOneUnit(nowKiB, recordedKiB).join(' instead of ')

/** "socket 0", "sockets 0-1, dies 0-3 and cores 0-7". */
function spanningWords({ sockets, dies, clusters, cores }: CellsFacts['socket-spans-cells']): string {
  const named = { socket: sockets, die: dies, cluster: clusters, core: cores }
  return and(Object.entries(named).flatMap(([part, ids]) => (ids.length === 0 ? [] : [withIds(part, ids)])))
}

/** The first guest core, and how many more there are. */
function apartWords(guestCores: CellsFacts['guest-threads-apart']['guestCores']): string {
  const [first] = guestCores
  if (first === undefined) return ''
  const more = guestCores.length - 1
  return (
    `${withIds('vCPU', first.vcpus)} are threads of one guest core, but are pinned to ` +
    `${cpuWord(first.cpus)} of different host cores` +
    (more === 0 ? '' : `, and likewise ${plural(more, 'more guest core')}`)
  )
}

const requestFixes: Readonly<
  Record<NonNullable<CellsFacts['socket-spans-cells']['request']>, (ask: Ask) => string>
> = {
  align: ({ use }) => use('topology', 'align'),
  replace: ({ fit }) => fit('--existing replace'),
  'replace-and-align': ({ fit }) => fit('--existing replace --topology align'),
  pack: ({ use }) => use('cpus', 'pack'),
}

function topologyFix(
  { fits, request, isLocked }: Pick<CellsFacts['socket-spans-cells'], 'fits' | 'request' | 'isLocked'>,
  ask: Ask,
  otherwise: string,
): string {
  if (isLocked) return 'give the guest whole host cores: its topology is that of its recorded shape'
  const ways = [
    ...(request === undefined ? [] : [requestFixes[request](ask)]),
    ...(fits === undefined ? [] : [`write ${topologyElement(fits)}`]),
  ]
  return ways.length === 0 ? `${otherwise}; give the guest whole host cores and sockets` : or(ways)
}

function interconnectText({
  element,
  is,
  initiator,
  target,
  cells,
  cache,
}: CellsFacts['interconnect-refused']): [string, string, string] {
  const link = `a <${element}> from cell ${initiator} to cell ${target}`
  const drop = `delete the <${element}>`
  switch (is) {
    case 'initiator-missing':
    case 'target-missing':
      return [
        `${link} names a missing cell: the guest has only ${cellsUpTo(cells)}`,
        'libvirt refuses it too',
        `correct its ${is === 'target-missing' ? 'target' : 'initiator'}, or ${drop}`,
      ]
    case 'initiator-without-vcpus':
      return [`${link} starts at a cell without vCPUs`, 'only vCPUs access memory', drop]
    case 'cache-missing':
      return [
        `${link} names a cache of level ${cache}, which cell ${target} does not have`,
        'libvirt refuses it too',
        `add the <cache level='${cache}'> to cell ${target}, or ${drop}`,
      ]
    case 'twice':
      return [`${link} is described twice`, 'libvirt refuses them', 'delete one of the two']
    case 'reverse':
      return [
        `${link} is described in the other direction too`,
        'libvirt takes one direction of a link and uses it for both',
        drop,
      ]
  }
}
