// Descriptions of a host that cannot be read: the meaning of each code.

import type { HostFacts } from '../../codes/host.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const hostMeanings: Meanings<HostFacts> = {
  'host-unreadable': meaning(
    'the host has no readable nodes and CPUs',
    'A placement needs the nodes and online CPUs of a host, from /sys/devices/system or a capture of it.',
    'Use --host with a snapshot, a folder or tar with sys/ and proc/, or the output of virsh capabilities.',
  ),
  'host-malformed': meaning(
    'a snapshot of a host is not as it should be',
    'host.json has an unknown key, a value of the wrong type, or facts that contradict each other. ' +
      'Nothing is guessed: a wrong host gives a wrong placement.',
    'Correct the place that the message names, or write the snapshot again with virt-numa snapshot.',
  ),
  'capabilities-malformed': meaning(
    'a capabilities document states no usable nodes',
    'The document is not <capabilities>, lacks the cells of the host, or contradicts itself.',
    'Use the output of virsh capabilities, unchanged.',
  ),
  'host-shape': meaning(
    'a host in words is not understood',
    '--host takes the shape of a host in words where no file has that name: nodes (n), cores of each ' +
      'node (c) and threads of each core (t), then the memory of each node, and its huge pages as ' +
      'SIZE:NUMBER.',
    'Write it like 2n16c2t,64G,1G:32.',
  ),
  'cgroup-missing': meaning(
    'there is no such cgroup',
    'The path is looked up below the mounted hierarchies. The message lists where they are mounted.',
    'Use the path of a folder there, or a path as in /proc/PID/cgroup.',
  ),
  'process-missing': meaning(
    'there is no such process',
    'Its folder in /proc cannot be read: it has ended, or it is in another PID namespace.',
    'pgrep -a qemu shows the running guests.',
  ),
}
