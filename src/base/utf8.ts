// Bytes -> text. The core cannot use TextDecoder: QuickJS has none, and Node's silently replaces bad bytes.

const CHUNK = 8192

/**
 * Decodes UTF-8.
 * @returns the text, or the offset of the first byte that is not valid UTF-8: overlong forms, surrogates and
 * characters above U+10FFFF are not
 */
export function decodeUtf8(bytes: Uint8Array): string | { readonly invalidAt: number } {
  let text = ''
  let units: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const plain = asciiFrom(bytes, at)
    if (plain > 0) {
      text += String.fromCharCode(...units, ...bytes.subarray(at, at + plain))
      units = []
      at += plain
      continue
    }
    const length = sequenceLength(bytes, at)
    if (length === 0) return { invalidAt: at }
    pushUnits(units, codePoint(bytes, at, length))
    at += length
    if (units.length >= CHUNK) {
      text += String.fromCharCode(...units)
      units = []
    }
  }
  return text + String.fromCharCode(...units)
}

/** How many bytes from this one on are ASCII, which most texts are; at most CHUNK. */
function asciiFrom(bytes: Uint8Array, from: number): number {
  const most = Math.min(bytes.length, from + CHUNK)
  let at = from
  while (at < most && (bytes[at] as number) < 0x80) at += 1
  return at - from
}

/** How many bytes the character at `at` has; 0 if it is not valid. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  for (let next = at + 1; next < at + length; next++) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0
  const second = bytes[at + 1] as number
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90)
  const surrogate = first === 0xed && second > 0x9f
  return overlong || surrogate || (first === 0xf4 && second > 0x8f) ? 0 : length
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at] as number
  if (length === 1) return first
  let code = first & (0xff >> (length + 1))
  for (let next = at + 1; next < at + length; next++) code = (code << 6) | ((bytes[next] as number) & 0x3f)
  return code
}

function pushUnits(units: number[], code: number): void {
  if (code < 0x10000) units.push(code)
  else units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff))
}
