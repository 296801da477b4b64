// A guest with an event -> checked, and fitted if it opted in and needs it; what was done is a line for the
// log.

import { isCut } from '../../base/bounds.ts'
import { Refusal } from '../../base/diagnostic.ts'
import { type Code, factsOf, refuseAll } from '../../codes/codes.ts'
import { isOptedIn, partitionOf, readDocument } from '../../document.ts'
import { readDomain } from '../../domain/view.ts'
import { dumpDefinition, isArriving, type Listed, stateOf } from '../../libvirt/guests.ts'
import { reasonsAgainst } from '../../libvirt/may-define.ts'
import { readGuest, redefine } from '../../libvirt/redefine.ts'
import type { Virsh } from '../../libvirt/virsh.ts'
import { lazyWrite } from '../../machine/lazy.ts'
import { listed, summaryOf } from '../../machine/log-line.ts'
import { place } from '../../place.ts'
import type { Config } from '../../request/config.ts'
import { readAround } from '../placing.ts'

/** What all guests of a run share. */
export interface Watching {
  readonly virsh: Virsh
  readonly settings: Config
  readonly configSource: string
  readonly host?: string
  readonly backup: string
}

/**
 * What was done. Nothing is reported for a guest that has not opted in or already fits. `defined` and
 * `otherwise` (another program wrote at the same time, or libvirt changed it) count as a fight between two
 * programs.
 */
type Outcome =
  | { readonly is: 'nothing' }
  | { readonly is: 'transient' | 'defined' | 'otherwise' | 'left' | 'refused'; readonly report: string }

/** Failures of libvirt that concern every guest. */
const ABOUT_ALL: readonly string[] = [
  'libvirt-unreachable',
  'virsh-missing',
  'virsh-stopped',
] satisfies readonly Code[]

/**
 * Fits one guest; its cells stay. With `mayDefine` 'no' a guest that would change is left unchanged.
 * @throws Refusal of virsh when libvirt cannot be reached; reasons that concern this guest alone are reported
 */
export async function fitIfNeeded(
  guest: Listed,
  mayDefine: 'yes' | 'no',
  watching: Watching,
): Promise<Outcome> {
  try {
    return await refit(guest, mayDefine, watching)
  } catch (error) {
    // A bug that one guest triggers must not stop the work for the others.
    if (!(error instanceof Refusal))
      return { is: 'refused', report: `failed: ${error instanceof Error ? error.message : String(error)}` }
    const [first] = error.diagnostics
    if (first !== undefined && ABOUT_ALL.includes(first.code)) throw error
    if (first?.code === 'guest-placed-otherwise')
      return { is: 'otherwise', report: listed(error.diagnostics, 'capacity-fails') }
    if (first?.code === 'guest-runs')
      return { is: 'refused', report: `waits until it stops: ${listed(error.diagnostics, 'capacity-fails')}` }
    const isGone =
      first?.code === 'virsh-failed' &&
      /failed to get domain|no domain with matching/i.test(factsOf(first, 'virsh-failed')?.reason ?? '')
    return isGone
      ? { is: 'nothing' }
      : { is: 'refused', report: `refused: ${listed(error.diagnostics, 'capacity-fails')}` }
  }
}

const OUT_OF_REACH =
  'left unchanged: a transient guest has no definition; fit the XML that it is created from'

async function refit(
  known: Listed,
  mayDefine: 'yes' | 'no',
  { virsh, settings, configSource, host, backup }: Watching,
): Promise<Outcome> {
  const document = await dumpDefinition(virsh, known)
  if (!isOptedIn(document, settings)) return { is: 'nothing' }
  if (!(await stateOf(virsh, known)).persistent)
    return (await isArriving(virsh, known)) ? { is: 'nothing' } : { is: 'transient', report: OUT_OF_REACH }
  const command = {
    requested: { existing: 'keep' },
    config: configSource,
    ...(host !== undefined && { host }),
  } as const
  const around = readAround(command, settings, { partition: partitionOf(document), confinedBy: 'each' })
  const placed = place(document, around, lazyWrite)
  if (placed.edits.length === 0) return { is: 'nothing' }
  const guest = await readGuest(virsh, known, document, 'itself')
  const fitted = readDocument(placed.text)
  const next = readDomain(fitted)
  refuseAll(reasonsAgainst(guest, { document: fitted, view: next, atNextStart: false }))
  if (mayDefine === 'no') return { is: 'left', report: 'left unchanged: another program keeps redefining it' }
  const { backup: copy } = await redefine(
    virsh,
    guest,
    { ...placed, next },
    { folder: backup, now: new Date() },
  )
  const when = guest.runs || guest.saved ? '; takes effect at its next cold start' : ''
  const notes = guest.runs ? placed.notes.filter(isCut) : placed.notes
  return { is: 'defined', report: `${summaryOf({ ...placed, notes })}${when}; previous definition: ${copy}` }
}
