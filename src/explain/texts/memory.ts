// Sizes of memory and pages, and what the host lacks of them: the text of each code.

import { formatKiB } from '../../base/memory.ts'
import type { MemoryFacts } from '../../codes/memory.ts'
import { cellWord, nodeWord, plural, short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const memoryTexts: Texts<MemoryFacts> = {
  'pagesize-invalid': (f) =>
    text(
      `${f.path === undefined ? '' : `${f.path}: `}${short(f.text)} is not a valid page size`,
      'huge pages have a whole number of KiB',
      `write it like ${f.path === undefined ? '2M or 1G' : '2Mi or 1Gi'}`,
    ),
  'cell-not-page-multiple': (f) =>
    text(
      `cell ${f.cell} has ${f.memory}, not a whole number of ${f.page} pages`,
      'QEMU refuses memory that does not fill its pages',
      `give the cell ${f.lower === '0 KiB' ? '' : `${f.lower} or `}${f.upper}`,
    ),
  'memory-too-small': (f) =>
    text(
      `${f.memory} for ${plural(f.cells, 'cell')} of at least ${f.unit} each`,
      'every cell has memory, in whole units',
      `give the guest ${f.need}, or ask for fewer cells`,
    ),
  'memory-not-page-multiple': (f) =>
    text(
      `${f.memory} is not a whole number of ${f.page} pages`,
      'QEMU refuses memory that does not fill its pages',
      `give the guest ${f.lower === '0 KiB' ? '' : `${f.lower} or `}${f.upper}`,
    ),
  'default-pagesize-unknown': () =>
    text(
      '<hugepages/> names no page size, and the default size of this host is not known',
      'a bare element means the default size of the kernel',
      'use --pagesize 2M, or put defaultPagesizeKiB into the host file',
    ),
  'pagesizes-mixed': (f) =>
    text(
      `<hugepages> mixes the page sizes ${f.sizes}`,
      'new cells all have the same',
      `say which: --pagesize ${f.first}`,
    ),
  'pages-short-in-all': (f) =>
    text(
      `the guest needs ${plural(f.need, 'page')} of ${f.page}, the nodes ${f.nodes} can give ${f.room} together`,
      f.kept === 0
        ? 'free pages and what overcommit allows are counted'
        : `the config's reserve keeps ${f.kept} on every node`,
      'free pages, add some to nr_hugepages, or give the guest CPUs on more nodes',
    ),
  'node-without-pages': (f) =>
    text(
      `node ${f.node} has no free ${f.page} page for cell ${f.cell}`,
      'a cell needs memory on its own node',
      f.cells > 1
        ? `use --cells ${f.cells - 1}, or free pages on node ${f.node}`
        : `free pages on node ${f.node}`,
    ),
  'pages-short': (f) =>
    text(
      `${nodeWord(f)} ${f.count === 1 ? 'has' : 'have'} ${plural(f.free, `free ${f.page} page`)}, ${cellWord(f.cells)} ${f.cells.length === 1 ? 'needs' : 'need'} ${f.need}`,
      f.bound
        ? `memnode mode strict forbids taking ${f.need - f.free === 1 ? 'the missing one' : `the missing ${f.need - f.free}`} from another node`
        : 'no other node belongs to the guest',
      f.fitsSplit === undefined
        ? f.fix
        : `use --memory by-free-pages (${splitOf(f.fitsSplit)}), or: ${f.fix}`,
    ),
  'pool-missing': (f) =>
    text(
      `this host has no pool of ${f.page} pages, the guest needs ${f.need}`,
      f.has === '' ? 'it has no pool of huge pages at all' : `it has pools of ${f.has}`,
      `boot it with hugepagesz=${f.size} hugepages=${f.need}, or use --pagesize ${f.has.split(', ')[0] || 'none'}`,
    ),
  'pages-limit': (f) =>
    text(
      `the cgroup allows ${plural(f.limit, 'page')} of ${f.page}, the guest needs ${f.need}`,
      `QEMU is killed by SIGBUS at the first page above hugetlb.${f.size}.max`,
      'raise the limit (in a pod: resources.limits hugepages-...), or give the guest less memory',
    ),
  'pages-promised': (f) =>
    text(
      `the host has ${plural(f.free, 'free page')} of ${f.page}, ${f.promised} of them promised to others, the guest needs ${f.need}`,
      'the kernel refuses a mapping that would take promised pages',
      `cat /sys/kernel/mm/hugepages/hugepages-${f.kib}kB/resv_hugepages; add pages to nr_hugepages`,
    ),
  'hugetlbfs-missing': (f) =>
    text(
      `no hugetlbfs of ${f.page} pages is mounted`,
      'libvirt looks for the mounts when it starts, and refuses the guest',
      `mkdir -p /dev/hugepages${f.size} && mount -t hugetlbfs -o pagesize=${f.size} none /dev/hugepages${f.size}, then restart libvirtd`,
    ),
  'memory-short': (f) =>
    text(
      `${nodeWord(f)} ${f.count === 1 ? 'has' : 'have'} ${f.has} of memory, ${cellWord(f.cells)} ${f.cells.length === 1 ? 'needs' : 'need'} ${f.need}`,
      f.enough === 'nowhere'
        ? 'the host does not have that much memory'
        : 'memory that is bound to a node cannot come from another',
      {
        'own nodes': 'use --mode preferred, or give the guest less memory',
        host: 'give the guest CPUs and cells on more nodes (--cells NUMBER), or less memory',
        nowhere: 'give the guest less memory',
      }[f.enough],
    ),
}

const splitOf = (cells: readonly { cell: number; memoryKiB: number }[]): string =>
  cells.map(({ cell, memoryKiB }) => `cell ${cell} ${formatKiB(memoryKiB)}`).join(', ')
