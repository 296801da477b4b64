// Definitions in libvirt, and virsh, which reads and writes them: the text of each code.

import type { Diagnostic } from '../../base/diagnostic.ts'
import { formatSet } from '../../base/idset.ts'
import { formatKiB, inOneUnit } from '../../base/memory.ts'
import { shellWord, shownName } from '../../base/visible.ts'
import type { ExpectedOutput, LibvirtFacts, StatedPart } from '../../codes/libvirt.ts'
import { meant, plural, short, type Text, type Texts, text, withIds } from './words.ts'

/** What, why and fix of each code. */
export const libvirtTexts: Texts<LibvirtFacts> = {
  'virsh-missing': () =>
    text(
      'virsh is not installed on this machine',
      'virt-numa calls libvirt through virsh',
      'apt install libvirt-clients, or dnf install libvirt-client',
    ),
  'libvirt-unreachable': (f) =>
    text(
      `virsh cannot connect to libvirt: ${reasonWords(f)}`,
      'guest definitions are read and written through the libvirt daemon',
      'systemctl start virtqemud (or libvirtd), or use another --connect URI; to test it: virsh uri',
    ),
  'libvirt-elsewhere': (f) =>
    text(
      `the guests of ${f.uri} run on ${f.machine}, not on this machine`,
      'a guest is fitted to the host that it runs on',
      `virsh --connect '${f.uri}' capabilities > ${f.machine}.xml, then use --host ${f.machine}.xml`,
    ),
  'virsh-failed': (f) =>
    text(
      `virsh ${f.words.join(' ')} failed: ${reasonWords(f)}`,
      f.known === 'refused'
        ? 'libvirt refused it; nothing was changed'
        : f.known === 'unchanged'
          ? 'virsh gave no usable answer; nothing was changed'
          : 'virsh did not end by itself: whether the change was made is not known',
      f.known === 'refused'
        ? 'correct what libvirt reports'
        : 'virsh list --all shows whether libvirt answers; virsh dumpxml --inactive shows the definition',
    ),
  'virsh-output': (f, { messageOf }) =>
    text(
      `virsh ${f.words[0]} printed ${f.printed === '' ? 'nothing' : short(f.printed)}`,
      `expected ${outputWords(f.expected)}${causeWords(f.cause, messageOf)}; nothing was changed`,
      `see what virsh ${f.words.join(' ')} prints, and which program it is: command -v virsh`,
    ),
  'virsh-stopped': (f) =>
    text(
      `virsh ${f.words.join(' ')} was interrupted: ${f.reason}`,
      'virsh ended before libvirt answered; nothing was defined',
      'run it again',
    ),
  'define-unknown': (f) =>
    text(
      `whether ${shownName(f.name)} was defined is not known: virsh define: ${f.reason}`,
      'libvirt stores a definition atomically, but virsh ended before it reported whether it did',
      definitionOf(f),
    ),
  'define-unread': (f, { messageOf }) =>
    text(
      `${shownName(f.name)} is defined, but the stored definition could not be read: ` +
        `${f.cause === undefined ? '' : messageOf(f.cause).what}`,
      'whether libvirt stored the planned placement is not known',
      definitionOf(f),
    ),
  'guest-missing': (f) =>
    text(
      `libvirt has no guest ${short(f.name)}`,
      'guests are found by name or UUID',
      meant(f.close === undefined ? undefined : short(f.close), 'virsh list --all shows the guests'),
    ),
  'guest-transient': (f) =>
    text(
      `${shownName(f.name)} is transient: it has no definition`,
      'a transient guest no longer exists once it stops; defining it would make it persistent',
      'fit the XML that it is created from, before virsh create: virt-numa transform',
    ),
  'guest-runs': (f) =>
    text(
      `${shownName(f.name)} is running; ${cellsWords(f)}`,
      'the running guest would not match its definition until it restarts, and changes to both (--live ' +
        '--config) would fail',
      `virsh shutdown ${shellWord(f.name)} first, or use --next-start: the new cells then apply at its ` +
        'next start',
    ),
  'guest-saved': (f) =>
    text(
      `${shownName(f.name)} has a managed save; ${cellsWords(f)}`,
      'the next start restores the guest with the cells that it was saved with, whatever its definition says',
      `virsh start ${shellWord(f.name)} and virsh shutdown ${shellWord(f.name)}, then define; virsh ` +
        'managedsave-remove would discard the saved state',
    ),
  'guest-secrets-lost': (f) =>
    text(
      `the document lacks secrets that ${shownName(f.name)} has: ${f.lost.join(', ')}`,
      'virsh dumpxml omits secrets without --security-info, and libvirt forgets those that a new ' +
        'definition does not have',
      `start from virsh dumpxml --inactive --security-info ${shellWord(f.name)}, or use virt-numa define ` +
        `--guest ${shellWord(f.name)}`,
    ),
  'guest-disks-moved': (f) =>
    text(
      `the document has another image for ${f.disks.join(', ')}, but ${shownName(f.name)} has ` +
        `${f.hanging.length === 1 ? 'a snapshot or checkpoint' : 'snapshots or checkpoints'}: ` +
        `${f.hanging.join(', ')}`,
      'an external snapshot created the current image; a guest that starts on its backing image corrupts ' +
        'the chain',
      `take the disks from virsh dumpxml --inactive ${shellWord(f.name)}, or use virt-numa define ` +
        `--guest ${shellWord(f.name)}`,
    ),
  'guest-uuid': (f) =>
    text(
      `${shownName(f.name)} exists with UUID ${f.uuid}, but the document has ` +
        `${f.written === '' ? 'none' : f.written}`,
      'for libvirt this is another guest with the same name',
      `write <uuid>${f.uuid}</uuid> to change that guest, or run virsh undefine ${shellWord(f.name)} first`,
    ),
  'guest-renamed': (f) =>
    text(
      `UUID ${f.uuid} belongs to ${shownName(f.name)}, but the document has the name ${short(f.written)}`,
      'a definition cannot rename a guest',
      `virsh domrename ${shellWord(f.name)} ${shellWord(f.written)}, or delete <uuid> for a new guest`,
    ),
  'guest-changed': (f) =>
    text(
      `the definition of ${shownName(f.name)} changed while it was fitted`,
      'the change by another program would be lost; nothing was defined',
      'run it again',
    ),
  'guest-placed-otherwise': (f) =>
    text(
      `${shownName(f.name)} is defined, but not as planned: ${differencesWords(f.differs)}`,
      'libvirt stored the definition with these differences',
      f.backup === undefined
        ? `to remove it: virsh undefine ${shellWord(f.name)}`
        : `virsh define ${shellWord(f.backup)} restores the previous definition`,
    ),
  'guest-needs-start': (f) =>
    text(
      `${shownName(f.name)} keeps running as it is; the new definition applies from its next start`,
      'a definition does not change a running guest, and a reboot inside the guest is not a start',
      `virsh shutdown ${shellWord(f.name)}, then virsh start ${shellWord(f.name)}`,
    ),
  'guest-saved-stays': (f) =>
    text(
      `${shownName(f.name)} has a managed save, which keeps its old placement`,
      'a restore uses the saved XML, not the definition',
      'install the hook, which rebinds it at restore: virt-numa install',
    ),
}

function definitionOf(f: { name: string; backup: string | undefined }): string {
  const shows = `virsh dumpxml --inactive ${shellWord(f.name)} shows it`
  return f.backup === undefined
    ? shows
    : `${shows}; virsh define ${shellWord(f.backup)} restores the previous definition`
}

const reasonWords = ({ reason = 'it printed nothing' }: { reason?: string }): string => reason

function outputWords(expected: ExpectedOutput): string {
  switch (expected.is) {
    case 'utf8':
      return 'text in UTF-8'
    case 'uri':
      return 'the URI of a connection'
    case 'uuids-and-names':
      return 'a UUID and a name on each line'
    case 'same-guests':
      return `the same guests as virsh ${expected.words.join(' ')}, in three attempts`
    case 'line':
      return `a line "${expected.name}:" with a known value`
    case 'state':
      return 'a state and its reason'
    case 'domain':
      return 'a <domain>'
    case 'whole-domain':
      return 'a complete <domain>'
  }
}

function causeWords(
  cause: LibvirtFacts['virsh-output']['cause'],
  messageOf: (cause: Diagnostic) => Text,
): string {
  if (cause === undefined) return ''
  return `; line ${cause.line}, column ${cause.column}: ${messageOf(cause.diagnostic).what}`
}

function cellsWords({ cells, newCells }: LibvirtFacts['guest-runs']): string {
  const count = (cells: number): string => (cells === 0 ? 'no cells' : plural(cells, 'cell'))
  const others = newCells < 2 ? 'another one' : `${newCells} others`
  return `its definition has ${count(cells)} and would get ${cells === newCells ? others : count(newCells)}`
}

/** "vcpupin 3 is 0-3, planned 2; memnode 1 is missing, planned strict 0". */
function differencesWords(differs: LibvirtFacts['guest-placed-otherwise']['differs']): string {
  if (differs === 'not-listed') return 'libvirt does not list it'
  const words = differs.map(({ part, id, actual, planned }) => {
    const name = part === 'cells' ? 'number of cells' : part
    const sizes = [actual, planned].flatMap((each) => (each && 'memoryKiB' in each ? [each.memoryKiB] : []))
    const written = inOneUnit(...sizes)
    const sizeOf = (kib: number): string => written[sizes.indexOf(kib)] ?? ''
    const isNow = statedWords(actual, sizeOf) || 'missing'
    const was = statedWords(planned, sizeOf) || 'none'
    return `${name}${id === undefined ? '' : ` ${id}`} is ${isNow}, planned ${was}`
  })
  return words.join('; ')
}

/** @param sizeOf writes the memory of a cell, in the unit of the size that it is compared with */
function statedWords(stated: StatedPart | undefined, sizeOf: (kib: number) => string): string {
  if (stated === undefined) return ''
  if ('count' in stated) return `${stated.count}`
  if ('cpus' in stated) return formatSet(stated.cpus)
  if ('mode' in stated) return `${stated.mode} ${formatSet(stated.nodes)}`.trim()
  const pages = stated.pagesizeKiB === undefined ? '' : ` in pages of ${formatKiB(stated.pagesizeKiB)}`
  return `${withIds('vCPU', stated.vcpus)}, ${sizeOf(stated.memoryKiB)}${pages}`
}
