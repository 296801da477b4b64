// A running guest as it was found, to lines that a test compares: where its memory lies, where its threads
// may run.

import { formatSet } from '../../../src/base/idset.ts'
import { readDocument } from '../../../src/document.ts'
import { readDomain } from '../../../src/domain/view.ts'
import type { GuestReport } from './report.ts'

/** "cell 0: bind:1, N1=64, pages of 2048 KiB", from a line of numa_maps each, as the kernel states it. */
export function memoryOf({ numaMaps }: GuestReport): string[] {
  return numaMaps
    .filter(isHuge)
    .map((line) => {
      const [, policy] = line.split(' ')
      const [, cell, device] = /ram-node(\d+)|mem(dimm\d+)/.exec(line) ?? []
      const what = device ?? `cell ${cell ?? '?'}`
      const nodes = line.match(/\bN\d+=\d+/g)?.join(' ') ?? 'nothing'
      return `${what}: ${policy}, ${nodes}, pages of ${/kernelpagesize_kB=(\d+)/.exec(line)?.[1]} KiB`
    })
    .sort()
}

/** "bind:1, on N1": the nodes of ordinary memory that is bound to nodes. The guest decides how much. */
export function ordinaryMemoryOf({ numaMaps }: GuestReport): string[] {
  const lines = numaMaps
    .filter((line) => !isHuge(line))
    .flatMap((line) => {
      const [, policy] = line.split(' ')
      return [...line.matchAll(/\b(N\d+)=\d+/g)].map(([, node]) => `${policy}, on ${node}`)
    })
  return [...new Set(lines)].sort()
}

const isHuge = (line: string): boolean => line.includes(' huge ')

/** "vCPU 0: 4"; QEMU's main thread, and those that it names like itself, are its emulator. */
export function threadsOf({ threads }: GuestReport): string[] {
  const lines = threads.flatMap(({ name, cpus }) => {
    const vcpu = /^CPU (\d+)\//.exec(name)?.[1]
    return vcpu !== undefined
      ? [`vCPU ${vcpu}: ${cpus}`]
      : name === 'qemu-system-x86'
        ? [`emulator: ${cpus}`]
        : []
  })
  return [...new Set(lines)].sort()
}

/** "vCPU 0: fifo": the threads that are not scheduled like any other. @see sched(7) */
export function scheduledOf({ threads }: GuestReport): string[] {
  return threads
    .filter(({ policy }) => policy !== 0)
    .map(
      ({ name, policy }) => `${name.replace(/^CPU (\d+)\/.*/, 'vCPU $1')}: ${policy === 1 ? 'fifo' : policy}`,
    )
    .sort()
}

/** The same lines, from the pins of its XML. */
export function pinsOf({ xml }: GuestReport): string[] {
  const { vcpupin, emulatorpin } = readDomain(readDocument(xml))
  const pins = [...vcpupin].map(([vcpu, cpus]) => `vCPU ${vcpu}: ${formatSet(cpus)}`)
  return [...(emulatorpin === undefined ? [] : [`emulator: ${formatSet(emulatorpin)}`]), ...pins].sort()
}

/** What the guest sees. */
export function cellsOf({ xml }: GuestReport): string | undefined {
  return /<numa>.*<\/numa>/s.exec(xml)?.[0]
}

/** "vCPUs 0, 80 MiB" of each cell. */
export function cellSizesOf({ xml }: GuestReport): string[] {
  return readDomain(readDocument(xml)).cells.map(
    ({ vcpus, memoryKiB }) => `vCPUs ${formatSet(vcpus) || 'none'}, ${memoryKiB / 1024} MiB`,
  )
}
