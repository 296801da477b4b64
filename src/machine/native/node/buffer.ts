// Bytes with the few methods of a Buffer that the program uses, in the native command.

import { calls } from '../calls.ts'
import { more } from './calls.ts'

/** The only encoding that is used. */
export type Encoding = 'utf8' | 'utf-8'

/** What a Buffer is here. A class, since the parts of one must be of its kind. */
export class Bytes extends Uint8Array {
  /** Whether the bytes are the same. */
  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, at) => byte === other[at])
  }

  /** As text. */
  override toString(_encoding?: Encoding): string {
    return more.decodeLeniently(this)
  }
}

/** These bytes, not a copy. */
export const bytesOf = (buffer: ArrayBufferLike, offset?: number, length?: number): Bytes =>
  new Bytes(buffer as ArrayBuffer, offset, length)

/** A text as UTF-8. Halves of surrogate pairs become U+FFFD. */
const encoded = (text: string): Bytes =>
  bytesOf(more.encodeUtf8((text as string & { toWellFormed(): string }).toWellFormed()))

/** What replaces Node's Buffer. */
export const Buffer = {
  /** A text as bytes, or a part of a buffer, which is not copied. */
  from: (from: string | ArrayBufferLike, offset?: number, length?: number): Bytes =>
    typeof from === 'string' ? encoded(from) : bytesOf(from, offset, length),
  /** Zeros. */
  alloc: (length: number): Bytes => new Bytes(length),
  /** The length of a text as UTF-8. */
  byteLength: (text: string): number => encoded(text).length,
}

/** Whether bytes are UTF-8. */
export const isUtf8 = (bytes: Uint8Array): boolean => typeof calls.decodeUtf8(bytes) === 'string'
