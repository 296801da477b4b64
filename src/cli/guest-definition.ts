// A guest of libvirt, by name or UUID -> its definition; and virsh as commands call it.

import { nearest } from '../base/nearest.ts'
import { visible } from '../base/visible.ts'
import { refuse } from '../codes/codes.ts'
import { dumpDefinition, type Listed, listGuests } from '../libvirt/guests.ts'
import { guestNamed } from '../libvirt/may-define.ts'
import { type Virsh, virshAt } from '../libvirt/virsh.ts'
import { abortOnSignal } from '../machine/programs/signals.ts'
import type { XmlDocument } from '../xml/parse.ts'
import { print } from './output.ts'
import type { Running } from './report.ts'

/** How long a call of virsh takes before a terminal shows which one it is. */
const SLOW_MS = 1000

/**
 * virsh on one connection. During a call a signal aborts `stop`; between two calls it ends this process as
 * usual. A slow call is named on stderr, if that is a terminal.
 */
export function virshFor(connect: string | undefined, stop: AbortController, { json }: Running): Virsh {
  const virsh = virshAt(connect, stop.signal)
  const isWatched = !json && process.stderr.isTTY === true
  return async (words, file) => {
    const timer = isWatched ? setTimeout(() => nameSlow(words), SLOW_MS) : undefined
    try {
      return await abortOnSignal(stop, () => virsh(words, file))
    } finally {
      clearTimeout(timer)
    }
  }
}

function nameSlow(words: readonly string[]): void {
  try {
    print(2, `waiting for: virsh ${visible(words.join(' '))}\n`)
  } catch {
    // A terminal that is gone does not end the call.
  }
}

/** The definition that the next start uses, with its secrets. */
interface Definition {
  readonly listed: Listed
  /** Its `source` is the name of the guest with ".xml". */
  readonly document: XmlDocument & { readonly source: string }
}

/** @throws Refusal of virsh, `guest-missing` */
export async function definitionOf(virsh: Virsh, word: string): Promise<Definition> {
  const guests = await listGuests(virsh)
  const listed = guestNamed(word, guests) ?? missing(word, guests)
  return { listed, document: { ...(await dumpDefinition(virsh, listed)), source: `${listed.name}.xml` } }
}

function missing(word: string, guests: readonly Listed[]): never {
  const names = guests.map(({ name }) => name)
  refuse('guest-missing', { name: word, close: nearest(word, names) })
}
