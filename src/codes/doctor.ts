// What is wrong with a host: its daemon, its cgroups, KVM and huge pages: the facts and the class of each
// code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { CpuSet, NodeSet } from '../base/idset.ts'

/** The facts of each code. */
export interface DoctorFacts {
  readonly 'libvirt-missing': object

  readonly 'libvirt-old': { version: string; oldest: string }

  readonly 'apparmor-denies': { daemon: string; node: string; profile: string }

  readonly 'hugetlbfs-unseen': { daemon: string; point: string; restart: string }

  /** `hasMachined`: systemd-machined moves every guest into its slice. */
  readonly 'guests-outside-pod': {
    daemon: string
    own: CpuSet
    partition: string
    theirs: CpuSet
    hasMachined: boolean
  }

  readonly 'cgroup-root-busy': { daemon: string; point: string; hasMachined: boolean }

  readonly 'mbind-filtered': { daemon: string }

  readonly 'kvm-missing': object

  readonly 'kvm-denied': { owner: string; mode: string; user: string; source: string }

  /** The process that should reap them. */
  readonly 'qemu-unreaped': { count: number; pid: number; parent: string }

  /** `contiguousKiB`: what of the free memory is in the largest blocks of the kernel's page allocator. */
  readonly 'memory-fragmented': { node: number; pagesizeKiB: number; freeKiB: number; contiguousKiB: number }

  /** `pagesizesKiB`: what this kernel has, smallest first; none without CONFIG_HUGETLBFS. */
  readonly 'pools-empty': { pagesizesKiB: readonly number[]; node: number }

  /** `mostPages`: of the largest pool that another node has. */
  readonly 'pool-uneven': { nodes: NodeSet; others: NodeSet; pagesizeKiB: number; mostPages: number }

  readonly 'watch-program-missing': { unit: string; program: string }

  readonly 'watch-stopped': { unit: string }

  readonly 'cpuset-controller-off': { where: 'host' | 'qemu.conf' }
}

/** The class of each code. */
export const doctorClasses: Readonly<Record<keyof DoctorFacts, DiagnosticClass>> = {
  'libvirt-missing': 'invalid',
  'libvirt-old': 'invalid',
  'apparmor-denies': 'invalid',
  'hugetlbfs-unseen': 'invalid',
  'guests-outside-pod': 'invalid',
  'cgroup-root-busy': 'invalid',
  'mbind-filtered': 'invalid',
  'kvm-missing': 'invalid',
  'kvm-denied': 'invalid',
  'qemu-unreaped': 'invalid',
  'memory-fragmented': 'note',
  'pools-empty': 'note',
  'pool-uneven': 'note',
  'watch-program-missing': 'invalid',
  'watch-stopped': 'note',
  'cpuset-controller-off': 'note',
}
