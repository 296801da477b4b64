// Files and stdin as text, each kind with its own size limit.

import { decodeUtf8 } from '../../base/utf8.ts'
import { refuse } from '../../codes/codes.ts'
import type { DocumentKind } from '../../codes/files.ts'
import type { Source } from '../../explain/diagnostics.ts'
import { hiddenInConfig } from '../../request/config-shown.ts'
import { readAtMost, statusOf, statusOfOpen } from '../node/system.ts'
import { systemError } from '../system-error.ts'
import { withFile } from './read-bytes.ts'

/** What a file holds, and how large it may be: any is read within a second and 256 MB. */
export interface Kind {
  readonly kind: DocumentKind
  readonly mostKiB: number
}

/** A document of libvirt. */
export const DOMAIN: Kind = { kind: 'domain', mostKiB: 16 * 1024 }
/** KubeVirt's VirtualMachineInstance. */
export const VMI: Kind = { kind: 'vmi', mostKiB: 1024 }

/** `-` or undefined is stdin. @throws Refusal `unreadable`, `too-large`, `utf8-invalid` */
export function readText(path: string | undefined, kind: Kind): string {
  const file = path === undefined || path === '-' ? 'stdin' : path
  return textOf(readBytes(path, kind), file, kind)
}

/**
 * The mode of a new file with the same content, before the umask: it is readable for nobody who may not read
 * the input.
 */
export function modeOfInput(path: string | undefined): number {
  try {
    const status = path === undefined || path === '-' ? statusOfOpen(0) : statusOf(path)
    return status === undefined ? 0o600 : status.is === 'file' ? status.mode & 0o666 : 0o666
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

/** `-` or undefined is stdin. @throws Refusal `unreadable` */
export function readBytes(path: string | undefined, { mostKiB, kind }: Kind): Uint8Array {
  const fromStdin = path === undefined || path === '-'
  const read = (file: number): Uint8Array => readAtMost(file, mostKiB * 1024)
  try {
    return fromStdin ? read(0) : withFile(path, 'blocking', read)
  } catch (error) {
    const guest = kind === DOMAIN.kind && !fromStdin && /^[\w-]+$/.test(path) ? path : undefined
    const named = fromStdin ? { file: 'stdin', isStdin: true } : { file: path, guest }
    throw systemError(error, (fault) => refuse('unreadable', { ...fault, ...named }))
  }
}

/** @throws Refusal `too-large` */
export function checkSize(bytes: Uint8Array, file: string, { mostKiB, kind }: Kind): void {
  if (bytes.length > mostKiB * 1024) refuse('too-large', { file, kind, maxKiB: mostKiB })
}

/** The administrator's configuration file. */
export const CONFIG = '/etc/libvirt/virt-numa.conf'

/** The configuration as text. */
export const SETTINGS: Kind = { kind: 'configuration', mostKiB: 256 }

/**
 * The text of the configuration. The default file may be missing, a file that was named may not.
 * @throws Refusal
 */
export function readConfigText(path: string | undefined, fallback = CONFIG): Source | undefined {
  if (path === undefined && !isThere(fallback)) return undefined
  const name = path ?? fallback
  return { name, text: readText(name, SETTINGS), hidden: hiddenInConfig }
}

function isThere(file: string): boolean {
  try {
    return statusOf(file) !== undefined
  } catch (error) {
    throw systemError(error, (fault) => refuse('unreadable', { file, ...fault }))
  }
}
