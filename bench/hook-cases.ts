// What the hook is measured with: guests of ../shared/bench on hosts of 64 and 256 CPUs, as captured folders.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CpuSet, formatSet, range, setOf } from '../src/base/idset.ts'
import type { Host } from '../src/model/host.ts'
import { ASKS } from '../test/doors/hook-host.ts'
import { writeMachine } from '../test/e2e/machines.ts'
import { caseOf } from './cases.ts'

/** One guest on one host, as files. */
export interface HookCase {
  /** The captured folder, for `root =`. */
  readonly root: string
  /** Documents by what the hook does with them. */
  readonly fits: string
  readonly rebinds: string
  readonly silent: string
  /** `cpuset` of the configuration, where the guest fits. */
  readonly cpuset: string
}

/** The guest of 10 KB with eight vCPUs on four nodes, on a host of 64 CPUs. */
export function smallCase(folder: string): HookCase {
  const { text, surroundings } = caseOf('10k')
  const root = captured(join(folder, 'host-64'), wider(surroundings.host))
  addDaemon(root)
  const cpuset = formatSet(surroundings.flags?.cpuset as CpuSet)
  // It comes from CPUs 32-35,48-51 of nodes 0 to 3, two of which this host does not have.
  const [from, to] = [new Map([0, 2, 5, 9].map((node, at) => [node, at])), 32]
  const moved = text
    .replace(/(vcpupin .*cpuset=')(\d+)/g, (_, before, cpu) => `${before}${Number(cpu) + to}`)
    .replace(/(memnode .*nodeset=')(\d+)/g, (_, before, node) => `${before}${from.get(Number(node))}`)
    .replace("nodeset='0,2,5,9'", "nodeset='0-3'")
  return { root, cpuset, ...documents(folder, 'small', text, moved) }
}

/** The guest of 128 vCPUs on eight nodes, on a host of 256 CPUs. */
export function largeCase(folder: string): HookCase {
  const { text, surroundings } = caseOf('128')
  const root = captured(join(folder, 'host-256'), surroundings.host)
  const pins = [...text.matchAll(/(?:vcpupin|emulatorpin|iothreadpin).*cpuset='(\d+)'/g)]
  const cpuset = formatSet(setOf<CpuSet>(pins.map(([, cpu]) => Number(cpu))))
  // It comes from a host that numbers its cores from the other end of each node.
  const moved = text.replace(
    /(pin .*cpuset=')(\d+)/g,
    (_, before, cpu) => `${before}${(Number(cpu) + 8) % 256}`,
  )
  return { root, cpuset, ...documents(folder, 'large', text, moved) }
}

/** The small guest with 5 MB of metadata and devices, which libvirt's own limit would let pass. */
export function hugeDocument(folder: string, { rebinds }: HookCase): string {
  const text = readFileSync(rebinds, 'utf8')
  const disk = /^ *<disk [\s\S]*?<\/disk>\n/m.exec(text)?.[0] ?? ''
  const note = `      <note text='${'x'.repeat(200)}'/>\n`
  const many = (each: string, bytes: number): string => each.repeat(Math.round(bytes / each.length))
  const apps = `<app:all xmlns:app='urn:example:app'>\n${many(note, 4_600_000)}    </app:all>\n  </metadata>`
  const huge = text.replace('</metadata>', apps).replace(disk, many(disk, 400_000))
  return written(join(folder, 'huge.xml'), huge)
}

function documents(
  folder: string,
  name: string,
  fits: string,
  rebinds: string,
): Pick<HookCase, 'fits' | 'rebinds' | 'silent'> {
  const asks = (text: string): string =>
    text.replace('<metadata>', `<metadata>${ASKS.replace(/<\/?metadata>/g, '')}`)
  return {
    fits: written(join(folder, `${name}-fits.xml`), asks(fits)),
    rebinds: written(join(folder, `${name}-rebinds.xml`), asks(rebinds)),
    silent: written(join(folder, `${name}-silent.xml`), fits),
  }
}

/** What a libvirtd sees of itself on a host with systemd and cgroup v2, for the direct calls of the hook. */
function addDaemon(root: string): void {
  const write = (path: string, text: string): void => {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const daemon = '/system.slice/libvirtd.service'
  write('proc/self/cgroup', `0::${daemon}\n`)
  write('proc/self/cpuset', `${daemon}\n`)
  write('proc/self/status', 'Name:\tqemu-hook\nCpus_allowed_list:\t0-63\nMems_allowed_list:\t0,2,5,9\n')
  const mounts = [
    ['/sys', 'sysfs'],
    ['/sys/fs/cgroup', 'cgroup2'],
    ['/dev/hugepages', 'hugetlbfs', ',pagesize=2M'],
    ...range(30).map((at) => [`/var/lib/mounted-${at}`, 'tmpfs'] as const),
  ] as const
  const [options, all] = ['rw,nosuid,nodev,noexec,relatime', mounts.entries()]
  const lines = [...all].map(([at, [point, type, more = '']]) => {
    return [
      `${at + 20} 1 0:${at} / ${point} ${options} - ${type} ${type} rw${more}\n`,
      `${type} ${point} ${type} ${options}${more} 0 0\n`,
    ] as const
  })
  write('proc/self/mountinfo', lines.map(([line]) => line).join(''))
  write('proc/mounts', lines.map(([, line]) => line).join(''))
  for (const name of [daemon, '/machine.slice', '']) {
    const at = `sys/fs/cgroup${name}`
    write(`${at}/cgroup.controllers`, 'cpuset cpu io memory hugetlb pids\n')
    write(`${at}/cpuset.cpus.effective`, '0-63\n')
    write(`${at}/cpuset.mems.effective`, '0,2,5,9\n')
    for (const size of name === '' ? [] : ['2MB', '1GB']) write(`${at}/hugetlb.${size}.max`, 'max\n')
  }
}

/** @returns the path */
export function written(path: string, text: string): string {
  writeFileSync(path, text)
  return path
}

/** The same host with a second half of cores: CPUs 32 to 63. */
function wider(host: Host): Host {
  const half = host.nodes.reduce((sum, { cpus }) => sum + cpus.length, 0)
  const both = (set: CpuSet): CpuSet => setOf<CpuSet>([...set, ...set.map((cpu) => cpu + half)])
  const second = host.siblings.map((core) => setOf<CpuSet>(core.map((cpu) => cpu + half)))
  return {
    ...host,
    nodes: host.nodes.map((node) => ({ ...node, cpus: both(node.cpus) })),
    siblings: [...host.siblings, ...second],
  }
}

/** A captured folder, with the caches of every CPU and the pools of the whole host. */
function captured(folder: string, host: Host): string {
  writeMachine(host, join(folder, 'sys/devices/system'))
  for (const { cpus } of host.nodes)
    for (const cpu of cpus) {
      const core = host.siblings.find((each) => each.includes(cpu)) ?? setOf<CpuSet>([cpu])
      const levels: [level: number, type: string, cpus: CpuSet][] = [
        [1, 'Data', core],
        [1, 'Instruction', core],
        [2, 'Unified', core],
        [3, 'Unified', cpus],
      ]
      for (const [index, [level, type, shared]] of levels.entries()) {
        const at = join(folder, `sys/devices/system/cpu/cpu${cpu}/cache/index${index}`)
        mkdirSync(at, { recursive: true })
        const facts = { level, type, id: shared[0] ?? 0, shared_cpu_list: formatSet(shared) }
        for (const [name, value] of Object.entries(facts)) writeFileSync(join(at, name), `${value}\n`)
      }
    }
  const kib = host.nodes.reduce((sum, { memoryKiB = 0 }) => sum + memoryKiB, 0)
  mkdirSync(join(folder, 'proc'), { recursive: true })
  writeFileSync(
    join(folder, 'proc/meminfo'),
    `MemTotal: ${kib} kB\nMemFree: ${kib} kB\nHugepagesize: 2048 kB\n`,
  )
  for (const size of range(2).map((at) => 2048 << (9 * at))) {
    const at = join(folder, `sys/kernel/mm/hugepages/hugepages-${size}kB`)
    mkdirSync(at, { recursive: true })
    for (const name of ['resv_hugepages', 'nr_overcommit_hugepages', 'surplus_hugepages'])
      writeFileSync(join(at, name), '0\n')
  }
  return folder
}
