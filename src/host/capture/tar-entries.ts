// The bytes of a tar -> its entries: ustar, GNU long names and pax headers.

import { decodeUtf8 } from '../../base/utf8.ts'
import { refuse } from '../../codes/codes.ts'
import type { Packer, TarProblem } from '../../codes/documents.ts'
import { known } from '../kernel-text.ts'

/** An entry of a tar. `target` is where a link leads, '' for what is not a link. */
interface TarEntry {
  readonly name: string
  readonly target: string
  readonly kind: 'file' | 'folder' | 'symlink' | 'hard link'
  readonly content: Uint8Array
}

const BLOCK = 512
/** The kernel accepts no longer path. */
const MAX_PATH = 4096
const NO_BYTES = new Uint8Array(0)

const KINDS: Record<string, TarEntry['kind']> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hard link',
  '2': 'symlink',
  '5': 'folder',
}

/** The first bytes of what a packer writes. */
const PACKED: readonly [magic: readonly number[], packedBy: Packer][] = [
  [[0x1f, 0x8b], 'gzip'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'xz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
]

/**
 * The files, folders and links of a tar, in its order. Devices, sockets and the like are skipped.
 * @throws Refusal `tar-malformed`
 * @see tar(5) of libarchive; POSIX pax, Interchange Format
 */
export function readEntries(bytes: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = []
  let global = new Map<string, string>()
  let next = new Map<string, string>()
  for (let at = 0; ; ) {
    // An archive ends with blocks of zeros: without them the rest was cut off.
    if (at + BLOCK > bytes.length) refuseTruncated(bytes, at)
    const header = bytes.subarray(at, at + BLOCK)
    if (header.every((byte) => byte === 0)) return entries
    if (!hasChecksum(header)) refuseForeign(bytes, at)
    const stated = new Map([...global, ...next])
    const size = paxSize(stated.get('size'), at) ?? sizeOf(header, at)
    const end = at + BLOCK + size
    if (!(end <= bytes.length)) refuseTruncated(bytes, end)
    const content = bytes.subarray(at + BLOCK, end)
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK

    const type = String.fromCharCode(header[156] as number)
    if (type === 'g') global = new Map([...global, ...paxRecords(content)])
    else if (type === 'x') next = new Map([...next, ...paxRecords(content)])
    else if (type === 'L') next.set('path', textOf(content))
    else if (type === 'K') next.set('linkpath', textOf(content))
    else {
      const entry = entryOf(header, type, stated, content)
      if (entry !== undefined) entries.push(entry)
      next = new Map()
    }
  }
}

function entryOf(
  header: Uint8Array,
  type: string,
  stated: ReadonlyMap<string, string>,
  content: Uint8Array,
): TarEntry | undefined {
  const name = stated.get('path') ?? nameOf(header)
  if (name.length > MAX_PATH) return undefined
  if (type === 'S' || stated.has('GNU.sparse.major') || stated.has('GNU.sparse.map'))
    refuseMalformed({ is: 'sparse', name })
  // Before POSIX a folder was a file whose name ends in a slash.
  const kind = type !== '5' && KINDS[type] === 'file' && name.endsWith('/') ? 'folder' : KINDS[type]
  if (kind === undefined) return undefined
  const target =
    kind === 'symlink' || kind === 'hard link'
      ? (stated.get('linkpath') ?? textOf(header.subarray(157, 257)))
      : ''
  if (target.length > MAX_PATH) return undefined
  return { name, target, kind, content: kind === 'file' ? content : NO_BYTES }
}

/** GNU's own format has times where ustar has the front of a long name. */
function nameOf(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100))
  const prefix =
    header[262] === 0 && textOf(header.subarray(257, 262)) === 'ustar'
      ? textOf(header.subarray(345, 500))
      : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

/** The text up to the first NUL; what is not UTF-8 is read byte by byte. */
function textOf(field: Uint8Array): string {
  const end = field.indexOf(0)
  const bytes = end < 0 ? field : field.subarray(0, end)
  const text = decodeUtf8(bytes)
  return typeof text === 'string' ? text : Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

function paxSize(digits: string | undefined, at: number): number | undefined {
  if (digits === undefined || /^\d{1,15}$/.test(digits))
    return digits === undefined ? undefined : Number(digits)
  return refuseMalformed({ is: 'size', at, text: digits.slice(0, 40), base: 10 })
}

function sizeOf(header: Uint8Array, at: number): number {
  const field = header.subarray(124, 136)
  if ((field[0] as number) & 0x80)
    return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, (field[0] as number) & 0x3f)
  const digits = textOf(field).trim()
  if (!/^[0-7]*$/.test(digits)) refuseMalformed({ is: 'size', at, text: digits, base: 8 })
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

/** The sum of all bytes with the sum's own field counted as blanks; old tars summed signed bytes. */
function hasChecksum(header: Uint8Array): boolean {
  const stated = Number.parseInt(textOf(header.subarray(148, 156)).trim(), 8)
  let sum = 8 * 0x20
  let high = 0
  for (let index = 0; index < BLOCK; index++) {
    if (index === 148) index = 156
    const byte = header[index] as number
    sum += byte
    if (byte >= 128) high += 1
  }
  return sum === stated || sum - 256 * high === stated
}

/** Records of the form "27 path=some/long/name\n"; the length counts bytes and includes itself. */
function paxRecords(content: Uint8Array): [string, string][] {
  const records: [string, string][] = []
  for (let at = 0; at < content.length; ) {
    const blank = content.indexOf(0x20, at)
    const length = blank < 0 ? Number.NaN : Number(textOf(content.subarray(at, blank)))
    if (!(length > blank - at + 1 && at + length <= content.length)) break
    const record = textOf(content.subarray(blank + 1, at + length - 1))
    const equals = record.indexOf('=')
    if (equals > 0) records.push([record.slice(0, equals), record.slice(equals + 1)])
    at += length
  }
  return records
}

function refuseForeign(bytes: Uint8Array, at: number): never {
  if (at > 0) refuseMalformed({ is: 'checksum', at })
  const packedBy = PACKED.find(([magic]) => magic.every((byte, index) => bytes[index] === byte))?.[1]
  refuseMalformed({ is: 'not-a-tar', ...known('packedBy', packedBy) })
}

function refuseTruncated(bytes: Uint8Array, needed: number): never {
  if (bytes.length < BLOCK) refuseForeign(bytes, 0)
  refuseMalformed({ is: 'truncated', length: bytes.length, needed })
}

function refuseMalformed(problem: TarProblem): never {
  refuse('tar-malformed', { problem })
}
