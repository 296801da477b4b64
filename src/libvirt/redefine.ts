// Reads a guest from libvirt, and gives it a new definition unless it was changed meanwhile.

import { Refusal } from '../base/diagnostic.ts'
import { refuse } from '../codes/codes.ts'
import type { Difference } from '../codes/libvirt.ts'
import { readDomain } from '../domain/view.ts'
import type { DomainView } from '../model/domain.ts'
import type { Placed } from '../place.ts'
import { hiddenOf, withoutValues } from '../redact/secrets.ts'
import type { XmlDocument } from '../xml/parse.ts'
import { dropCopy, keepCopy } from './backup.ts'
import { differencesFrom } from './differences.ts'
import {
  DEFINE,
  defineText,
  dumpDefinition,
  dumpPublic,
  type Listed,
  listGuests,
  namesOf,
  stateOf,
} from './guests.ts'
import type { Guest } from './may-define.ts'
import { failureOf, type Virsh } from './virsh.ts'

/**
 * Reads what libvirt knows of a guest.
 * @param document its definition as it was read. Snapshots and checkpoints only count where a document from
 * elsewhere replaces it.
 */
export async function readGuest(
  virsh: Virsh,
  listed: Listed,
  document: XmlDocument,
  from: 'itself' | 'elsewhere',
): Promise<Guest> {
  const namesIn = (kind: 'snapshot-list' | 'checkpoint-list') =>
    from === 'itself' ? [] : namesOf(virsh, listed, kind)
  return {
    ...listed,
    ...(await stateOf(virsh, listed)),
    document,
    shown: await dumpPublic(virsh, listed),
    view: readDomain(document),
    snapshots: await namesIn('snapshot-list'),
    checkpoints: await namesIn('checkpoint-list'),
  }
}

/** Where a copy of the previous definition is kept; the time is in its name. */
interface Backup {
  readonly folder: string
  readonly now: Date
}

/** Where the previous definition was kept, if there was one. */
interface Redefined {
  readonly backup?: string
}

/** A fitted guest, and how libvirt should read it back. */
interface Fitted extends Placed {
  readonly next: DomainView
}

/**
 * Keeps a copy, checks that nobody changed the guest, defines, reads back: in this order nothing is lost
 * wherever it stops. The copy is removed if nothing was defined.
 * @throws Refusal `unwritable`, `guest-changed`, `define-unknown`, `define-unread`, `guest-placed-otherwise`
 * and those of virsh
 */
export async function redefine(
  virsh: Virsh,
  guest: Guest | undefined,
  placed: Fitted,
  { folder, now }: Backup,
): Promise<Redefined> {
  const name = guest?.name ?? placed.view.name
  const backup = guest && keepCopy(folder, name, guest.document.text, now)
  try {
    await checkUnchanged(virsh, guest, name)
    await define(virsh, placed, { name, backup, guest })
  } catch (error) {
    const mayBeDefined =
      error instanceof Refusal && error.diagnostics.some(({ code }) => code === 'define-unknown')
    if (backup !== undefined && !mayBeDefined) dropCopy(backup, now)
    throw error
  }
  const differs = await differences(virsh, guest, placed, { name, backup })
  if (differs.length > 0) refuse('guest-placed-otherwise', { name, differs, backup })
  return { ...(backup !== undefined && { backup }) }
}

/** @throws Refusal `guest-changed` */
async function checkUnchanged(virsh: Virsh, guest: Guest | undefined, name: string): Promise<void> {
  const isChanged =
    guest === undefined
      ? (await listGuests(virsh)).some((each) => each.name === name)
      : (await dumpDefinition(virsh, guest)).text !== guest.document.text
  if (isChanged) refuse('guest-changed', { name })
}

interface Defined {
  readonly name: string
  readonly backup: string | undefined
}

/** libvirt quotes the value that it refuses, which may be a secret. */
async function define(
  virsh: Virsh,
  { document, text }: Placed,
  { name, backup, guest }: Defined & { readonly guest: Guest | undefined },
): Promise<void> {
  const ended = await defineText(virsh, text)
  if (ended.status === 0) return
  const isUnknown = ended.cut !== undefined && ended.cut !== 'not-started'
  if (isUnknown) refuse('define-unknown', { name, reason: ended.reason ?? '', backup })
  const secrets = hiddenOf(document, guest?.document.text === document.text ? guest.shown : undefined)
  const masked = (said: string): string => withoutValues(said, document.text, secrets)
  const reason = ended.reason === undefined ? {} : { reason: masked(ended.reason) }
  throw new Refusal([failureOf(DEFINE, { ...ended, stderr: masked(ended.stderr), ...reason })])
}

/** Reads back what libvirt made of it. Failing to read must not look as if nothing had been defined. */
async function differences(
  virsh: Virsh,
  guest: Guest | undefined,
  { next }: Fitted,
  { name, backup }: Defined,
): Promise<readonly Difference[] | 'not-listed'> {
  try {
    const listed = guest ?? (await listGuests(virsh)).find((each) => each.name === name)
    if (listed === undefined) return 'not-listed'
    return differencesFrom(next, readDomain(await dumpDefinition(virsh, listed)))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return refuse('define-unread', { name, cause: error.diagnostics[0], backup })
  }
}
