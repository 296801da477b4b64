// What is wrong with a host: its daemon, its cgroups, KVM and huge pages: the meaning of each code.

import type { DoctorFacts } from '../../codes/doctor.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const doctorMeanings: Meanings<DoctorFacts> = {
  'libvirt-missing': meaning(
    'no libvirt daemon is installed',
    'libvirtd or virtqemud runs the guests, and calls the hook.',
    'Install libvirt-daemon-system (Debian) or libvirt-daemon-driver-qemu (Fedora).',
  ),
  'libvirt-old': meaning(
    'libvirt is older than supported',
    'Older versions lack elements that a fitted domain has, or read them otherwise.',
    'Upgrade libvirt to 6.5 or newer.',
  ),
  'apparmor-denies': meaning(
    'AppArmor keeps the daemon from running Node',
    'The profile of the daemon allows a hook to run only programs in /usr/bin, /usr/sbin, /bin and ' +
      '/sbin. Elsewhere the hook cannot start Node, and cancels every migration and restore.',
    'Add a rule for this Node to the local part of the profile, and load it again.',
  ),
  'hugetlbfs-unseen': meaning(
    'the daemon does not use a hugetlbfs mount',
    'libvirt looks for hugetlbfs mounts when it starts, and does not notice later ones. Guests with ' +
      'this page size are refused.',
    'Restart the daemon; guests keep running.',
  ),
  'guests-outside-pod': meaning(
    'guests may use CPUs that the pod does not have',
    'libvirt puts guests into a cgroup below the root of the hierarchy, not below its own cgroup. In ' +
      "a container that shares the host's cgroup namespace, the pod's cpuset then does not apply to " +
      'them.',
    'Start the daemon in a cgroup namespace of its own, or write cgroup_controllers = [ ] in qemu.conf.',
  ),
  'cgroup-root-busy': meaning(
    'the daemon is in the root of its cgroup namespace',
    'A cgroup v2 that contains processes cannot enable controllers for its children. Guests then fail ' +
      'with "unable to open .../machine/...".',
    'Move the processes into a child cgroup before the daemon starts, or write cgroup_controllers = [ ].',
  ),
  'mbind-filtered': meaning(
    'QEMU may not bind memory',
    'The default seccomp filters of containers allow mbind and set_mempolicy only with CAP_SYS_NICE. ' +
      'Without it QEMU cannot bind the memory of a cell, and fails.',
    'Give the container CAP_SYS_NICE.',
  ),
  'kvm-missing': meaning(
    'there is no /dev/kvm',
    'Guests of type kvm cannot start. Guests of type qemu are emulated, and slow.',
    'Load kvm_intel or kvm_amd; enable virtualization in the firmware, or nested virtualization.',
  ),
  'kvm-denied': meaning(
    'QEMU may not open /dev/kvm',
    'The user that QEMU runs as has no access. Guests of type kvm cannot start, and libvirt probes ' +
      'QEMU again at every definition, which can take 40 s.',
    'Give the group kvm access, and put the user of QEMU into it; or correct user and group in qemu.conf.',
  ),
  'qemu-unreaped': meaning(
    'ended QEMU processes are not reaped',
    'libvirt runs QEMU to learn what it can do, and waits until the process is gone. In a container ' +
      'whose first process does not reap, every probe takes as long as libvirt is willing to wait.',
    'Start the container with an init that reaps processes.',
  ),
  'memory-fragmented': meaning(
    'memory is too fragmented for large pages',
    'A page of 1 GiB needs that much contiguous memory. If free memory lies in small blocks that the ' +
      'kernel cannot join, writing to nr_hugepages adds none.',
    'Compact the memory, or allocate the pages at boot.',
  ),
  'pools-empty': meaning(
    'the host has no huge pages',
    'Guests with <hugepages> cannot start. Other guests need none.',
    'Write to nr_hugepages of the nodes, if guests are to have huge pages.',
  ),
  'pool-uneven': meaning(
    'some nodes have huge pages, others have none',
    'A cell on a node without pages cannot have huge pages. memory=by-free-pages avoids such nodes.',
    'Write to nr_hugepages of the nodes that have none.',
  ),
  'watch-program-missing': meaning(
    'the unit of watch starts a missing program',
    'virt-numa has moved or been removed since the unit was written, so that guests that are defined are ' +
      'no longer fitted.',
    'Run virt-numa install --watch, or delete the unit.',
  ),
  'watch-stopped': meaning(
    'the unit of watch is enabled, but does not run',
    'Guests that are defined, changed or migrated to this host are not fitted until it runs.',
    'Start it with systemctl; its messages are in the journal.',
  ),
  'cpuset-controller-off': meaning(
    'the cpuset controller is off',
    'mode=restrictive, and virsh numatune on a running guest, work through this controller and have ' +
      'no effect without it. strict and preferred are not affected.',
    'Enable cpuset in cgroup.subtree_control, and list it in cgroup_controllers of qemu.conf.',
  ),
}
