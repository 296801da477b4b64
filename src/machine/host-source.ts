// The host to plan for, wherever it comes from: this machine, a captured one, or a file that states it.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import { diagnostic, refuse } from '../codes/codes.ts'
import { aboutMachine } from '../host/about.ts'
import type { FleetHost } from '../host/capture/node-topology.ts'
import { readCgroup } from '../host/cgroup/cgroup.ts'
import { loadedLibvirt } from '../host/daemon.ts'
import { type Files, withMountsOnce } from '../host/files.ts'
import { known } from '../host/kernel-text.ts'
import { readPromised } from '../host/ledger/promised.ts'
import { pciReader, readAllDevices } from '../host/pci/devices.ts'
import { readTaken } from '../host/qemu/taken.ts'
import { onlineCpus, readHost } from '../host/sysfs.ts'
import type { ReadPci } from '../model/devices.ts'
import type { About, Allowed, Host, PromisedMemory } from '../model/host.ts'
import { machineIn, thisMachine } from './files.ts'
import { confinement, type GuestPlace, guestAllowed } from './guest-cgroup.ts'
import type { HostFile } from './host-file.ts'
import { lazyHostFile } from './lazy.ts'
import { statusOf } from './node/system.ts'

/** The host, and what a snapshot or a cgroup allows on it. */
export interface HostSource {
  readonly host: Host
  readonly allowed: Partial<Allowed>
  /** Of a machine that is read as a whole, or as a snapshot says. */
  readonly about?: About
  /** About what could not be read. */
  readonly notes?: readonly Diagnostic[]
  /** Guests that are starting allocated pages, or had them all, while the host was read. */
  readonly isChanging?: true
  /** Reads PCI devices of a machine. */
  readonly pci?: ReadPci
}

/** Which host, and which of its CPUs and nodes. All absent: this machine and the cgroup of this process. */
interface HostOptions {
  readonly host?: string
  readonly cgroup?: string
  readonly pid?: number
  /** Siblings are read for these CPUs only; absent: for the CPUs that the cgroup allows. */
  readonly cpuset?: CpuSet
  /** Siblings of all CPUs, for a snapshot. */
  readonly whole?: boolean
  /** Every PCI device that a guest could get, for a snapshot. */
  readonly everyDevice?: boolean
  /** A guest that has not been started: which cgroup will hold it. */
  readonly guest?: GuestPlace
}

/** @throws Refusal of the source that is read */
export function readHostSource(options: HostOptions): HostSource {
  const { host, cgroup, pid } = options
  const source = openHost(host)
  if ('files' in source) return readMachine(source.files, options)
  if ('fleet' in source) return onlyHostOf(source.fleet, host as string)
  if (cgroup !== undefined || pid !== undefined)
    refuse('host-without-cgroups', {
      file: host as string,
      option: cgroup === undefined ? '--pid' : '--cgroup',
    })
  return source
}

/** One of the hosts that a file or folder states. `read` throws the Refusal of that host alone. */
export interface NamedHost {
  readonly name: string
  readonly read: () => HostSource
}

/**
 * The hosts that a file or folder states: one, or all of a list.
 * @param name what a single host is called
 * @throws Refusal where the whole source cannot be read
 */
export function readHosts(
  options: HostOptions & { readonly host: string },
  name: string,
): readonly NamedHost[] {
  const source = openHost(options.host)
  if ('files' in source) return [{ name, read: () => readMachine(source.files, options) }]
  if ('fleet' in source) return source.fleet.map((each) => ({ name: each.name, read: () => hostIn(each) }))
  return [{ name, read: () => source }]
}

function hostIn(each: FleetHost): HostSource {
  if ('problems' in each) throw new Refusal(each.problems)
  return each
}

function onlyHostOf(fleet: readonly FleetHost[], file: string): HostSource {
  const [first] = fleet
  if (first === undefined || fleet.length > 1) return refuse('host-several', { file, count: fleet.length })
  return hostIn(first)
}

/**
 * The files of a running or captured machine.
 * @throws Refusal `host-without-processes` for a document that states the host alone
 */
export function readFilesOf(host: string | undefined): Files {
  const source = openHost(host)
  return 'files' in source ? source.files : refuse('host-without-processes', { file: host as string })
}

function openHost(host: string | undefined): HostFile {
  if (host === undefined) return { files: thisMachine }
  if (isFolder(host)) return { files: machineIn(host) }
  const opened = lazyHostFile(host)
  if ('problems' in opened) throw new Refusal(opened.problems)
  return opened
}

function isFolder(path: string): boolean {
  return statusOf(path)?.is === 'folder'
}

/**
 * A machine, and what a cgroup allows on it. The cgroup of this process says nothing about a captured one.
 * @param machine its files, of which the long ones are read at most once
 */
export function readMachine(machine: Files, options: HostOptions): HostSource {
  const files = withMountsOnce(machine)
  const { host, cgroup, pid, cpuset, whole = false, guest, everyDevice = false } = options
  const online = onlineCpus(files)
  const named = pid !== undefined ? { pid } : cgroup !== undefined ? { path: cgroup } : undefined
  const of = named ?? (host === undefined ? { pid: 'self' as const } : undefined)
  const own = of && online && readCgroup(files, of, online)
  const confined = own === undefined ? {} : confinement(own)
  const allowed =
    guest === undefined || online === undefined ? confined : guestAllowed(files, own, guest, online)
  const { taken, unread } = readTaken(files)
  const before = readPromised(files)
  const read = whole ? readHost(files) : readHost(files, cpuset ?? allowed.cpus, 'for-placement')
  // After the free pages: what a QEMU allocates between the two then counts for the guest, not against it.
  const promised = readPromised(files)
  return {
    host: {
      ...read,
      ...known('libvirt', whole || isVersionNeeded(read) ? loadedLibvirt(files) : undefined),
      ...(taken.length > 0 && { taken }),
      ...(promised.length > 0 && { promised }),
      ...(everyDevice && known('devices', readAllDevices(files))),
    },
    pci: pciReader(files),
    allowed,
    ...(isChanging(before, promised) && { isChanging: true }),
    ...(whole && { about: aboutMachine(files) }),
    ...(unread.length > 0 && { notes: [diagnostic('status-unread', { files: unread })] }),
  }
}

/** Versions of libvirt differ in what they do on nodes without CPUs (plan/backing/allocation.ts). */
const isVersionNeeded = ({ nodes }: Host): boolean => nodes.some(({ cpus }) => cpus.length === 0)

function isChanging(before: readonly PromisedMemory[], after: readonly PromisedMemory[]): boolean {
  const guests = (promised: readonly PromisedMemory[]): string =>
    promised.map(({ guest }) => guest).join('\n')
  return after.some(({ isAllocating }) => isAllocating) || guests(before) !== guests(after)
}
