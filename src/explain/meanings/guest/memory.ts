// Sizes of memory and pages, and what the host lacks of them: the meaning of each code.

import type { MemoryFacts } from '../../../codes/guest/memory.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const memoryMeanings: Meanings<MemoryFacts> = {
  'pagesize-invalid': meaning(
    'a page size is not valid',
    'A page size is a whole number of KiB.',
    'Write it like 2M or 1G in a domain, 2Mi or 1Gi in a VMI.',
  ),
  'cell-not-page-multiple': meaning(
    'the memory of a cell is not whole pages',
    'QEMU refuses memory that does not fill its huge pages.',
    'Give the cell a multiple of the page size.',
  ),
  'memory-too-small': meaning(
    'the memory is too little for so many cells',
    'Every cell needs memory, in whole pages or whole MiB.',
    'Give the guest more memory, or request fewer cells.',
  ),
  'memory-not-page-multiple': meaning(
    'the memory of the guest is not whole pages',
    'QEMU refuses memory that does not fill its huge pages, and <memory> is never edited.',
    'Give the guest a multiple of the page size.',
  ),
  'default-pagesize-unknown': meaning(
    '<hugepages/> without a size, and no known default',
    "Without a <page>, the kernel's default huge page size applies, which this description of the " +
      'host does not state.',
    'Request a pagesize, or add defaultPagesizeKiB to the host file.',
  ),
  'pagesize-fallback': meaning(
    'cells get another page size than the first one',
    'With a list of page sizes each cell gets the first one that its node can supply and that its ' +
      'memory is a multiple of.',
    'Nothing has to be changed; more pages of the first size on the node change it.',
  ),
  'pagesizes-mixed': meaning(
    'the domain mixes page sizes',
    'New cells all have the same page size, and which one is meant is not clear.',
    'Request one pagesize.',
  ),
  'pages-short-in-all': meaning(
    'all nodes together lack pages',
    'memory=by-free-pages divides the memory by what is free, but the nodes together do not have ' +
      'enough pages. Surplus pages count; pages that reserve keeps do not.',
    "Add pages on a node, raise the cgroup's limit, or give the guest less memory.",
  ),
  'node-without-pages': meaning(
    'a node of a cell has no free page',
    'A cell needs memory on its own node, and not even one page is free there.',
    'Add pages on the node: the message has the command.',
  ),
  'pages-short': meaning(
    'nodes lack free huge pages for their cells',
    'QEMU allocates all huge pages of a guest when it starts. With mode strict it cannot take missing ' +
      'ones from another node, and fails. Pages that other guests use are not free.',
    'Write to nr_hugepages of the node, or request memory=by-free-pages where that is enough.',
  ),
  'tiers-none': meaning(
    'tiers=expose finds no memory-only node',
    'Only nodes with memory but no CPUs (CXL, HBM) become cells without vCPUs, and only if the guest ' +
      'may use them.',
    "Delete tiers, or add such a node to cpuset.mems of the guest's cgroup.",
  ),
  'tier-empty': meaning(
    'a memory-only node has too little free memory',
    'Without tier-memory, memory is divided in proportion to what is free, and this node would get none.',
    'Free memory there, or request tier-memory.',
  ),
  'tier-memory-units': meaning(
    'tier-memory is not a multiple of the unit',
    'A cell has whole pages, and libvirt rounds cells to 1 MiB (256 MiB on ppc64).',
    'Write a multiple of the unit.',
  ),
  'tiers-too-large': meaning(
    'cells without vCPUs would take all memory',
    'Every cell with vCPUs needs memory too.',
    'Request a smaller tier-memory, or give the guest more memory.',
  ),
  'pool-missing': meaning(
    'the host has no pages of this size',
    'The kernel offers no pool of this size, or it has no pages at all.',
    'Boot with hugepagesz= and hugepages=, or request a size that the host has.',
  ),
  'pages-limit': meaning(
    'the cgroup allows too few huge pages',
    'Above hugetlb.<size>.max of its cgroup, QEMU fails with "preallocating memory failed: Bad ' +
      'address", or the kernel kills it with SIGBUS.',
    'Raise the limit (in a pod: resources.limits hugepages-...), or give the guest less memory.',
  ),
  'pages-promised': meaning(
    'free pages are reserved by other processes',
    'A process that has mapped huge pages without touching them has reserved them (HugePages_Rsvd). ' +
      'The kernel refuses a mapping that would use them, though they count as free.',
    'Add as many pages as are missing.',
  ),
  'pages-held': meaning(
    'free pages are promised to starting guests',
    'The hook promises each guest that may start what its QEMU allocates. Until it has, the pages ' +
      'look free, but are not: both guests together would not fit.',
    'Start the guest when another has ended, or add pages.',
  ),
  'hugetlbfs-missing': meaning(
    'no hugetlbfs of this page size is mounted',
    'libvirt looks for hugetlbfs mounts when it starts, and refuses a guest whose page size has none.',
    'Mount one, then restart the daemon; the message has the command.',
  ),
  'hugepages-refused': meaning(
    'huge pages beside an element that excludes them',
    'libvirt refuses <hugepages> together with an anonymous source or allocation on demand.',
    'Delete that element, or the <hugepages>.',
  ),
  'memory-short': meaning(
    'nodes lack memory that QEMU takes at start',
    'Memory with <allocation mode="immediate"/> and locked memory is taken when the guest starts. ' +
      'Memory that is bound to a node cannot come from another one.',
    'Request mode=preferred, use more nodes, or give the guest less memory.',
  ),
  'memory-over-node': meaning(
    'cells are larger than what their nodes have',
    'The guest starts, because ordinary memory is taken as it is touched. When it uses more than its ' +
      'nodes have, the host swaps, or the kernel kills QEMU.',
    'Request mode=preferred, use more nodes, or give the guest less memory.',
  ),
}
