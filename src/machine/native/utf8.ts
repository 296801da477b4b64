// Bytes -> text, by packaging/native/calls.h: what base/utf8.ts does, a hundred times faster.

import type * as base from '../../base/utf8.ts'
import { calls } from './calls.ts'

/** @see decodeUtf8 of base/utf8.ts */
export const decodeUtf8: typeof base.decodeUtf8 = (bytes) => {
  const text = calls.decodeUtf8(bytes)
  return typeof text === 'string' ? text : { invalidAt: text }
}
