// Sizes of memory and pages, and what the host lacks of them: the text of each code.

import { sum } from '../../../base/lists.ts'
import { formatKiB, formatPagesize, inOneUnit, inOneUnitAbout } from '../../../base/memory.ts'
import type { MemoryFacts } from '../../../codes/guest/memory.ts'
import { type Ask, cellWord, hasOrHave, nodesNamed, plural, short, type Texts, text } from '../words.ts'

/** What, why and fix of each code. */
export const memoryTexts: Texts<MemoryFacts> = {
  'pagesize-invalid': (f) =>
    text(
      `${f.path === undefined ? '' : `${f.path}: `}${short(f.text)} is not a valid page size`,
      'a page size is a whole number of KiB',
      `write it like ${f.path === undefined ? '2M or 1G' : '2Mi or 1Gi'}`,
    ),
  'cell-not-page-multiple': (f, { ask: { use } }) =>
    text(
      `cell ${f.cell} has ${formatKiB(f.memoryKiB)}, which is not a whole number of ` +
        `${formatKiB(f.pagesizeKiB)} pages`,
      'QEMU refuses memory that does not fill its pages',
      f.isRecorded
        ? `${use('pagesize', 'SIZE')} with smaller pages: the recorded shape of the guest stays`
        : `give the cell ${wholePages(f)}`,
    ),
  'memory-too-small': (f, { ask: { use } }) => {
    const [memory, least] = inOneUnit(f.memoryKiB, f.unitKiB)
    return text(
      `${memory} is not enough for ${plural(f.cells, 'cell')} of at least ${least} each`,
      'every cell needs memory, in whole pages or MiB',
      `give the guest ${formatKiB(f.cells * f.unitKiB)}, or ${use('cells', 'NUMBER')} with fewer cells`,
    )
  },
  'memory-not-page-multiple': (f) =>
    text(
      `${formatKiB(f.memoryKiB)} is not a whole number of ${formatKiB(f.pagesizeKiB)} pages`,
      'QEMU refuses memory that does not fill its pages',
      `give the guest ${wholePages(f)}`,
    ),
  'default-pagesize-unknown': (_, { ask: { use } }) =>
    text(
      '<hugepages/> names no page size, and the default size of this host is not known',
      'without a <page>, the default huge page size of the kernel applies',
      `${use('pagesize', '2M')}, or add defaultPagesizeKiB to the host file`,
    ),
  'pagesize-fallback': ({ cells, requestedKiB, pagesizeKiB, because }) =>
    text(
      `${cellWord(cells)} ${cells.length === 1 ? 'gets' : 'get'} ` +
        `${pagesizeKiB === undefined ? 'ordinary memory' : `pages of ${formatKiB(pagesizeKiB)}`}, ` +
        `not pages of ${formatKiB(requestedKiB)}`,
      because === 'not-supplied'
        ? `the nodes of ${cells.length === 1 ? 'this cell' : 'these cells'} cannot supply enough of them`
        : `the memory of ${cells.length === 1 ? 'this cell' : 'these cells'} is not a whole number of them`,
    ),
  'pagesizes-mixed': (f, { ask: { use } }) =>
    text(
      `<hugepages> mixes the page sizes ${f.pagesizesKiB.map(formatPagesize).join(', ')}`,
      'new cells all have the same page size',
      use('pagesize', formatPagesize(f.pagesizesKiB[0] ?? 0)),
    ),
  'pages-short-in-all': (f) =>
    text(
      `the guest needs ${plural(f.need, 'page')} of ${formatKiB(f.pagesizeKiB)}, but ` +
        `${nodesNamed(f.nodes)} ${f.nodes.length === 1 ? 'has' : 'together have'} only ${f.available}`,
      f.kept === 0
        ? 'free pages and surplus pages (nr_overcommit_hugepages) are counted'
        : `reserve in the configuration keeps ${f.kept} on every node`,
      f.pool === undefined
        ? 'raise the limit of the cgroup (in a pod: resources.limits hugepages-...), or give the guest ' +
            'less memory'
        : morePagesOn({ ...f, pool: f.pool, missing: f.need - f.available }),
    ),
  'node-without-pages': (f) =>
    text(
      `node ${f.pool.node} has no free ${formatKiB(f.pagesizeKiB)} page for cell ${f.cell}`,
      'a cell needs memory on its own node',
      morePagesOn(f),
    ),
  'pages-short': (f, { ask: { use } }) =>
    text(
      `${nodesNamed(f.nodes)} ${hasOrHave(f.nodes)} ` +
        `${plural(f.free, `free ${formatKiB(f.pagesizeKiB)} page`)}, ` +
        `${cellWord(f.cells)} ${f.cells.length < 2 ? 'needs' : 'need'} ${f.need}`,
      f.bound
        ? `memnode mode strict forbids taking ` +
            `${f.need - f.free === 1 ? 'the missing one' : `the missing ${f.need - f.free}`} from another ` +
            'node'
        : 'the guest may use no other node',
      f.fitsSplit === undefined
        ? morePagesOn(f)
        : `${use('memory', 'by-free-pages')} (${splitOf(f.fitsSplit)}), or: ${morePagesOn(f)}`,
    ),
  'tiers-none': () =>
    text(
      'tiers=expose: no node that the guest may use has memory but no CPUs',
      'only such nodes become cells without vCPUs',
      "delete tiers, or add such a node to cpuset.mems of the guest's cgroup",
    ),
  'tier-empty': ({ node }) =>
    text(
      `tiers=expose: node ${node} has too little free memory, so it gets no cell`,
      'without tier-memory, memory is divided in proportion to what is free',
      'free memory there, or use --tier-memory SIZE',
    ),
  'tier-memory-units': (f) =>
    text(
      `tier-memory=${formatKiB(f.tierMemoryKiB)} is not a multiple of ${formatKiB(f.unitKiB)}`,
      'a cell has whole pages, and libvirt rounds cells to 1 MiB (256 MiB on ppc64)',
      `use --tier-memory ${formatPagesize(Math.ceil(f.tierMemoryKiB / f.unitKiB) * f.unitKiB)}`,
    ),
  'tiers-too-large': (f) => {
    const [tiers, memory] = inOneUnit(f.tiersKiB, f.memoryKiB)
    return text(
      `the cells without vCPUs would have ${tiers} of the ${memory} of the guest`,
      `every cell with vCPUs needs memory too, so at most ${formatKiB(f.mostKiB)} are left for them`,
      'use a smaller --tier-memory, or give the guest more memory',
    )
  },
  'pool-missing': (f, { ask: { use } }) =>
    text(
      `this host has no ${formatKiB(f.pagesizeKiB)} pages, but the guest needs ${f.need}`,
      f.hasKiB.length === 0
        ? 'its kernel has no huge pages'
        : `its kernel has huge pages of ${f.hasKiB.map(formatPagesize).join(', ')}`,
      `boot it with hugepagesz=${formatPagesize(f.pagesizeKiB)} ${bootPages(f)}, or ` +
        `${use('pagesize', f.instead.pagesizeKiB === 0 ? 'none' : formatPagesize(f.instead.pagesizeKiB))}` +
        `${f.instead.pools.length === 0 ? '' : ` after: ${enoughPages(f)}`}`,
    ),
  'pages-limit': (f) =>
    text(
      `the cgroup allows only ${plural(f.limit, 'page')} of ${formatKiB(f.pagesizeKiB)}` +
        `${f.used === 0 ? '' : `, of which ${f.used} ${f.used === 1 ? 'is' : 'are'} in use`}, ` +
        `but the guest needs ${f.need}`,
      `above hugetlb.${formatPagesize(f.pagesizeKiB)}B.max QEMU fails with "preallocating memory failed: ` +
        'Bad address", or the kernel kills it with SIGBUS',
      'raise the limit (in a pod: resources.limits hugepages-...), or give the guest less memory',
    ),
  'pages-promised': (f) =>
    text(
      `the host has ${plural(f.free, 'free page')} of ${formatKiB(f.pagesizeKiB)}, of which ${f.promised} ` +
        `${f.promised === 1 ? 'is' : 'are'} reserved by other processes, but the guest needs ${f.need}`,
      'the kernel refuses a mapping that would use pages reserved for another (HugePages_Rsvd), and QEMU ' +
        'fails with "unable to map backing store for guest RAM: Cannot allocate memory"',
      morePages(f.pagesizeKiB, f.need + f.promised - f.free),
    ),
  'pages-held': (f) => {
    const held = sum(f.holders.map(({ pages }) => pages))
    return text(
      `${nodesNamed(f.nodes)} ${hasOrHave(f.nodes)} ` +
        `${plural(f.free, `free ${formatKiB(f.pagesizeKiB)} page`)}, but ${held} ` +
        `${held === 1 ? 'is' : 'are'} promised to guests that are starting (${holdersOf(f)}), and ` +
        `${cellWord(f.cells)} ${f.cells.length < 2 ? 'needs' : 'need'} ${f.need}`,
      `the QEMU of each allocates them while it starts, and then ${f.missing} would be missing`,
      `start this guest when another has ended, or: ${morePagesOn(f)}`,
    )
  },
  'hugetlbfs-missing': ({ pagesizeKiB }) => {
    const [size, folder] = [formatPagesize(pagesizeKiB), `/dev/hugepages${formatPagesize(pagesizeKiB)}`]
    return text(
      `no hugetlbfs of ${formatKiB(pagesizeKiB)} pages is mounted`,
      'libvirt looks for hugetlbfs mounts when it starts, and refuses a guest whose page size has none',
      `mkdir -p ${folder} && mount -t hugetlbfs -o pagesize=${size} none ${folder}, then ` +
        'systemctl restart virtqemud (or libvirtd)',
    )
  },
  'hugepages-refused': (f) =>
    text(
      `the guest has both <hugepages> and ${f.element}`,
      'libvirt refuses this combination',
      `delete ${f.element}, or the <hugepages>`,
    ),
  'memory-short': (f, { ask }) => {
    const [has, need] = inOneUnitAbout(f.hasKiB, f.needKiB)
    return text(
      `${nodesNamed(f.nodes)} ${hasOrHave(f.nodes)} ${has} of memory, but ${cellWord(f.cells)} ` +
        `${f.cells.length < 2 ? 'needs' : 'need'} ${need}`,
      f.enough === 'nowhere'
        ? 'the host does not have that much memory'
        : 'memory that is bound to a node cannot come from another node',
      smallerFix[f.enough](ask),
    )
  },
  'memory-over-node': (f, { ask }) => {
    const [has, need] = inOneUnitAbout(f.hasKiB, f.needKiB)
    return text(
      `${cellWord(f.cells)} ${hasOrHave(f.cells.length === 0 ? [0] : f.cells)} ${need} of memory, but ` +
        `${nodesNamed(f.nodes)} ${hasOrHave(f.nodes)} only ${has}`,
      'the guest starts; when it uses more than its nodes have, the host swaps, or the kernel kills QEMU',
      smallerFix[f.enough](ask),
    )
  },
}

/** By who has enough memory. */
const smallerFix: Readonly<Record<MemoryFacts['memory-short']['enough'], (ask: Ask) => string>> = {
  'own nodes': ({ use }) => `${use('mode', 'preferred')}, or give the guest less memory`,
  host: ({ use }) =>
    `give the guest CPUs on more nodes and ${use('cells', 'NUMBER')}, or give it less memory`,
  nowhere: () => 'give the guest less memory',
}

/** "1022 MiB or 1024 MiB": the whole pages below and above. */
const wholePages = ({ lowerKiB, pagesizeKiB }: MemoryFacts['memory-not-page-multiple']): string =>
  lowerKiB === 0 ? formatKiB(pagesizeKiB) : inOneUnit(lowerKiB, lowerKiB + pagesizeKiB).join(' or ')

type MorePages = Pick<MemoryFacts['pages-short'], 'pool' | 'missing' | 'pagesizeKiB'>

const morePagesOn = ({ pool, missing, pagesizeKiB }: MorePages): string =>
  `echo ${pool.total + missing + (pool.alsoMissing ?? 0)} > ` +
  `/sys/devices/system/node/node${pool.node}/hugepages/hugepages-${pagesizeKiB}kB/nr_hugepages`

function bootPages({ boot: { inAll, onNodes } }: MemoryFacts['pool-missing']): string {
  if (onNodes.length === 0) return `hugepages=${inAll}`
  const each = onNodes.map(({ node, pages }) => `${node}:${pages}`).join(',')
  return `hugepages=${each} (before Linux 5.16: hugepages=${inAll})`
}

const enoughPages = ({ instead: { pagesizeKiB, pools } }: MemoryFacts['pool-missing']): string =>
  pools.map((pool) => morePagesOn({ pool, missing: 0, pagesizeKiB })).join(' && ')

/** As many names as a line has room for. */
const MOST_HOLDERS = 4

/** "db1: 8, db2: 4 and 3 more". */
function holdersOf({ holders }: MemoryFacts['pages-held']): string {
  const named = holders
    .slice(0, MOST_HOLDERS)
    .map(({ guest, pages }) => `${guest === undefined ? 'another guest' : short(guest)}: ${pages}`)
  const more = holders.length - named.length
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const morePages = (pagesizeKiB: number, pages: number): string => {
  const file = `/sys/kernel/mm/hugepages/hugepages-${pagesizeKiB}kB/nr_hugepages`
  return `echo $(($(cat ${file}) + ${pages})) > ${file}`
}

function splitOf(cells: readonly { cell: number; memoryKiB: number }[]): string {
  const sizes = inOneUnit(...cells.map(({ memoryKiB }) => memoryKiB))
  return cells.map(({ cell }, at) => `cell ${cell} ${sizes[at]}`).join(', ')
}
