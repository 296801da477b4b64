// Captured machines, and snapshots of machines, as folders that can be bound over /sys/devices/system.

import { mkdirSync, writeFileSync } from 'node:fs'
import { formatSet } from '../../src/base/idset.ts'
import type { Host } from '../../src/model/host.ts'
import { must } from './programs.ts'

/** @returns the folder with node/ and cpu/ */
export async function unpackMachine(tar: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  await must(
    'tar',
    ['-xzf', tar, '-C', folder, '--wildcards', '*/devices/system/node', '*/devices/system/cpu'],
    { limitS: 300 },
  )
  const found =
    (await must('find', [folder, '-type', 'd', '-path', '*/devices/system/node'])).split('\n')[0] ?? ''
  if (found === '') throw new Error(`${tar} holds no nodes`)
  return found.slice(0, -'/node'.length)
}

/** What libvirt and libnuma read of a host, as Linux writes it. @returns the folder with node/ and cpu/ */
export function writeMachine(host: Host, folder: string): string {
  const write = (path: string, text: string | number): void => {
    const file = `${folder}/${path}`
    mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true })
    writeFileSync(file, `${text}\n`)
  }
  const cpus = host.nodes.flatMap((node) => node.cpus)
  const ids = host.nodes.map(({ id }) => id).join(',')
  for (const name of ['online', 'possible', 'has_memory', 'has_cpu']) write(`node/${name}`, ids)
  for (const { id, cpus, memoryKiB = 0, freeKiB = memoryKiB, pages, distances } of host.nodes) {
    write(`node/node${id}/cpulist`, formatSet(cpus))
    write(`node/node${id}/cpumap`, cpus.reduce((mask, cpu) => mask | (1n << BigInt(cpu)), 0n).toString(16))
    write(`node/node${id}/meminfo`, `Node ${id} MemTotal: ${memoryKiB} kB\nNode ${id} MemFree: ${freeKiB} kB`)
    if (distances) write(`node/node${id}/distance`, distances.join(' '))
    for (const { pagesizeKiB, total, free = total } of pages) {
      write(`node/node${id}/hugepages/hugepages-${pagesizeKiB}kB/nr_hugepages`, total)
      write(`node/node${id}/hugepages/hugepages-${pagesizeKiB}kB/free_hugepages`, free)
      write(`node/node${id}/hugepages/hugepages-${pagesizeKiB}kB/surplus_hugepages`, 0)
    }
  }
  for (const name of ['online', 'possible', 'present'])
    write(`cpu/${name}`, cpus.sort((a, b) => a - b).join(','))
  for (const cpu of cpus) {
    const core = host.siblings.find((each) => each.includes(cpu)) ?? [cpu]
    write(`cpu/cpu${cpu}/topology/core_id`, core[0] ?? cpu)
    write(`cpu/cpu${cpu}/topology/physical_package_id`, 0)
    write(`cpu/cpu${cpu}/topology/thread_siblings_list`, core.join(','))
  }
  return folder
}
