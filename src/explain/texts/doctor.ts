// What is wrong with a host: its daemon, its cgroups, KVM and huge pages: the text of each code.

import { formatKiB, formatPagesize, inOneUnitAbout } from '../../base/memory.ts'
import { shellWord } from '../../base/visible.ts'
import type { DoctorFacts } from '../../codes/doctor.ts'
import { cpuWord, nodesNamed, type Texts, text } from './words.ts'

/** What, why and fix of each code. */
export const doctorTexts: Texts<DoctorFacts> = {
  'libvirt-missing': () =>
    text(
      'no libvirt daemon is installed here',
      'libvirtd or virtqemud runs the guests',
      'install libvirt-daemon-system or libvirt-daemon-driver-qemu',
    ),
  'libvirt-old': (f) =>
    text(`libvirt is ${f.version}`, `virt-numa supports libvirt ${f.oldest} and newer`, 'upgrade libvirt'),
  'apparmor-denies': (f) =>
    text(
      `${f.daemon} is confined by AppArmor and may not run ${f.node}`,
      'its profile allows a hook to run only programs in /usr/bin, /usr/sbin, /bin and /sbin; the hook ' +
        'then cancels every migration and restore',
      `echo '${f.node} PUx,' >> /etc/apparmor.d/local/${f.profile}; apparmor_parser -r ` +
        `/etc/apparmor.d/${f.profile}`,
    ),
  'hugetlbfs-unseen': (f) =>
    text(
      `${f.daemon} does not use the hugetlbfs mount at ${f.point}`,
      'libvirt looks for hugetlbfs mounts only when it starts, and creates libvirt/qemu in each; it does ' +
        'not use later mounts',
      f.restart,
    ),
  'guests-outside-pod': (f) =>
    text(
      `${f.daemon} may use ${cpuWord(f.own)}, but guests in ${f.partition} may use ${cpuWord(f.theirs)}`,
      "libvirt puts guests into a cgroup below the root of the hierarchy, not below the daemon's own " +
        "cgroup, so the pod's cpuset does not apply to them",
      'start the daemon in a cgroup namespace of its own (unshare --cgroup, docker --cgroupns private)' +
        orInCgroupOfDaemon(f),
    ),
  'cgroup-root-busy': (f) =>
    text(
      `${f.daemon} runs in the root of its cgroup namespace`,
      'a cgroup v2 that contains processes cannot enable controllers for its children; guests then fail ' +
        'with "unable to open .../machine/..."',
      `mkdir -p ${f.point}/init && for p in $(cat ${f.point}/cgroup.procs); do echo $p > ` +
        `${f.point}/init/cgroup.procs; done${orInCgroupOfDaemon(f)}`,
    ),
  'mbind-filtered': (f) =>
    text(
      `${f.daemon} runs under a seccomp filter and without CAP_SYS_NICE`,
      'the default seccomp filters of containers allow mbind and set_mempolicy only with CAP_SYS_NICE; ' +
        'without it QEMU cannot bind the memory of a cell',
      'give the container CAP_SYS_NICE: capabilities.add: ["SYS_NICE"] in a pod, --cap-add SYS_NICE for ' +
        'docker and podman',
    ),
  'kvm-missing': () =>
    text(
      'there is no /dev/kvm',
      'guests of type kvm cannot start; guests of type qemu are emulated, and slow',
      'modprobe kvm_intel (or kvm_amd); if that fails, enable virtualization in the firmware, or nested ' +
        'virtualization on the host of this machine',
    ),
  'kvm-denied': (f) =>
    text(
      `/dev/kvm is ${f.owner} ${f.mode}, and QEMU runs as ${f.user} (${f.source})`,
      'guests of type kvm cannot start, and libvirt probes QEMU again at every definition, which can ' +
        'take 40 s',
      `chgrp kvm /dev/kvm && chmod 0660 /dev/kvm && usermod -aG kvm ${shellWord(f.user)}; or correct ` +
        'user and group in /etc/libvirt/qemu.conf',
    ),
  'qemu-unreaped': (f) =>
    text(
      `process ${f.pid}${f.parent === '' ? '' : ` (${f.parent})`} has not reaped ` +
        `${f.count} QEMU ${f.count === 1 ? 'process that has' : 'processes that have'} ended`,
      'libvirt runs QEMU to learn what it can do, and waits until the process is gone: every probe then ' +
        'takes as long as libvirt is willing to wait',
      f.pid === 1
        ? 'start the container with an init that reaps processes: docker run --init, podman run --init, or ' +
            'shareProcessNamespace: true in a pod'
        : `restart process ${f.pid}, which must call wait() for its children`,
    ),
  'memory-fragmented': (f) => {
    const [free, contiguous] = inOneUnitAbout(f.freeKiB, f.contiguousKiB)
    return text(
      `node ${f.node} has ${free} free, but only ${contiguous} of it ` +
        "in the kernel's largest free blocks",
      `a page of ${formatKiB(f.pagesizeKiB)} needs that much contiguous memory; unless the kernel can move ` +
        'what lies between, writing to nr_hugepages adds none',
      'echo 1 > /proc/sys/vm/compact_memory, then set nr_hugepages; or allocate the pages at boot with ' +
        `hugepagesz=${formatPagesize(f.pagesizeKiB)} hugepages=N`,
    )
  },
  'pools-empty': ({ pagesizesKiB, node }) => {
    const [first] = pagesizesKiB
    return text(
      first === undefined
        ? 'this host has no huge pages'
        : `no huge pages are allocated (${pagesizesKiB.map(formatKiB).join(', ')})`,
      'guests with <hugepages> cannot start; other guests need none',
      first === undefined ? 'boot a kernel with CONFIG_HUGETLBFS' : setAside(node, first, 512),
    )
  },
  'pool-uneven': ({ nodes, others, pagesizeKiB, mostPages }) =>
    text(
      `${nodesNamed(nodes)} ${nodes.length === 1 ? 'has' : 'have'} no ` +
        `${formatKiB(pagesizeKiB)} pages; ${nodesNamed(others)} ` +
        `${others.length === 1 ? 'does' : 'do'}`,
      'a cell on such a node cannot have huge pages; memory=by-free-pages avoids such nodes',
      setAside(nodes[0] ?? 0, pagesizeKiB, mostPages),
    ),
  'watch-program-missing': (f) =>
    text(
      `${f.unit} starts ${f.program}, which is not there`,
      'virt-numa has moved or been removed, and guests that are defined are no longer fitted',
      'virt-numa install --watch, or delete the unit and run systemctl daemon-reload',
    ),
  'watch-stopped': (f) =>
    text(
      `${f.unit} is enabled, but does not run`,
      'guests that are defined, changed or migrated here are not fitted until it does',
      `systemctl start ${f.unit}; if it ends again: journalctl -u ${f.unit}`,
    ),
  'cpuset-controller-off': (f) =>
    text(
      `the cpuset controller is off ` +
        (f.where === 'host' ? 'on this host' : 'for libvirt (cgroup_controllers in qemu.conf)'),
      'mode=restrictive, and virsh numatune on a running guest, then have no effect; strict and ' +
        'preferred are not affected',
      'echo +cpuset > /sys/fs/cgroup/cgroup.subtree_control, and list "cpuset" in cgroup_controllers of ' +
        'qemu.conf if that is set',
    ),
}

/** libvirt then has no controller to create a cgroup with; systemd-machined would still move the guests. */
const orInCgroupOfDaemon = ({ hasMachined }: { readonly hasMachined: boolean }): string =>
  hasMachined
    ? ''
    : ', or write cgroup_controllers = [] in qemu.conf and restart the daemon: without systemd-machined, ' +
      'guests then stay in its cgroup'

const setAside = (node: number, pagesizeKiB: number, pages: number): string =>
  `echo ${pages} > /sys/devices/system/node/node${node}/hugepages/hugepages-${pagesizeKiB}kB/nr_hugepages`
