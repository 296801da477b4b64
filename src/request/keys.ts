// The keys of a request: per key what it may say, what it is for, and how its text is read.
// Flags, metadata, annotations, the config file, help and error texts all come from this one table.

import { type CpuSet, MAX_CELLS, parseSet } from '../base/idset.ts'
import { parseSize } from '../base/memory.ts'
import { nearest } from '../base/nearest.ts'
import { refuse } from '../codes/codes.ts'
import type {
  CpuChoice,
  DistanceSource,
  EmulatorChoice,
  Existing,
  IsolatedUse,
  Like,
  MemorySplit,
  Pin,
  Request,
  TuneMode,
} from '../model.ts'

/** What each key's text is read to. */
export interface KeyValues {
  readonly like: Like
  readonly cells: Request['cells']
  readonly existing: Existing
  readonly memory: MemorySplit
  readonly cpus: CpuChoice
  readonly pin: Pin
  /** In KiB. */
  readonly pagesize: number | 'none'
  readonly mode: TuneMode
  readonly distances: DistanceSource
  readonly emulator: EmulatorChoice | CpuSet
  readonly isolated: IsolatedUse
  /** Never empty. */
  readonly cpuset: CpuSet
}

export type Key = keyof KeyValues

/** `source` is where the text stands, for the words of a refusal. */
type Read<Value> = (text: string, source: string) => Value

/** One key. What it may say: its words, and where `open` is there a value of that kind too. */
export interface KeyRow<Value> {
  /** The default first, unless `unstated` says what happens without the key. */
  readonly words: readonly string[]
  readonly open?: { readonly metavar: string; readonly says: string; readonly example: string }
  readonly unstated?: string
  readonly about: string
  readonly read: Read<Value>
}

const NUMBER = { metavar: 'NUMBER', says: `a whole number from 1 to ${MAX_CELLS}`, example: '2' }
const PAGESIZE = { metavar: 'SIZE', says: 'a page size', example: '2M' }
const CPUSET = { metavar: 'CPUSET', says: 'a set of CPUs', example: '2-7,10' }

export const keys: { readonly [K in Key]: KeyRow<KeyValues[K]> } = {
  like: choice('like', 'the set of defaults', ['virt-numa', 'kubevirt']),
  cells: {
    words: ['per-node'],
    open: NUMBER,
    about: 'guest cells: one per host node in use, or this many',
    read: readCells,
  },
  existing: choice('existing', 'existing cells: keep them and rebind, or replace them', ['keep', 'replace']),
  memory: choice('memory', 'how memory is split among the cells', ['by-vcpu', 'even', 'by-free-pages']),
  cpus: choice('cpus', 'which CPUs are used, in which order', ['pack', 'in-order', 'spread', 'as-pinned']),
  pin: choice(
    'pin',
    'pin a vCPU to one CPU, or to all CPUs of its cell; auto: cpu if the guest has the CPUs to itself',
    ['auto', 'cpu', 'cell'],
  ),
  pagesize: {
    words: ['none'],
    open: PAGESIZE,
    unstated: "the domain's",
    about: 'the page size that backs every cell; none: ordinary memory',
    read: readPagesize,
  },
  mode: choice('mode', 'how strictly memory is bound to its node', ['strict', 'preferred', 'restrictive']),
  distances: choice('distances', "whether the guest sees the host's NUMA distances", ['host', 'none']),
  emulator: {
    words: ['spare', 'shared', 'none'],
    open: CPUSET,
    about: "emulator and I/O threads: on spare CPUs, on the vCPUs' CPUs, not pinned, or on a CPUSET",
    read: readEmulator,
  },
  isolated: choice('isolated', 'whether isolcpus CPUs may be used if no cpuset is given', ['use', 'avoid']),
  cpuset: {
    words: [],
    open: CPUSET,
    unstated: "the pod's",
    about: 'the CPUs to use',
    read: (text, source) => readCpuset('cpuset', text, source),
  },
}

export const keyNames = Object.keys(keys) as readonly Key[]

/** `tenant-keys` and `tenant_keys` are one key: flags and annotations use `-`, the config file `_`. */
export function asKey(text: string): Key | undefined {
  const name = text.replace(/_/g, '-')
  return keyNames.find((key) => key === name)
}

/** All that a key may say, in words: for errors. */
export function valuesOf(key: Key): readonly string[] {
  const { words, open } = keys[key]
  return open === undefined ? words : [...words, open.says]
}

function choice<Word extends string>(key: Key, about: string, words: readonly Word[]): KeyRow<Word> {
  return {
    words,
    about,
    read: (text, source) => words.find((word) => word === text) ?? unknown(key, text, source),
  }
}

function unknown(key: Key, value: string, source: string): never {
  const { words, open } = keys[key]
  refuse('unknown-value', {
    source,
    key,
    value,
    known: valuesOf(key),
    close: nearest(value, words),
    example: open?.example,
  })
}

function readCells(text: string, source: string): Request['cells'] {
  if (text === 'per-node') return text
  const cells = /^\d{1,9}$/.test(text) ? Number(text) : 0
  return cells >= 1 && cells <= MAX_CELLS ? cells : unknown('cells', text, source)
}

/** Every page size of Linux is a power of two, so "2MB", which libvirt reads as 2,000,000 bytes, is none. */
function readPagesize(text: string, source: string): number | 'none' {
  if (text === 'none') return text
  if (!/^\d/.test(text)) unknown('pagesize', text, source)
  const { kib, exact } = parseSize(text, source)
  return exact && kib > 0 && 2 ** Math.round(Math.log2(kib)) === kib ? kib : unknown('pagesize', text, source)
}

function readEmulator(text: string, source: string): EmulatorChoice | CpuSet {
  if (text === 'spare' || text === 'shared' || text === 'none') return text
  return /^[\d^]/.test(text) ? readCpuset('emulator', text, source) : unknown('emulator', text, source)
}

function readCpuset(key: Key, text: string, source: string): CpuSet {
  const cpus = parseSet<CpuSet>(text, source)
  return cpus.length > 0 ? cpus : unknown(key, text, source)
}
