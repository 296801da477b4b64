// Sizes of memory and pages, and what the host lacks of them: the facts and the class of each code.

import type { DiagnosticClass } from '../base/diagnostic.ts'

/** The facts of each code. */
export interface MemoryFacts {
  readonly 'pagesize-invalid': { text: string; path?: string }

  readonly 'cell-not-page-multiple': {
    cell: number
    memory: string
    page: string
    lower: string
    upper: string
  }

  readonly 'memory-too-small': { memory: string; cells: number; unit: string; need: string }

  readonly 'memory-not-page-multiple': { memory: string; page: string; lower: string; upper: string }

  readonly 'default-pagesize-unknown': object

  readonly 'pagesizes-mixed': { sizes: string; first: string }

  readonly 'pages-short-in-all': { need: number; page: string; nodes: string; room: number; kept: number }

  readonly 'node-without-pages': { cell: number; node: number; page: string; cells: number }

  readonly 'pages-short': {
    nodes: string
    count: number
    free: number
    page: string
    cells: readonly number[]
    need: number
    bound: boolean
    fix: string
    /** The memory of each cell with which memory=by-free-pages has enough pages. */
    fitsSplit?: readonly { cell: number; memoryKiB: number }[]
  }

  readonly 'pool-missing': { page: string; size: string; need: number; has: string }

  readonly 'pages-limit': { page: string; limit: number; need: number; size: string }

  readonly 'pages-promised': { page: string; free: number; promised: number; need: number; kib: number }

  readonly 'hugetlbfs-missing': { page: string; size: string }

  readonly 'memory-short': {
    nodes: string
    count: number
    has: string
    cells: readonly number[]
    need: string
    /** Who has enough for the whole guest: its own nodes together, the host, or nobody. */
    enough: 'own nodes' | 'host' | 'nowhere'
  }
}

/** The class of each code. */
export const memoryClasses: Readonly<Record<keyof MemoryFacts, DiagnosticClass>> = {
  'pagesize-invalid': 'invalid',
  'cell-not-page-multiple': 'invalid',
  'memory-too-small': 'invalid',
  'memory-not-page-multiple': 'invalid',
  'default-pagesize-unknown': 'invalid',
  'pagesizes-mixed': 'invalid',
  'pages-short-in-all': 'invalid',
  'node-without-pages': 'invalid',
  'pages-short': 'capacity',
  'pool-missing': 'capacity',
  'pages-limit': 'capacity',
  'pages-promised': 'capacity',
  'hugetlbfs-missing': 'capacity',
  'memory-short': 'capacity',
}
