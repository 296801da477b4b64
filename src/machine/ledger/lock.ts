// The lock of the ledger: one process at a time checks a guest and promises it memory. Node knows no file
// locks, so the lock is a symbolic link named "lock" that leads nowhere: creating one is atomic, fails where
// the name exists, and its target says who holds it, "PID.START". Both hooks, on Node and native, use this
// protocol.
//
// Whoever is killed while it holds the lock leaves it behind. It is not removed by those that wait: two of
// them could each see the same dead owner, and the slower one would remove the lock of the faster one.
// Instead one of them becomes the heir: it creates the link "lock-PID.START", named after the dead owner,
// which again only one can. An heir that dies has an heir in the same way. So the holder is at the end of a
// chain:
//
//   lock -> 71.9000 (dead);  lock-71.9000 -> 72.9010 (dead);  lock-72.9010 -> 80.9400
//
// The holder releases the whole chain, "lock" first. An heir whose chain was released while it looked sees
// that "lock" has changed since, and lets go: a process is never twice, so "lock" can never lead to the same
// owner again.

import { elapsedMs, makeLink, removeFile } from '../node/ledger-calls.ts'
import { pause, targetOf } from '../node/system.ts'
import { errnoOf, faultOf } from '../system-error.ts'

/** "PID.START" */
const OWNER = /^\d{1,10}\.\d{1,15}$/
const STEP_MS = 10
/** Longer chains are not of this protocol. */
const MOST_LINKS = 64

/** Who asks for the lock, and which processes are alive. */
interface Asking {
  readonly self: string
  readonly isAlive: (owner: string) => boolean
  readonly waitMs: number
}

/**
 * Waits for the lock.
 * @returns what releases it, or undefined where another process holds it all the time
 * @throws an error of the system; where something else has the name
 */
export function acquireLock(folder: string, asking: Asking): (() => void) | undefined {
  const until = elapsedMs() + asking.waitMs
  for (;;) {
    const chain = tryLock(`${folder}/lock`, asking)
    if (chain !== undefined) return () => chain.forEach(removeFile)
    if (elapsedMs() >= until) return undefined
    pause(STEP_MS)
  }
}

/** @returns the links that the holder has to remove */
function tryLock(lock: string, { self, isAlive }: Asking): readonly string[] | undefined {
  const chain = [lock]
  let first: string | undefined
  while (chain.length <= MOST_LINKS) {
    const link = chain[chain.length - 1] as string
    if (makeLink(self, link)) {
      if (chain.length === 1 || ownerOf(lock) === first) return chain
      removeFile(link)
      return undefined
    }
    const owner = ownerOf(link)
    first ??= owner
    // It was released meanwhile.
    if (owner === undefined || isAlive(owner)) return undefined
    chain.push(`${lock}-${owner}`)
  }
  throw faultOf('ELOOP', 'too many symbolic links encountered', 'readlink')
}

function ownerOf(link: string): string | undefined {
  try {
    const owner = targetOf(link)
    if (!OWNER.test(owner)) throw faultOf('EINVAL', 'the lock is not a link of virt-numa', 'readlink')
    return owner
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
