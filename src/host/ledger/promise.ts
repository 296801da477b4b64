// The promise to one guest that is starting <-> the text of its file in the ledger.
//
// A line each: the boot of the machine, when the promise was given, the daemon that asked, then what the
// guest takes at its start, and "end":
//
//   boot 2f9c...
//   since 812345            clock ticks: the start of the hook, so that an older process is another guest's
//   daemon 812 4000         process id and start
//   memory 0 2048 65536     nodes, page size in KiB or - for ordinary memory, KiB
//   end

import { formatSet, type NodeSet } from '../../base/idset.ts'
import { parseSet } from '../../base/parse-set.ts'
import type { StartMemory } from '../../model/host.ts'
import { ifReadable } from '../kernel-text.ts'

/** Where this machine keeps its ledger: one file for each guest that is starting, and the lock. */
export const LEDGER = '/run/virt-numa'

/** A process, by id and start in clock ticks: ids are used again. @see proc(5), stat */
export interface ProcessId {
  readonly pid: number
  readonly start: number
}

/** What a guest was promised, by whom, and when. */
export interface GuestPromise {
  readonly boot: string
  /** The start of the hook that gave it, in clock ticks since boot. */
  readonly since: number
  readonly daemon: ProcessId
  readonly memory: readonly StartMemory[]
}

/**
 * libvirt allows no "/" in a name and writes files of that name itself; a name can hold any other character.
 * The longest that libvirt can use leaves room for 8 bytes.
 */
export const SUFFIX = '.promise'

/** The file of a guest in the ledger; undefined for a name that no guest of libvirt has. */
export function promiseFile(guest: string): string | undefined {
  return guest === '' || /[/\0\n]/.test(guest) ? undefined : `${guest}${SUFFIX}`
}

/** The guest of a file in the ledger; undefined for other files. */
export function guestOfFile(name: string): string | undefined {
  return name.length > SUFFIX.length && name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined
}

/** The text of its file. */
export function formatPromise({ boot, since, daemon, memory }: GuestPromise): string {
  const lines = memory.map(
    ({ nodes, pagesizeKiB = '-', memoryKiB }) => `memory ${formatSet(nodes)} ${pagesizeKiB} ${memoryKiB}`,
  )
  return [`boot ${boot}`, `since ${since}`, `daemon ${daemon.pid} ${daemon.start}`, ...lines, 'end', ''].join(
    '\n',
  )
}

/** Undefined for a text that is not whole, such as that of a hook which was killed while it wrote. */
export function parsePromise(text: string): GuestPromise | undefined {
  const [, boot, since, pid, start, lines] = WHOLE.exec(text) ?? []
  if (boot === undefined || lines === undefined) return undefined
  const memory = lines.split('\n').flatMap((line) => {
    const [, nodes = '', pagesize, kib] = LINE.exec(line) ?? []
    const set = ifReadable(() => parseSet<NodeSet>(nodes, 'ledger'))
    if (set === undefined || set.length === 0) return []
    return [
      {
        nodes: set,
        memoryKiB: Number(kib),
        ...(pagesize !== '-' && { pagesizeKiB: Number(pagesize) }),
      },
    ]
  })
  return { boot, since: Number(since), daemon: { pid: Number(pid), start: Number(start) }, memory }
}

const WHOLE =
  /^boot ([0-9a-f-]{0,64})\nsince (\d{1,15})\ndaemon (\d{1,10}) (\d{1,15})\n((?:memory \S+ \S+ \S+\n)+)end\n$/
const LINE = /^memory ([0-9,-]{1,9999}) ([1-9]\d{0,12}|-) (\d{1,15})$/
