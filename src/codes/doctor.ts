// What is wrong with a host: its daemon, its cgroups, KVM and huge pages: the facts and the class of each
// code.

import type { DiagnosticClass } from '../base/diagnostic.ts'
import type { NodeSet } from '../base/idset.ts'

/** The facts of each code. */
export interface DoctorFacts {
  readonly 'libvirt-missing': object

  readonly 'libvirt-old': { version: string; oldest: string }

  readonly 'apparmor-denies': { daemon: string; node: string; profile: string }

  readonly 'hugetlbfs-unseen': { daemon: string; point: string; restart: string }

  readonly 'guests-outside-pod': { daemon: string; own: string; partition: string; theirs: string }

  readonly 'cgroup-root-busy': { daemon: string; point: string }

  readonly 'mbind-filtered': { daemon: string }

  readonly 'kvm-missing': object

  readonly 'kvm-denied': { owner: string; mode: string; user: string; source: string }

  /** `pagesizesKiB`: what this kernel offers, smallest first; none without CONFIG_HUGETLBFS. */
  readonly 'pools-empty': { pagesizesKiB: readonly number[]; node: number }

  /** `mostPages`: of the largest pool that another node has. */
  readonly 'pool-uneven': { nodes: NodeSet; others: NodeSet; pagesizeKiB: number; mostPages: number }

  readonly 'cpuset-controller-off': { where: string }
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
  'pools-empty': 'note',
  'pool-uneven': 'note',
  'cpuset-controller-off': 'note',
}
