// What is wrong with a host: its daemon, its cgroups, KVM and huge pages: the text of each code.

import { formatSet } from '../../base/idset.ts'
import { formatKiB } from '../../base/memory.ts'
import type { DoctorFacts } from '../../codes/doctor.ts'
import { nodesNamed, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const doctorTexts: Texts<DoctorFacts> = {
  'libvirt-missing': () =>
    text(
      'no libvirt daemon is installed here',
      'libvirtd or virtqemud runs the guests',
      'install libvirt-daemon-system or libvirt-daemon-driver-qemu',
    ),
  'libvirt-old': (f) =>
    text(`libvirt is ${f.version}`, `virt-numa is for libvirt ${f.oldest} and newer`, 'upgrade libvirt'),
  'apparmor-denies': (f) =>
    text(
      `${f.daemon} is confined by AppArmor and may not run ${f.node}`,
      'its profile lets a hook start programs of /usr/bin, /usr/sbin, /bin and /sbin only; migrate and restore are then cancelled',
      `echo '${f.node} PUx,' >> /etc/apparmor.d/local/${f.profile}; apparmor_parser -r /etc/apparmor.d/${f.profile}`,
    ),
  'hugetlbfs-unseen': (f) =>
    text(
      `${f.daemon} has not seen the hugetlbfs at ${f.point}`,
      'it looks for mounts when it starts, and makes libvirt/qemu there; later mounts do not exist for it',
      f.restart,
    ),
  'guests-outside-pod': (f) =>
    text(
      `${f.daemon} may use the CPUs ${f.own}, guests in ${f.partition} the CPUs ${f.theirs}`,
      "libvirt puts guests into a partition at the root of the cgroups, outside of the daemon's own cgroup",
      `give it a cgroup namespace (unshare --cgroup, docker --cgroupns private), or say cgroup_controllers = [ ] in qemu.conf: guests then stay in its cgroup`,
    ),
  'cgroup-root-busy': (f) =>
    text(
      `${f.daemon} runs in the root of its cgroup namespace`,
      'a cgroup v2 that holds processes can have no controllers below it, and guests fail with "unable to open .../machine/..."',
      `mkdir -p ${f.point}/init && for p in $(cat ${f.point}/cgroup.procs); do echo $p > ${f.point}/init/cgroup.procs; done, or say cgroup_controllers = [ ] in qemu.conf`,
    ),
  'mbind-filtered': (f) =>
    text(
      `${f.daemon} runs under a seccomp filter and without CAP_SYS_NICE`,
      "the usual filters of containers allow mbind and set_mempolicy with CAP_SYS_NICE only, and QEMU then cannot bind a cell's memory",
      'give the container CAP_SYS_NICE: capabilities.add: ["SYS_NICE"] in a pod, --cap-add SYS_NICE for docker and podman',
    ),
  'kvm-missing': () =>
    text(
      'there is no /dev/kvm',
      'guests of type kvm cannot start, others are emulated and slow',
      'modprobe kvm_intel or kvm_amd; if that fails, turn virtualization on in the firmware or in the host of this machine',
    ),
  'kvm-denied': (f) =>
    text(
      `/dev/kvm is ${f.owner} ${f.mode}, and QEMU runs as ${f.user} (${f.source})`,
      'guests of type kvm cannot start, and libvirt probes QEMU again at every definition, which can take 40 s',
      'chgrp kvm /dev/kvm && chmod 0660 /dev/kvm, with that user in the group kvm; or correct user and group in /etc/libvirt/qemu.conf',
    ),
  'pools-empty': ({ pagesizesKiB, node }) => {
    const [first] = pagesizesKiB
    return text(
      first === undefined
        ? 'this host has no huge pages'
        : `no huge pages are set aside (${pagesizesKiB.map(formatKiB).join(', ')})`,
      'guests with <hugepages> cannot start; others need none',
      first === undefined ? 'boot a kernel with CONFIG_HUGETLBFS' : setAside(node, first, 512),
    )
  },
  'pool-uneven': ({ nodes, others, pagesizeKiB, mostPages }) =>
    text(
      `${nodesNamed(formatSet(nodes))} ${nodes.length === 1 ? 'has' : 'have'} no ${formatKiB(pagesizeKiB)} pages; ${nodesNamed(formatSet(others))} ${others.length === 1 ? 'does' : 'do'}`,
      'a cell placed there cannot have such pages; only memory=by-free-pages avoids that',
      setAside(nodes[0] ?? 0, pagesizeKiB, mostPages),
    ),
  'cpuset-controller-off': (f) =>
    text(
      `the cpuset controller is off ${f.where}`,
      'mode=restrictive has no effect then, nor has virsh numatune on a running guest; strict and preferred are not touched',
      'echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control, and "cpuset" in cgroup_controllers of qemu.conf',
    ),
}

const setAside = (node: number, pagesizeKiB: number, pages: number): string =>
  `echo ${pages} > /sys/devices/system/node/node${node}/hugepages/hugepages-${pagesizeKiB}kB/nr_hugepages`
