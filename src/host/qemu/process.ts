// The /proc folder of a running QEMU -> its threads, its command line and its memory.

import type { CpuSet, IdSet, NodeSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import { decodeUtf8 } from '../../base/utf8.ts'
import { refuse } from '../../codes/codes.ts'
import type { GuestThread, QemuCommand, RunningGuest, ThreadRole } from '../../model/running-guest.ts'
import type { Files } from '../files.ts'
import { ifReadable, known, numberedIn, textAt } from '../kernel-text.ts'
import { isQemu, readCommand } from './command.ts'
import { readMappings } from './numa-maps.ts'

/**
 * How much of QEMU's mappings is read. `nodes`: where memory is; the kernel walks the page tables
 * once for it. `pages`: transparent huge pages and swap too, for which it walks them again.
 */
export type MappingDetail = 'nodes' | 'pages'

/**
 * Reads a running guest.
 * @param vcpus libvirt's thread of each vCPU; if empty, the names of the threads are used
 * @throws Refusal `process-missing`, `not-qemu-process`, `guest-gone` when it ended or its pid was reused
 * meanwhile
 */
export function readRunningGuest(
  files: Files,
  pid: number,
  vcpus: ReadonlyMap<number, number>,
  detail: MappingDetail = 'pages',
): RunningGuest {
  const born = startOf(files, pid)
  if (born === undefined) refuse('process-missing', { pid })
  const command = readCommandOf(files, pid)
  const threads = readThreads(files, pid, vcpus)
  const numaMaps = rawTextAt(files, `/proc/${pid}/numa_maps`)
  const nodes = setIn<NodeSet>(rawTextAt(files, `/proc/${pid}/status`) ?? '', 'Mems_allowed_list')
  const [first, second] = detail === 'pages' ? ['smaps', 'maps'] : ['maps', 'smaps']
  const ranges = rawTextAt(files, `/proc/${pid}/${first}`) || rawTextAt(files, `/proc/${pid}/${second}`)
  if (startOf(files, pid) !== born || threads.length === 0) refuse('guest-gone', { pid })
  // The kernel shows an empty text for a process that is exiting.
  const mappings = numaMaps && ranges ? readMappings(numaMaps, ranges) : undefined
  return { pid, command, threads, ...known('nodes', nodes), ...known('mappings', mappings) }
}

/** Reads QEMU's command line. @throws Refusal `process-missing`, `not-qemu-process` */
export function readCommandOf(files: Files, pid: number): QemuCommand {
  if (startOf(files, pid) === undefined) refuse('process-missing', { pid })
  const argv = (rawTextAt(files, `/proc/${pid}/cmdline`) ?? '').split('\0')
  if (!isQemu(argv))
    refuse('not-qemu-process', { pid, name: argv[0] || (textAt(files, `/proc/${pid}/comm`)?.trim() ?? '') })
  return readCommand(argv)
}

const startOf = (files: Files, pid: number): string | undefined => processStat(files, pid)?.start

/**
 * A process that runs: its parent, and its start in clock ticks, which identifies it together with its pid;
 * undefined for a zombie.
 * @see proc(5), stat
 */
export function processStat(
  files: Files,
  pid: number,
): { readonly parent?: string; readonly start?: string } | undefined {
  const stat = textAt(files, `/proc/${pid}/stat`) ?? ''
  const [state = '', parent, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (['', 'Z', 'X'].includes(state)) return undefined
  return { ...known('parent', parent), ...known('start', fields[17]) }
}

/**
 * The text with its NULs. Names and arguments may be any bytes; if not UTF-8, each byte becomes one
 * character.
 */
function rawTextAt(files: Files, path: string): string | undefined {
  const bytes = files.read(path)
  if (bytes === undefined) return undefined
  const decoded = decodeUtf8(bytes)
  if (typeof decoded === 'string') return decoded
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** Skips a thread that ends between listing and reading it. */
function readThreads(files: Files, pid: number, vcpus: ReadonlyMap<number, number>): GuestThread[] {
  const ids = new Map([...vcpus].map(([vcpu, tid]) => [tid, vcpu]))
  return (numberedIn(files, `/proc/${pid}/task`, '') ?? []).flatMap((tid) => {
    const status = rawTextAt(files, `/proc/${pid}/task/${tid}/status`)
    if (status === undefined) return []
    const name = (rawTextAt(files, `/proc/${pid}/task/${tid}/comm`) ?? fieldOf(status, 'Name') ?? '').trim()
    const cpus = setIn<CpuSet>(status, 'Cpus_allowed_list')
    const vcpu = ids.get(tid)
    return [
      {
        tid,
        name,
        ...(vcpu === undefined ? roleOf(name, ids.size > 0) : { role: 'vcpu' as const, id: vcpu }),
        ...known('cpus', cpus),
      },
    ]
  })
}

const fieldOf = (status: string, name: string): string | undefined =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim()

function setIn<Set extends IdSet<string>>(status: string, name: string): Set | undefined {
  const text = fieldOf(status, name)
  return text === undefined ? undefined : ifReadable(() => parseSet<Set>(text, name))
}

/**
 * Uses QEMU's thread names, which the kernel cuts to 15 characters. libvirt names I/O thread N "iothreadN".
 */
function roleOf(name: string, vcpusKnown: boolean): { readonly role: ThreadRole; readonly id?: number } {
  const vcpu = vcpusKnown ? null : /^CPU (\d{1,5})\/[A-Z]/.exec(name)
  if (vcpu !== null) return { role: 'vcpu', id: Number(vcpu[1]) }
  if (name.startsWith('ALL CPUs/')) return { role: 'all-vcpus' }
  const iothread = /^IO iothread(\d{1,5})$/.exec(name)
  if (iothread !== null) return { role: 'iothread', id: Number(iothread[1]) }
  return { role: name.startsWith('TC ') ? 'context' : 'emulator' }
}
