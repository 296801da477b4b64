// The unpacked bytes of a gzip file, by zlib in packaging/native/calls.h.

import type * as node from '../node/gunzip.ts'
import { calls } from './calls.ts'

/** @see gunzip of Node; the reasons are zlib's */
export const gunzip: typeof node.gunzip = (bytes, most) => {
  const found = calls.gunzip(bytes, most)
  if (found === true) return 'too-large'
  return typeof found === 'string' ? { reason: found } : new Uint8Array(found)
}
