// The CPUs that the guest may use and the pins of its threads: the meaning of each code.

import type { CpusFacts } from '../../../codes/guest/cpus.ts'
import { type Meanings, meaning } from '../../code/meaning.ts'

/** The meaning of each code. */
export const cpusMeanings: Meanings<CpusFacts> = {
  'cpus-outside': meaning(
    'a pin names CPUs that the guest may not use',
    'The kernel refuses an affinity outside the cpuset of the process. libvirt then fails with ' +
      '"Setting CPU affinity failed: Invalid argument", or with "Invalid argument" from the cpuset ' +
      'cgroup.',
    'Run virt-numa transform --rebind, which pins to allowed CPUs.',
  ),
  'pins-empty': meaning(
    'a pin names no CPU',
    'The set is empty, or every id in it is excluded again with ^. libvirt refuses it.',
    'Name a CPU, or delete the pin.',
  ),
  'cpus-offline': meaning(
    'the cpuset names CPUs that are not online',
    'A CPU that is offline or does not exist here runs no thread. A set with it would promise more ' +
      'CPUs than the guest gets.',
    'Remove the CPUs from the set, or bring them online with chcpu -e.',
  ),
  'no-cpus': meaning(
    'no CPU is left for the guest',
    'What the cgroup, the pins and the request allow has no online CPU in common, or all of them are ' +
      'isolated while isolated=avoid applies.',
    'Request a cpuset of CPUs that the guest may use.',
  ),
  'not-enough-threads': meaning(
    'the guest has more vCPUs than CPUs to run on',
    'With pin=cpu, with real-time scheduling, and where the guest was pinned one to one, every vCPU ' +
      'needs a CPU of its own.',
    'Give the guest as many CPUs as it has vCPUs, or request pin=cell if its vCPUs may share.',
  ),
  'cores-few': meaning(
    'cores=whole needs more whole host cores',
    'With cores=whole each guest core gets a host core of its own, with all of its threads available.',
    'Give the guest that many whole host cores, or request cores=any.',
  ),
  'pin-missing': meaning(
    'a vCPU has no pin, with cpus=as-pinned',
    'cpus=as-pinned uses the pins of the domain, so each vCPU needs one.',
    'Write a <vcpupin> for the vCPU, or request cpus=pack.',
  ),
  'pin-outside': meaning(
    'cpus=as-pinned: a pin is outside the allowed CPUs',
    'The pins of the domain decide where the guest runs, but only within the CPUs that it may use.',
    'Correct the pin, or request cpus=pack.',
  ),
  'pin-spans-nodes': meaning(
    'cpus=as-pinned: a pin spans several nodes',
    'All CPUs of a vCPU have to be on the one node of its cell, else its cell has no single node.',
    'Narrow the pin to one node, or request cpus=pack.',
  ),
  'cpus-taken': meaning(
    'another guest is pinned to these CPUs one to one',
    'A vCPU waits whenever the other guest runs on its CPU. Such CPUs are used last, so no better ' +
      'allowed CPU was free.',
    'Give one of the two guests other CPUs with cpuset.',
  ),
  'cores-shared': meaning(
    'guest cores share host cores while others are idle',
    'cpus=pack uses all threads of a host core before the next one. Guest cores that share a host ' +
      'core share its execution units.',
    'Request cores=whole, if the guest has enough whole host cores.',
  ),
  'emulator-unpinned': meaning(
    'no CPU is left for the emulator',
    'The vCPUs use all CPUs of the guest. The emulator and the I/O threads are not pinned, so they ' +
      'run where the scheduler puts them, also on the CPUs of vCPUs.',
    'Give the guest one more CPU, or request emulator=shared.',
  ),
  'emulator-among-vcpus': meaning(
    'the emulator runs on CPUs of vCPUs',
    'An emulator thread on a node allocates its huge pages, and only a pinned emulator can allocate ' +
      'memory on a node without CPUs. No CPU is spare there.',
    'Give the guest one more CPU on that node.',
  ),
  'emulator-apart': meaning(
    'the emulator has no CPU where huge pages are',
    'QEMU allocates the huge pages of a node from an emulator thread on that node. If the pin of the ' +
      'emulator has no CPU there, it can fail with "Setting CPU affinity failed".',
    'Let the emulator run there as well: the message has the <emulatorpin> to write.',
  ),
  'pins-widened': meaning(
    'vCPUs may run on more CPUs than before',
    'vCPUs that have no CPU of their own share the CPUs of their cell, so a narrower pin becomes as ' +
      'wide as the cell.',
    'Request pin=cpu to give each vCPU a CPU of its own.',
  ),
}
