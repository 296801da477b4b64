// `virt-numa define`: fits a guest of libvirt, or a document, and defines it. The diff is printed first.

import { type Diagnostic, Refusal } from '../../base/diagnostic.ts'
import { shownName } from '../../base/visible.ts'
import { refuseAll } from '../../codes/codes.ts'
import { partitionOf, readDocument } from '../../document.ts'
import { readDomain } from '../../domain/view.ts'
import { diagnosticFacts, placementFacts } from '../../explain/facts.ts'
import { backupFolder } from '../../libvirt/backup.ts'
import { dumpDefinition, dumpLive, listGuests } from '../../libvirt/guests.ts'
import { type Guest, guestOf, reasonsAgainst, restartNotes } from '../../libvirt/may-define.ts'
import { readGuest, redefine } from '../../libvirt/redefine.ts'
import { checkConnection, type Virsh } from '../../libvirt/virsh.ts'
import { lazyWrite } from '../../machine/lazy.ts'
import { abortOnSignal } from '../../machine/programs/signals.ts'
import { DOMAIN } from '../../machine/read/read-text.ts'
import { type Placed, place } from '../../place.ts'
import { domainSource, hiddenOf, within } from '../../redact/secrets.ts'
import { keyNames } from '../../request/keys.ts'
import type { XmlDocument } from '../../xml/parse.ts'
import { sameXml } from '../../xml/same.ts'
import { definitionOf, virshFor } from '../guest-definition.ts'
import {
  type CommandRow,
  FAILURES,
  guestConflicts,
  READING,
  type Reading,
  readingOf,
  switchesOf,
  textsOf,
} from '../options.ts'
import { print, printJson, printLines, shownDiff } from '../output.ts'
import { readAround, readSettings } from '../placing.ts'
import { readInput } from '../read-input.ts'
import { type Running, report } from '../report.ts'

/** `guest` and `input` are not both given. `backup` absent: the state folder. */
interface Define extends Reading {
  readonly name: 'define'
  readonly guest?: string
  readonly connect?: string
  readonly backup?: string
  readonly rebind: boolean
  readonly dryRun: boolean
  readonly nextStart: boolean
}

/** Fits a guest and defines it in libvirt. */
export const define: CommandRow<Define> = {
  about: 'fit a guest and define it in libvirt',
  maxInputs: 1,
  options: ['guest', 'connect', 'dryRun', 'nextStart', 'backup', 'rebind', ...READING],
  keys: keyNames,
  conflicts: guestConflicts,
  command: (given) => ({
    name: 'define',
    ...readingOf(given),
    ...textsOf(given, ['guest', 'connect', 'backup']),
    ...switchesOf(given, ['rebind', 'dryRun', 'nextStart']),
  }),
  exits: [
    ['0', 'defined, or nothing to change'],
    ['1', 'refused, or libvirt cannot be reached; the reasons are on stderr'],
    ...FAILURES,
  ],
  examples: ['virt-numa define --guest db1 --dry-run', 'virt-numa define --cpuset 2-7 db1.xml'],
  run: runDefine,
}

/** What to define, and the guest whose definition it replaces. */
interface Subject {
  readonly source: string
  readonly document: XmlDocument
  readonly guest?: Guest
}

async function runDefine(command: Define, running: Running): Promise<number> {
  const stop = new AbortController()
  const virsh = virshFor(command.connect, stop, running)
  const settings = readSettings(command.config, running)
  await checkConnection(virsh, command.host ?? settings.root)
  const { source, document, guest } = await (command.guest === undefined
    ? documentSubject(virsh, command.input, running)
    : guestSubject(virsh, command.guest))
  const secrets = hiddenOf(document, guest?.document === document ? guest.shown : undefined)
  running.sources.push({ name: source, text: document.text, hidden: (text) => within(secrets, text.length) })
  const around = readAround(command, settings, { partition: partitionOf(document), confinedBy: 'each' })
  const placed = place(document, around, lazyWrite, command.rebind ? 'if-better' : undefined)
  const fitted = readDocument(placed.text)
  const next = {
    document: fitted,
    view: readDomain(fitted),
    atNextStart: command.nextStart,
  }
  if (guest !== undefined) refuseAll(reasonsAgainst(guest, next))
  const diff = shownDiff(source, document.text, secrets, placed.edits)
  const changes = guest === undefined || !sameXml(guest.document.root, next.document.root)
  const notes = [...notesOn(placed, guest), ...(await startNotes(virsh, guest, changes, next.view))]
  if (!command.json) print(1, diff)
  const done = changes && !command.dryRun
  const folder = command.backup ?? backupFolder()
  const { backup } = done
    ? await abortOnSignal(stop, () =>
        redefine(virsh, guest, { ...placed, next: next.view }, { folder, now: new Date() }),
      )
    : {}
  if (!command.json) printLines(1, [outcome(placed.view.name, changes, done, backup)])
  else {
    const diagnostics = diagnosticFacts(notes, running.severity, running.sources)
    const facts = {
      guest: placed.view.name,
      changed: changes,
      defined: done,
      ...(backup !== undefined && { backup }),
      diff,
    }
    printJson({ ...facts, placement: placementFacts(placed), diagnostics })
  }
  report(notes, running)
  return 0
}

async function guestSubject(virsh: Virsh, word: string): Promise<Subject> {
  const { listed, document } = await definitionOf(virsh, word)
  return { source: document.source, document, guest: await readGuest(virsh, listed, document, 'itself') }
}

async function documentSubject(virsh: Virsh, input: string | undefined, running: Running): Promise<Subject> {
  const source = input === undefined || input === '-' ? 'stdin' : input
  const text = readInput(input, DOMAIN)
  running.sources.push(domainSource(source, text))
  const document = readDocument(text, source)
  const { is, refused } = guestOf(document, await listGuests(virsh))
  if (refused !== undefined) throw new Refusal([refused])
  if (is === undefined) return { source, document }
  const before = await dumpDefinition(virsh, is)
  return { source, document, guest: await readGuest(virsh, is, before, 'elsewhere') }
}

/** A running guest already holds what it needs, so shortages are not reported. */
function notesOn({ notes }: Placed, guest: Guest | undefined): readonly Diagnostic[] {
  return guest?.runs
    ? notes.filter(
        ({ code }) => !['pages-short', 'memory-short', 'memory-over-node', 'pages-promised'].includes(code),
      )
    : notes
}

async function startNotes(
  virsh: Virsh,
  guest: Guest | undefined,
  changes: boolean,
  next: Guest['view'],
): Promise<readonly Diagnostic[]> {
  if (guest === undefined || !changes) return []
  return restartNotes(guest, next, guest.runs ? readDomain(await dumpLive(virsh, guest)) : undefined)
}

function outcome(guest: string, changes: boolean, done: boolean, backup: string | undefined): string {
  const name = shownName(guest)
  if (!changes) return `${name} already fits; nothing to do`
  if (!done) return `${name} is not defined (dry run)`
  return backup === undefined
    ? `${name} is defined`
    : `${name} is defined; its previous definition is in ${backup}`
}
