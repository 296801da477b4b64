// What a VMI says, and what like=kubevirt asks for: the text of each code.

import type { KubevirtFacts } from '../../codes/kubevirt.ts'
import { plural, type Texts, taken, text } from './words.ts'

/** What, why and fix of each code. */
export const kubevirtTexts: Texts<KubevirtFacts> = {
  'vmi-malformed': (f) =>
    text(`${f.source}: ${f.path === '' ? 'the document' : f.path} ${f.what}`, f.why, f.fix),
  'dedicated-cpus-required': (f) =>
    text(
      `${f.source}: spec.domain.cpu.numa.guestMappingPassthrough is there, but no dedicated CPUs`,
      'the guest can be fitted to the CPUs of its pod only when they are its own',
      'write spec.domain.cpu.dedicatedCpuPlacement: true',
    ),
  'emulator-no-cpu': (f) =>
    text(
      `isolateEmulatorThread wants a CPU of its own, but ${taken(f)} all of the CPUs ${f.cpuset}`,
      'the emulator thread then would disturb a vCPU',
      `give the pod ${f.vcpus + f.pool + 1} CPUs, or use --emulator shared`,
    ),
  'emulator-no-second-cpu': (f) =>
    text(
      `EmulatorThreadCompleteToEvenParity wants a second CPU for the emulator, but only one of the CPUs ${f.cpuset} is left`,
      `${plural(f.vcpus, 'vCPU')}${f.pool === 0 ? '' : ` and ${plural(f.pool, 'I/O thread')}`} and one emulator CPU make an odd number`,
      `give the pod ${f.vcpus + f.pool + 2} CPUs, or delete the annotation alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity`,
    ),
  'iothread-no-cpu': (f) =>
    text(
      `supplementalPoolThreadCount ${f.pool} wants as many CPUs beside those of ${plural(f.vcpus, 'vCPU')}, the CPUs ${f.cpuset} leave ${f.got}`,
      'each I/O thread of the supplemental pool has a CPU of its own',
      `give the pod ${f.vcpus + f.pool} CPUs, or use --emulator shared`,
    ),
  'iothreads-missing': () =>
    text(
      'the VMI wants I/O threads, the domain has none',
      'KubeVirt makes I/O threads for disks, and refuses a policy without them',
      'delete spec.domain.ioThreadsPolicy, or give the VMI a disk',
    ),
  'hugepages-required': (f) =>
    text(
      f.inVmi ? 'the VMI requests no hugepages' : 'the guest has no hugepages',
      'like=kubevirt does what KubeVirt does, and guestMappingPassthrough wants hugepages',
      f.inVmi
        ? 'write spec.domain.memory.hugepages.pageSize: 2Mi'
        : 'write <memoryBacking><hugepages/></memoryBacking>, or use --pagesize 2M',
    ),
  'vmi-without-dedicated-cpus': (f) =>
    text(
      `${f.source} has no dedicated CPUs: the domain stays as it is`,
      'its vCPUs share CPUs with other pods, so there is nothing to pin to',
      'write spec.domain.cpu.dedicatedCpuPlacement: true',
    ),
  'vmi-cpu-count': (f) =>
    text(
      `${f.source}: ${f.path} is ${f.given}, no whole number of CPUs`,
      'Kubernetes gives dedicated CPUs to whole numbers only, and KubeVirt does not admit such a VMI',
      `write ${f.path} as a whole number`,
    ),
  'vmi-cpu-limit': (f) =>
    text(
      `${f.source}: spec.domain.resources has requests.cpu ${f.requests} and limits.cpu ${f.limits}`,
      'dedicated CPUs need a pod of the class Guaranteed, whose requests and limits are equal',
      'write the same number in both, or count CPUs in spec.domain.cpu alone',
    ),
  'vmi-differs': (f) =>
    text(
      `${f.source} has ${f.what} ${f.vmi}, the domain ${f.domain}`,
      'the domain decides; its cells must make up its own memory and vCPUs',
      'give the VMI that this domain was made from',
    ),
}
