// What a VMI says, and what like=kubevirt asks for: the text of each code.

import { inOneUnit } from '../../base/memory.ts'
import { shellWord } from '../../base/visible.ts'
import type { KubevirtFacts, SocketProblem, VmiDifference, VmiProblem } from '../../codes/kubevirt.ts'
import { fixesOfWriting } from './files.ts'
import { cpuWord, plural, type Text, type Texts, taken, text, unexpectedText } from './words.ts'

/** What, why and fix of each code. */
export const kubevirtTexts: Texts<KubevirtFacts> = {
  'vmi-malformed': (f) => vmiText(`${f.source}: ${f.path || 'the document'}`, f.problem),
  'dedicated-cpus-required': (f) =>
    text(
      `${f.source}: spec.domain.cpu.numa.guestMappingPassthrough needs dedicated CPUs`,
      'a guest can be fitted only to CPUs that no other guest uses',
      'write spec.domain.cpu.dedicatedCpuPlacement: true',
    ),
  'emulator-no-cpu': (f, { ask: { use } }) =>
    text(
      `isolateEmulatorThread needs a CPU of its own, but ${taken(f)} all of ${cpuWord(f.cpuset)}`,
      'the emulator thread would otherwise share a CPU with a vCPU',
      `give the pod ${f.vcpus + f.pool + 1} CPUs, or ${use('emulator', 'shared')}`,
    ),
  'emulator-no-second-cpu': (f) =>
    text(
      'EmulatorThreadCompleteToEvenParity needs a second CPU for the emulator, but only one of ' +
        `${cpuWord(f.cpuset)} is left`,
      `${plural(f.vcpus, 'vCPU')}${f.pool === 0 ? '' : ` and ${plural(f.pool, 'I/O thread')}`} and one ` +
        'emulator CPU make an odd number',
      `give the pod ${f.vcpus + f.pool + 2} CPUs, or delete the annotation ` +
        'alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity',
    ),
  'iothread-no-cpu': (f, { ask: { use } }) =>
    text(
      `supplementalPoolThreadCount ${f.pool} needs ${plural(f.pool, 'CPU')} in addition to those of ` +
        `${plural(f.vcpus, 'vCPU')}, but ${cpuWord(f.cpuset)} ` +
        `${f.cpuset.length === 1 ? 'leaves' : 'leave'} only ${f.got}`,
      'each I/O thread of the supplemental pool needs a CPU of its own',
      `give the pod ${f.vcpus + f.pool} CPUs, or ${use('emulator', 'shared')}`,
    ),
  'iothreads-missing': () =>
    text(
      'the VMI requests I/O threads, but the domain has none',
      'KubeVirt makes I/O threads for disks, and refuses a policy without them',
      'delete spec.domain.ioThreadsPolicy, or give the VMI a disk',
    ),
  'hugepages-required': (f, { ask: { use } }) =>
    text(
      f.inVmi ? 'the VMI requests no huge pages' : 'the guest has no huge pages',
      'KubeVirt requires huge pages for guestMappingPassthrough, and like=kubevirt does the same',
      f.inVmi
        ? 'write spec.domain.memory.hugepages.pageSize: 2Mi'
        : `write <memoryBacking><hugepages/></memoryBacking>, or ${use('pagesize', '2M')}`,
    ),
  'vmi-without-dedicated-cpus': (f) =>
    text(
      `${f.source} has no dedicated CPUs: the domain is not changed`,
      'its vCPUs share CPUs with other pods, so they cannot be pinned',
      'write spec.domain.cpu.dedicatedCpuPlacement: true',
    ),
  'vmi-cpu-count': (f) =>
    text(
      `${f.source}: ${f.path} is ${f.given}, not a whole number of CPUs`,
      'Kubernetes dedicates only whole CPUs, and KubeVirt does not admit such a VMI',
      `write ${f.path} as a whole number`,
    ),
  'vmi-cpu-limit': (f) =>
    text(
      `${f.source}: spec.domain.resources has requests.cpu ${f.requests}, but limits.cpu ${f.limits}`,
      'dedicated CPUs need a pod of QoS class Guaranteed, whose requests equal its limits',
      'write the same number in both, or give the number of CPUs only in spec.domain.cpu',
    ),
  'vmi-differs': (f) =>
    text(
      `${f.source} has ${differenceWords(f)}`,
      'the domain takes precedence: its cells have to add up to its own memory and vCPUs',
      'use the VMI that this domain was made from',
    ),
  'shape-annotation': (f) =>
    text(
      `${f.source} does not have the shape of this guest`,
      'KubeVirt makes the domain anew at each start, so only an annotation keeps the shape',
      `write the annotation virt-numa.io/shape: ${f.shape}`,
    ),
  'socket-unusable': (f) => socketText(f.path, f.problem),
  'serve-needs-node': () =>
    text(
      'this virt-numa has no gRPC server',
      'it is the native program, which runs without Node',
      'run virt-numa serve of the npm package or of the container image',
    ),
  'message-malformed': (f) =>
    text(
      `${f.method}: the request is not a valid protobuf message at byte ${f.offset}`,
      'neither a domain nor a VMI can be read from it',
      'send the message of this method as packaging/kubevirt/proto defines it',
    ),
}

function differenceWords(f: VmiDifference): string {
  if (f.in === 'vcpus') return `${plural(f.vmi, 'vCPU')}, but the domain has ${f.domain}`
  const [vmi, domain] = inOneUnit(f.vmiKiB, f.domainKiB)
  return `${vmi} of memory, but the domain has ${domain}`
}

function vmiText(place: string, problem: VmiProblem): Text {
  switch (problem.is) {
    case 'unexpected':
      return unexpectedText(place, problem)
    case 'missing':
      return text(
        `${place} is missing`,
        'every VMI has it',
        'use a VirtualMachineInstance, or a VirtualMachine',
      )
    case 'other-case':
      return text(
        `${place} is an unknown key`,
        'keys are case-sensitive; Kubernetes ignores this one',
        `write ${problem.key}`,
      )
  }
}

function socketText(path: string, problem: SocketProblem): Text {
  const what = `cannot listen on ${path}`
  switch (problem.is) {
    case 'in-use':
      return text(
        `${what}: another server answers there`,
        'only one server can listen on a socket',
        'stop the other server, or use --socket PATH with another path',
      )
    case 'not-a-socket':
      return text(
        `${what}: it exists and is not a socket`,
        'only a socket that no server answers on is replaced',
        `remove it: rm ${shellWord(path)}; or use --socket PATH with another path`,
      )
    case 'too-long':
      return text(
        `${what}: the path has ${problem.bytes} bytes`,
        `the path of a socket has at most ${problem.max} bytes`,
        'use --socket PATH with a shorter path',
      )
    case 'refused':
      return text(
        `${what}: ${problem.reason}`,
        undefined,
        fixesOfWriting[problem.errno]?.(path) ?? 'use --socket PATH with another path',
      )
  }
}
