// The host that is decided for, wherever it comes from: this machine, a captured one, or a document that states it.

import { statSync } from 'node:fs'
import { refuse } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import { formatKiB } from '../base/memory.ts'
import { parseSnapshot } from '../host/capture/snapshot.ts'
import { filesOfTar } from '../host/capture/tar.ts'
import { readCgroup } from '../host/cgroup/cgroup.ts'
import type { Files } from '../host/files.ts'
import { onlineCpus, readHost } from '../host/sysfs.ts'
import type { Allowed, Host } from '../model.ts'
import { machineIn, thisMachine } from './files.ts'
import { confinement, type GuestPlace, guestAllowed } from './guest-cgroup.ts'
import { checkSize, type Kind, readBytes, textOf } from './read-text.ts'

const HOST: Kind = { kind: 'a snapshot', usual: '100 KiB', mostKiB: 8 * 1024 }
/** The largest of those we know has 35 MB unpacked. */
const CAPTURE: Kind = { kind: 'a captured machine', usual: '10 MiB', mostKiB: 64 * 1024 }

/** The host, and what is allowed on it as far as a snapshot or a cgroup says. */
export interface HostSource {
  readonly host: Host
  readonly allowed: Partial<Allowed>
}

export interface HostOptions {
  readonly host?: string
  readonly cgroup?: string
  readonly pid?: number
  /** Siblings are read for these CPUs only; absent: for those that the cgroup allows. */
  readonly cpuset?: CpuSet
  /** Siblings of all CPUs, for a snapshot. */
  readonly whole?: boolean
  /** A guest that is not started yet: which cgroup will hold it. */
  readonly guest?: GuestPlace
}

/** @throws Refusal of the source that is read */
export function readHostSource(options: HostOptions): HostSource {
  const { host } = options
  const source = openHost(host)
  return 'files' in source
    ? readMachine(source.files, options, host === undefined)
    : readDocument(host as string, source.bytes, options)
}

/** The files of a running or captured machine. @throws Refusal `host-without-processes` for a document that states the host alone */
export function readFilesOf(host: string | undefined): Files {
  const source = openHost(host)
  return 'files' in source ? source.files : refuse('host-without-processes', { file: host as string })
}

function openHost(host: string | undefined): { readonly files: Files } | { readonly bytes: Uint8Array } {
  if (host === undefined) return { files: thisMachine }
  if (isFolder(host)) return { files: machineIn(host) }
  const bytes = readBytes(host, CAPTURE)
  checkSize(bytes, host, CAPTURE)
  const kind = kindOf(bytes)
  if (kind === 'bzip2') refuse('host-compressed', { file: host })
  if (kind === 'gzip') return { files: filesOfTar(unzip(host, bytes)) }
  return kind === 'tar' ? { files: filesOfTar(bytes) } : { bytes }
}

function readDocument(file: string, bytes: Uint8Array, { cgroup, pid }: HostOptions): HostSource {
  if (cgroup !== undefined || pid !== undefined)
    refuse('host-without-cgroups', { file, option: cgroup === undefined ? '--pid' : '--cgroup' })
  const text = textOf(bytes, file, HOST)
  if (/^\uFEFF?\s*</.test(text)) {
    const { readCapabilities } = require('./capabilities.cjs') as typeof import('../host/capabilities.ts')
    return { host: readCapabilities(text, file), allowed: {} }
  }
  const { host, allowed = {} } = parseSnapshot(text, file)
  return { host, allowed }
}

function kindOf(bytes: Uint8Array): 'gzip' | 'bzip2' | 'tar' | 'text' {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) return 'bzip2'
  return String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar' ? 'tar' : 'text'
}

function unzip(file: string, bytes: Uint8Array): Uint8Array {
  // Loaded late: it costs a tenth of a start.
  const { gunzipSync } = require('node:zlib') as typeof import('node:zlib')
  const most = CAPTURE.mostKiB * 1024
  // gzip ends with the length that it unpacks to: into a buffer of that size it comes without a second copy.
  const stated =
    bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true)
  try {
    return gunzipSync(bytes, {
      maxOutputLength: most,
      chunkSize: Math.min(most, Math.max(stated, 64 * 1024)),
    })
  } catch (error) {
    if (error instanceof RangeError)
      refuse('too-large', { file: `${file}, unpacked,`, max: formatKiB(CAPTURE.mostKiB), ...CAPTURE })
    refuse('unreadable', { file, reason: error instanceof Error ? error.message : String(error) })
  }
}

/** Of a captured machine its own cgroup says nothing: it is that of whoever captured it. */
function readMachine(files: Files, options: HostOptions, isThis: boolean): HostSource {
  const { cgroup, pid, cpuset, whole = false, guest } = options
  const online = onlineCpus(files)
  const of =
    pid !== undefined
      ? { pid }
      : cgroup !== undefined
        ? { path: cgroup }
        : isThis
          ? { pid: 'self' as const }
          : undefined
  const own = of && online && confinement(readCgroup(files, of, online))
  const allowed =
    guest === undefined || online === undefined ? (own ?? {}) : guestAllowed(files, own, guest, online)
  return { host: readHost(files, whole ? undefined : (cpuset ?? allowed.cpus)), allowed }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
