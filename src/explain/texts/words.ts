// The words that texts of diagnostics share: counts, sets and sizes in prose, and foreign text in quotes.

import type { Diagnostic } from '../../base/diagnostic.ts'

/**
 * `what` has the numbers, `why` is the rule behind it in one sentence, `fix` can be typed or written. `why` is
 * absent where `what` says all of it.
 */
export interface Text {
  readonly what: string
  readonly why?: string
  readonly fix?: string
}

/** A text for each code, made of its facts; `messageOf` gives the text of a diagnostic that is one of the facts. */
export type Texts<F> = {
  readonly [C in keyof F]: (facts: F[C], messageOf: (cause: Diagnostic) => Text) => Text
}

/** The text of one diagnostic. */
export const text = (what: string, why?: string, fix?: string): Text => ({
  what,
  ...(why !== undefined && { why }),
  ...(fix !== undefined && { fix }),
})
/** A count and its noun: "1 page", "3 pages". */
export const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`
/** What others wrote, cut; characters that cannot be shown are written out where it is printed (visible.ts). */
export const short = (value: string, most = 40): string =>
  `"${(value.length > most ? `${value.slice(0, most - 3)}...` : value).replaceAll('"', '\\"')}"`
/** A list of choices: "a, b or c". */
export const or = (words: readonly string[]): string => words.join(', ').replace(/, ([^,]*)$/, ' or $1')
/** Asks whether the nearest known word was meant, or gives another fix. */
export const meant = (close: string | undefined, otherwise: string): string =>
  close === undefined ? otherwise : `did you mean ${close}?`

/** The CPUs that a guest takes: "4 vCPUs and 1 I/O thread take". */
export const taken = (f: { vcpus: number; pool: number }): string =>
  `${plural(f.vcpus, 'vCPU')}${f.pool === 0 ? '' : ` and ${plural(f.pool, 'I/O thread')}`} ${f.vcpus + f.pool === 1 ? 'takes' : 'take'}`

/** "CPU 3", "CPUs 0-3", "no CPU". */
export const cpuWord = (cpus: string): string =>
  cpus === '' ? 'no CPU' : `CPU${/^\d+$/.test(cpus) ? '' : 's'} ${cpus}`
/** Cells and the verb: "cell 0 has", "cells 0-1 have". */
export const has = (cells: string): string => `${cells} ${cells.startsWith('cells') ? 'have' : 'has'}`
/** "node 0", "nodes 0-1". */
export const nodeWord = (f: { nodes: string; count: number }): string =>
  `node${f.count === 1 ? '' : 's'} ${f.nodes}`
/** "cell 0", "cells 0 and 2". */
export const cellWord = (cells: readonly number[]): string =>
  `cell${cells.length === 1 ? '' : 's'} ${cells.join(' and ')}`

/** The limits of what a tenant may request. */
export const within = (bounds: readonly string[]): string =>
  `a guest's own request stays within ${bounds.join(' and ')}`

/** Ids that are counted from 0: "cell 0", "cells 0-3". */
export const cellsUpTo = (count: number): string => (count === 1 ? 'cell 0' : `cells 0-${count - 1}`)

/** "node 2", "nodes 0-1,3", "no nodes". */
export const nodesNamed = (nodes: string): string =>
  nodes === '' ? 'no nodes' : `node${/^\d+$/.test(nodes) ? '' : 's'} ${nodes}`
