// Definitions in libvirt, and virsh, which reads and writes them: the meaning of each code.

import type { LibvirtFacts } from '../../codes/libvirt.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const libvirtMeanings: Meanings<LibvirtFacts> = {
  'virsh-missing': meaning(
    'virsh is not installed',
    'virt-numa calls libvirt through virsh.',
    'Install libvirt-clients (Debian) or libvirt-client (Fedora).',
  ),
  'libvirt-unreachable': meaning(
    'virsh cannot connect to libvirt',
    'Definitions are read and written through the libvirt daemon, which does not run, or does not let ' +
      'this user connect.',
    'Start virtqemud or libvirtd, or use another --connect URI; virsh uri tests it.',
  ),
  'libvirt-elsewhere': meaning(
    'the guests run on another machine',
    'The connection leads to another host, and a guest is fitted to the host that it runs on.',
    'Give --host the capabilities or a snapshot of that machine.',
  ),
  'virsh-failed': meaning(
    'a call of virsh failed',
    'libvirt refused it, or virsh did not end as it should. The message says whether anything was changed.',
    'Correct what libvirt reports.',
  ),
  'virsh-output': meaning(
    'virsh printed something unexpected',
    'The output is not what this call of virsh prints, so nothing is done with it, and nothing was changed.',
    'See what virsh prints by hand, and which program it is.',
  ),
  'virsh-stopped': meaning(
    'a call of virsh was interrupted',
    'virsh ended before libvirt answered. Nothing was defined.',
    'Run the command again.',
  ),
  'define-unknown': meaning(
    'whether the guest was defined is not known',
    'virsh ended before it reported whether libvirt stored the definition. libvirt stores it ' +
      'completely or not at all.',
    'Look at it with virsh dumpxml --inactive; a backup restores the previous definition.',
  ),
  'define-unread': meaning(
    'the new definition could not be read back',
    'The guest is defined, but whether libvirt stored the planned placement could not be checked.',
    'Look at it with virsh dumpxml --inactive; a backup restores the previous definition.',
  ),
  'guest-missing': meaning(
    'libvirt has no such guest',
    'Guests are found by name or UUID.',
    'virsh list --all shows the guests.',
  ),
  'guest-transient': meaning(
    'the guest is transient: it has no definition',
    'A transient guest no longer exists once it stops. Defining it would make it persistent, which ' +
      'was not asked for.',
    'Fit the XML that it is created from with virt-numa transform, before virsh create.',
  ),
  'guest-runs': meaning(
    'the guest runs, and would get other cells',
    'The running guest would not match its definition until it restarts, and changes to both would fail.',
    'Stop it first, or use --next-start: the new cells then apply at its next start.',
  ),
  'guest-saved': meaning(
    'the guest has a managed save, and other cells',
    'The next start restores the guest with the cells that it was saved with, whatever its definition says.',
    'Start it and shut it down, then define it.',
  ),
  'guest-secrets-lost': meaning(
    'the document lacks secrets that the guest has',
    'virsh dumpxml omits passwords without --security-info, and libvirt forgets those that a new ' +
      'definition does not have.',
    'Start from virsh dumpxml --inactive --security-info, or use virt-numa define --guest NAME.',
  ),
  'guest-disks-moved': meaning(
    'the document would break the chain of a snapshot',
    'An external snapshot created the current image. A guest that starts on its backing image ' +
      'corrupts the chain.',
    'Take the disks from virsh dumpxml --inactive, or use virt-numa define --guest NAME.',
  ),
  'guest-uuid': meaning(
    'a guest of this name has another UUID',
    'For libvirt the document is another guest with the same name, which it refuses.',
    'Write the UUID of the guest to change it, or undefine that guest first.',
  ),
  'guest-renamed': meaning(
    'the UUID belongs to a guest of another name',
    'A definition cannot rename a guest.',
    'Use virsh domrename, or delete <uuid> for a new guest.',
  ),
  'guest-changed': meaning(
    'the definition changed while it was fitted',
    'Another program defined the guest in between, and its change would be lost. Nothing was defined.',
    'Run the command again.',
  ),
  'guest-placed-otherwise': meaning(
    'libvirt stored another placement than planned',
    'The guest is defined, but what libvirt gives back differs from what it was given.',
    'A backup restores the previous definition; the message has the command.',
  ),
  'guest-needs-start': meaning(
    'the new definition applies from the next start',
    'A definition does not change a running guest, and a reboot inside the guest is not a start.',
    'Shut the guest down and start it when that is possible.',
  ),
  'guest-saved-stays': meaning(
    'a managed save keeps the old placement',
    'A restore uses the XML in the saved image, not the definition.',
    'Install the hook, which rebinds the guest at its restore.',
  ),
}
