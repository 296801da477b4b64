// Definitions in libvirt, and virsh, which reads and writes them: the text of each code.

import { shellWord, shownName } from '../../base/name.ts'
import type { LibvirtFacts } from '../../codes/libvirt.ts'
import { meant, plural, short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const libvirtTexts: Texts<LibvirtFacts> = {
  'virsh-missing': () =>
    text(
      'there is no virsh on this machine',
      'libvirt is reached through it',
      'apt install libvirt-clients, or dnf install libvirt-client',
    ),
  'libvirt-unreachable': (f) =>
    text(
      `virsh cannot connect to libvirt: ${f.reason}`,
      'definitions are read and written through its daemon',
      'systemctl start virtqemud (or libvirtd), or name the daemon: --connect qemu:///system; virsh uri tries it',
    ),
  'libvirt-elsewhere': (f) =>
    text(
      `the guests of ${f.uri} run on ${f.machine}, not on this machine`,
      'a guest is fitted to the host that it runs on',
      `virsh --connect '${f.uri}' capabilities > ${f.machine}.xml, then add --host ${f.machine}.xml`,
    ),
  'virsh-failed': (f) =>
    text(
      `virsh ${f.words} failed: ${f.reason}`,
      f.known === 'refused'
        ? 'libvirt refused it; nothing was changed'
        : f.known === 'unchanged'
          ? 'it gave no answer to go by; nothing was changed'
          : 'it did not end by itself: whether it was done is not known',
      f.known === 'refused'
        ? 'correct what libvirt reports'
        : 'virsh list --all shows whether libvirt answers; virsh dumpxml --inactive shows the definition',
    ),
  'virsh-output': (f, messageOf) =>
    text(
      `virsh ${f.words.split(' ', 1)[0]} printed ${f.printed === '' ? 'nothing' : short(f.printed)}`,
      `expected is ${f.expected}${f.cause === undefined ? '' : `; at line ${f.cause.line}, column ${f.cause.column} ${messageOf(f.cause.diagnostic).what}`}; nothing was changed`,
      `see what virsh ${f.words} prints, and which program it is: command -v virsh`,
    ),
  'virsh-stopped': (f) =>
    text(
      `virsh ${f.words} was not waited for: ${f.reason}`,
      'it was ended before libvirt answered; nothing was defined',
      'run it again',
    ),
  'define-unknown': (f) =>
    text(
      `whether ${shownName(f.name)} was defined is not known: ${f.reason}`,
      'libvirt stores a definition atomically, but virsh ended before it reported whether it did',
      definitionOf(f),
    ),
  'define-unread': (f, messageOf) =>
    text(
      `${shownName(f.name)} is defined, and the stored definition could not be read: ${f.cause === undefined ? '' : messageOf(f.cause).what}`,
      'libvirt may place a guest otherwise than its definition says',
      definitionOf(f),
    ),
  'guest-missing': (f) =>
    text(
      `libvirt has no guest ${short(f.name)}`,
      'guests are looked for by name and by UUID',
      meant(f.close === undefined ? undefined : short(f.close), 'virsh list --all shows the guests'),
    ),
  'guest-transient': (f) =>
    text(
      `${shownName(f.name)} is transient: it has no definition`,
      'a transient guest is gone when it stops; defining it would make it a persistent one',
      'fit the XML that it is created from: virt-numa transform',
    ),
  'guest-runs': (f) =>
    text(
      `${shownName(f.name)} runs; its definition has ${f.has} and would get ${f.gets}`,
      'the running guest would no longer match its definition until it restarts, and changes to both would fail halfway',
      `virsh shutdown ${shellWord(f.name)} first, or use --next-start: then the new cells wait for its next start`,
    ),
  'guest-saved': (f) =>
    text(
      `${shownName(f.name)} has a managed save; its definition has ${f.has} and would get ${f.gets}`,
      'the next start restores the saved guest with the cells that it was saved with, whatever its definition says',
      `virsh start ${shellWord(f.name)} and virsh shutdown ${shellWord(f.name)}, then define; virsh managedsave-remove would throw the saved guest away`,
    ),
  'guest-secrets-lost': (f) =>
    text(
      `the document lacks what ${shownName(f.name)} has: ${f.lost.join(', ')}`,
      'libvirt shows secrets only with --security-info, and forgets what a new definition leaves out',
      `virsh dumpxml --inactive --security-info ${shellWord(f.name)} has them; or say define --guest ${shellWord(f.name)}`,
    ),
  'guest-disks-moved': (f) =>
    text(
      `the document has another image for ${f.disks.join(', ')}; ${shownName(f.name)} has ${plural(f.hanging.length, 'snapshot or checkpoint')}: ${f.hanging.join(', ')}`,
      'an external snapshot made the present image; a guest that starts on the one below it spoils the chain',
      `take the disks from virsh dumpxml --inactive ${shellWord(f.name)}, or say define --guest ${shellWord(f.name)}`,
    ),
  'guest-uuid': (f) =>
    text(
      `${shownName(f.name)} is there with the UUID ${f.uuid}, the document has ${f.written === '' ? 'none' : f.written}`,
      'libvirt takes it for another guest of the same name',
      `write <uuid>${f.uuid}</uuid> to change that guest, or virsh undefine ${shellWord(f.name)} before`,
    ),
  'guest-renamed': (f) =>
    text(
      `the UUID ${f.uuid} is that of ${shownName(f.name)}, the document names ${short(f.written)}`,
      'a definition cannot rename a guest',
      `virsh domrename, or leave out <uuid> for a new guest`,
    ),
  'guest-changed': (f) =>
    text(
      `the definition of ${shownName(f.name)} changed while it was fitted`,
      'what another one wrote meanwhile would be lost; nothing was defined',
      'run it again',
    ),
  'guest-placed-otherwise': (f) =>
    text(
      `${shownName(f.name)} is defined, but not as planned: ${f.differs.join('; ')}`,
      'this is what libvirt has made of it',
      f.backup === undefined
        ? 'virsh undefine takes it back'
        : `virsh define ${shellWord(f.backup)} brings the former definition back`,
    ),
  'guest-needs-start': (f) =>
    text(
      `${shownName(f.name)} runs on as it is: the new definition counts from its next start`,
      'libvirt changes nothing of a running guest here, and a reboot inside the guest is no start',
      `virsh shutdown ${shellWord(f.name)}, then virsh start ${shellWord(f.name)}`,
    ),
  'guest-saved-stays': (f) =>
    text(
      `${shownName(f.name)} has a managed save, which keeps the placement that it was saved with`,
      'a restore takes the saved XML, not the definition',
      'the hook rebinds it at restore: virt-numa install',
    ),
}

function definitionOf(f: { name: string; backup: string | undefined }): string {
  const shows = `virsh dumpxml --inactive ${shellWord(f.name)} shows it`
  return f.backup === undefined
    ? shows
    : `${shows}; virsh define ${shellWord(f.backup)} brings the former definition back`
}
