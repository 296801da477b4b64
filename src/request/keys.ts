// The keys of a request: the values of each key, what it is for, and how its text is read. Flags, metadata,
// annotations, the configuration, help and messages all use this table.

import { type CpuSet, MAX_CELLS } from '../base/idset.ts'
import { parseSize } from '../base/memory.ts'
import { nearest } from '../base/nearest.ts'
import { parseSet } from '../base/parse-set.ts'
import { refuse } from '../codes/codes.ts'
import type {
  CoreUse,
  CpuChoice,
  DeviceUse,
  DistanceSource,
  EmulatorChoice,
  Existing,
  IsolatedUse,
  Like,
  MemorySplit,
  OnMisfit,
  Pagesize,
  Pin,
  Request,
  TierUse,
  TopologyChoice,
  TuneMode,
} from '../model/request.ts'

/** What each key's text is read to. */
export interface KeyValues {
  readonly like: Like
  readonly cells: Request['cells']
  readonly existing: Existing
  readonly memory: MemorySplit
  readonly cpus: CpuChoice
  readonly cores: CoreUse
  readonly pin: Pin
  /** In KiB; a list has two or more, the preferred first. */
  readonly pagesize: Pagesize | readonly Pagesize[]
  readonly mode: TuneMode
  readonly distances: DistanceSource
  readonly topology: TopologyChoice
  readonly 'on-misfit': OnMisfit
  readonly emulator: EmulatorChoice | CpuSet
  readonly isolated: IsolatedUse
  readonly devices: DeviceUse
  readonly tiers: TierUse
  /** In KiB. */
  readonly 'tier-memory': number
  /** Never empty. */
  readonly cpuset: CpuSet
}

/** The name of a key. */
export type Key = keyof KeyValues

/** `source` says where the text is, for messages. */
type Read<Value> = (text: string, source: string) => Value

/** One key. Its values are `words`, and with `open` also any value of that kind. */
interface KeyRow<Value> {
  /** The default first, unless `unstated` says what happens without the key. */
  readonly words: readonly string[]
  readonly open?: { readonly metavar: string; readonly says: string; readonly example: string }
  readonly unstated?: string
  readonly about: string
  readonly read: Read<Value>
}

const NUMBER = { metavar: 'NUMBER', says: `a whole number from 1 to ${MAX_CELLS}`, example: '2' }
const PAGESIZE = { metavar: 'SIZE', says: 'a page size, or a list of page sizes', example: '2M' }
const CPUSET = { metavar: 'CPUSET', says: 'a set of CPUs', example: '2-7,10' }

/** Every key. */
export const keys: { readonly [K in Key]: KeyRow<KeyValues[K]> } = {
  like: choice('like', "whose defaults apply; kubevirt: KubeVirt's own placement", ['virt-numa', 'kubevirt']),
  cells: {
    words: ['per-node'],
    open: NUMBER,
    about: 'guest cells: one per host node in use, or this many',
    read: readCells,
  },
  existing: choice('existing', 'existing cells: keep them and rebind, or replace them', ['keep', 'replace']),
  memory: choice('memory', 'how memory is split among the cells', ['by-vcpu', 'even', 'by-free-pages']),
  cpus: choice('cpus', 'which CPUs are used, in which order', ['pack', 'in-order', 'spread', 'as-pinned']),
  cores: choice('cores', 'whether two guest cores may share a host core; whole: each has one of its own', [
    'any',
    'whole',
  ]),
  pin: choice(
    'pin',
    'pin a vCPU to one CPU, or to all CPUs of its cell; auto: cpu if the guest has the CPUs to itself',
    ['auto', 'cpu', 'cell'],
  ),
  pagesize: {
    words: ['none'],
    open: PAGESIZE,
    unstated: "the domain's",
    about:
      'the page size of every cell; of a list, the first that its node can supply; none: ordinary memory',
    read: readPagesize,
  },
  mode: {
    ...choice('mode', 'how strictly memory is bound to its node', ['strict', 'preferred', 'restrictive']),
    unstated: "the domain's, else strict",
  },
  distances: choice('distances', "whether the guest sees the host's NUMA distances", ['host', 'none']),
  topology: choice(
    'topology',
    'keep <topology>, or rewrite it so that no socket, die or core spans cells; lock: also record the ' +
      'shape of the guest, and keep it at later fits',
    ['keep', 'align', 'lock'],
  ),
  'on-misfit': choice(
    'on-misfit',
    'a guest that differs from its recorded shape: refuse it, or record a new one',
    ['refuse', 'reshape'],
  ),
  emulator: {
    words: ['spare', 'shared', 'none'],
    open: CPUSET,
    about: "emulator and I/O threads: on spare CPUs, on the vCPUs' CPUs, not pinned, or on a CPUSET",
    read: readEmulator,
  },
  isolated: choice('isolated', 'whether isolcpus CPUs may be used if no cpuset is given', ['use', 'avoid']),
  devices: choice('devices', 'PCI devices of the host: left alone, or a PCIe bus per cell, or root complex', [
    'leave',
    'cell',
    'root',
  ]),
  tiers: choice('tiers', 'nodes with memory but no CPUs: not used, or a cell without vCPUs for each', [
    'ignore',
    'expose',
  ]),
  'tier-memory': {
    words: [],
    open: { metavar: 'SIZE', says: 'a size of memory', example: '16G' },
    unstated: 'by what is free',
    about: 'the memory of each cell without vCPUs',
    read: readTierMemory,
  },
  cpuset: {
    words: [],
    open: CPUSET,
    unstated: "the cgroup's",
    about: 'the CPUs to use',
    read: (text, source) => readCpuset('cpuset', text, source),
  },
}

/** The name of every key, in the order of the help. */
export const keyNames = Object.keys(keys) as readonly Key[]

/** `tenant-keys` and `tenant_keys` are one key: flags and annotations use `-`, the config file `_`. */
export function asKey(text: string): Key | undefined {
  const name = text.replace(/_/g, '-')
  return keyNames.find((key) => key === name)
}

/** The values of a key, in words, for messages. */
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

/** Page sizes of Linux are powers of two, so "2MB", which libvirt reads as 2,000,000 bytes, is not one. */
function readPagesize(text: string, source: string): Pagesize | readonly Pagesize[] {
  const sizes = text.split(',').map((each) => readOnePagesize(each.trim(), source))
  const [first] = sizes
  return first !== undefined && sizes.length === 1 ? first : [...new Set(sizes)]
}

/** @throws Refusal `unknown-value`, `size-malformed` */
export function readOnePagesize(text: string, source: string): Pagesize {
  if (text === 'none') return text
  if (!/^\d/.test(text)) unknown('pagesize', text, source)
  const { kib, exact } = parseSize(text, source)
  return exact && kib > 0 && 2 ** Math.round(Math.log2(kib)) === kib ? kib : unknown('pagesize', text, source)
}

function readTierMemory(text: string, source: string): number {
  if (!/^\d/.test(text)) unknown('tier-memory', text, source)
  const { kib, exact } = parseSize(text, source)
  return exact && kib > 0 ? kib : unknown('tier-memory', text, source)
}

function readEmulator(text: string, source: string): EmulatorChoice | CpuSet {
  if (text === 'spare' || text === 'shared' || text === 'none') return text
  return /^[\d^]/.test(text) ? readCpuset('emulator', text, source) : unknown('emulator', text, source)
}

function readCpuset(key: Key, text: string, source: string): CpuSet {
  const cpus = parseSet<CpuSet>(text, source)
  return cpus.length > 0 ? cpus : unknown(key, text, source)
}
