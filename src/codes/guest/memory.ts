// Sizes of memory and pages, and what the host lacks of them: the facts and the class of each code.

import type { DiagnosticClass } from '../../base/diagnostic.ts'
import type { NodeSet } from '../../base/idset.ts'

/** Memory that is not whole pages. `lowerKiB`: the most whole pages below it. */
interface NotWholePages {
  readonly memoryKiB: number
  readonly pagesizeKiB: number
  readonly lowerKiB: number
}

/** How many huge pages of one size a node has, free or not. */
export interface PagePool {
  readonly node: number
  readonly total: number
  /** How many it lacks for other cells, of which another finding reports that they are missing. */
  readonly alsoMissing?: number
}

/** Ordinary memory that nodes do not have. `cells` is empty where the guest has none. */
interface NodeMemory {
  readonly nodes: NodeSet
  readonly hasKiB: number
  readonly cells: readonly number[]
  readonly needKiB: number
  /** Who has enough for the whole guest: its own nodes together, the host, or nobody. */
  readonly enough: 'own nodes' | 'host' | 'nowhere'
}

/** The facts of each code. */
export interface MemoryFacts {
  readonly 'pagesize-invalid': { text: string; path?: string }

  /** `isRecorded`: the cell is one of the recorded shape, so its memory stays. */
  readonly 'cell-not-page-multiple': { cell: number; isRecorded?: boolean } & NotWholePages

  /** `unitKiB`: what each cell has at least. */
  readonly 'memory-too-small': { memoryKiB: number; cells: number; unitKiB: number }

  readonly 'memory-not-page-multiple': NotWholePages

  readonly 'default-pagesize-unknown': object

  /** Without `pagesizeKiB` the cells get ordinary memory. */
  readonly 'pagesize-fallback': {
    cells: readonly number[]
    requestedKiB: number
    pagesizeKiB?: number
    because: 'not-supplied' | 'not-whole-pages'
  }

  readonly 'pagesizes-mixed': { pagesizesKiB: readonly number[] }

  /**
   * `available` pages on the nodes together; `kept`: the pages that reserve keeps on every node; `pool`: one
   * of the nodes; absent where the cgroup allows no more pages.
   */
  readonly 'pages-short-in-all': {
    need: number
    pagesizeKiB: number
    nodes: NodeSet
    available: number
    kept: number
    pool?: PagePool
  }

  /** `missing`: pages for a smallest cell. */
  readonly 'node-without-pages': {
    cell: number
    pagesizeKiB: number
    missing: number
    pool: PagePool
  }

  /**
   * `cells` is empty where the guest has none. `missing`: what the nodes still lack with the surplus pages
   * that they can have; `pool`: the first of the nodes, and the pages that it has.
   */
  readonly 'pages-short': {
    nodes: NodeSet
    free: number
    pagesizeKiB: number
    cells: readonly number[]
    need: number
    missing: number
    bound: boolean
    pool: PagePool
    /** The memory of each cell with which memory=by-free-pages has enough pages. */
    fitsSplit?: readonly { cell: number; memoryKiB: number }[]
  }

  /** `hasKiB`: the page sizes that the host has. */
  readonly 'tiers-none': object

  readonly 'tier-empty': { node: number }

  /** `unitKiB`: pages, or what libvirt rounds cells to. */
  readonly 'tier-memory-units': { tierMemoryKiB: number; unitKiB: number }

  /** `mostKiB`: what is left if every cell with vCPUs gets the least that it can have. */
  readonly 'tiers-too-large': { memoryKiB: number; tiersKiB: number; mostKiB: number }

  /**
   * `hasKiB`: the page sizes of the host. `boot`: how many pages to make at boot, which the kernel divides
   * evenly among the nodes; with `onNodes` where only some nodes need them. `instead`: the page size to use
   * otherwise, 0 for ordinary memory, and how large the pools that are too small for it have to be.
   */
  readonly 'pool-missing': {
    pagesizeKiB: number
    need: number
    hasKiB: readonly number[]
    boot: { inAll: number; onNodes: readonly { node: number; pages: number }[] }
    instead: { pagesizeKiB: number; pools: readonly PagePool[] }
  }

  /** `used`: pages that are charged against the limit already. */
  readonly 'pages-limit': { pagesizeKiB: number; limit: number; used: number; need: number }

  readonly 'pages-promised': { pagesizeKiB: number; free: number; promised: number; need: number }

  /**
   * Pages that the nodes have free, but that guests which are starting were promised. `holders`: these
   * guests, and how many of the pages each was promised; without `guest` the source hides its name.
   * `missing`, `pool`: as in pages-short.
   */
  readonly 'pages-held': {
    nodes: NodeSet
    free: number
    pagesizeKiB: number
    cells: readonly number[]
    need: number
    missing: number
    bound: boolean
    holders: readonly { guest?: string; pages: number }[]
    pool: PagePool
  }

  readonly 'hugetlbfs-missing': { pagesizeKiB: number }

  readonly 'hugepages-refused': { element: string }

  /** Memory that QEMU allocates or locks when the guest starts. */
  readonly 'memory-short': NodeMemory

  /** Memory that the guest may use later. */
  readonly 'memory-over-node': NodeMemory
}

/** The class of each code. */
export const memoryClasses: Readonly<Record<keyof MemoryFacts, DiagnosticClass>> = {
  'pagesize-invalid': 'invalid',
  'cell-not-page-multiple': 'invalid',
  'memory-too-small': 'invalid',
  'memory-not-page-multiple': 'invalid',
  'default-pagesize-unknown': 'invalid',
  'pagesize-fallback': 'note',
  'pagesizes-mixed': 'invalid',
  'pages-short-in-all': 'invalid',
  'node-without-pages': 'invalid',
  'pages-short': 'capacity',
  'tiers-none': 'note',
  'tier-empty': 'note',
  'tier-memory-units': 'invalid',
  'tiers-too-large': 'invalid',
  'pool-missing': 'capacity',
  'pages-limit': 'capacity',
  'pages-promised': 'capacity',
  'pages-held': 'capacity',
  'hugetlbfs-missing': 'capacity',
  'hugepages-refused': 'invalid',
  'memory-short': 'capacity',
  'memory-over-node': 'note',
}
