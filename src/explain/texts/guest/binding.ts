// The nodes that cells and devices are bound to: the text of each code.

import { formatSet, type NodeSet } from '../../../base/idset.ts'
import type { AllocatedMemory, BindingFacts, NamesNodes } from '../../../codes/guest/binding.ts'
import { type Ask, cellWord, hasOrHave, isOrAre, nodesNamed, type Texts, text, withIds } from '../words.ts'

/** What, why and fix of each code. */
export const bindingTexts: Texts<BindingFacts> = {
  'memnodes-with-auto': () =>
    text(
      'the guest has memnodes, but the placement of its memory is auto',
      'libvirt refuses memnodes where numad chooses the nodes',
      "write placement='static' on <vcpu>, and <memory mode='strict' nodeset='...'/> in <numatune>",
    ),
  'restrictive-mixed': (f, { ask: { fit } }) =>
    text(
      `<memory> has mode ${f.memory}, but ${memnodesHave(f.cells)} mode ${f.memnode}`,
      'libvirt requires memnodes to be restrictive if <memory> is',
      `write the same mode in both, or ${fit('--rebind')}`,
    ),
  'restrictive-memnode': (f, { ask: { fit } }) =>
    text(
      `${memnodesHave(f.cells)} mode restrictive, but <memory> has mode ${f.memory}`,
      `libvirt ${f.since} and newer refuse this; older versions start the guest`,
      `write mode='restrictive' in <memory> too, or ${fit('--rebind')}`,
    ),
  'restrictive-with-pages': (f, { ask: { use } }) =>
    text(
      `mode=restrictive with ${f.because === 'hugepages' ? 'huge pages' : "<allocation mode='immediate'/>"}`,
      'QEMU then gets no binding, and allocates the memory on the nodes that it happens to run on while ' +
        'it starts',
      use('mode', 'strict', 'preferred'),
    ),
  'mode-changed': ({ cells, from, to, because }, { ask }) =>
    text(
      `the memory of ${cells.length === 0 ? 'the guest' : cellWord(cells)} is bound with mode ${to} ` +
        `instead of ${from}`,
      ...modeReasons[because](ask),
    ),
  'memory-mode': (f) =>
    text(
      `<memory> gets mode ${f.to} on ${nodesNamed(f.nodes)} instead of ${f.from}`,
      f.from === 'preferred'
        ? 'libvirt before 9.3 does not start a guest that prefers several nodes; memory can now overflow ' +
            'only to the other nodes of the guest'
        : 'it confines QEMU to the nodes of the cells, whose memnodes have modes of their own',
      f.from === 'preferred'
        ? "with libvirt 9.3 and newer, write mode='preferred' in <memory> of the fitted domain"
        : `write mode='${f.from}' in <memory> of the fitted domain`,
    ),
  'memory-nodes-narrow': (f, { ask: { fit } }) =>
    text(
      `<memory nodeset='${formatSet(f.memory)}'> is strict, but does not include ${nodesNamed(f.missing)}, ` +
        `which ${f.missing.length === 1 ? 'a memnode names' : 'memnodes name'}`,
      'it confines the whole QEMU process, which then gets no memory on any other node',
      fit('--rebind'),
    ),
  'node-missing': (f, { ask: { fit } }) =>
    text(
      `${namerOf(f.of)} names ${nodesNamed(f.nodes)}, but this host has ${nodesNamed(f.has)}`,
      `QEMU fails with "NUMA node ${f.nodes[0]} is unavailable"`,
      fixOfNodes(f.nodemask, fit('--rebind')),
    ),
  'node-outside': (f, { ask: { fit } }) =>
    text(
      `${namerOf(f.of)} names ${nodesNamed(f.nodes)}, but the guest may use only ${nodesNamed(f.allowed)}`,
      'a process gets no memory from a node outside its cpuset.mems',
      fixOfNodes(
        f.nodemask,
        `${fit('--rebind')}, or add ${nodesNamed(f.nodes)} to cpuset.mems of the guest's cgroup`,
      ),
    ),
  'node-memoryless': (f, { ask: { fit } }) =>
    text(
      `${namerOf(f.of)} names ${nodesNamed(f.nodes)}, which ${hasOrHave(f.nodes)} no memory`,
      'memory cannot be bound to a node that has none',
      fixOfNodes(f.nodemask, fit('--rebind')),
    ),
  'no-memory-node': (f) =>
    text(
      f.allowed.length === 0
        ? 'the guest may use no node'
        : `the guest may use ${nodesNamed(f.allowed)}, without any memory there`,
      'the memory of every cell comes from an allowed node',
      "add a node with memory to cpuset.mems of the guest's cgroup",
    ),
  'set-empty': (f) =>
    text(`${f.element} names no node`, 'libvirt refuses an empty nodeset', 'name at least one node'),
  'memory-elsewhere': (f) =>
    text(
      `cell ${f.cell} runs on node ${f.node}, but its memory is on node ${f.backing}`,
      f.memoryKiB === 0
        ? `node ${f.node} has no memory; node ${f.backing} is the nearest allowed node that has` +
            (f.needsCpus ? ' memory, and CPUs to allocate it' : '')
        : f.memoryKiB === undefined
          ? `node ${f.node} has no memory, or the guest may not use it (cpuset.mems)`
          : `the guest may not use the memory of node ${f.node} (cpuset.mems)`,
      f.memoryKiB === 0
        ? undefined
        : f.memoryKiB === undefined
          ? `if node ${f.node} has memory (numactl --hardware), add it to cpuset.mems of the guest's cgroup`
          : `add node ${f.node} to cpuset.mems of the guest's cgroup`,
    ),
  'allocated-without-cpus': (f, { ask }) =>
    text(
      `${allocatorOf(f.of)} memory that QEMU allocates at start on ${bareNodes(f.nodes)}`,
      withoutCpusReason(f),
      withoutCpusFix(f, ask),
    ),
  'allocated-by-emulator': (f) =>
    text(
      `${allocatorOf(f.of)} memory that QEMU allocates at start on ${bareNodes(f.nodes)}`,
      f.emulator === 'pinned'
        ? `libvirt ${f.libvirt} lets the emulator allocate it from its own CPUs; before 9.2, or if the ` +
            'emulator were not pinned, the guest would not start'
        : `libvirt ${f.libvirt} starts this guest; 8.10 and newer do not, unless the emulator is pinned ` +
            'and libvirt is 9.2 or newer',
      f.emulator === 'pinned'
        ? 'nothing has to be changed as long as the emulator is pinned'
        : 'pin the emulator (<emulatorpin> in <cputune>) before libvirt is updated',
    ),
  'tiers-without-cpus': (f, { ask: { use } }) =>
    text(
      `tiers=expose: ${nodesNamed(f.nodes)} ${f.nodes.length === 1 ? 'gets' : 'get'} no cell, since QEMU ` +
        'would allocate its memory at start',
      withoutCpusReason(f),
      `${use('pagesize', 'none')}, without <allocation mode='immediate'/>`,
    ),
  'pin-remote': (f, { ask: { fit } }) =>
    text(
      `${withIds('vCPU', f.vcpus)} of cell ${f.cell} ${isOrAre(f.vcpus)} pinned to node ${f.node}` +
        `, but the memory of the cell is on ${nodesNamed(f.nodes)}`,
      'every memory access then goes to another node',
      fit('--rebind'),
    ),
}

/** Why QEMU does not start, by what is known of libvirt and of the emulator. */
function withoutCpusReason({
  libvirt,
  emulator,
}: Pick<BindingFacts['tiers-without-cpus'], 'libvirt' | 'emulator'>): string {
  const ends = 'QEMU 7.2 and newer end with "The nodes select no CPUs" (seen with libvirt 9.0.0 and QEMU 7.2)'
  if (libvirt === undefined)
    return `with libvirt 8.10 and newer, ${ends}; from libvirt 9.2 on, only if the emulator is not pinned`
  return emulator === 'unpinned'
    ? `with libvirt ${libvirt}, ${ends}; from libvirt 9.2 on, not if the emulator is pinned`
    : `with libvirt ${libvirt}, ${ends}; libvirt 9.2 and newer start such a guest if the emulator is pinned`
}

/** A pinned emulator where that is known to be enough, other nodes, a CPU, no allocation. */
function withoutCpusFix(f: BindingFacts['allocated-without-cpus'], { use, fit }: Ask): string {
  const away = "remove <hugepages> and <allocation mode='immediate'/>, or bring a CPU of the node online"
  if (f.ifPinned) return `pin the emulator (<emulatorpin> in <cputune>), or ${use('emulator', 'spare')}`
  if (f.others.length === 0) return away
  return f.of.is === 'device'
    ? `write <nodemask>${formatSet(f.others)}</nodemask>, or bring a CPU of the node online`
    : `${fit('--rebind')}, or ${away}`
}

/** "cells 0-1 have", "the dimm in cell 0 has". */
const allocatorOf = (of: AllocatedMemory): string =>
  of.is === 'cells'
    ? `${cellWord(of.cells)} ${hasOrHave(of.cells.length === 0 ? [0] : of.cells)}`
    : `the ${of.model} in cell ${of.cell} has`

/** "node 3, which has no online CPUs". */
const bareNodes = (nodes: NodeSet): string => `${nodesNamed(nodes)}, which ${hasOrHave(nodes)} no online CPUs`

/** "<memory nodeset>", "the memnode of cell 1". */
function namerOf(of: NamesNodes): string {
  switch (of.is) {
    case 'memory':
      return '<memory nodeset>'
    case 'memnode':
      return `the memnode of cell ${of.cell}`
    case 'nodemask':
      return `the nodemask of the ${of.model} in cell ${of.cell}`
  }
}

const fixOfNodes = (nodemask: NodeSet | undefined, otherwise: string): string =>
  nodemask === undefined
    ? otherwise
    : `write <nodemask>${formatSet(nodemask)}</nodemask>, or delete it: the device then uses the node of ` +
      'its cell'

/** "the memnode of cell 0 has", "the memnodes of cells 0-1 have". */
const memnodesHave = (cells: readonly number[]): string =>
  cells.length === 1 ? `the memnode of ${cellWord(cells)} has` : `the memnodes of ${cellWord(cells)} have`

/** Why a mode was changed, and what to do. */
const modeReasons: Readonly<
  Record<BindingFacts['mode-changed']['because'], (ask: Ask) => readonly [why: string, fix: string]>
> = {
  pages: ({ use }) => [
    'with restrictive libvirt passes no binding to QEMU, which would allocate huge pages on any node',
    `nothing has to be changed; ${use('mode', 'preferred')} to allow memory on other nodes`,
  ],
  mixed: () => [
    'libvirt accepts restrictive only if <memory> and all memnodes have it',
    "write mode='restrictive' in <memory> and in every memnode, or in none",
  ],
  replaced: ({ use }) => [
    'the cells had different modes, and cells that are built anew have one',
    `${use('mode', 'MODE')}, or ${use('existing', 'keep')} to keep the cells and their modes`,
  ],
}
