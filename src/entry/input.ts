// What a command reads: files and stdin as text, the host wherever it comes from, the configuration.

import { fstatSync, statSync } from 'node:fs'
import { refuse } from '../base/diagnostic.ts'
import type { CpuSet } from '../base/idset.ts'
import { formatKiB } from '../base/memory.ts'
import { decodeUtf8 } from '../base/utf8.ts'
import type { Source } from '../explain/diagnostics.ts'
import { readCgroup } from '../host/cgroup.ts'
import type { Files } from '../host/files.ts'
import { parseSnapshot } from '../host/snapshot.ts'
import { onlineCpus, readHost } from '../host/sysfs.ts'
import { filesOfTar } from '../host/tar.ts'
import type { Allowed, Host } from '../model.ts'
import { hiddenInConfig } from '../request/config-shown.ts'
import { readAtMost, withFile } from './bounded.ts'
import { confinement, type GuestPlace, guestAllowed } from './guest-cgroup.ts'
import { machineIn, thisMachine } from './machine.ts'
import { systemError } from './system-error.ts'

export const CONFIG = '/etc/libvirt/virt-numa.conf'

/** What a text is, how large one is usually, and how large one may be: all of it is read within a second and 256 MB. */
export interface Kind {
  readonly kind: string
  readonly usual: string
  readonly mostKiB: number
}

export const DOMAIN: Kind = { kind: 'a domain', usual: '10 KiB', mostKiB: 16 * 1024 }
export const VMI: Kind = { kind: 'a VMI', usual: '10 KiB', mostKiB: 1024 }
export const SETTINGS: Kind = { kind: 'a configuration', usual: '1 KiB', mostKiB: 256 }
const HOST: Kind = { kind: 'a snapshot', usual: '100 KiB', mostKiB: 8 * 1024 }
/** The largest of those we know has 35 MB unpacked. */
const CAPTURE: Kind = { kind: 'a captured machine', usual: '10 MiB', mostKiB: 64 * 1024 }

/** `-` or none is stdin. @throws Refusal `unreadable`, `too-large`, `utf8-invalid` */
export function readText(path: string | undefined, kind: Kind): string {
  const file = path === undefined || path === '-' ? 'stdin' : path
  return textOf(readBytes(path, kind), file, kind)
}

/** The mode of a new file with the same content, before the umask: what others may not read, they may not read there. */
export function modeOfInput(path: string | undefined): number {
  try {
    const status = path === undefined || path === '-' ? fstatSync(0) : statSync(path)
    return status.isFile() ? status.mode & 0o666 : 0o666
  } catch {
    return 0o600
  }
}

/** @throws Refusal `too-large`, `utf8-invalid` */
export function textOf(bytes: Uint8Array, file: string, kind: Kind): string {
  checkSize(bytes, file, kind)
  const text = decodeUtf8(bytes)
  return typeof text === 'string' ? text : refuse('utf8-invalid', { file, offset: text.invalidAt })
}

function readBytes(path: string | undefined, { mostKiB, kind }: Kind): Uint8Array {
  const fromStdin = path === undefined || path === '-'
  const read = (file: number): Uint8Array => readAtMost(file, mostKiB * 1024)
  try {
    return fromStdin ? read(0) : withFile(path, 'blocking', read)
  } catch (error) {
    const guest = kind === DOMAIN.kind && !fromStdin && /^[\w-]+$/.test(path) ? path : undefined
    const named = fromStdin
      ? { file: 'stdin', fix: 'redirect a document to it, or name a file' }
      : { file: path, guest }
    throw systemError(error, (fault) => refuse('unreadable', { ...fault, ...named }))
  }
}

function checkSize(bytes: Uint8Array, file: string, { mostKiB, ...kind }: Kind): void {
  if (bytes.length > mostKiB * 1024) refuse('too-large', { file, max: formatKiB(mostKiB), ...kind })
}

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

/** The text of the configuration; the default file may be missing, one that was named may not. */
export function readConfigText(path: string | undefined, fallback = CONFIG): Source | undefined {
  if (path === undefined && !isThere(fallback)) return undefined
  const name = path ?? fallback
  return { name, text: readText(name, SETTINGS), hidden: hiddenInConfig }
}

function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file, ...fault }))
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
