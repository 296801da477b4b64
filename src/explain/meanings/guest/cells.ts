// A guest's cells: their vCPUs, distances and number, and what stays when they are rebuilt: the meaning of
// each code.

import type { CellsFacts } from '../../../codes/guest/cells.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const cellsMeanings: Meanings<CellsFacts> = {
  'cell-vcpus-missing': meaning(
    'a cell names vCPUs that the guest does not have',
    'vCPUs are counted from 0 to one less than the number in <vcpu>. libvirt refuses a cell with others.',
    'Correct cpus of the <cell>, or the number in <vcpu>.',
  ),
  'distance-invalid': meaning(
    'a distance between cells is out of range',
    'libvirt accepts 10 from a cell to itself, and 11 to 255 to other cells, as the ACPI SLIT defines them.',
    'Correct value of the <sibling>.',
  ),
  'distance-without-cell': meaning(
    'a distance names a cell that does not exist',
    'A <sibling> refers to another cell of the guest by its id. libvirt refuses an unknown one.',
    'Delete the <sibling>, or correct its id.',
  ),
  'cell-ids': meaning(
    'the ids of the cells are not 0, 1, 2, ...',
    'libvirt requires each id from 0 to the number of cells less one, once.',
    'Number the cells from 0.',
  ),
  'cells-beyond': meaning(
    'the guest has more cells than QEMU supports',
    'QEMU has a fixed limit of 128 NUMA nodes in a guest.',
    'Give the guest fewer cells.',
  ),
  'cells-overlap': meaning(
    'a vCPU is in two cells',
    'A vCPU belongs to one cell: the guest kernel reads one node for each CPU.',
    'Remove the vCPU from one of the cells.',
  ),
  'memnode-without-cell': meaning(
    'a memnode names a cell that does not exist',
    'A <memnode> binds the guest cell in its cellid. libvirt refuses one without its cell.',
    'Delete the memnode, or rebind or rebuild the cells.',
  ),
  'page-without-cell': meaning(
    'a <page> names a cell that does not exist',
    'The nodeset of a <page> in <hugepages> counts cells of the guest, not nodes of the host.',
    'Correct the nodeset, or let virt-numa build the cells anew with existing=replace.',
  ),
  'interconnect-refused': meaning(
    'a link between cells is not valid',
    'A <latency> or <bandwidth> leads from a cell with vCPUs to a cell, and may name a cache of that. ' +
      'libvirt takes each link once, in one direction.',
    'Correct the element that the message names, or delete it.',
  ),
  'cells-too-many': meaning(
    'more cells are requested than the guest has cores',
    'Every cell needs at least one guest core, because the threads of a core stay together.',
    'Request as many cells as the guest has cores, or fewer.',
  ),
  'cells-too-few': meaning(
    'fewer cells are requested than nodes are pinned',
    'With cpus=as-pinned every node to which vCPUs are pinned becomes a cell.',
    'Request that many cells, or let virt-numa choose the CPUs with cpus=pack.',
  ),
  'nodes-too-small': meaning(
    'so few nodes cannot hold the guest',
    'A number of cells means exactly that many nodes. Even those with the most allowed CPUs have too ' +
      'few for all guest cores.',
    'Request more cells, or cells=per-node.',
  ),
  'cells-hold-more': meaning(
    'new cells would lose what the cells hold',
    'existing=replace builds the cells anew, and cannot tell what their caches, HMAT entries or other ' +
      'parts should be for the new ones.',
    'Delete those parts first, or keep the cells with existing=keep.',
  ),
  'cells-uneven': meaning(
    'the cells differ in what new cells would share',
    'existing=replace carries over only what all cells have in common, such as memAccess.',
    'Give all cells the same value, or keep them with existing=keep.',
  ),
  'device-cell-missing': meaning(
    'a memory device is in a cell that goes away',
    'The guest gets fewer cells than the device counts on, and libvirt refuses a device without its cell.',
    'Request more cells, or move the device to a lower cell.',
  ),
  'cells-kept': meaning(
    'requests for new cells have no effect',
    'A guest that has cells keeps them with their page sizes and topology, because the guest has seen ' +
      'them: changing them changes guest ABI.',
    'Request existing=replace to build the cells anew.',
  ),
  'cells-impossible': meaning(
    'this architecture has no cells',
    'QEMU has no NUMA cells for s390x guests. They get pins, and nodes for their memory, but no cells.',
    'Nothing has to be changed.',
  ),
  'cell-spans-nodes': meaning(
    'a cell is spread over several nodes',
    'No node has enough CPUs left for all vCPUs of this cell beside the other cells, so it uses the ' +
      'nearest nodes together. Some of its accesses are remote.',
    'Give the guest more CPUs on one node.',
  ),
  'socket-spans-cells': meaning(
    'a guest socket, die or core spans cells',
    'Linux in the guest takes a socket for one last-level cache. If it crosses cells, the kernel ' +
      'drops the scheduling domains of caches, and balances load worse.',
    'Request topology=align, or write the <topology> that the message gives.',
  ),
  'guest-threads-apart': meaning(
    'threads of a guest core are on several host cores',
    'The guest schedules the threads of a core as if they shared caches and execution units, which ' +
      'they do not here.',
    'Request topology=align, or give the guest whole host cores.',
  ),
  'cell-crossing': meaning(
    'guest cores do not fit on single nodes',
    'The threads of a guest core belong into one cell. With these CPUs, some guest core would have to ' +
      'run on two nodes.',
    "Give the guest all threads of its host cores, or write threads='1' in <topology>.",
  ),
  'vcpus-interleaved': meaning(
    'topology=align needs consecutive vCPUs in a cell',
    'A socket holds consecutive vCPUs. Where the vCPUs of a cell are interleaved with those of ' +
      'others, as cpus=as-pinned allows, no socket can follow the cells.',
    'Request cpus=pack, or topology=keep.',
  ),
  'shape-differs': meaning(
    'a guest does not match its recorded shape',
    'With topology=lock a guest keeps the cells and the topology that were recorded at its first fit. Its ' +
      'domain now states something else: another number of vCPUs, another size of memory, or other cells.',
    'Undo the change, or record a new shape with on-misfit=reshape. If only the cells differ, ' +
      'existing=replace writes the recorded ones.',
  ),
  'shape-renewed': meaning(
    'a new shape replaces the recorded one',
    'The guest does not match its recorded shape, and on-misfit=reshape lets it be fitted as if it had ' +
      'none. The new shape is recorded, and the guest sees it from its next start on.',
    'Nothing has to be done.',
  ),
  'shape-kept': meaning(
    'a request that the recorded shape does not allow',
    'With topology=lock the number of cells and the cells of memory-only nodes are decided at the first fit.',
    'Delete the attribute or annotation shape: the next fit then records a new shape.',
  ),
  'shape-folded': meaning(
    'several cells of a recorded shape share a node',
    'The shape was recorded on a host with more nodes, or with more CPUs on them. The guest keeps it, and ' +
      'sees more nodes, farther apart, than it uses.',
    'Give the guest CPUs and memory on as many nodes as it has cells.',
  ),
  'guest-core-torn': meaning(
    'threads of a guest core are on several nodes',
    'The threads of one guest core belong into one cell, and a cell has one node.',
    'Pin them to one node, or let virt-numa choose the CPUs with cpus=pack.',
  ),
}
