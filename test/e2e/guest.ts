// A small guest: Debian's cloud kernel and a busybox that prints on its serial console what NUMA topology
// it sees, then ticks once a second.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { must, until } from './programs.ts'

const INIT = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys
for n in /sys/devices/system/node/node[0-9]*; do
  kib=$(grep MemTotal $n/meminfo | tr -s ' ' | cut -d' ' -f4)
  echo "CELL \${n##*/node} cpus=$(cat $n/cpulist) kib=$kib distance=$(cat $n/distance)"
done
for c in /sys/devices/system/cpu/cpu[0-9]*; do
  t=$c/topology
  echo "VCPU \${c##*/cpu} socket=$(cat $t/physical_package_id) die=$(cat $t/die_id)" \\
    "core=$(cat $t/core_id) threads=$(cat $t/thread_siblings_list) beside=$(cat $t/core_siblings_list)"
done
for d in /sys/bus/pci/devices/*; do
  echo "PCI \${d##*/} device=$(cat $d/vendor):$(cat $d/device) node=$(cat $d/numa_node)"
done
echo "CELLS PRINTED"
i=0
while :; do i=$((i+1)); echo "tick $i"; sleep 1; done
`

/** @returns the file */
export async function makeInitramfs(folder: string): Promise<string> {
  const root = `${folder}/initramfs`
  for (const each of ['bin', 'proc', 'sys', 'dev']) mkdirSync(`${root}/${each}`, { recursive: true })
  copyFileSync('/bin/busybox', `${root}/bin/busybox`)
  for (const name of ['sh', 'cat', 'mount', 'grep', 'tr', 'cut', 'sleep'])
    symlinkSync('busybox', `${root}/bin/${name}`)
  writeFileSync(`${root}/init`, INIT)
  chmodSync(`${root}/init`, 0o755)
  const names = (await must('find', ['.'], { cwd: root })).trim()
  const file = `${folder}/initramfs.cpio`
  await must('cpio', ['-o', '-H', 'newc', '--quiet', '-O', file], { cwd: root, input: `${names}\n` })
  return file
}

/** What the tests choose about a guest. */
export interface GuestOptions {
  readonly name: string
  readonly memoryMiB: number
  /** Default 2. */
  readonly vcpus?: number
  /** Attributes of our element; absent: the guest does not opt in. */
  readonly requested?: string
  readonly kernel: string
  readonly initramfs: string
  /** What the guest's console says is added to it. */
  readonly console: string
  readonly devices?: string
}

/**
 * Not fitted: vCPUs in one socket, and memory in pages of 2 MiB. Without KVM, which these machines seldom
 * have.
 */
export function guestXml({
  name,
  memoryMiB,
  vcpus = 2,
  requested,
  kernel,
  initramfs,
  console,
  devices = '',
}: GuestOptions): string {
  const metadata =
    requested === undefined
      ? ''
      : `  <metadata>
    <numa:guestMappingPassthrough xmlns:numa='urn:virt-numa:1' ${requested}/>
  </metadata>
`
  return `<domain type='qemu'>
  <name>${name}</name>
${metadata}  <memory unit='MiB'>${memoryMiB}</memory>
  <memoryBacking>
    <hugepages>
      <page size='2' unit='MiB'/>
    </hugepages>
  </memoryBacking>
  <vcpu>${vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>${kernel}</kernel>
    <initrd>${initramfs}</initrd>
    <cmdline>console=ttyS0 panic=-1 quiet nokaslr</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='custom' match='exact'>
    <model fallback='forbid'>qemu64</model>
    <topology sockets='1' cores='${vcpus}' threads='1'/>
  </cpu>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='${console}' append='on'/>
    </serial>
    <memballoon model='none'/>${devices}
  </devices>
</domain>
`
}

const said = (console: string): string => (existsSync(console) ? readFileSync(console, 'latin1') : '')

/** A NUMA node as the guest's kernel reports it. */
export interface SeenCell {
  readonly cell: number
  readonly vcpus: string
  readonly memoryKiB: number
  readonly distances: string
}

/**
 * What the guest's own kernel reports about its cells. Its boot takes 3 seconds on a machine that has
 * nothing else to do.
 */
export async function cellsSeen(console: string): Promise<SeenCell[]> {
  await until(
    180,
    'the guest boots',
    () => said(console).includes('CELLS PRINTED'),
    () => said(console).slice(-2000),
  )
  return [...said(console).matchAll(/^CELL (\d+) cpus=(\S*) kib=(\d+) distance=(.*?)\r?$/gm)].map(
    ([, cell, vcpus, kib, distances]) => ({
      cell: Number(cell),
      vcpus: vcpus ?? '',
      memoryKiB: Number(kib),
      distances: distances ?? '',
    }),
  )
}

/** The socket of each vCPU as the guest's kernel reports it, by vCPU; to be asked after cellsSeen. */
export function socketsSeen(console: string): number[] {
  const found: number[] = []
  for (const [, vcpu, socket] of said(console).matchAll(/^VCPU (\d+) socket=(\d+)/gm))
    found[Number(vcpu)] = Number(socket)
  return found
}

/** Where a vCPU is as the guest's kernel reports it; `beside` are those of its socket. */
export interface SeenVcpu {
  readonly socket: number
  readonly die: number
  readonly core: number
  readonly threads: string
  readonly beside: string
}

/** By vCPU; to be asked after cellsSeen. */
export function vcpusSeen(console: string): SeenVcpu[] {
  const found: SeenVcpu[] = []
  const line = /^VCPU (\d+) socket=(\d+) die=(\d+) core=(\d+) threads=(\S+) beside=(\S+)/gm
  for (const [, vcpu, socket, die, core, threads = '', beside = ''] of said(console).matchAll(line))
    found[Number(vcpu)] = { socket: Number(socket), die: Number(die), core: Number(core), threads, beside }
  return found
}

/** A PCI device as the guest's kernel reports it; `device` is vendor and device, such as "0x8086:0x10d3". */
export interface SeenDevice {
  readonly address: string
  readonly device: string
  readonly node: number
}

/** The PCI devices; to be asked after cellsSeen. */
export function devicesSeen(console: string): SeenDevice[] {
  return [...said(console).matchAll(/^PCI (\S+) device=(\S+) node=(-?\d+)/gm)].map(
    ([, address = '', device = '', node]) => ({ address, device, node: Number(node) }),
  )
}

/** @throws Error when the guest does not tick on */
export async function ticksOn(console: string): Promise<void> {
  const ticks = (): number => said(console).match(/^tick /gm)?.length ?? 0
  const before = ticks()
  await until(
    60,
    'the guest ticks on',
    () => ticks() > before + 1,
    () => said(console).slice(-500),
  )
}

/** Where QEMU's memory of one cell lies. */
export interface CellMemory {
  readonly policy: string
  readonly pagesizeKiB: number
  /** Pages by host node: "N0=64". */
  readonly pages: readonly string[]
}

/** @see numa(7), /proc/PID/numa_maps */
export function cellMemory(pid: number, cell: number): CellMemory {
  const lines = readFileSync(`/proc/${pid}/numa_maps`, 'utf8').split('\n')
  const line = lines.find((each) => new RegExp(`file=\\S*ram-node${cell}\\b`).test(each)) ?? ''
  return {
    policy: line.split(' ')[1] ?? '',
    pagesizeKiB: Number(/kernelpagesize_kB=(\d+)/.exec(line)?.[1]),
    pages: line.match(/\bN\d+=\d+/g) ?? [],
  }
}

/** The CPUs that each vCPU's thread may run on, by vCPU. */
export function vcpuAffinity(pid: number): string[] {
  const found: string[] = []
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8')
    const vcpu = /^Name:\tCPU (\d+)\//m.exec(status)?.[1]
    const cpus = /^Cpus_allowed_list:\t(\S+)/m.exec(status)?.[1]
    if (vcpu !== undefined && cpus !== undefined) found[Number(vcpu)] = cpus
  }
  return found
}
