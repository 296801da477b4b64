// Bytes of a protobuf message -> its fields, and fields -> bytes. KubeVirt's messages for hooks hold strings,
// bytes and other messages, which are all written the same way, and one small number.

/** The last value of each field that has a length, by field number; other fields are left out. */
export type Fields = ReadonlyMap<number, Uint8Array>

/** A field to write: its number, and a text, bytes, a message, or a whole number from 0 up. */
type Field = readonly [number: number, value: string | Uint8Array | number]

const VARINT = 0
const FIXED_64 = 1
const LENGTH = 2
const FIXED_32 = 5

/**
 * Reads a message. Fields that nobody knows are skipped, as protobuf requires.
 * @returns its fields, or the offset of the field that is cut or has no known form
 * @see protobuf.dev, "Encoding"
 */
export function readMessage(bytes: Uint8Array): Fields | { readonly invalidAt: number } {
  const fields = new Map<number, Uint8Array>()
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    const content = tag && contentOf(bytes, tag)
    if (tag === undefined || content === undefined || content.end > bytes.length || tag.value < 8)
      return { invalidAt: at }
    if (tag.value % 8 === LENGTH)
      fields.set(Math.floor(tag.value / 8), bytes.subarray(content.start, content.end))
    at = content.end
  }
  return fields
}

interface Varint {
  readonly value: number
  readonly end: number
}

/** Seven bits a byte, the lowest first. A number above 2^53 is only ever skipped: its value may be wrong. */
function readVarint(bytes: Uint8Array, start: number): Varint | undefined {
  let value = 0
  for (let at = start; at < start + 10; at++) {
    const byte = bytes[at]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * (at - start))
    if (byte < 0x80) return { value, end: at + 1 }
  }
  return undefined
}

/** Where the content of a field lies; undefined where its form is unknown. */
function contentOf(
  bytes: Uint8Array,
  { value, end: start }: Varint,
): { readonly start: number; readonly end: number } | undefined {
  switch (value % 8) {
    case VARINT: {
      const number = readVarint(bytes, start)
      return number && { start, end: number.end }
    }
    case FIXED_64:
      return { start, end: start + 8 }
    case FIXED_32:
      return { start, end: start + 4 }
    case LENGTH: {
      const length = readVarint(bytes, start)
      return length && { start: length.end, end: length.end + length.value }
    }
    default:
      return undefined
  }
}

/** Writes a message. As in proto3, a field with an empty value is left out. */
export function writeMessage(fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return value === 0 ? [] : [varint(number * 8 + VARINT), varint(value)]
    const content = typeof value === 'string' ? Buffer.from(value) : value
    return content.length === 0 ? [] : [varint(number * 8 + LENGTH), varint(content.length), content]
  })
  return Buffer.concat(parts)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Uint8Array.from([...bytes, rest])
}
