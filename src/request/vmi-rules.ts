// What KubeVirt's own rules look at in a VirtualMachineInstance: I/O threads, the emulator's CPUs, what it
// writes besides, and the CPU counts of `spec.domain.resources`.

import type { Diagnostic } from '../base/diagnostic.ts'
import { diagnostic } from '../codes/codes.ts'
import type { KubevirtElements, KubevirtThreads } from '../model/request.ts'
import {
  at,
  countAt,
  listAt,
  objectAt,
  quantityTextAt,
  type Reading,
  type Spot,
  switchAt,
  textAt,
  unexpected,
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

/** A number of CPUs, and how and where it is written. */
interface Count {
  readonly path: string
  readonly given: string
  readonly cpus: number
}

/**
 * What KubeVirt's admission would report of the CPU counts: whole numbers, and requests equal to limits. The
 * domain decides how many vCPUs there are, so these are notes.
 * @see KubeVirt user guide, "Dedicated CPU resources"
 */
export function cpuNotes(reading: Reading, spec: Spot): Diagnostic[] {
  const { source } = reading
  const requests = countIn(reading, at(reading, spec, 'domain', 'resources', 'requests', 'cpu'))
  const limits = countIn(reading, at(reading, spec, 'domain', 'resources', 'limits', 'cpu'))
  const fractions = [requests, limits].filter(
    (count): count is Count => count !== undefined && !Number.isInteger(count.cpus),
  )
  const differ = requests !== undefined && limits !== undefined && requests.cpus !== limits.cpus
  return [
    ...fractions.map(({ path, given }) => diagnostic('vmi-cpu-count', { source, path, given })),
    ...(differ
      ? [diagnostic('vmi-cpu-limit', { source, requests: requests.given, limits: limits.given })]
      : []),
  ]
}

function countIn(reading: Reading, spot: Spot): Count | undefined {
  const given = quantityTextAt(reading, spot)
  if (given === undefined) return undefined
  const match = /^\+?(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:[eE]([0-3]))?(m?)$/.exec(given.trim())
  if (match === null) return unexpected(reading, spot, { kind: 'cpus' })
  const thousandths = Number(match[1]) * 10 ** Number(match[2] ?? 0) * (match[3] === 'm' ? 1 : 1000)
  return { path: spot.path, given, cpus: thousandths / 1000 }
}
