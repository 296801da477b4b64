// A guest's cells: their vCPUs, distances and number, and what stays when they are rebuilt: the text of each code.

import type { CellsFacts } from '../../codes/cells.ts'
import { cellsUpTo, plural, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const cellsTexts: Texts<CellsFacts> = {
  'cell-vcpus-missing': (f) =>
    text(
      `cell ${f.cell} names ${/^\d+$/.test(f.vcpus) ? 'vCPU' : 'vCPUs'} ${f.vcpus}, the guest has ${plural(f.count, 'vCPU')}, counted from 0`,
      'libvirt refuses it too',
      'correct cpus of the cell, or the number in <vcpu>',
    ),
  'distance-invalid': (f) =>
    text(
      `the distance from cell ${f.cell} to cell ${f.sibling} is ${f.value}`,
      'libvirt takes 10 for a cell to itself, and 11 to 255 for others',
      'correct the value',
    ),
  'distance-without-cell': (f) =>
    text(
      `cell ${f.cell} has a distance to cell ${f.sibling}, the guest has ${cellsUpTo(f.cells)}`,
      'libvirt refuses it too',
      'delete the <sibling>',
    ),
  'cell-ids': (f) =>
    text(
      `the cells have the ids ${f.ids}`,
      `libvirt wants every id from 0 to ${f.last} once`,
      'number the cells from 0',
    ),
  'cells-beyond': (f) =>
    text(
      `the guest has ${f.cells} cells`,
      `QEMU takes at most ${f.max}`,
      `give the guest ${f.max} cells or less`,
    ),
  'cells-overlap': (f) =>
    text(
      `vCPU ${f.vcpu} is in cell ${f.cells[0]} and in cell ${f.cells[1]}`,
      'a vCPU lives in one cell',
      'take it out of one of them',
    ),
  'memnode-without-cell': (f) =>
    text(
      `a memnode binds cell ${f.cell}, the guest has ${f.cells === 0 ? 'no cells' : cellsUpTo(f.cells)}`,
      'libvirt refuses a memnode without its cell',
      f.cells === 0
        ? 'delete the memnode, or run virt-numa transform --existing replace'
        : 'run virt-numa transform --rebind',
    ),
  'page-without-cell': (f) =>
    text(
      `a <page> names cell ${f.cell}, the guest has ${f.cells === 0 ? 'no cells' : cellsUpTo(f.cells)}`,
      'nodeset counts guest cells there, and libvirt refuses one that does not exist',
      'correct nodeset, or run virt-numa transform --existing replace',
    ),
  'cells-too-many': (f) =>
    text(
      `cells=${f.cells}, but the guest has ${plural(f.cores, 'core')} with ${plural(f.threads, 'thread')}`,
      'every cell has at least one guest core',
      `use --cells ${f.cores} or less`,
    ),
  'cells-too-few': (f) =>
    text(
      `cells=${f.cells}, but the vCPUs are pinned to the nodes ${f.nodes}`,
      'with cpus=as-pinned every node in use makes a cell',
      `use --cells ${f.count}, or leave the choice of CPUs to --cpus pack`,
    ),
  'nodes-too-small': (f) =>
    text(
      `cells=${f.cells}: ${f.cells === 1 ? 'the roomiest node' : 'the roomiest nodes'} (${f.nodes}) ${f.cells === 1 ? 'has' : 'have'} room for ${f.room} of ${plural(f.cores, 'guest core')} with ${plural(f.threads, 'thread')}`,
      'exactly so many nodes are used',
      'say a higher number, or cells=per-node',
    ),
  'cells-hold-more': (f) =>
    text(
      `the cells hold ${f.elements}, which new cells would lose`,
      'existing=replace rebuilds the cells',
      'take them out first, or keep the cells: existing=keep',
    ),
  'cells-uneven': (f) =>
    text(
      `the cells differ in ${f.attribute}`,
      'existing=replace carries over what all cells have alike',
      `give all cells the same ${f.attribute}, or keep the cells: existing=keep`,
    ),
  'device-cell-missing': (f) =>
    text(
      `a ${f.model} device sits in cell ${f.cell}, the guest gets ${plural(f.cells, 'cell')}`,
      'libvirt refuses a memory device whose cell does not exist',
      `use --cells ${f.cell + 1}, or move the device to a lower cell`,
    ),
  'cells-kept': (f) =>
    text(
      `not applied: ${f.keys}`,
      'cells and page sizes of a guest that has cells stay as they are',
      'use --existing replace to rebuild the cells',
    ),
  'cells-impossible': (f) =>
    text('not applied: existing=replace', `QEMU gives guests of ${f.arch} no cells, so none can be rebuilt`),
  'cell-spans-nodes': (f) =>
    text(
      `cell ${f.cell} lies on the nodes ${f.nodes} together`,
      'no single node here has CPUs for all of its vCPUs beside the other cells',
      'give the guest more CPUs on one node',
    ),
  'socket-spans-cells': (f) =>
    text(
      `guest ${f.sockets.length === 1 ? 'socket' : 'sockets'} ${f.sockets.join(', ')} ${f.sockets.length === 1 ? 'spans' : 'span'} several cells`,
      'Linux in the guest takes a socket for one last-level cache and then drops its cache domains',
      f.vcpus % (f.cells * f.threads) === 0
        ? `write <topology sockets='${f.cells}' cores='${f.vcpus / f.cells / f.threads}' threads='${f.threads}'/>`
        : 'give every cell whole sockets',
    ),
  'cell-crossing': (f) =>
    text(
      `only ${f.fit} of ${plural(f.cores, 'guest core')} with ${plural(f.threads, 'thread')} fit into single nodes of the CPUs ${f.cpuset}`,
      'the threads of one guest core belong into one cell',
      `give the guest whole cores, or say <topology threads='1'>`,
    ),
  'guest-core-torn': (f) =>
    text(
      `vCPUs ${f.vcpus} are threads of one guest core and pinned to ${f.cpus}, on several nodes`,
      'the threads of one guest core belong into one cell',
      'pin them to one node, or use --cpus pack',
    ),
}
