// The CPUs that the guest may use and the pins of its threads: the text of each code.

import type { CpusFacts } from '../../codes/cpus.ts'
import { cpuWord, nodeWord, plural, type Texts, text, within } from './words.ts'

/** What, why and fix of each code. */
export const cpusTexts: Texts<CpusFacts> = {
  'cpus-outside': (f) =>
    text(
      `${f.element} names ${cpuWord(f.cpus)}, the guest may use ${cpuWord(f.allowed)}`,
      'libvirt then fails with "Setting CPU affinity failed: Invalid argument" or "Invalid argument" from the cpuset cgroup',
      'run virt-numa transform --rebind',
    ),
  'pins-empty': (f) =>
    text(`${f.element} names no CPU`, 'libvirt refuses an empty cpuset', 'name a CPU, or delete the pin'),
  'cpus-offline': (f) =>
    text(
      `the cpuset names ${f.count === 1 ? 'CPU' : 'CPUs'} ${f.cpus}, not online here`,
      `the host has the CPUs ${f.online || '(none)'}`,
      `leave ${f.cpus} out of the cpuset, or bring ${f.count === 1 ? 'it' : 'them'} online`,
    ),
  'no-cpus': (f) =>
    text(
      'no CPU is left for the guest',
      f.online === ''
        ? 'the host names no CPU on any of its nodes'
        : `${f.allowed === '' ? 'no CPUs are allowed' : `allowed CPUs: ${f.allowed}`}${f.isolated === '' ? '' : `; isolated CPUs: ${f.isolated}`}`,
      f.online === ''
        ? 'give --host a capture that holds node*/cpulist, or a snapshot'
        : 'name the CPUs: --cpuset LIST',
    ),
  'not-enough-threads': (f) =>
    text(
      `the guest has ${plural(f.vcpus, 'vCPU')} and ${plural(f.cpus, 'CPU')} to run on: ${f.cpuset}`,
      'with pin=cpu every vCPU has a CPU of its own',
      `give the guest ${f.vcpus} CPUs, or use --pin cell`,
    ),
  'pin-missing': (f) =>
    text(
      `vCPU ${f.vcpu} has no pin`,
      'cpus=as-pinned keeps the pins of the domain',
      `write <vcpupin vcpu='${f.vcpu}' cpuset='...'/>, or use --cpus pack`,
    ),
  'pin-outside': (f) =>
    text(
      `vCPU ${f.vcpu} is pinned to ${f.cpus}, outside the CPUs ${f.cpuset || '(none)'}`,
      f.bounds === undefined
        ? 'libvirt then fails with "Setting CPU affinity failed: Invalid argument"'
        : within(f.bounds),
      'correct the pin, or use --cpus pack',
    ),
  'pin-spans-nodes': (f) =>
    text(
      `vCPU ${f.vcpu} is pinned to ${f.cpus}, on the nodes ${f.nodes || '(none)'}`,
      'its cell is bound to one node',
      'narrow the pin to one node, or use --cpus pack',
    ),
  'emulator-unpinned': (f) =>
    text(
      `${f.threads} not pinned`,
      'the guest takes every CPU it was given, so none is spare',
      'give the guest one CPU more, or use --emulator shared',
    ),
  'emulator-among-vcpus': (f) =>
    text(
      `the emulator may also run on ${cpuWord(f.cpus)}, where vCPUs are`,
      "QEMU allocates a node's huge pages from a thread of the emulator on that node, and no CPU is spare there",
      'give the guest one CPU more on that node',
    ),
  'emulator-apart': (f) =>
    text(
      `${f.element} has no CPU of ${nodeWord(f)}, whose huge pages back cells`,
      'QEMU 7.2 under libvirt 9.0 allocates them from a thread of the emulator there, and ends with "Setting CPU affinity failed"',
      `let the emulator run there too: <emulatorpin cpuset='${f.reaching}'/>`,
    ),
}
