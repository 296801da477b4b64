// A file of --host or `root` -> the host that it states: a tar of a captured machine, a snapshot, or the
// output of virsh capabilities. Loaded only when a file is named, so that the hook does not carry these
// readers.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { formatKiB } from '../base/memory.ts'
import { refuse, refuseAll } from '../codes/codes.ts'
import { parseSnapshot } from '../host/capture/snapshot.ts'
import { filesOfTar } from '../host/capture/tar.ts'
import type { Files } from '../host/files.ts'
import type { Allowed, Host } from '../model.ts'
import { checkSize, type Kind, readBytes, textOf } from './read/read-text.ts'

const HOST: Kind = { kind: 'a snapshot', usual: '100 KiB', mostKiB: 8 * 1024 }
/** The largest known capture has 35 MB unpacked. */
const CAPTURE: Kind = { kind: 'a captured machine', usual: '10 MiB', mostKiB: 64 * 1024 }

/** The files of a machine, or a host and what is allowed on it as far as the file says. */
export type HostFile = { readonly files: Files } | { readonly host: Host; readonly allowed: Partial<Allowed> }

/** Returns what is refused instead of throwing it: this file is a bundle with a Refusal class of its own. */
export function openHostFile(path: string): HostFile | { readonly problems: readonly Diagnostic[] } {
  try {
    return open(path)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { problems: error.diagnostics }
  }
}

function open(path: string): HostFile {
  const bytes = readBytes(path, CAPTURE)
  checkSize(bytes, path, CAPTURE)
  switch (kindOf(bytes)) {
    case 'bzip2':
      return refuse('host-compressed', { file: path })
    case 'gzip':
      return { files: filesOfTar(unzip(path, bytes)) }
    case 'tar':
      return { files: filesOfTar(bytes) }
    case 'text':
      return hostIn(textOf(bytes, path, HOST), path)
  }
}

function hostIn(text: string, path: string): HostFile {
  if (/^\uFEFF?\s*</.test(text)) {
    const { loadCapabilities } = require('./capabilities.cjs') as typeof import('../host/capabilities.ts')
    const host = loadCapabilities(text, path)
    if ('problems' in host) refuseAll(host.problems)
    else return { host, allowed: {} }
  }
  const { host, allowed = {} } = parseSnapshot(text, path)
  return { host, allowed }
}

function kindOf(bytes: Uint8Array): 'gzip' | 'bzip2' | 'tar' | 'text' {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) return 'bzip2'
  return String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar' ? 'tar' : 'text'
}

function unzip(file: string, bytes: Uint8Array): Uint8Array {
  // Loading it takes a tenth of a start.
  const { gunzipSync } = require('node:zlib') as typeof import('node:zlib')
  const most = CAPTURE.mostKiB * 1024
  // gzip ends with the unpacked length: a buffer of that size saves a second copy.
  const stated =
    bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true)
  const chunkSize = Math.min(most, Math.max(stated, 64 * 1024))
  try {
    return gunzipSync(bytes, { maxOutputLength: most, chunkSize })
  } catch (error) {
    if (error instanceof RangeError)
      refuse('too-large', { file: `${file}, unpacked,`, max: formatKiB(CAPTURE.mostKiB), ...CAPTURE })
    refuse('unreadable', { file, reason: error instanceof Error ? error.message : String(error) })
  }
}
