// What --host or `root` names -> the host that it states: a tar of a captured machine, a snapshot, the output
// of virsh capabilities, or a shape in words. Loaded only when it is used, so that the hook does not carry
// these readers.

import { type Diagnostic, Refusal } from '../base/diagnostic.ts'
import { refuse, refuseAll } from '../codes/codes.ts'
import { type FleetHost, isNodeTopology, readNodeTopologies } from '../host/capture/node-topology.ts'
import { hostOfShape, isShape } from '../host/capture/shape.ts'
import { parseSnapshot } from '../host/capture/snapshot.ts'
import { filesOfTar } from '../host/capture/tar.ts'
import type { Files } from '../host/files.ts'
import type { About, Allowed, Host } from '../model/host.ts'
import { gunzip } from './node/gunzip.ts'
import { statusOf } from './node/system.ts'
import { checkSize, type Kind, readBytes, textOf } from './read/read-text.ts'

const HOST: Kind = { kind: 'snapshot', mostKiB: 8 * 1024 }
/** The largest known capture has 35 MB unpacked. */
const CAPTURE: Kind = { kind: 'capture', mostKiB: 64 * 1024 }

/** A list of 5,000 hosts of Kubernetes has about 20 MB. */
const LIST: Kind = { kind: 'snapshot', mostKiB: 64 * 1024 }
/** Where such a list says what it is. */
const START_BYTES = 4096

/** The files of a machine, or a host and what is allowed on it as far as the file says; or several hosts. */
export type HostFile =
  | { readonly files: Files }
  | { readonly fleet: readonly FleetHost[] }
  | { readonly host: Host; readonly allowed: Partial<Allowed>; readonly about?: About }

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
  if (isShape(path) && statusOf(path) === undefined) return { host: hostOfShape(path), allowed: {} }
  const bytes = readBytes(path, CAPTURE)
  const file = path === '-' ? 'stdin' : path
  checkSize(bytes, file, CAPTURE)
  switch (kindOf(bytes)) {
    case 'bzip2':
      return refuse('host-compressed', { file })
    case 'gzip':
      return { files: filesOfTar(unzip(file, bytes)) }
    case 'tar':
      return { files: filesOfTar(bytes) }
    case 'text':
      return isNodeTopology(String.fromCharCode(...bytes.subarray(0, START_BYTES)))
        ? { fleet: readNodeTopologies(textOf(bytes, file, LIST), file) }
        : hostIn(textOf(bytes, file, HOST), file)
  }
}

function hostIn(text: string, file: string): HostFile {
  if (/^\uFEFF?\s*</.test(text)) {
    const { loadCapabilities } = require('./capabilities.cjs') as typeof import('../host/capabilities.ts')
    const host = loadCapabilities(text, file)
    if ('problems' in host) refuseAll(host.problems)
    else return { host, allowed: {} }
  }
  return { allowed: {}, ...parseSnapshot(text, file) }
}

function kindOf(bytes: Uint8Array): 'gzip' | 'bzip2' | 'tar' | 'text' {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip'
  if (bytes[0] === 0x42 && bytes[1] === 0x5a && bytes[2] === 0x68) return 'bzip2'
  return String.fromCharCode(...bytes.subarray(257, 262)) === 'ustar' ? 'tar' : 'text'
}

function unzip(file: string, bytes: Uint8Array): Uint8Array {
  const unpacked = gunzip(bytes, CAPTURE.mostKiB * 1024)
  if (unpacked === 'too-large')
    refuse('too-large', { file, kind: CAPTURE.kind, maxKiB: CAPTURE.mostKiB, isUnpacked: true })
  if ('reason' in unpacked) refuse('unreadable', { file, reason: unpacked.reason })
  return unpacked
}
