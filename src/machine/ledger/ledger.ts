// One guest's check and promise, alone at the ledger: guests that start at once are checked one after the
// other, and each sees what those before it were promised.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { diagnostic } from '../../codes/codes.ts'
import { formatPromise, LEDGER, type ProcessId, promiseFile } from '../../host/ledger/promise.ts'
import { processOf, readBoot, staleFiles } from '../../host/ledger/promised.ts'
import type { StartMemory } from '../../model/host.ts'
import { machineIn, thisMachine } from '../files.ts'
import { ownFolder, removeFile, writeNewFile } from '../node/ledger-calls.ts'
import { statusOf } from '../node/system.ts'
import { faultOf, systemFault } from '../system-error.ts'
import { acquireLock } from './lock.ts'

/** Whose promise, in which ledger. */
export interface Promising {
  readonly guest: string
  /** A captured machine, whose ledger is used only if it has one; absent: this machine. */
  readonly root: string | undefined
  /** The process between the daemon and this one, if there is one. */
  readonly shim: number | undefined
  /** How long to wait while other guests are checked. */
  readonly waitMs: number
}

/**
 * Does the work while no other guest is checked. What it returns is promised to the guest, in place of any
 * earlier promise.
 * @returns a note if the ledger cannot be used: the work is done all the same
 */
export function checkAndPromise(promising: Promising, work: () => readonly StartMemory[]): Diagnostic[] {
  const { root = '', guest } = promising
  const folder = `${root}${LEDGER}`
  const name = promiseFile(guest)
  if (name === undefined || (root !== '' && !isFolder(folder))) {
    work()
    return []
  }
  const notes: Diagnostic[] = []
  const attempt = <T>(step: () => T): T | undefined => {
    try {
      return step()
    } catch (error) {
      const fault = systemFault(error)
      if (fault === undefined) throw error
      notes.push(diagnostic('ledger-unusable', { folder, reason: fault.reason }))
      return undefined
    }
  }
  const release = attempt(() => {
    ownFolder(folder)
    return lockOf(folder, promising.waitMs)
  })
  if (release === 'busy')
    notes.push(diagnostic('ledger-unusable', { folder, waitedS: promising.waitMs / 1000 }))
  try {
    const memory = work()
    attempt(() => {
      // Without the lock only our own file is ours to change.
      if (typeof release === 'function') removeStale(root, folder)
      removeFile(`${folder}/${name}`)
      if (memory.length > 0) writeNewFile(`${folder}/${name}`, textFor(promising, memory))
    })
  } finally {
    if (typeof release === 'function') attempt(release)
  }
  // One reason is enough: the rest follows from it.
  return notes.slice(0, 1)
}

function isFolder(path: string): boolean {
  try {
    return statusOf(path)?.is === 'folder'
  } catch {
    return false
  }
}

function lockOf(folder: string, waitMs: number): (() => void) | 'busy' {
  const { pid, start } = ownProcess()
  const isAlive = (owner: string): boolean => {
    const [ownerPid = 0, ownerStart] = owner.split('.').map(Number)
    return processOf(thisMachine, ownerPid)?.start === ownerStart
  }
  return acquireLock(folder, { self: `${pid}.${start}`, isAlive, waitMs }) ?? 'busy'
}

const filesOf = (root: string): typeof thisMachine => (root === '' ? thisMachine : machineIn(root))

function removeStale(root: string, folder: string): void {
  for (const name of staleFiles(filesOf(root))) removeFile(`${folder}/${name}`)
}

function textFor({ root = '', shim }: Promising, memory: readonly StartMemory[]): string {
  const { start, parent } = ownProcess()
  const daemonPid = parent === shim ? processOf(thisMachine, parent)?.parent : parent
  const daemon = daemonPid === undefined ? undefined : processOf(thisMachine, daemonPid)
  if (daemon === undefined) throw faultOf('ESRCH', 'the daemon has ended', 'open')
  return formatPromise({ boot: readBoot(filesOf(root)), since: start, daemon, memory })
}

/** @throws an error of the system, where /proc is not mounted */
function ownProcess(): ProcessId & { readonly parent: number } {
  const own = processOf(thisMachine, Number(thisMachine.readlink('/proc/self')))
  if (own === undefined) throw faultOf('ENOENT', '/proc/self cannot be read', 'open')
  return own
}
