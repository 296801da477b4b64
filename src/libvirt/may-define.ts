// A guest of libvirt and its next definition -> what must not be lost. libvirt itself refuses little of this:
// it accepts a definition without the password, the overlay or the cells that it had.

import type { Diagnostic } from '../base/diagnostic.ts'
import { formatSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import { nameOf } from '../document.ts'
import type { DomainView } from '../model/domain.ts'
import { lostSecrets } from '../redact/secrets.ts'
import { attribute, child, childrenOf, type XmlDocument, type XmlElement } from '../xml/parse.ts'
import { differencesFrom } from './differences.ts'
import type { Listed, State } from './guests.ts'

/**
 * A guest that libvirt knows: `document` is its definition with secrets, `shown` the definition as everybody
 * may see it.
 */
export interface Guest extends Listed, State {
  readonly document: XmlDocument
  readonly shown: XmlDocument
  readonly view: DomainView
  readonly snapshots: readonly string[]
  readonly checkpoints: readonly string[]
}

/** The definition that a guest is to get. */
interface Next {
  readonly document: XmlDocument
  readonly view: DomainView
  /** A running guest may get other cells at its next start. */
  readonly atNextStart: boolean
}

/** Every reason not to define it; empty when there is none. */
export function reasonsAgainst(guest: Guest, { document, view, atNextStart }: Next): readonly Diagnostic[] {
  const { name, uuid } = guest
  if (!guest.persistent) return [diagnostic('guest-transient', { name })]
  const found: Diagnostic[] = []
  const cells = { name, cells: guest.view.cells.length, newCells: view.cells.length }
  if (changesMachine(guest.view, view)) {
    if (guest.runs && !atNextStart) found.push(diagnostic('guest-runs', cells))
    if (guest.saved) found.push(diagnostic('guest-saved', cells))
  }
  const lost = lostSecrets(guest.document, guest.shown, document)
  if (lost.length > 0) found.push(diagnostic('guest-secrets-lost', { name, uuid, lost }))
  const dependent = [...guest.snapshots, ...guest.checkpoints]
  const moved = dependent.length === 0 ? [] : movedDisks(guest.document, document)
  if (moved.length > 0)
    found.push(diagnostic('guest-disks-moved', { name, disks: moved, hanging: dependent }))
  return found
}

/**
 * A note where the definition takes effect only after a restart: the guest runs with another placement, or
 * will be restored as it was saved.
 */
export function restartNotes(
  { name, saved }: Guest,
  next: DomainView,
  live: DomainView | undefined,
): readonly Diagnostic[] {
  if (saved) return [diagnostic('guest-saved-stays', { name })]
  return live === undefined || differencesFrom(next, live).length === 0
    ? []
    : [diagnostic('guest-needs-start', { name })]
}

/**
 * The guest that a document replaces, if there is one; `refused` where libvirt would take it for another
 * guest.
 */
export function guestOf(
  { root }: XmlDocument,
  guests: readonly Listed[],
): { readonly is?: Listed; readonly refused?: Diagnostic } {
  const name = nameOf(root)
  const written = child(root, 'uuid')?.text ?? ''
  const same = (one: string, other: string): boolean => plainUuid(one) === plainUuid(other)
  const named = guests.find((each) => each.name === name)
  const known = written === '' ? undefined : guests.find(({ uuid }) => same(uuid, written))
  if (named !== undefined && !same(named.uuid, written)) {
    return { refused: diagnostic('guest-uuid', { name, uuid: named.uuid, written: written.trim() }) }
  }
  if (known !== undefined && known.name !== name)
    return { refused: diagnostic('guest-renamed', { ...known, written: name }) }
  return known === undefined ? {} : { is: known }
}

/** libvirt accepts a UUID without dashes, and with blanks. */
const plainUuid = (uuid: string): string => uuid.toLowerCase().replace(/[-\s]/g, '')

/** The guest with this name or UUID. */
export function guestNamed(word: string, guests: readonly Listed[]): Listed | undefined {
  return (
    guests.find(({ name }) => name === word) ?? guests.find(({ uuid }) => plainUuid(uuid) === plainUuid(word))
  )
}

/** Whether the guest would see another machine: other cells, or other page sizes. */
function changesMachine(before: DomainView, after: DomainView): boolean {
  return machineSeen(before) !== machineSeen(after)
}

function machineSeen({ cells, hugepages }: DomainView): string {
  const shape = cells.map(
    ({ id, vcpus, memoryKiB, distances }) => `${id}:${formatSet(vcpus)}:${memoryKiB}:${distances.join(' ')}`,
  )
  return JSON.stringify([shape, hugepages ?? 'none'])
}

/** Disks whose image changes: with an external snapshot the new image would be the one under the overlay. */
function movedDisks(before: XmlDocument, after: XmlDocument): readonly string[] {
  const images = imagesOf(before)
  const next = imagesOf(after)
  return [...images.keys()].filter((target) => images.get(target) !== next.get(target)).sort()
}

function imagesOf({ root }: XmlDocument): ReadonlyMap<string, string> {
  const disks = childrenOf(child(root, 'devices'), 'disk')
  const target = (disk: XmlElement): string => attribute(child(disk, 'target'), 'dev')?.value ?? ''
  return new Map(disks.map((disk) => [target(disk), imageOf(child(disk, 'source'))]))
}

/** The attributes that name the image. */
function imageOf(source: XmlElement | undefined): string {
  const words = ['file', 'dev', 'dir', 'protocol', 'name', 'pool', 'volume'] as const
  return JSON.stringify(words.map((word) => attribute(source, word)?.value ?? ''))
}
