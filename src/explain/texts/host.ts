// Descriptions of a host that cannot be read: the text of each code.

import type { HostFacts } from '../../codes/host.ts'
import { short, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const hostTexts: Texts<HostFacts> = {
  'host-unreadable': (f) =>
    text(
      `there is no host to read: ${f.reason}`,
      'without its nodes and CPUs nothing can be placed',
      'give --host a snapshot, a folder or tar that holds sys/ and proc/, or the output of virsh capabilities',
    ),
  'host-malformed': (f) =>
    text(`${f.source}: ${f.path === '' ? 'the document' : f.path} ${f.what}`, f.why, f.fix),
  'capabilities-malformed': (f) =>
    text(`${f.source}: ${f.what}`, f.why, 'give the output of virsh capabilities, unchanged'),
  'cgroup-missing': (f) =>
    text(
      `there is no cgroup ${short(f.path, 200)}`,
      f.mounts.length === 0
        ? 'no cgroup hierarchy is mounted here'
        : `cgroups are looked for under ${f.mounts.join(', ')}`,
      'give a folder there, or a path as /proc/PID/cgroup shows it',
    ),
  'process-missing': (f) =>
    text(
      `there is no process ${f.pid}`,
      `/proc/${f.pid} cannot be read`,
      'pgrep -a qemu shows the running guests',
    ),
}
