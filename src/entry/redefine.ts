// A guest that libvirt knows: read it, and give it the definition that was decided on, unless somebody else changed it meanwhile.

import { refuse } from '../base/diagnostic.ts'
import { readDomain } from '../domain/view.ts'
import { type Placed, readDocument } from '../place.ts'
import type { XmlDocument } from '../xml/parse.ts'
import { keepCopy } from './backup.ts'
import type { Guest } from './define-rules.ts'
import { placedOtherwise } from './placed-as.ts'
import { defineText, dumpDefinition, dumpPublic, type Listed, listGuests, namesOf, stateOf, type Virsh } from './virsh.ts'

/** @param document its definition as it was read. Snapshots and checkpoints only count where a document from elsewhere replaces it. */
export async function readGuest(virsh: Virsh, listed: Listed, document: XmlDocument, from: 'itself' | 'elsewhere'): Promise<Guest> {
  const namesIn = (kind: 'snapshot-list' | 'checkpoint-list') => (from === 'itself' ? [] : namesOf(virsh, listed, kind))
  return {
    ...listed,
    ...(await stateOf(virsh, listed)),
    document,
    shown: readDocument(await dumpPublic(virsh, listed)),
    view: readDomain(document),
    snapshots: await namesIn('snapshot-list'),
    checkpoints: await namesIn('checkpoint-list'),
  }
}

/** Where the former definition is kept, if there was one. */
export interface Redefined {
  readonly backup?: string
}

/**
 * In this order, so that nothing is lost wherever it stops: keep a copy, see that nobody wrote meanwhile, define, read back.
 * @throws Refusal `unwritable`, `guest-changed`, `guest-placed-otherwise` and those of virsh
 */
export async function redefine(virsh: Virsh, guest: Guest | undefined, placed: Placed, folder: string, now: Date): Promise<Redefined> {
  const name = guest?.name ?? placed.view.name
  const backup = guest && keepCopy(folder, name, guest.document.text, now)
  if (guest !== undefined) {
    if ((await dumpDefinition(virsh, guest)) !== guest.document.text) refuse('guest-changed', { name })
  } else if ((await listGuests(virsh)).some((each) => each.name === name)) refuse('guest-changed', { name })
  await defineText(virsh, placed.text)
  const listed = guest ?? (await listGuests(virsh)).find((each) => each.name === name)
  if (listed === undefined) refuse('guest-placed-otherwise', { name, differs: ['libvirt does not list it'], backup })
  const planned = readDomain(readDocument(placed.text))
  const differs = placedOtherwise(planned, readDomain(readDocument(await dumpDefinition(virsh, listed))))
  if (differs.length > 0) refuse('guest-placed-otherwise', { name, differs, backup })
  return { ...(backup !== undefined && { backup }) }
}
