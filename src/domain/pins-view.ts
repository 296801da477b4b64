// `<cputune>` to the pins and real-time vCPUs as written.

import { type CpuSet, setOf, union, type VcpuSet } from '../base/idset.ts'
import { diagnostic } from '../codes/codes.ts'
import type { DomainView } from '../model/domain.ts'
import { attribute, child, childrenOf, tagSpan, type XmlElement } from '../xml/parse.ts'
import { missing, numberIn, optional, type Reading, setIn, UINT_MAX } from './values.ts'

/** `vcpus`: their number; `iothreads`: their ids. */
interface Threads {
  readonly vcpus: number
  readonly iothreads: readonly number[]
}

/**
 * The pins as written. One of an I/O thread that the guest does not have is a problem.
 * @see libvirt virDomainIOThreadPinDefParseXML
 */
export function readPins(
  reading: Reading,
  cputune: XmlElement | undefined,
  { vcpus, iothreads }: Threads,
): Pick<DomainView, 'vcpupin' | 'realtime' | 'emulatorpin' | 'iothreadpin'> {
  const emulator = child(cputune, 'emulatorpin')
  // libvirt drops the pin of a vCPU that is not there, whatever it says.
  const vcpupin = readPinMap(reading, childrenOf(cputune, 'vcpupin'), 'vcpu', (vcpu) => vcpu < vcpus)
  const known = new Set(iothreads)
  const iothreadpin = readPinMap(reading, childrenOf(cputune, 'iothreadpin'), 'iothread', (iothread, pin) => {
    if (known.has(iothread)) return true
    reading.problems.push(diagnostic('iothread-without-thread', { iothread, has: iothreads }, tagSpan(pin)))
    return false
  })
  return {
    vcpupin,
    realtime: readRealtime(reading, cputune, vcpus),
    ...optional('emulatorpin', emulator && cpusIn(reading, emulator)),
    iothreadpin,
  }
}

/** vCPUs whose scheduler is fifo or rr; checks/schedulers.ts reports what is wrong there. @see sched(7) */
function readRealtime(reading: Reading, cputune: XmlElement | undefined, vcpus: number): VcpuSet {
  const realtime = childrenOf(cputune, 'vcpusched').filter((each) =>
    ['fifo', 'rr'].includes(attribute(each, 'scheduler')?.value ?? ''),
  )
  const unreported: Reading = { ...reading, problems: [] }
  const named = realtime.map((each) => setIn<VcpuSet>(unreported, each, 'vcpus') ?? setOf<VcpuSet>([]))
  return setOf<VcpuSet>(union(...named).filter((vcpu) => vcpu < vcpus))
}

function readPinMap(
  reading: Reading,
  pins: readonly XmlElement[],
  key: 'vcpu' | 'iothread',
  isThere: (id: number, pin: XmlElement) => boolean,
): Map<number, CpuSet> {
  const map = new Map<number, CpuSet>()
  const seen = new Set<number>()
  for (const pin of pins) {
    const id = numberIn(reading, pin, key, [key === 'vcpu' ? 0 : 1, UINT_MAX])
    if (id === undefined || !isThere(id, pin)) continue
    if (seen.has(id))
      reading.problems.push(
        diagnostic('entry-twice', { element: pin.name, of: { is: key, id } }, tagSpan(pin)),
      )
    else {
      seen.add(id)
      const cpus = cpusIn(reading, pin)
      if (cpus !== undefined) map.set(id, cpus)
    }
  }
  return map
}

function cpusIn(reading: Reading, pin: XmlElement): CpuSet | undefined {
  return attribute(pin, 'cpuset') === undefined
    ? missing(reading, pin, 'cpuset')
    : setIn<CpuSet>(reading, pin, 'cpuset')
}
