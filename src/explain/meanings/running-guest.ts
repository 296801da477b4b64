// A running guest that cannot be read, or that is not where its XML says: the meaning of each code.

import type { RunningGuestFacts } from '../../codes/running-guest.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const runningGuestMeanings: Meanings<RunningGuestFacts> = {
  'guest-not-running': meaning(
    'the guest does not run here',
    'A running guest has a status file in /run/libvirt/qemu, whose process exists.',
    'virsh list --all lists the guests; start it, or use --pid.',
  ),
  'guest-gone': meaning(
    'the guest ended while it was read',
    'Its placement could not be read completely.',
    'Run the command again when the guest is running.',
  ),
  'not-qemu-process': meaning(
    'the process is not QEMU',
    'Only QEMU processes have cells and vCPU threads.',
    'pgrep -a qemu lists the running guests.',
  ),
  'status-malformed': meaning(
    'a status file of libvirt cannot be understood',
    'A status file is a <domstatus> with a process ID, which contains the live domain.',
    'Use --pid with the domain instead.',
  ),
  'status-unread': meaning(
    'status files of other guests cannot be read',
    'The CPUs that these guests are pinned to are considered free, because nothing is known of them.',
    'Run the command as root.',
  ),
  'guests-unread': meaning(
    'running guests cannot be read',
    'libvirt describes each running guest in a status file that only root may read.',
    'Run the command as root.',
  ),
  'guest-memory-unreadable': meaning(
    "the guest's numa_maps cannot be read",
    "The kernel shows the memory of another user's process only to processes that may trace it.",
    'Run the command as root, or with CAP_SYS_PTRACE.',
  ),
  'host-without-processes': meaning(
    'the captured host holds no processes',
    'A running guest is read from /proc and /run, which a snapshot does not have.',
    'Give a folder or tar with proc/ and run/, or omit --host on the host itself.',
  ),
  'threads-wider': meaning(
    'threads may run on more CPUs than expected',
    'The scheduler may move such a thread away from its memory, or onto a CPU of another guest.',
    'Pin it again; the message has the command.',
  ),
  'threads-elsewhere': meaning(
    'threads may run on CPUs other than expected',
    'The affinity was changed after libvirt set it: by taskset, by a cpuset, or by virsh --live.',
    'Pin them again; the message has the command.',
  ),
  'threads-narrower': meaning(
    'threads have fewer CPUs than expected',
    'taskset or a cpuset of the cgroup reduced the CPUs, without libvirt. Nothing is wrong as long as ' +
      'vCPUs do not have to wait for one another.',
    'Pin them again, if that was not intended.',
  ),
  'vcpus-crowded': meaning(
    'vCPUs share CPUs though each could have its own',
    'Their pins have a CPU for each, but the CPUs were reduced without libvirt, so they wait for one ' +
      'another.',
    'Pin them again; the message has the command.',
  ),
  'live-pins': meaning(
    'live pins differ from the definition',
    'virsh --live, a migration or the hook changed the running guest, or its definition was changed ' +
      'since. The next start uses the definition.',
    'Keep the live pins with --config, or undo them with --live; the message has both commands.',
  ),
  'live-memory': meaning(
    'live memory binding differs from the definition',
    'virsh --live, a migration or the hook changed the running guest, or its definition was changed ' +
      'since. The next start uses the definition.',
    'Write the live nodes into the definition, or fit it to this host.',
  ),
  'guest-memory-elsewhere': meaning(
    'memory of a cell is on other nodes',
    'It was moved, allocated before it was bound, or is more than 10 % of a cell that mode preferred ' +
      'took from other nodes. Each access to it is remote.',
    'migratepages moves ordinary memory; otherwise restart or migrate the guest.',
  ),
  'guest-memory-overflow': meaning(
    'a small part of a preferred cell is on other nodes',
    'Mode preferred uses another node when the preferred one is full. Up to 10 % of a cell is no finding.',
    'migratepages moves ordinary memory back when the node has room.',
  ),
  'guest-memory-unbound': meaning(
    'memory of a cell has another policy than expected',
    'Pages that are allocated from now on may come from other nodes.',
    'Restart or migrate the guest: only QEMU itself can bind its memory.',
  ),
  'guest-pagesize': meaning(
    'memory of a cell has another page size',
    'The guest was started with another page size than its XML states, or has transparent huge pages, ' +
      'which come from no pool, and which the kernel may split.',
    'Restart or migrate the guest.',
  ),
  'vcpus-far': meaning(
    'vCPUs run away from the memory of their cell',
    'The guest is placed as its XML says, but the XML pins these vCPUs to another node than that of ' +
      'their memory: each access is remote.',
    'Run virt-numa transform --rebind, then restart or migrate the guest.',
  ),
  'guest-memory-unknown': meaning(
    'where memory of a cell is, is not known',
    'QEMU has no mapping, or several, with the name or the size of this memory. It is not counted.',
    'Nothing has to be changed.',
  ),
  'guest-memory-alike': meaning(
    'the memory of several cells is reported together',
    'Their mappings have the same size, kind and policy, and no name, so which belongs to which cell ' +
      'is not clear.',
    'Nothing has to be changed.',
  ),
  'threads-unknown': meaning(
    'threads of QEMU were not found',
    'QEMU names its threads only with debug-threads=on, and one thread runs all vCPUs of an emulated ' +
      'guest without multi-threading.',
    'Nothing has to be changed.',
  ),
  'wanted-unknown': meaning(
    'only the command line of QEMU is known',
    'There is no status file of libvirt, so the pins of the guest are not known. Memory is compared ' +
      'with the command line.',
    'Give the domain as well: virsh dumpxml NAME | virt-numa verify --pid PID -',
  ),
}
