// The command line of a running QEMU -> its cells, memory devices, and the memory backend of each.

import type { NodeSet, VcpuSet } from '../../base/idset.ts'
import type {
  BackingKind,
  MemoryBackend,
  MemoryPolicy,
  QemuCell,
  QemuCommand,
} from '../../model/running-guest.ts'
import { known } from '../kernel-text.ts'
import { numberWord, setWord, sizeWord, type Words, word, wordsOf } from './option-words.ts'

const KINDS: Readonly<Record<string, BackingKind>> = {
  'memory-backend-file': 'file',
  'memory-backend-shm': 'file',
  'memory-backend-memfd': 'memfd',
  'memory-backend-ram': 'ram',
}

/** QEMU's name for the RAM that it creates itself when only -m is given. */
const OWN_RAM = 'pc.ram'

/** Reads the options about guest memory. @param argv as in /proc/PID/cmdline, the program's name first */
export function readCommand(argv: readonly string[]): QemuCommand {
  const options = optionsOf(argv)
  const written = options.object.flatMap((text) => backendOf(wordsOf(text, 'qom-type')) ?? [])
  const cells = cellsOf(options.numa.map((text) => wordsOf(text, 'type')))
  const machine = options.machine
    .map((text) => word(wordsOf(text, 'type'), 'memory-backend'))
    .find((id) => id !== undefined)
  const own = cells.length > 0 || machine !== undefined ? [] : ownRam(options)
  const all =
    cells.length > 0 ? cells : [{ id: 0, vcpus: setWord<VcpuSet>(new Map(), ''), ram: machine ?? OWN_RAM }]
  return {
    ...known('guest', options.name.map((text) => word(wordsOf(text, 'guest'), 'guest')).at(-1)),
    cells: all,
    devices: options.device.flatMap((text) => deviceOf(wordsOf(text, 'driver')) ?? []),
    backends: [...written, ...own],
  }
}

/** Whether this is the command line of a QEMU guest, and not of qemu-img or another program. */
export function isQemu(argv: readonly string[]): boolean {
  const program = argv[0]?.replace(/^.*\//, '') ?? ''
  return /^(qemu-system-\w+|qemu-kvm|kvm|qemu)$/.test(program)
}

const NAMES = ['object', 'numa', 'device', 'machine', 'name', 'm', 'mem-path'] as const

type Options = { readonly [Name in (typeof NAMES)[number]]: readonly string[] }

/** QEMU accepts options with one dash or two. */
function optionsOf(argv: readonly string[]): Options {
  const of = (name: string): string[] =>
    argv.flatMap((text, index) => {
      const value = argv[index + 1]
      const isName = text === `-${name}` || text === `--${name}` || (name === 'machine' && text === '-M')
      return isName && value !== undefined ? [value] : []
    })
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as unknown as Options
}

function backendOf(words: Words): MemoryBackend | undefined {
  const kind = KINDS[word(words, 'qom-type') ?? '']
  const id = word(words, 'id')
  const sizeKiB = sizeWord(word(words, 'size'))
  if (kind === undefined || id === undefined || sizeKiB === undefined) return undefined
  return { id, sizeKiB, kind, ...known('path', word(words, 'mem-path')), ...known('policy', policyOf(words)) }
}

function policyOf(words: Words): MemoryPolicy | undefined {
  const mode = word(words, 'policy')
  return mode === undefined || mode === 'default'
    ? undefined
    : { mode, nodes: setWord<NodeSet>(words, 'host-nodes') }
}

/** Cells without a nodeid are numbered in order. */
function cellsOf(numa: readonly Words[]): QemuCell[] {
  return numa
    .filter((words) => word(words, 'type') === 'node')
    .map((words, index) => ({
      id: numberWord(words, 'nodeid') ?? index,
      vcpus: setWord<VcpuSet>(words, 'cpus'),
      ...known('ram', word(words, 'memdev')),
    }))
    .sort((a, b) => a.id - b.id)
}

function ownRam({ m, 'mem-path': path }: Options): MemoryBackend[] {
  const sizeKiB = sizeWord(m.map((text) => word(wordsOf(text, 'size'), 'size')).at(-1), 'm')
  if (sizeKiB === undefined) return []
  return [{ id: OWN_RAM, sizeKiB, kind: path.length > 0 ? 'file' : 'ram', ...known('path', path.at(-1)) }]
}

/** Skips nvdimm and virtio-pmem: their memory is page cache, which follows no policy. */
function deviceOf(words: Words): QemuCommand['devices'][number] | undefined {
  const model = word(words, 'driver') ?? ''
  const backend = word(words, 'memdev')
  if (backend === undefined || !/^(pc-dimm|virtio-mem)/.test(model)) return undefined
  return { backend, cell: numberWord(words, 'node') ?? 0, model }
}
