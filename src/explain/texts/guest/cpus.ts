// The CPUs that the guest may use and the pins of its threads: the text of each code.

import { type CpuSet, formatSet } from '../../../base/idset.ts'
import type { CpusFacts, NamesCpus } from '../../../codes/guest/cpus.ts'
import { cpuWord, isOrAre, nodesNamed, plural, short, type Texts, text, withIds, within } from '../words.ts'

/** What, why and fix of each code. */
export const cpusTexts: Texts<CpusFacts> = {
  'cpus-outside': (f, { ask: { fit } }) =>
    text(
      `${namerOf(f.of)} names ${cpuWord(f.cpus)}, but the guest may use only ${cpuWord(f.allowed)}`,
      'libvirt then fails with "Setting CPU affinity failed: Invalid argument" or "Invalid argument" ' +
        'from the cpuset cgroup',
      fit('--rebind'),
    ),
  'pins-empty': (f) =>
    text(`${f.element} names no CPU`, 'libvirt refuses an empty cpuset', 'name a CPU, or delete the pin'),
  'cpus-offline': (f) =>
    text(
      `the cpuset names ${cpuWord(f.cpus)}, which ${isOrAre(f.cpus)} not online here`,
      f.online.length === 0 ? 'the host has no online CPU' : `online on this host: ${cpuWord(f.online)}`,
      `remove ${formatSet(f.cpus)} from the cpuset, or bring ${f.cpus.length === 1 ? 'it' : 'them'} ` +
        `online: chcpu -e ${formatSet(f.cpus)}`,
    ),
  'no-cpus': (f, { ask: { use } }) =>
    text(
      'no CPU is left for the guest',
      f.online.length === 0 ? 'the host lists no CPU on any of its nodes' : noneLeftWhy(f),
      f.online.length === 0
        ? 'give --host a capture that holds node*/cpulist, or a snapshot'
        : `${use('cpuset', 'LIST')} with CPUs that the guest may use`,
    ),
  'not-enough-threads': (f, { ask: { use } }) =>
    text(
      `the guest has ${plural(f.vcpus, 'vCPU')} but only ${plural(f.cpuset.length, 'CPU')} to run on` +
        (f.cpuset.length === 0 ? '' : `: ${formatSet(f.cpuset)}`),
      ownCpus[f.owns ?? 'pin'],
      `give the guest ${plural(f.vcpus, 'CPU')}${f.owns === 'realtime' ? '' : `, or ${use('pin', 'cell')}`}`,
    ),
  'cores-few': ({ guestCores, hostCores, threads, cpus }, { ask: { use } }) =>
    text(
      `the guest has ${plural(guestCores, 'core')}, but only ${plural(hostCores, 'whole host core')}: ` +
        cpuWord(cpus),
      'with cores=whole every guest core needs a host core of its own, with all of its threads available, ' +
        `at least ${threads}`,
      `give the guest ${plural(guestCores, 'whole host core')}, or ${use('cores', 'any')}`,
    ),
  'pin-missing': (f, { ask: { use } }) =>
    text(
      `vCPU ${f.vcpu} has no pin`,
      'cpus=as-pinned uses the pins of the domain',
      `write <vcpupin vcpu='${f.vcpu}' cpuset='...'/>, or ${use('cpus', 'pack')}`,
    ),
  'pin-outside': (f, { ask: { use } }) =>
    text(
      `vCPU ${f.vcpu} is pinned to ${cpuWord(f.cpus)}, but ${allowedWords(f.cpuset)}`,
      f.bounds === undefined
        ? 'libvirt then fails with "Setting CPU affinity failed: Invalid argument"'
        : within(f.bounds),
      `correct the pin, or ${use('cpus', 'pack')}`,
    ),
  'pin-spans-nodes': (f, { ask: { use } }) =>
    text(
      `vCPU ${f.vcpu} is pinned to ${cpuWord(f.cpus)}, on ${nodesNamed(f.nodes)}`,
      'all CPUs of a vCPU have to be on the one node of its cell',
      `narrow the pin to one node, or ${use('cpus', 'pack')}`,
    ),
  'cpus-taken': ({ cpus, guest }, { ask: { use } }) =>
    text(
      `the guest uses ${cpuWord(cpus)}, to which ` +
        `${guest === undefined ? 'another guest' : short(guest)} is pinned one to one`,
      'a vCPU waits whenever another guest runs on its CPU; no better allowed CPU is free',
      `${use('cpuset', 'LIST')} to give one of the two guests other CPUs`,
    ),
  'cores-shared': ({ guestCores, hostCores, idle, idleNodes, wholeFits }, { ask: { use } }) =>
    text(
      `${guestCores} guest cores share ${plural(hostCores, 'host core')}, ` +
        `while ${plural(idle, 'host core')} on ${nodesNamed(idleNodes)} ` +
        (idle === 1 ? 'is idle' : 'are idle'),
      'cpus=pack uses all threads of a core, and the threads of a core share its execution units',
      wholeFits
        ? `${use('cores', 'whole')} to give every guest core a host core of its own`
        : 'give the guest as many whole host cores as it has cores, and request cores=whole',
    ),
  'emulator-unpinned': (f, { ask: { use } }) =>
    text(
      f.iothreads === 0 ? 'the emulator is not pinned' : 'the emulator and the I/O threads are not pinned',
      'the vCPUs use all CPUs that the guest was given, so none is spare',
      `give the guest one more CPU, or ${use('emulator', 'shared')}`,
    ),
  'emulator-among-vcpus': (f) =>
    f.because === 'pages-there'
      ? text(
          `the emulator may also run on ${cpuWord(f.cpus)}, where vCPUs run`,
          'an emulator thread on that node allocates its huge pages for QEMU, and no CPU is spare there',
          'give the guest one more CPU on that node',
        )
      : text(
          `the emulator runs on ${cpuWord(f.cpus)}, where vCPUs run`,
          'only a pinned emulator can allocate memory on a node without CPUs, and no CPU is spare',
          'give the guest one more CPU',
        ),
  'emulator-apart': (f) =>
    text(
      `${f.of === 'emulatorpin' ? 'the emulatorpin' : '<vcpu cpuset>'} has no CPU on ` +
        `${nodesNamed(f.nodes)}, whose huge pages back cells`,
      'QEMU 7.2 with libvirt 9.0 allocates them in an emulator thread on that node, and otherwise fails ' +
        'with "Setting CPU affinity failed"',
      `let the emulator run there as well: <emulatorpin cpuset='${formatSet(f.reaching)}'/>`,
    ),
  'pins-widened': (f, { ask: { use } }) =>
    text(
      `${withIds('vCPU', f.vcpus)} ${f.vcpus.length === 1 ? 'was' : 'were'} pinned to ` +
        `${cpuWord(f.before)}, and may now run on ${cpuWord(f.cpus)}`,
      'vCPUs that have no CPU of their own share the CPUs of their cell',
      `${use('pin', 'cpu')} to give each vCPU a CPU of its own`,
    ),
}

/** Why every vCPU needs a CPU of its own. */
const ownCpus = {
  pin: 'with pin=cpu every vCPU needs a CPU of its own',
  realtime: 'a thread that shares a CPU with a real-time vCPU may never run',
  'one-to-one': 'each vCPU is pinned to one CPU, and such a pin is never turned into a shared one',
}

const noneLeftWhy = ({ allowed, isolated }: CpusFacts['no-cpus']): string =>
  `${allowed.length === 0 ? 'no CPUs are allowed' : `allowed CPUs: ${formatSet(allowed)}`}` +
  (isolated.length === 0 ? '' : `; isolated CPUs: ${formatSet(isolated)}`)

const allowedWords = (cpus: CpuSet): string =>
  cpus.length === 0 ? 'no CPU is allowed' : `only ${cpuWord(cpus)} ${isOrAre(cpus)} allowed`

/** "the pin of vCPU 3", "<vcpu cpuset>". */
function namerOf(of: NamesCpus): string {
  switch (of.is) {
    case 'vcpupin':
      return `the pin of vCPU ${of.id}`
    case 'iothreadpin':
      return `the pin of I/O thread ${of.id}`
    case 'emulatorpin':
      return 'the emulatorpin'
    case 'vcpu-cpuset':
      return '<vcpu cpuset>'
  }
}
