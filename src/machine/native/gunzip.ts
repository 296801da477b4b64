// The unpacked bytes of a gzip file, in the native programs, which have no zlib: the blocks of DEFLATE with
// their Huffman codes, and the checksum that follows them. Several members are one text.
//
// @see RFC 1951, RFC 1952

import type * as node from '../node/gunzip.ts'
import { type Input, inflate } from './inflate.ts'

/** @see gunzip of Node; the reasons have the words of zlib */
export const gunzip: typeof node.gunzip = (bytes, most) => {
  const input: Input = { bytes, at: 0, bits: 0, count: 0 }
  let all = new Uint8Array(Math.min(most, Math.max(4 * bytes.length, 64 * 1024)))
  let length = 0
  const put = {
    length: () => length,
    byte: (value: number): void => {
      if (length === most) throw TOO_LARGE
      if (length === all.length) all = enlarged(all, Math.min(most, 2 * length))
      all[length++] = value
    },
    back: (distance: number): number => all[length - distance] as number,
  }
  try {
    do {
      skipHeader(input)
      const start = length
      inflate(input, put, start)
      checkTrailer(input, all.subarray(start, length))
    } while (bytes[input.at] === 0x1f && bytes[input.at + 1] === 0x8b)
    return all.subarray(0, length)
  } catch (error) {
    if (error === TOO_LARGE) return 'too-large'
    if (typeof error === 'string') return { reason: error }
    throw error
  }
}

const TOO_LARGE = Symbol('too large')

function enlarged(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}

const [HAS_CRC, HAS_EXTRA, HAS_NAME, HAS_COMMENT] = [2, 4, 8, 16] as const

function skipHeader(input: Input): void {
  const { bytes } = input
  const next = (): number => {
    const value = bytes[input.at++]
    if (value === undefined) throw 'unexpected end of file'
    return value
  }
  if (next() !== 0x1f || next() !== 0x8b) throw 'incorrect header check'
  if (next() !== 8) throw 'unknown compression method'
  const flags = next()
  if ((flags & 0xe0) !== 0) throw 'unknown header flags set'
  input.at += 6
  if (flags & HAS_EXTRA) {
    const low = next()
    input.at += low | (next() << 8)
  }
  if (flags & HAS_NAME) while (next() !== 0);
  if (flags & HAS_COMMENT) while (next() !== 0);
  if (flags & HAS_CRC) input.at += 2
}

function checkTrailer(input: Input, unpacked: Uint8Array): void {
  // The rest of a byte that the last block ended in is not used; whole bytes beyond it were not yet.
  input.at -= input.count >> 3
  input.bits = 0
  input.count = 0
  if (input.at + 8 > input.bytes.length) throw 'unexpected end of file'
  const trailer = new DataView(input.bytes.buffer, input.bytes.byteOffset + input.at, 8)
  if (trailer.getUint32(0, true) !== crc32(unpacked)) throw 'incorrect data check'
  if (trailer.getUint32(4, true) !== unpacked.length) throw 'incorrect length check'
  input.at += 8
}

function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, first) => {
    let value = first
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
    return value
  })
  let sum = 0xffffffff
  for (let at = 0; at < bytes.length; at++)
    sum = (table[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8)
  return (sum ^ 0xffffffff) >>> 0
}
