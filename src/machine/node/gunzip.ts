// The unpacked bytes of a gzip file, by Node's zlib.

/** What keeps a file from being unpacked. */
export type Gunzipped = Uint8Array | 'too-large' | { readonly reason: string }

/** @param most a file that unpacks to more bytes is too large */
export function gunzip(bytes: Uint8Array, most: number): Gunzipped {
  // Loading it takes a tenth of a start.
  const { gunzipSync } = require('node:zlib') as typeof import('node:zlib')
  // gzip ends with the unpacked length: a buffer of that size saves a second copy.
  const stated =
    bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true)
  const chunkSize = Math.min(most, Math.max(stated, 64 * 1024))
  try {
    return gunzipSync(bytes, { maxOutputLength: most, chunkSize })
  } catch (error) {
    if (error instanceof RangeError) return 'too-large'
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}
