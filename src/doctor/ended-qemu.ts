// /proc -> QEMU processes that have ended and that nobody has reaped. libvirt asks QEMU for its capabilities
// by running it as a daemon, which makes it a child of process 1 or of a subreaper, and waits until its pid
// is gone. In a container whose first process reaps nothing, each probe costs that wait.

import { diagnostic } from '../codes/codes.ts'
import type { Files } from '../host/files.ts'
import { numberedIn, textAt } from '../host/kernel-text.ts'
import type { Inspection, Item } from './inspection.ts'

/** Programs that run guests. The kernel keeps 15 characters of a name. */
const QEMU = /^(?:qemu-system-|qemu-kvm)/

/** Whether processes of QEMU wait to be reaped. */
export function probesItem({ files }: Inspection): Item {
  const name = 'probes'
  const pids = numberedIn(files, '/proc', '')
  if (pids === undefined)
    return { name, says: 'the processes of this host are not known', isUnknown: true, found: [] }
  const ended = pids.flatMap((pid) => endedQemu(files, pid) ?? [])
  const [first] = ended
  if (first === undefined) return { name, says: 'no QEMU process waits to be reaped', found: [] }
  const parents = [...new Set(ended.map(({ parent }) => parent))].sort((a, b) => a - b)
  const found = parents.map((pid) => {
    const count = ended.filter(({ parent }) => parent === pid).length
    const parent = textAt(files, `/proc/${pid}/comm`)?.trim() ?? ''
    return diagnostic('qemu-unreaped', { count, pid, parent })
  })
  return { name, says: `QEMU processes that have ended and are not reaped: ${ended.length}`, found }
}

/** "7 (qemu-system-x86) Z 1 ...": the state and the parent follow the name, which may hold parentheses. */
function endedQemu(files: Files, pid: number): { readonly parent: number } | undefined {
  const [, name = '', state, parent] =
    /^\d+ \((.*)\) (\S) (\d{1,10}) /s.exec(textAt(files, `/proc/${pid}/stat`) ?? '') ?? []
  return state === 'Z' && QEMU.test(name) ? { parent: Number(parent) } : undefined
}
