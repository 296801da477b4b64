// JSON values to numbers, sets, lists and objects of known keys. Each problem is collected with its JSON
// path.

import { collectRefusals, type Diagnostic } from '../../base/diagnostic.ts'
import type { IdSet } from '../../base/idset.ts'
import { foundValue, type Json, type JsonObject } from '../../base/json.ts'
import { nearest } from '../../base/nearest.ts'
import { parseSet } from '../../base/parse-set.ts'
import { diagnostic } from '../../codes/codes.ts'
import type { ExpectedValue } from '../../codes/documents.ts'
import type { SnapshotProblem } from '../../codes/host.ts'

/** Everything that was found wrong so far. */
export interface Shape {
  readonly source: string
  readonly problems: Diagnostic[]
}

/** A value and its path. */
export interface ValueAt {
  readonly path: string
  readonly value: Json
}

/** An object and its path. */
export interface ObjectAt {
  readonly path: string
  readonly members: JsonObject
}

/** The keys that an object may have, and those of them that it must have. */
interface Keys {
  readonly known: readonly string[]
  readonly needed?: readonly string[]
}

/** Collects what is wrong at a path. */
export function problem(shape: Shape, path: string, problem: SnapshotProblem): undefined {
  shape.problems.push(diagnostic('host-malformed', { source: shape.source, path, problem }))
}

function unexpected(shape: Shape, { path, value }: ValueAt, expected: ExpectedValue): undefined {
  return problem(shape, path, { is: 'unexpected', found: foundValue(value), expected })
}

/** The object at a path, empty if it is none. Reports unknown and missing keys. */
export function objectAt(shape: Shape, { path, value }: ValueAt, { known, needed = [] }: Keys): ObjectAt {
  if (!(value instanceof Map)) {
    unexpected(shape, { path, value }, { kind: 'object' })
    return { path, members: new Map() }
  }
  const members = value as JsonObject
  for (const key of members.keys()) {
    if (known.includes(key)) continue
    const close = closest(key, known, shape.problems.length)
    problem(shape, join(path, key), { is: 'unknown-key', known, close })
  }
  for (const key of needed) if (!members.has(key)) problem(shape, join(path, key), { is: 'missing', key })
  return { path, members }
}

/** The value of a key with its path; undefined when there is no such key. */
export function valueIn({ path, members }: ObjectAt, key: string): ValueAt | undefined {
  const value = members.get(key)
  return value === undefined ? undefined : { path: join(path, key), value }
}

/** The members of the list at `key`, each read with its own path; undefined when there is no such key. */
export function listIn<Value>(
  shape: Shape,
  object: ObjectAt,
  key: string,
  read: (member: ValueAt) => Value,
): Value[] | undefined {
  const list = valueIn(object, key)
  if (list === undefined) return undefined
  const { path, value } = list
  if (!Array.isArray(value)) return unexpected(shape, list, { kind: 'list' })
  return value.map((each: Json, index) => read({ path: `${path}[${index}]`, value: each }))
}

/** The whole number from 0 to `max` at `key`; undefined when there is no such key. */
export function numberIn(
  shape: Shape,
  object: ObjectAt,
  key: string,
  max = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const number = valueIn(object, key)
  return number === undefined ? undefined : wholeNumber(shape, number, max)
}

/** The value as a whole number from 0 to `max`. */
export function wholeNumber(shape: Shape, number: ValueAt, max: number): number | undefined {
  const { value } = number
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
  return unexpected(shape, number, { kind: 'count', max })
}

/** true or false at `key`; undefined when there is no such key. */
export function booleanIn(shape: Shape, object: ObjectAt, key: string): boolean | undefined {
  const boolean = valueIn(object, key)
  if (boolean === undefined) return undefined
  const { value } = boolean
  return typeof value === 'boolean' ? value : unexpected(shape, boolean, { kind: 'boolean' })
}

/** The text at `key`; undefined when there is no such key. */
export function textIn(shape: Shape, object: ObjectAt, key: string): string | undefined {
  const text = valueIn(object, key)
  if (text === undefined) return undefined
  return typeof text.value === 'string' ? text.value : unexpected(shape, text, { kind: 'text' })
}

/** The version at `key`, such as "9.0.0"; undefined when there is no such key. */
export function versionIn(shape: Shape, object: ObjectAt, key: string): string | undefined {
  const version = valueIn(object, key)
  if (version === undefined) return undefined
  const { value } = version
  const isVersion = typeof value === 'string' && /^\d{1,4}\.\d{1,4}(\.\d{1,4})?$/.test(value)
  return isVersion ? value : unexpected(shape, version, { kind: 'version' })
}

/** The set at `key`; undefined when there is no such key. */
export function setIn<Set extends IdSet<string>>(
  shape: Shape,
  object: ObjectAt,
  key: string,
): Set | undefined {
  const set = valueIn(object, key)
  return set === undefined ? undefined : setAt<Set>(shape, set)
}

/** The value as a set: a text such as "0-3,8". */
export function setAt<Set extends IdSet<string>>(shape: Shape, set: ValueAt): Set | undefined {
  const { path, value } = set
  if (typeof value !== 'string') return unexpected(shape, set, { kind: 'set' })
  return collectRefusals(shape.problems, () => parseSet<Set>(value, `${shape.source}: ${path}`))
}

/** The path of a key: `nodes[0].id`; a key that is not a name is quoted. */
export function join(path: string, key: string): string {
  const step = /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)
  return path === '' ? step : `${path}.${step}`
}

/** The key that is meant: the same but for case and the unit ("memory", "freekib"), or mistyped. */
function closest(word: string, keys: readonly string[], mistakes: number): string | undefined {
  const bare = (key: string): string => key.toLowerCase().replace(/[-_ ]/g, '').replace(/kib$/, '')
  const meant = nearest(bare(word.slice(0, 100)), keys.map(bare), mistakes)
  return keys.find((key) => bare(key) === meant)
}
