// The words that texts of diagnostics share: counts, sets and sizes in prose, and foreign text in quotes.

import { type Bound, boundWord } from '../../base/bounds.ts'
import type { Diagnostic } from '../../base/diagnostic.ts'
import { formatSet, setOf } from '../../base/idset.ts'
import type { FoundValue } from '../../base/json.ts'
import type { ExpectedValue, UnexpectedValue } from '../../codes/documents.ts'
import type { PinnedThreadIds } from '../../codes/guest/cpus.ts'
import type { Topology } from '../../codes/guest/domain.ts'

/**
 * `what` has the numbers, `why` is the rule behind it in one sentence, `fix` can be typed or written. `why`
 * is absent where `what` is enough.
 */
export interface Text {
  readonly what: string
  readonly why?: string
  readonly fix?: string
}

/** How the reader of a fix requests something. */
export interface Ask {
  /** A placement option, with one of these values: "use --pin cell". */
  readonly use: (key: string, ...values: readonly string[]) => string
  /** A new placement, with these options: "run virt-numa transform --rebind". */
  readonly fit: (options: string) => string
  /** Who wrote the document, and `see`: where its mistakes show. */
  readonly document: { readonly by: 'reader' } | { readonly by: 'libvirt' | 'kubevirt'; readonly see: string }
}

/** What a text needs besides facts. `messageOf` gives the text of a diagnostic among them. */
export interface Around {
  readonly ask: Ask
  readonly messageOf: (cause: Diagnostic) => Text
}

/** A text for each code, made of its facts. */
export type Texts<F> = {
  readonly [C in keyof F]: (facts: F[C], around: Around) => Text
}

/** The text of one diagnostic. */
export const text = (what: string, why?: string, fix?: string): Text => ({
  what,
  ...(why !== undefined && { why }),
  ...(fix !== undefined && { fix }),
})
/** A count and its noun: "1 page", "3 pages". */
export const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`
/** Foreign text in quotes, cut; base/visible.ts escapes its invisible characters when it is printed. */
export const short = (value: string, most = 40): string =>
  `"${(value.length > most ? `${value.slice(0, most - 3)}...` : value).replaceAll('"', '\\"')}"`
/** A list of choices: "a, b or c". */
export const or = (words: readonly string[]): string => listed(words, 'or')
/** A list: "a, b and c". */
export const and = (words: readonly string[]): string => listed(words, 'and')
const listed = (words: readonly string[], last: string): string =>
  words.join(', ').replace(/, ([^,]*)$/, ` ${last} $1`)
/** Asks whether the nearest known word was meant, or gives another fix. */
export const meant = (close: string | undefined, otherwise: string): string =>
  close === undefined ? otherwise : `did you mean ${close}?`

/** The CPUs that a guest takes: "4 vCPUs and 1 I/O thread take". */
export const taken = (f: { vcpus: number; pool: number }): string =>
  `${plural(f.vcpus, 'vCPU')}${f.pool === 0 ? '' : ` and ${plural(f.pool, 'I/O thread')}`} ` +
  `${f.vcpus + f.pool === 1 ? 'takes' : 'take'}`

/** A noun and its ids: "vCPU 3", "vCPUs 0-1". */
export const withIds = (noun: string, ids: readonly number[]): string =>
  `${noun}${ids.length === 1 ? '' : 's'} ${formatSet(setOf(ids))}`

/** The verb for so many: "is" or "are". */
export const isOrAre = (ids: readonly unknown[]): string => (ids.length === 1 ? 'is' : 'are')

/** The verb for so many: "has" or "have". */
export const hasOrHave = (ids: readonly unknown[]): string => (ids.length === 1 ? 'has' : 'have')

/** "CPU 3", "CPUs 0-3", "no CPU". */
export const cpuWord = (cpus: readonly number[]): string =>
  cpus.length === 0 ? 'no CPU' : withIds('CPU', cpus)

/** "cell 0", "cells 0-1", and "the guest" where it has no cells. */
export const cellWord = (cells: readonly number[]): string =>
  cells.length === 0 ? 'the guest' : withIds('cell', cells)

/** A `<topology>` as it is written: dies and clusters only where a socket has several. */
export function topologyElement({ sockets, dies, clusters, cores, threads }: Topology): string {
  const levels = { sockets, ...(dies > 1 && { dies }), ...(clusters > 1 && { clusters }), cores, threads }
  const written = Object.entries(levels).map(([name, count]) => `${name}='${count}'`)
  return `<topology ${written.join(' ')}/>`
}

/** The limits of what a tenant may request. */
export const within = (bounds: readonly Bound[]): string =>
  `the request of a guest is limited to ${boundWords(bounds)}`

/** Bounds with who sets them: "cpuset in virt-numa.conf (2-3,6-7) and ...". */
export const boundWords = (bounds: readonly Bound[]): string => bounds.map(boundWord).join(' and ')

/** "vCPUs 0-3, the emulator and I/O thread 1". */
export function threadWords({ vcpus, emulator, iothreads }: PinnedThreadIds): string {
  return and([
    ...(vcpus.length === 0 ? [] : [withIds('vCPU', vcpus)]),
    ...(emulator ? ['the emulator'] : []),
    ...(iothreads.length === 0 ? [] : [withIds('I/O thread', iothreads)]),
  ])
}

/** Ids that are counted from 0: "cell 0", "cells 0-3". */
export const cellsUpTo = (count: number): string => (count === 1 ? 'cell 0' : `cells 0-${count - 1}`)

/** "node 2", "nodes 0-1,3", "no nodes". */
export const nodesNamed = (nodes: readonly number[]): string =>
  nodes.length === 0 ? 'no nodes' : withIds('node', nodes)

/** The text of a value that its place, such as "host.json: nodes[0].id", does not take. */
export function unexpectedText(place: string, { found, expected }: UnexpectedValue): Text {
  const [why, fix] = expectedWords(expected)
  return text(`${place} is ${foundWords(found)}`, `expected ${why}`, fix)
}

function foundWords(found: FoundValue): string {
  if (typeof found === 'string') return `the text ${short(found)}`
  if (found === null || typeof found !== 'object') return String(found)
  return `${found.kind === 'object' ? 'an' : 'a'} ${found.kind}`
}

/** What is expected, and how it is written. */
function expectedWords(expected: ExpectedValue): readonly [what: string, fix: string] {
  switch (expected.kind) {
    case 'object':
      return ['an object', 'write it like { "key": value }']
    case 'list':
      return ['a list', 'write it like [ value, value ]']
    case 'text':
      return ['a text', 'write it in quotes']
    case 'version':
      return ['a version', 'write it like "9.0.0"']
    case 'boolean':
      return ['true or false', 'write true or false, without quotes']
    case 'set':
      return ['a set of ids, as a text', 'write it like "0-3,8"']
    case 'cpus':
      return ['a number of CPUs', 'write it like "4"']
    case 'count':
      return [`a whole number from 0 to ${expected.max}`, 'write digits, without quotes, sign or fraction']
    case 'word':
      return [or(expected.known), 'write one of these']
  }
}
