// One small file of /sys or /proc -> a text, a set or a number. A missing or malformed file is unknown, not
// an error.

import { Refusal } from '../base/diagnostic.ts'
import type { IdSet } from '../base/idset.ts'
import { parseMask, parseSet } from '../base/parse-set.ts'
import { decodeUtf8 } from '../base/utf8.ts'
import type { Files } from './files.ts'

/**
 * The text of a file, without the NULs that tar pads a captured sysfs file with: sysfs states a size of 4096
 * bytes and returns fewer.
 */
export function textAt(files: Files, path: string): string | undefined {
  const bytes = files.read(path)
  if (bytes === undefined) return undefined
  const text = decodeUtf8(bytes)
  return typeof text === 'string' ? text.replaceAll('\0', '') : undefined
}

/** A kernel list such as "0-3,8"; an empty file is the empty set. */
export function listAt<Set extends IdSet<string>>(files: Files, path: string): Set | undefined {
  const text = textAt(files, path)
  return text === undefined ? undefined : ifReadable(() => parseSet<Set>(text, path))
}

/** A kernel bitmap such as "00000000,0000ff0f". */
export function maskAt<Set extends IdSet<string>>(files: Files, path: string): Set | undefined {
  const text = textAt(files, path)
  return text === undefined ? undefined : ifReadable(() => parseMask<Set>(text, path))
}

/** A whole number of at most 2^53 - 1 that is the whole file. */
export function numberAt(files: Files, path: string): number | undefined {
  const text = textAt(files, path)?.trim() ?? ''
  if (!/^\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/** The KiB on a line of meminfo: "MemTotal: 1 kB" or "Node 0 MemTotal: 1 kB". */
export function kibIn(meminfo: string | undefined, name: string): number | undefined {
  const literal = name.replace(/[()]/g, '\\$&')
  const digits = new RegExp(`^(?:Node\\s+\\d+\\s+)?${literal}:\\s*(\\d{1,16})\\s*kB`, 'm').exec(
    meminfo ?? '',
  )?.[1]
  const value = Number(digits ?? Number.NaN)
  return Number.isSafeInteger(value) ? value : undefined
}

/**
 * The numbers N of a folder's entries named `prefix`N`suffix`, ascending; undefined without such a folder.
 */
export function numberedIn(files: Files, folder: string, prefix: string, suffix = ''): number[] | undefined {
  const ids = files
    .list(folder)
    ?.filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => name.slice(prefix.length, name.length - suffix.length))
  return ids
    ?.filter((id) => /^(0|[1-9]\d{0,14})$/.test(id))
    .map(Number)
    .sort((a, b) => a - b)
}

/** An object with one key, or with none when the value is unknown. */
export function known<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value })
}

/** The result of `read`, or undefined where it refuses. */
export function ifReadable<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
