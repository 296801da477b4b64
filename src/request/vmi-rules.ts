// What KubeVirt's own rules look at in a VirtualMachineInstance: I/O threads, the emulator's CPUs, and what
// it writes besides.

import type { KubevirtElements, KubevirtThreads } from '../model.ts'
import {
  at,
  countAt,
  listAt,
  objectAt,
  type Reading,
  type Spot,
  switchAt,
  textAt,
  wordAt,
} from './vmi-value.ts'

const POOL = 'supplementalPool'
const POLICIES = ['shared', 'auto', POOL]
const PARITY = 'alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity'
const MEMFD = 'kubevirt.io/memfd'

/** An absent factor does not count; when all are absent the count is 0, whatever the resources say. */
export function threadsIn(
  reading: Reading,
  spec: Spot,
  annotations: ReadonlyMap<string, string>,
): KubevirtThreads {
  const cpu = at(reading, spec, 'domain', 'cpu')
  const factors = ['sockets', 'cores', 'threads']
    .map((key) => countAt(reading, at(reading, cpu, key)) ?? 0)
    .filter((factor) => factor > 0)
  const policy = wordAt(reading, at(reading, spec, 'domain', 'ioThreadsPolicy'), POLICIES)
  const pool = countAt(reading, at(reading, spec, 'domain', 'ioThreads', 'supplementalPoolThreadCount')) ?? 0
  const disks = listAt(reading, at(reading, spec, 'domain', 'devices', 'disks'))
  const own = disks.map((disk) => switchAt(reading, at(reading, disk, 'dedicatedIOThread')) ?? false)
  return {
    isolateEmulator: switchAt(reading, at(reading, cpu, 'isolateEmulatorThread')) ?? false,
    evenParity: annotations.has(PARITY),
    writtenVcpus: factors.length === 0 ? 0 : factors.reduce((product, factor) => product * factor, 1),
    wanted: policy !== undefined || own.includes(true),
    pool: policy === POOL ? pool : 0,
  }
}

const WITH_MEMFD: readonly (string | undefined)[] = [undefined, 'amd64', 'arm64']

/** Each element has its own condition, and KubeVirt leaves the rest of the domain as it converted it. */
export function elementsIn(
  reading: Reading,
  spec: Spot,
  annotations: ReadonlyMap<string, string>,
  { dedicated, passthrough }: { readonly dedicated: boolean; readonly passthrough: boolean },
): KubevirtElements {
  const architecture = textAt(reading, at(reading, spec, 'architecture'))
  const realtime = objectAt(reading, at(reading, spec, 'domain', 'cpu', 'realtime')) !== undefined
  return {
    hintDedicated: dedicated && architecture === 'amd64',
    pmuOff: dedicated && realtime,
    nosharepages: passthrough && realtime,
    memfd: passthrough && WITH_MEMFD.includes(architecture) && annotations.get(MEMFD) !== 'false',
  }
}
