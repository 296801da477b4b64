// The ledger of a machine, its processes and their memory -> what is promised to guests that are starting and
// not allocated yet.
//
// A promise is given at `prepare` and dropped at `started`, `stopped` or `release`. Between these, QEMU
// allocates the memory, which the kernel then counts as used: it must not be counted twice. And a promise
// whose start has failed must not count at all, even where nobody could drop it. So a promise counts by this
// rule:
//
// 1. A file that is not whole, is a link, or is of another boot does not count.
// 2. The guest has a QEMU, that is, its pid file names a process that started after the promise was given.
//    While that process runs, what it has allocated so far (numa_maps) is taken off the promise, and the
//    rest counts. If it has ended or is ending, the start has failed: nothing counts.
// 3. The guest has no QEMU yet. All of the promise counts while the daemon that asked for it still runs, for
//    ten minutes at most. Otherwise it is stale.

import { has } from '../../base/idset.ts'
import type { PromisedMemory, StartMemory } from '../../model/host.ts'
import type { Mapping } from '../../model/running-guest.ts'
import type { Files } from '../files.ts'
import { numberAt, textAt } from '../kernel-text.ts'
import { readMappings } from '../qemu/numa-maps.ts'
import { processStat } from '../qemu/process.ts'
import { type GuestPromise, guestOfFile, LEDGER, type ProcessId, parsePromise } from './promise.ts'

/** More guests than start at once on the largest hosts. */
const MOST_FILES = 4096
const MOST_BYTES = 64 * 1024

/** How long a daemon may take from `prepare` to QEMU, in clock ticks (always 100 a second in /proc). */
const MOST_TICKS = 10 * 60 * 100

/** Where the system daemon keeps the pid file of a guest. */
const PID_FOLDER = '/run/libvirt/qemu'

/** By name of the guest. Empty for who may not read the ledger. */
export function readPromised(files: Files): PromisedMemory[] {
  const names = (files.list(LEDGER) ?? []).slice(0, MOST_FILES)
  return names.flatMap((name) => {
    const guest = guestOfFile(name)
    const promise = guest === undefined ? undefined : readPromise(files, name)
    return guest === undefined || promise === undefined ? [] : openPart(files, guest, promise)
  })
}

/** The files whose promises count no longer. */
export function staleFiles(files: Files): string[] {
  return (files.list(LEDGER) ?? []).filter((name) => {
    const guest = guestOfFile(name)
    if (guest === undefined) return false
    const promise = readPromise(files, name)
    return promise === undefined || qemuOf(files, guest, promise) === 'no start'
  })
}

/** The id of this boot; empty where the kernel does not state it. */
export function readBoot(files: Files): string {
  return textAt(files, '/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

/** A running process by its id, and the id of its parent; undefined for one that has ended. */
export function processOf(files: Files, pid: number): (ProcessId & { readonly parent: number }) | undefined {
  const { start, parent } = processStat(files, pid) ?? {}
  const isWhole = /^\d{1,15}$/.test(start ?? '') && /^\d{1,10}$/.test(parent ?? '')
  return isWhole ? { pid, start: Number(start), parent: Number(parent) } : undefined
}

function readPromise(files: Files, name: string): GuestPromise | undefined {
  const path = `${LEDGER}/${name}`
  if (files.readlink(path) !== undefined) return undefined
  const bytes = files.read(path)
  if (bytes === undefined || bytes.length > MOST_BYTES) return undefined
  const promise = parsePromise(textAt(files, path) ?? '')
  return promise?.boot === readBoot(files) ? promise : undefined
}

/** What of a promise is not allocated yet. */
function openPart(files: Files, guest: string, promise: GuestPromise): PromisedMemory[] {
  const qemu = qemuOf(files, guest, promise)
  if (qemu === 'no start') return []
  if (qemu === 'not yet') return promise.memory.map((each) => ({ guest, ...each }))
  return notAllocated(promise.memory, qemu.mappings).map((each) => ({ guest, ...each, isAllocating: true }))
}

/** The QEMU of this start, whether it is still to come, or that there will be none. */
function qemuOf(
  files: Files,
  guest: string,
  { since, daemon }: GuestPromise,
): { readonly mappings: readonly Mapping[] } | 'not yet' | 'no start' {
  const pid = numberAt(files, `${PID_FOLDER}/${guest}.pid`)
  // A pid file that is empty is being written.
  if (pid !== undefined && !isOlder(files, pid, since)) {
    const isRunning = processOf(files, pid) !== undefined
    const numaMaps = isRunning ? textAt(files, `/proc/${pid}/numa_maps`) : undefined
    // Of a process that is ending the kernel shows no memory.
    return numaMaps ? { mappings: readMappings(numaMaps, '') } : 'no start'
  }
  const uptime = Number(/^\d+/.exec(textAt(files, '/proc/uptime') ?? '')?.[0] ?? 0)
  const isAsked = processOf(files, daemon.pid)?.start === daemon.start
  return isAsked && uptime * 100 - since <= MOST_TICKS ? 'not yet' : 'no start'
}

/** Whether a pid file was left by an earlier start. */
const isOlder = (files: Files, pid: number, since: number): boolean =>
  (processOf(files, pid)?.start ?? since) < since

/** Takes what is allocated off the promise; what may only be on few nodes first. */
function notAllocated(memory: readonly StartMemory[], mappings: readonly Mapping[]): StartMemory[] {
  const allocated = allocatedBy(mappings, new Set(memory.flatMap(({ pagesizeKiB }) => pagesizeKiB ?? [])))
  const fewestFirst = [...memory].sort((a, b) => a.nodes.length - b.nodes.length)
  return fewestFirst.flatMap(({ memoryKiB, ...where }) => {
    const onNodes = allocated.get(where.pagesizeKiB) ?? new Map<number, number>()
    let openKiB = memoryKiB
    for (const [node, kib] of onNodes) {
      const taken = has(where.nodes, node) ? Math.min(openKiB, kib) : 0
      onNodes.set(node, kib - taken)
      openKiB -= taken
    }
    return openKiB > 0 ? [{ ...where, memoryKiB: openKiB }] : []
  })
}

/** KiB by node, of each page size that was promised; all other memory is ordinary. */
function allocatedBy(
  mappings: readonly Mapping[],
  sizes: ReadonlySet<number>,
): ReadonlyMap<number | undefined, Map<number, number>> {
  const allocated = new Map<number | undefined, Map<number, number>>()
  for (const { pagesizeKiB, nodesKiB = new Map() } of mappings) {
    const size = pagesizeKiB !== undefined && sizes.has(pagesizeKiB) ? pagesizeKiB : undefined
    const onNodes = allocated.get(size) ?? new Map<number, number>()
    allocated.set(size, onNodes)
    for (const [node, kib] of nodesKiB) onNodes.set(node, (onNodes.get(node) ?? 0) + kib)
  }
  return allocated
}
