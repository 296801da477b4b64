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
  'host-several': meaning(
    'a file states several hosts, or none',
    'A list of NodeResourceTopology objects has a host for each node of a cluster. plan, transform and ' +
      'check place a guest on one.',
    'Use virt-numa fleet, or write one of the objects to a file.',
  ),
  'cpus-counted': meaning(
    'a host that states numbers of CPUs only',
    'A NodeResourceTopology has amounts for each NUMA node: CPUs, memory, huge pages, and distances. ' +
      'Which CPUs are free, which are threads of one core, and which share a cache is not in it. The fit ' +
      'is right in numbers; the ids of CPUs are not those of the host.',
    'Plan on a snapshot of the host (virt-numa snapshot) before you use the placement.',
  ),
  'fleet-empty': meaning(
    'a folder has no file that could be a host',
    'fleet reads files whose names end in .json, .xml, .tar, .tar.gz or .tgz, and folders with sys/, also ' +
      'in folders below.',
    'Name another folder, or the files themselves.',
  ),
  'fleet-unread': meaning(
    'some hosts of a fleet could not be read',
    'Each of them is a row with its reason, and the other hosts are judged all the same. The exit status ' +
      'is 1, because the guest might start on one of these.',
    'Take the snapshot of these hosts again, or leave the files out.',
  ),
  'fleet-nowhere': meaning(
    'the guest starts on none of the hosts',
    'Each row has the first reason against its host, and the list below counts them by code.',
    'Run virt-numa plan with one of the hosts, for all reasons with their fixes.',
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
