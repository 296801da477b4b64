// What a VMI says, and what like=kubevirt asks for: the meaning of each code.

import type { KubevirtFacts } from '../../codes/kubevirt.ts'
import { type Meanings, meaning } from '../code/meaning.ts'

/** The meaning of each code. */
export const kubevirtMeanings: Meanings<KubevirtFacts> = {
  'vmi-malformed': meaning(
    'the VMI is not as it should be',
    'A field has a value of the wrong type, a required one is missing, or a key differs in case from one ' +
      'that Kubernetes knows, and would be ignored.',
    'Use a VirtualMachineInstance or VirtualMachine as kubectl prints it.',
  ),
  'dedicated-cpus-required': meaning(
    'guestMappingPassthrough without dedicated CPUs',
    'A guest can be fitted only to CPUs that it has to itself. KubeVirt refuses this VMI as well.',
    'Write spec.domain.cpu.dedicatedCpuPlacement: true.',
  ),
  'emulator-no-cpu': meaning(
    'isolateEmulatorThread lacks a CPU',
    'The emulator thread needs a CPU of its own, and vCPUs and I/O threads take all of them.',
    'Give the pod one more CPU, or request emulator=shared.',
  ),
  'emulator-no-second-cpu': meaning(
    'the even parity of emulator CPUs lacks a CPU',
    'EmulatorThreadCompleteToEvenParity gives the emulator a second CPU where vCPUs and emulator ' +
      'together make an odd number.',
    'Give the pod one more CPU, or delete the annotation.',
  ),
  'iothread-no-cpu': meaning(
    'the supplemental I/O thread pool lacks CPUs',
    'Each thread of supplementalPoolThreadCount needs a CPU besides those of the vCPUs.',
    'Give the pod more CPUs, or request emulator=shared.',
  ),
  'iothreads-missing': meaning(
    'the VMI requests I/O threads, the domain has none',
    'KubeVirt makes I/O threads for disks, and refuses a policy without them.',
    'Delete spec.domain.ioThreadsPolicy, or give the VMI a disk.',
  ),
  'hugepages-required': meaning(
    'like=kubevirt needs huge pages',
    'KubeVirt requires huge pages for guestMappingPassthrough, and like=kubevirt does the same.',
    'Request huge pages in the VMI or the domain.',
  ),
  'vmi-without-dedicated-cpus': meaning(
    'a VMI without CPUs of its own is not changed',
    'Its vCPUs share CPUs with other pods, so they cannot be pinned.',
    'Write spec.domain.cpu.dedicatedCpuPlacement: true, if it should be fitted.',
  ),
  'vmi-cpu-count': meaning(
    'the number of CPUs is not whole',
    'Kubernetes dedicates only whole CPUs, and KubeVirt does not admit such a VMI.',
    'Write a whole number.',
  ),
  'vmi-cpu-limit': meaning(
    'requests.cpu and limits.cpu differ',
    'Dedicated CPUs need a pod of QoS class Guaranteed, whose requests equal its limits.',
    'Write the same number in both, or only spec.domain.cpu.',
  ),
  'vmi-differs': meaning(
    'VMI and domain describe different guests',
    'Their vCPUs or memory differ. The domain takes precedence, because its cells have to add up to it.',
    'Use the VMI that the domain was made from.',
  ),
  'shape-annotation': meaning(
    'the locked shape of a VMI is not kept yet',
    'KubeVirt makes the domain of a VMI anew at each start, and its metadata is lost. The shape can only ' +
      'be kept in an annotation, which virt-numa cannot write: it only answers KubeVirt.',
    'Write the printed annotation into the template of the VirtualMachine.',
  ),
  'socket-unusable': meaning(
    'serve cannot listen on its socket',
    'Another server answers there, the path is not a socket or too long, or the system refuses it.',
    'Stop the other server, remove the file, or use another path with --socket.',
  ),
  'serve-needs-node': meaning(
    'the native program has no gRPC server',
    'The native command runs without Node, and serve is the one command that it does not have.',
    'Run serve of the npm package or of the container image.',
  ),
  'message-malformed': meaning(
    'a gRPC request is not a valid message',
    'Neither a domain nor a VMI can be read from it.',
    'Send the message of the method as packaging/kubevirt/proto defines it.',
  ),
}
