// A running guest that cannot be read, or that is not where its XML says: the text of each code.

import type { NotRunning, RunningGuestFacts } from '../../codes/running-guest.ts'
import { cpuWord, has, short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const runningGuestTexts: Texts<RunningGuestFacts> = {
  'guest-not-running': (f) =>
    text(
      `the guest ${short(f.guest)} is not running here`,
      notRunning(f.because),
      'virsh list --all shows the guests, virsh start starts one; or use --pid PID',
    ),
  'guest-gone': (f) =>
    text(
      `process ${f.pid} ended while it was being read`,
      'half of an answer is none',
      'run it again once the guest is up',
    ),
  'not-qemu-process': (f) =>
    text(
      `process ${f.pid} is ${short(f.name)}, not QEMU`,
      'only a guest has cells and vCPU threads',
      'pgrep -a qemu shows the running guests',
    ),
  'status-malformed': (f) =>
    text(
      `${f.file} is not the status file of a running guest`,
      'libvirt writes <domstatus pid=...> with the live domain in it',
      'say virt-numa verify --pid PID DOMAIN.XML',
    ),
  'guest-memory-unreadable': (f) =>
    text(
      `/proc/${f.pid}/numa_maps cannot be read`,
      "the kernel shows the memory of another user's process only to who may trace it",
      'run it as root, or with CAP_SYS_PTRACE',
    ),
  'host-without-processes': (f) =>
    text(
      `--host ${f.file} holds no processes`,
      'a running guest is read from /proc and /run',
      'give a folder or tar that holds proc/ and run/, or no --host on the host itself',
    ),
  'threads-wider': (f) =>
    text(
      `${f.threads} may run on ${cpuWord(f.cpus)}, wanted ${f.wanted}`,
      'the scheduler may take it away from its memory, or onto a CPU of another guest',
      f.fix,
    ),
  'threads-elsewhere': (f) =>
    text(
      `${f.threads} may run on ${cpuWord(f.cpus)}, wanted ${f.wanted}`,
      'something changed it after libvirt had pinned it: taskset, cgset, a cpuset that shrank',
      f.fix,
    ),
  'guest-memory-elsewhere': (f) =>
    text(
      `${has(f.cells)} ${f.elsewhere} of ${f.allocated} on other nodes than ${f.nodes}: ${f.where}`,
      f.mode === 'preferred'
        ? 'mode preferred takes another node when the wanted one is full; every access then goes over to it'
        : 'it was moved (migratepages, a changed cpuset) or allocated before it was bound; every access then goes over to another node',
      f.fix,
    ),
  'guest-memory-unbound': (f) =>
    text(
      `${has(f.cells)} the memory policy ${f.has}, wanted ${f.wanted}`,
      'pages that are allocated from now on need not come from the wanted nodes',
      f.fix,
    ),
  'guest-pagesize': (f) =>
    text(
      `${has(f.cells)} pages of ${f.has}, wanted ${f.wanted}`,
      'the guest was started with another backing than the XML says',
      f.fix,
    ),
  'vcpus-far': (f) =>
    text(
      `${f.vcpus} of cell ${f.cell} may run on ${f.cpus}, the memory of the cell is on ${f.memory}`,
      'every access goes over to another node',
      'run virt-numa transform --rebind, and restart or migrate the guest',
    ),
  'guest-memory-unknown': (f) => text(`where ${f.size} of ${f.cells} is located is not known`, f.why),
  'guest-memory-alike': (f) =>
    text(
      `which mapping of ${f.size} is whose of ${f.cells} is not known`,
      'their memory has one size, one kind and one policy, and no name; it is reported for both together',
    ),
  'threads-unknown': (f) => text(`${f.threads}: no thread of its own is found`, f.why),
  'wanted-unknown': (f) =>
    text(
      `of process ${f.pid} only QEMU's command line is known`,
      `there is no status file of ${f.guest === '' ? 'its guest' : `the guest ${short(f.guest)}`} here, so no pins; memory is compared with its command line`,
      `virsh dumpxml ${f.guest || 'NAME'} | virt-numa verify --pid ${f.pid} -`,
    ),
}

function notRunning(because: NotRunning): string {
  switch (because.is) {
    case 'not-a-name':
      return 'the name of a guest has no "/"; to compare with a domain file, use --pid PID'
    case 'no-status':
      return `there is no ${because.files.join(' or ')}`
    case 'process-gone':
      return `${because.file} names process ${because.pid}, which does not exist`
  }
}
