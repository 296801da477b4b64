// What tests run the hook with: a captured host, libvirt's operations, and the environment that libvirt sets.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The environment that libvirt gives a hook. */
export const ENV = { HOME: '/root', LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }

/** The metadata by which a guest opts in. */
export const ASKS = "<metadata><numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1'/></metadata>"

/** The operations at which the hook rebinds a guest. */
export const REBINDS = ['migrate begin', 'restore begin']

/** Operations at which the hook does nothing; the last two do not exist in libvirt. */
export const IDLE = [
  'start begin',
  'started begin',
  'stopped end',
  'release end',
  'reconnect begin',
  'attach begin',
  'tomorrow begin',
  'migrate end',
]

/** @returns the file */
export function writeIn(folder: string, path: string, text: string | Uint8Array, mode = 0o644): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

/** Two nodes, CPUs 0-3 and 4-7, 512 free pages of 2 MiB on each. @returns its folder */
export function makeHost(folder: string, name: string): string {
  const write = (path: string, text: string): void => void writeIn(folder, `${name}/${path}`, text)
  const [node, cpu] = ['sys/devices/system/node', 'sys/devices/system/cpu']
  for (const id of [0, 1]) {
    write(`${node}/node${id}/cpulist`, id === 0 ? '0-3\n' : '4-7\n')
    write(`${node}/node${id}/meminfo`, `Node ${id} MemTotal: 4194304 kB\nNode ${id} MemFree: 4000000 kB\n`)
    write(`${node}/node${id}/distance`, id === 0 ? '10 21\n' : '21 10\n')
    for (const file of ['nr_hugepages', 'free_hugepages'])
      write(`${node}/node${id}/hugepages/hugepages-2048kB/${file}`, '512\n')
    write(`${node}/node${id}/hugepages/hugepages-2048kB/surplus_hugepages`, '0\n')
  }
  for (const file of ['online', 'has_memory']) write(`${node}/${file}`, '0-1\n')
  write(`${cpu}/online`, '0-7\n')
  for (let id = 0; id < 8; id++) write(`${cpu}/cpu${id}/topology/thread_siblings_list`, `${id}\n`)
  write('proc/meminfo', 'MemTotal: 8388608 kB\nHugepagesize: 2048 kB\n')
  return join(folder, name)
}
